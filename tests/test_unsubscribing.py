"""The link in each e-mail: one click ends such e-mails, and nothing else does."""

import re
from datetime import timedelta
from typing import Any

import pytest

from db.ids import uuid7
from db.outbox import OPTIONAL, Told, tell
from tests.house import ACCEPT, KEYS, TAKE, House, Made

CHOICES = """{ viewer { family { notificationSettings { edges { node { topic channels emailEndedAt } } }
    inbox(first: 1) { edges { node { type summary } } } } } }"""
PREFER = """mutation ($channels: [Channel!]!) { setChannelPreferences(topic: PROCEDURE_STATUS, channels: $channels) {
    problems { code } } }"""
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
STATE = "select count(*), count(email_ended_at) from channel_preference where family_id = $1"


async def channels_of(house: House, family: Made) -> list[tuple[str, str]]:
    """Give type of news and channel of each delivery, oldest first."""
    rows = await house.connection.fetch(
        "select n.type, d.channel from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq"
        " where d.family_id = $1 order by d.news_seq",
        family.id,
    )
    return [(row["type"], row["channel"]) for row in rows]


async def moved(house: House) -> tuple[Made, str, Any]:
    """Give a family that was told by e-mail of a move of its procedure: family, token, that e-mail."""
    family, token = await house.member()
    procedure = await house.submitted(token)
    await house.do(TAKE, await house.agent(), procedure=procedure)
    await house.mail_to(family.email, "en cours d")
    return (
        family,
        token,
        next(each.message for each in reversed(house.catcher.to(family.email)) if each.message["List-Unsubscribe"]),
    )


async def state(house: House, family: Made) -> tuple[int, int]:
    """Give the number of a family's choices, and of those that end e-mails."""
    row = await house.connection.fetchrow(STATE, family.id)
    assert row is not None
    return row[0], row[1]


def link_of(message: Any) -> str:
    """Give the address in the header."""
    return str(message["List-Unsubscribe"]).strip().strip("<>")


async def test_one_click_ends_what_may_be_ended_and_what_the_law_requires_still_comes(house: House) -> None:
    family, token, message = await moved(house)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = link_of(message)
    async with house.http.post(link, data=ONE_CLICK) as response:
        assert response.status == 200 and "C’est fait" in await response.text()
    seen = (await house.ask(CHOICES, token)).data["viewer"]["family"]
    [choice] = [each["node"] for each in seen["notificationSettings"]["edges"]]
    assert (choice["topic"], choice["channels"]) == ("PROCEDURE_STATUS", ["EMAIL", "IN_APP"])
    assert choice["emailEndedAt"] is not None
    assert "plus de courriels" in seen["inbox"]["edges"][0]["node"]["summary"]

    again = await house.submitted(token)
    agent = await house.agent()
    await house.do(TAKE, agent, procedure=again)
    await house.do(ACCEPT, agent, procedure=again)
    assert await channels_of(house, family) == [
        ("procedure_submitted", "EMAIL"),
        ("procedure_moved", "EMAIL"),
        ("family_changed", "IN_APP"),
        ("procedure_submitted", "EMAIL"),
        ("procedure_moved", "IN_APP"),
        ("procedure_moved", "IN_APP"),
    ]
    async with house.http.post(link, data=ONE_CLICK) as response:
        assert response.status == 200
    acts = await house.connection.fetchval(
        "select count(*) from audit_entry where act = 'email_ended' and family_id = $1", family.id
    )
    assert (acts, len(await channels_of(house, family))) == (1, 6)


async def test_choosing_anew_brings_the_e_mails_back(house: House) -> None:
    family, token, message = await moved(house)
    async with house.http.post(link_of(message), data=ONE_CLICK) as response:
        assert response.status == 200
    await house.do(PREFER, token, channels=["EMAIL", "IN_APP"])
    await house.do(TAKE, await house.agent(), procedure=await house.submitted(token))
    assert (await channels_of(house, family))[-1] == ("procedure_moved", "EMAIL")


