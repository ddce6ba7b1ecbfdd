"""One message a day: chosen, gathered, told once at its hour whatever crashes, and never what cannot wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.digests import last_time, next_time
from db.ids import uuid7
from db.outbox import CAN_WAIT, OPTIONAL, Told, tell
from db.settings import Settings
from notifications.digests import Digester
from notifications.dispatcher import open_pool
from tests.house import House, Made
from tests.notifications.test_messages import NEWS

PARIS = ZoneInfo("Europe/Paris")
CHOOSE = """mutation ($hour: Int, $topics: [Topic!]!) { setDailyMessage(hour: $hour, topics: $topics) {
    problems { code path } } }"""
CHOSEN = "{ viewer { family { dailyMessageHour dailyMessageTopics } } }"
PREFER = """mutation ($topic: Topic!, $channels: [Channel!]!) {
    setChannelPreferences(topic: $topic, channels: $channels) { problems { code } } }"""
ROUTES = """query ($topic: Topic!) { viewer { family { previewRouting(topic: $topic, first: 10) { edges { node {
    channel use waitsUntil } } } } } }"""
INBOX = "{ viewer { family { unreadCount inbox(first: 9) { edges { node { type awaitsDailyMessage readAt } } } } } }"
SENT = """select n.type, d.channel from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
    where d.family_id = $1 order by d.news_seq"""
HOUR = (datetime.now(PARIS).hour + 12) % 24
"""Far from now: the house's own dispatcher tells at that hour too."""


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC)),
    hour=st.integers(0, 23),
)
def test_every_hour_comes_once_a_day_also_when_the_clocks_are_changed(at: datetime, hour: int) -> None:
    last, following = last_time(at, hour, PARIS), next_time(at, hour, PARIS)
    assert last <= at < following
    assert timedelta(hours=22) <= following - last <= timedelta(hours=26)
    assert last_time(following, hour, PARIS) == following and next_time(last, hour, PARIS) == following
    days = (following.astimezone(PARIS).date() - last.astimezone(PARIS).date()).days
    assert days == 1


@pytest.mark.parametrize("hour", [2, 3])
@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])
def test_an_hour_that_is_left_out_or_repeated_is_told_once(day: datetime, hour: int) -> None:
    start = day.replace(tzinfo=PARIS).astimezone(UTC)
    minutes = [start + timedelta(minutes=minute) for minute in range(26 * 60)]
    times = {last_time(minute, hour, PARIS) for minute in minutes}
    assert len([each for each in times if each >= start and each < start + timedelta(hours=23)]) == 1


async def chosen(house: House, token: str) -> tuple[int | None, list[str]]:
    """Give what a family chose."""
    family = (await house.ask(CHOSEN, token)).data["viewer"]["family"]
    return family["dailyMessageHour"], family["dailyMessageTopics"]


async def test_a_family_chooses_its_daily_message_and_gives_it_up(house: House) -> None:
    _, token = await house.member()
    _, other = await house.member()
    await house.do(CHOOSE, token, hour=HOUR, topics=["PROCEDURE_STATUS", "INVOICE_ISSUED"])
    assert await chosen(house, token) == (HOUR, ["INVOICE_ISSUED", "PROCEDURE_STATUS"])
    assert await chosen(house, other) == (None, [])
    await house.do(CHOOSE, token, topics=[])
    assert await chosen(house, token) == (None, [])


@pytest.mark.parametrize(
    ("hour", "topics", "path"),
    [(7, ["ACCOUNT_SECURITY"], "topics"), (7, ["TERMS"], "topics"), (7, ["DIRECT_DEBIT"], "topics"),
     (7, ["DAILY_MESSAGE"], "topics"), (7, ["INVOICE_ISSUED"] * 2, "topics"), (24, ["INVOICE_ISSUED"], "hour"),
     (-1, ["INVOICE_ISSUED"], "hour"), (None, ["INVOICE_ISSUED"], "hour"), (7, [], "hour")],
)  # fmt: skip
async def test_what_cannot_wait_and_what_is_no_hour_is_refused_and_changes_nothing(
    house: House, hour: int | None, topics: list[str], path: str
) -> None:
    _, token = await house.member()
    await house.do(CHOOSE, token, hour=9, topics=["PROCEDURE_MESSAGE"])
    answer = await house.ask(CHOOSE, token, hour=hour, topics=topics)
    assert answer.data["setDailyMessage"]["problems"] == [{"code": "BAD_USER_INPUT", "path": [path]}]
    assert await chosen(house, token) == (9, ["PROCEDURE_MESSAGE"])


def test_nothing_that_is_required_can_wait() -> None:
    assert CAN_WAIT < OPTIONAL


async def news(house: House, family: Made, type: str, topic: str, at: datetime) -> None:
    """Tell a family something."""
    data = NEWS[type] | {"summary_fr": f"Voici {type} pour vous.", "summary_en": f"Here is {type}."}
    async with house.connection.transaction():
        await tell(house.connection, Told(family.id, topic, type, uuid7(), data, at))


@pytest.fixture
async def nodes(house: House) -> AsyncIterator[list[asyncpg.Pool]]:
    """Three dispatchers' pools."""
    made = [await open_pool(house.dsn, Settings()) for _ in range(3)]
    yield made
    for pool in made:
        pool.terminate()


async def at_hour(nodes: list[asyncpg.Pool], now: datetime) -> int:
    """Let all nodes look at once, twice; give how many messages they wrote."""
    written = 0
    for _ in range(2):
        written += sum(await asyncio.gather(*(Digester(pool, lambda: now, PARIS).write() for pool in nodes)))
    return written


