"""How a family wants to be told: quiet hours of its own, the way news would take, and the badge of the inbox."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.ids import uuid7
from db.outbox import Told, tell
from tests.house import House, Made
from tests.live import Socket

QUIET = """mutation ($starts: String, $ends: String) { setQuietHours(starts: $starts, ends: $ends) {
    problems { code path } } }"""
HOURS = "{ viewer { family { quietStarts quietEnds } } }"
ROUTES = """query ($topic: Topic!) { viewer { family { previewRouting(topic: $topic, first: 10) { edges { node {
    channel use addresses waitsInQuietHours } } } } } }"""
PREFER = """mutation ($channels: [Channel!]!) { setChannelPreferences(topic: INVOICE_ISSUED, channels: $channels) {
    problems { code } } }"""
FOLLOW = 'subscription { news(after: "0") { type unreadCount } }'
MARK = "mutation ($items: [ID!]!) { markRead(items: $items) { problems { code } } }"


async def hours(house: House, token: str) -> tuple[str | None, str | None]:
    """Give a family's own quiet hours."""
    family = (await house.ask(HOURS, token)).data["viewer"]["family"]
    return family["quietStarts"], family["quietEnds"]


async def test_a_family_chooses_its_quiet_hours_and_gives_them_back(house: House) -> None:
    _, token = await house.member()
    _, other = await house.member()
    assert await hours(house, token) == (None, None)
    await house.do(QUIET, token, starts="22:30", ends="06:45")
    assert await hours(house, token) == ("22:30", "06:45")
    assert await hours(house, other) == (None, None)
    await house.do(QUIET, token)
    assert await hours(house, token) == (None, None)


@pytest.mark.parametrize(
    ("starts", "ends", "path"),
    [("22:00", None, "ends"), (None, "07:00", "starts"), ("24:00", "07:00", "starts"), ("22:00", "7:00", "ends"),
     ("22:00", "\u0660\u0667:00", "ends"), ("", "", "starts")],
)  # fmt: skip
async def test_what_is_no_time_of_day_is_refused_and_changes_nothing(
    house: House, starts: str | None, ends: str | None, path: str
) -> None:
    _, token = await house.member()
    await house.do(QUIET, token, starts="21:00", ends="07:00")
    answer = await house.ask(QUIET, token, starts=starts, ends=ends)
    assert answer.data["setQuietHours"]["problems"] == [{"code": "BAD_USER_INPUT", "path": [path]}]
    assert await hours(house, token) == ("21:00", "07:00")


async def routes(house: House, token: str) -> list[tuple[str, str, int, bool]]:
    """Give the way that new invoices would take."""
    found = (await house.ask(ROUTES, token, topic="INVOICE_ISSUED")).data["viewer"]["family"]["previewRouting"]
    return [tuple(each["node"].values()) for each in found["edges"]]


async def phone(house: House, family: Made) -> None:
    """Give a family a proven phone."""
    await house.connection.execute(
        "insert into address (family_id, id, channel, value, verified_at, created_at)"
        " values ($1, $2, 'SMS', $3, now(), now())",
        family.id, uuid7(), f"+3361{family.number}",
    )  # fmt: skip


async def test_the_way_of_a_topic_is_shown_as_it_would_be_taken(house: House) -> None:
    family, token = await house.member()
    mail, inbox = ("EMAIL", "FIRST", 1, False), ("IN_APP", "FALLBACK", 1, False)
    assert await routes(house, token) == [mail, inbox]
    await phone(house, family)
    await house.do(PREFER, token, channels=["SMS", "EMAIL"])
    assert await routes(house, token) == [("SMS", "FIRST", 1, True), ("EMAIL", "FALLBACK", 1, False), inbox]
    await house.connection.execute(
        "update address set retired_at = now() where family_id = $1 and channel = 'SMS'", family.id
    )
    assert await routes(house, token) == [("SMS", "UNREACHABLE", 0, True), mail, inbox]
    await house.connection.execute(
        "update channel_preference set email_ended_at = now() where family_id = $1", family.id
    )
    assert await routes(house, token) == [
        ("SMS", "UNREACHABLE", 0, True), ("EMAIL", "REQUIRED_ONLY", 1, False), ("IN_APP", "FIRST", 1, False),
    ]  # fmt: skip


WAITS = """{ viewer { family { previewRouting(topic: PAYMENT, first: 10) { edges { node {
    channel waitsUntil } } } security: previewRouting(topic: ACCOUNT_SECURITY, first: 10) { edges { node {
    channel waitsUntil } } } } } }"""


async def waits(house: House, token: str, name: str) -> dict[str, str | None]:
    """Give until when news would wait, by channel."""
    edges = (await house.ask(WAITS, token)).data["viewer"]["family"][name]["edges"]
    return {each["node"]["channel"]: each["node"]["waitsUntil"] for each in edges}