async def test_opening_the_page_changes_nothing_and_its_button_does(house: House) -> None:
    family, _, message = await moved(house)
    async with house.http.get(link_of(message)) as response:
        page = await response.text()
        assert response.status == 200 and "l’avancement de vos démarches" in page
        assert "form-action 'self'" in response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert await state(house, family) == (0, 0)
    [(name, value)] = re.findall(r'name="([^"]+)" value="([^"]+)"', page)
    async with house.http.post(link_of(message), data={name: value}) as response:
        assert response.status == 200
    assert await state(house, family) == (1, 1)


async def test_the_same_address_is_in_the_words_of_the_message(house: House) -> None:
    family, _, message = await moved(house)
    assert sum(link_of(message) in told.part("plain") for told in house.catcher.to(family.email)) == 1
    assert sum(link_of(message) in told.part("html") for told in house.catcher.to(family.email)) == 1
    submitted = next(told for told in house.catcher.to(family.email) if "accusé" in told.part("plain"))
    assert submitted.message["List-Unsubscribe"] is None and "/unsubscribe" not in submitted.part("plain")


@pytest.mark.parametrize("fault", ["forged", "other purpose", "late", "no field", "no token", "mandatory"])
async def test_a_link_that_is_not_good_ends_nothing(house: House, fault: str) -> None:
    family, _, message = await moved(house)
    link, fields = link_of(message), dict(ONE_CLICK)
    page, _, token = link.partition("?token=")
    now = house.clock()
    claims = {"family": str(family.id), "topic": "PROCEDURE_STATUS", "language": "fr"}
    if fault == "forged":
        link = link[:-8] + ("A" if link[-8] != "A" else "B") + link[-7:]
    elif fault == "other purpose":
        link = f"{page}?token={KEYS.link_token('verify-email', claims, now + timedelta(days=1))}"
    elif fault == "mandatory":
        claims["topic"] = "ACCOUNT_SECURITY"
        link = f"{page}?token={KEYS.link_token('unsubscribe', claims, now + timedelta(days=1))}"
    elif fault == "late":
        house.clock.ahead = timedelta(days=366)
    elif fault == "no token":
        link = page
    else:
        fields = {"something": "else"}
    async with house.http.post(link, data=fields) as response:
        assert response.status == (400 if fault == "no field" else 404)
        assert token not in await response.text()
    house.clock.ahead = timedelta()
    assert await state(house, family) == (0, 0)


async def test_the_link_of_a_family_that_is_gone_does_no_harm(house: House) -> None:
    claims = {"family": str(uuid7()), "topic": "PAYMENT", "language": "en"}
    token = KEYS.link_token("unsubscribe", claims, house.clock() + timedelta(days=1))
    async with house.http.post(f"{house.url}/unsubscribe?token={token}", data=ONE_CLICK) as response:
        assert response.status == 200


async def test_only_news_that_nothing_requires_can_be_ended(house: House) -> None:
    """Law and safety: acknowledgements, debts, debits, security, terms."""
    family, _ = await house.member()
    await house.connection.execute(
        "insert into channel_preference (family_id, topic, channels, updated_at, email_ended_at)"
        " select $1, topic, '{EMAIL,IN_APP}', now(), now() from unnest($2::text[]) as topic",
        family.id,
        ["PAYMENT", "DIRECT_DEBIT", "INVOICE_ISSUED"],
    )
    required = ["payment_received", "payment_refunded", "debit_announced", "invoice_overdue", "invoice_cancelled"]
    topics = ["PAYMENT", "PAYMENT", "DIRECT_DEBIT", "INVOICE_ISSUED", "INVOICE_ISSUED"]
    assert not OPTIONAL & set(required)
    now = house.clock()
    async with house.connection.transaction():
        for topic, type in zip(topics, required, strict=True):
            told = Told(family.id, topic, type, uuid7(), {}, now)
            await tell(house.connection, told)
        channels = [channel for _, channel in await channels_of(house, family)]
        assert channels == ["EMAIL"] * len(required)
        await house.connection.execute("delete from delivery where family_id = $1", family.id)
        await house.connection.execute("delete from lane where family_id = $1", family.id)