async def sent(house: House, family: Made) -> list[tuple[str, str]]:
    """Give type and channel of what was sent since the family's account was opened."""
    rows = [(row["type"], row["channel"]) for row in await house.connection.fetch(SENT, family.id)]
    wanted = {"invoice_issued", "invoice_overdue", "procedure_moved", "daily_message"}
    return [row for row in rows if row[0] in wanted]


async def test_what_can_wait_comes_in_one_message_at_the_hour_and_the_rest_at_once(
    house: House, nodes: list[asyncpg.Pool]
) -> None:
    family, token = await house.member()
    unread = (await house.ask(INBOX, token)).data["viewer"]["family"]["unreadCount"]
    await house.do(CHOOSE, token, hour=HOUR, topics=["INVOICE_ISSUED"])
    now = house.clock()
    for type, topic in (
        ("invoice_issued", "INVOICE_ISSUED"), ("invoice_overdue", "INVOICE_ISSUED"),
        ("procedure_moved", "PROCEDURE_STATUS"), ("invoice_issued", "INVOICE_ISSUED"),
    ):  # fmt: skip
        await news(house, family, type, topic, now)
    at_once = [("invoice_issued", "IN_APP"), ("invoice_overdue", "EMAIL"), ("procedure_moved", "EMAIL"),
        ("invoice_issued", "IN_APP")]  # fmt: skip
    assert await sent(house, family) == at_once
    inbox = (await house.ask(INBOX, token)).data["viewer"]["family"]
    assert [each["node"]["awaitsDailyMessage"] for each in inbox["inbox"]["edges"]][:4] == [True, False, False, True]
    assert inbox["unreadCount"] == unread + 4

    following = next_time(now, HOUR, PARIS)
    assert await at_hour(nodes, following - timedelta(seconds=1)) == 0
    assert await at_hour(nodes, following + timedelta(seconds=1)) == 1
    assert await sent(house, family) == [*at_once, ("daily_message", "EMAIL")]
    told = await house.connection.fetchval(
        "select data -> 'items' from news where family_id = $1 and type = 'daily_message'", family.id
    )
    assert [each["fr"] for each in msgspec.json.decode(told)] == ["Voici invoice_issued pour vous."] * 2
    inbox = (await house.ask(INBOX, token)).data["viewer"]["family"]
    assert [each["node"]["awaitsDailyMessage"] for each in inbox["inbox"]["edges"]][:5] == [False] * 5
    assert inbox["unreadCount"] == unread + 4, "it repeats what is in the inbox"

    await news(house, family, "invoice_issued", "INVOICE_ISSUED", following - timedelta(seconds=1))
    assert await at_hour(nodes, following + timedelta(hours=1)) == 0, "one a day, also when something came late"
    assert await at_hour(nodes, following + timedelta(days=1, hours=2)) == 1


async def test_a_crash_before_the_commit_leaves_all_of_it_for_the_next(
    house: House, nodes: list[asyncpg.Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    family, token = await house.member()
    await house.do(CHOOSE, token, hour=HOUR, topics=["INVOICE_ISSUED"])
    now = house.clock()
    await news(house, family, "invoice_issued", "INVOICE_ISSUED", now)
    due = next_time(now, HOUR, PARIS) + timedelta(minutes=1)

    class Killed(Exception):
        """Stands for the end of the process at a named step."""

    def die(step: str) -> None:
        if step == "digest.told":
            raise Killed(step)

    with monkeypatch.context() as patched:
        patched.setattr("db.steps.reached", die)
        with pytest.raises(Killed):
            await Digester(nodes[0], lambda: due, PARIS).write()
    assert await sent(house, family) == [("invoice_issued", "IN_APP")]
    assert await at_hour(nodes, due) == 1
    assert await sent(house, family) == [("invoice_issued", "IN_APP"), ("daily_message", "EMAIL")]


async def test_who_gives_it_up_is_told_at_once_what_waits(house: House, nodes: list[asyncpg.Pool]) -> None:
    family, token = await house.member()
    await house.do(CHOOSE, token, hour=HOUR, topics=["INVOICE_ISSUED"])
    await news(house, family, "invoice_issued", "INVOICE_ISSUED", house.clock())
    await house.do(CHOOSE, token, topics=[])
    mail = await house.mail_to(family.email, "Votre message du jour")
    assert "Voici invoice_issued pour vous." in mail
    assert await at_hour(nodes, house.clock()) == 0
    await news(house, family, "invoice_issued", "INVOICE_ISSUED", house.clock())
    assert (await sent(house, family))[-2:] == [("daily_message", "EMAIL"), ("invoice_issued", "EMAIL")]


async def routes(house: House, token: str, topic: str) -> list[tuple[Any, ...]]:
    """Give the way that news of a topic would take."""
    found = (await house.ask(ROUTES, token, topic=topic)).data["viewer"]["family"]["previewRouting"]
    return [tuple(each["node"].values()) for each in found["edges"]]


async def test_the_preview_shows_the_daily_message_and_until_when_news_waits(house: House) -> None:
    _, token = await house.member()
    await house.do(CHOOSE, token, hour=HOUR, topics=["INVOICE_ISSUED"])
    daily, *others = await routes(house, token, "INVOICE_ISSUED")
    assert daily[:2] == ("EMAIL", "DAILY")
    wanted = next_time(house.clock(), HOUR, PARIS)
    assert datetime.fromisoformat(daily[2]) == wanted
    assert others == [("EMAIL", "FIRST", None), ("IN_APP", "FALLBACK", None)]
    assert [each[1] for each in await routes(house, token, "PAYMENT")] == ["FIRST", "FALLBACK"]
    await house.do(PREFER, token, topic="DAILY_MESSAGE", channels=["IN_APP"])
    assert (await routes(house, token, "INVOICE_ISSUED"))[0][:2] == ("IN_APP", "DAILY")