async def test_the_preview_says_until_when_quiet_hours_hold_news_back(house: House) -> None:
    family, token = await house.member()
    await phone(house, family)
    await house.connection.execute(
        "insert into channel_preference (family_id, topic, channels, updated_at) select $1, t, '{SMS,EMAIL}', now()"
        " from unnest('{PAYMENT,ACCOUNT_SECURITY}'::text[]) t", family.id,
    )  # fmt: skip
    local = house.clock().astimezone(ZoneInfo("Europe/Paris"))
    over = (local + timedelta(hours=2)).replace(second=0, microsecond=0)
    await house.do(QUIET, token, starts=(local - timedelta(hours=1)).strftime("%H:%M"), ends=over.strftime("%H:%M"))
    found = await waits(house, token, "previewRouting")
    assert datetime.fromisoformat(found.pop("SMS") or "") == over.astimezone(UTC)
    assert found == {"EMAIL": None, "IN_APP": None}
    assert set((await waits(house, token, "security")).values()) == {None}
    await house.do(QUIET, token, starts="00:00", ends="00:00")
    assert set((await waits(house, token, "previewRouting")).values()) == {None}


async def test_a_family_that_only_the_post_reaches_sees_that_what_is_required_goes_by_it(house: House) -> None:
    family, token = await house.member()
    await house.connection.execute("update address set retired_at = now() where family_id = $1", family.id)
    await house.connection.execute(
        "insert into address (family_id, id, channel, value, verified_at, created_at)"
        " values ($1, $2, 'POST', '1 rue Haute', now(), now())", family.id, uuid7(),
    )  # fmt: skip
    expected = [("EMAIL", "UNREACHABLE", 0, False), ("IN_APP", "FIRST", 1, False)]
    assert await routes(house, token) == [("POST", "REQUIRED_ONLY", 1, False), *expected]
    await house.do(PREFER, token, channels=["POST"])
    assert await routes(house, token) == [("POST", "FIRST", 1, False), ("IN_APP", "FALLBACK", 1, False)]
    await house.do(PREFER, token, channels=["IN_APP", "POST"])
    assert await routes(house, token) == [("IN_APP", "FIRST", 1, False), ("POST", "REQUIRED_ONLY", 1, False)]


async def test_the_preview_and_what_happens_agree(house: House) -> None:
    family, token = await house.member()
    await phone(house, family)
    for channels in (["SMS", "EMAIL"], ["EMAIL", "SMS"], ["IN_APP"]):
        await house.do(PREFER, token, channels=channels)
        [first] = [each[0] for each in await routes(house, token) if each[1] == "FIRST"]
        told = Told(family.id, "INVOICE_ISSUED", "invoice_issued", uuid7(), {}, house.clock())
        transaction = house.connection.transaction()
        await transaction.start()
        await tell(house.connection, told)
        sent = await house.connection.fetchval(
            "select channel from delivery where family_id = $1 order by news_seq desc limit 1", family.id
        )
        await transaction.rollback()
        assert sent == first


async def test_the_badge_is_live(house: House) -> None:
    family, token = await house.member()

    async def told() -> None:
        async with house.connection.transaction():
            now = house.clock()
            await tell(house.connection, Told(family.id, "PAYMENT", "test", uuid7(), {}, now, inbox_only=True))

    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        for expected in (1, 2):
            await told()
            assert (await socket.next("1"))["news"] == {"type": "test", "unreadCount": expected}
        inbox = (await house.ask("{ viewer { family { inbox(first: 5) { edges { node { id } } } } } }", token)).data
        items = [each["node"]["id"] for each in inbox["viewer"]["family"]["inbox"]["edges"]]
        await house.do(MARK, token, items=items)
        await told()
        assert (await socket.next("1"))["news"]["unreadCount"] == 1


async def test_other_hours_let_go_what_was_held(house: House) -> None:
    """What waits for an end that is no longer meant is looked at anew."""
    family, token = await house.member()
    held = house.clock() + timedelta(hours=9)
    subject = uuid7()
    async with house.connection.transaction():
        await phone(house, family)
        await house.connection.execute(
            "insert into channel_preference (family_id, topic, channels, updated_at)"
            " values ($1, 'PAYMENT', '{SMS,IN_APP}', now())", family.id,
        )  # fmt: skip
        await tell(house.connection, Told(family.id, "PAYMENT", "test", subject, {}, house.clock()))
        await house.connection.execute(
            "update delivery set next_try_at = $2, problem = 'QUIET_HOURS' where family_id = $1", family.id, held
        )
        await house.connection.execute("update lane set due_at = $2 where family_id = $1", family.id, held)
    await house.do(QUIET, token, starts="00:00", ends="00:00")
    due = "select due_at <= now() + interval '1 second' from lane where family_id = $1"
    assert await house.connection.fetchval(due, family.id)
