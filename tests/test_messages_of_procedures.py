"""Messages about a procedure: both ways, once each, marked as read by the other side, and told."""

import asyncio
from typing import Any

import pytest

from db.ids import uuid7
from tests.house import House
from tests.life import MARK, POST, admin, draft, in_review, nodes, read, refused, save_kind, submitted
from tests.live import Socket

NEWS = """subscription { news(topics: [PROCEDURE_MESSAGE], after: "0") {
    type summary procedure { id unreadMessages } } }"""


@pytest.fixture(autouse=True)
async def kind(house: House) -> None:
    """Offer the kind of the tests."""
    await save_kind(house, await admin(house))


async def post(house: House, token: str, identity: str, body: str) -> Any:
    """Write a message; give the procedure as it stands."""
    return (await house.do(POST, token, procedure=identity, body=body, key=str(uuid7())))["procedure"]


async def messages(house: House, token: str, identity: str) -> list[tuple[int, str, str]]:
    """Give number, author and words of the messages."""
    found = nodes((await read(house, token, identity))["messages"])
    return [(each["number"], each["author"], each["body"]) for each in found]


async def test_messages_go_both_ways_and_each_side_counts_what_it_has_not_read(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    await post(house, agent, identity, "  Quel jour ?  ")
    await post(house, token, identity, "Lundi.\nOu mardi.")
    await post(house, token, identity, "Plutôt mardi.")
    said = [(1, "AGENT", "Quel jour ?"), (2, "FAMILY", "Lundi.\nOu mardi."), (3, "FAMILY", "Plutôt mardi.")]
    assert await messages(house, token, identity) == await messages(house, agent, identity) == said
    assert (await read(house, token, identity))["unreadMessages"] == 1
    assert (await read(house, agent, identity))["unreadMessages"] == 2
    for _ in range(2):
        marked = await house.do(MARK, agent, procedure=identity, upTo=2)
        assert marked["procedure"]["unreadMessages"] == 1
    seen = nodes((await read(house, token, identity))["messages"])
    assert [each["readAt"] is not None for each in seen] == [False, True, False], "only the other side's"
    assert [each["agentName"] for each in seen] == ["Thomas Lalanne", None, None]
    await house.do(MARK, token, procedure=identity)
    assert (await read(house, token, identity))["unreadMessages"] == 0
    assert (await read(house, agent, identity))["unreadMessages"] == 1


async def test_a_message_that_is_sent_again_is_written_once(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await submitted(house, token)
    key = str(uuid7())
    told = await asyncio.gather(
        *(house.problems(POST, token, procedure=identity, body="Bonjour.", key=key) for _ in range(5))
    )
    assert told == [[]] * 5
    assert await house.problems(POST, token, procedure=identity, body="Autre.", key=key) == ["IDEMPOTENCY_KEY_REUSED"]
    assert await house.problems(POST, agent, procedure=identity, body="Bonjour.", key=key) == [], "each side its own"
    assert await messages(house, token, identity) == [(1, "FAMILY", "Bonjour."), (2, "AGENT", "Bonjour.")]


async def test_a_family_is_told_of_what_the_service_writes_by_mail_and_of_its_own_only_in_the_inbox(
    house: House,
) -> None:
    (family, token), agent = await house.member(), await house.agent()
    identity = await submitted(house, token)
    async with Socket(house, token) as socket:
        await socket.subscribe("1", NEWS)
        await post(house, token, identity, "Avez-vous tout reçu ?")
        await post(house, agent, identity, "Oui, tout est là.")
        own, theirs = [(await socket.next("1"))["news"] for _ in range(2)]
    assert own["type"] == theirs["type"] == "procedure_message"
    assert own["summary"].startswith("Vous avez écrit") and theirs["summary"].startswith("Le service vous a écrit")
    assert theirs["procedure"] == {"id": identity, "unreadMessages": 1}
    text = await house.mail_to(family.email, "Nouveau message")
    assert "Oui, tout est là." in text and "Avez-vous tout reçu" not in text
    channels = await house.connection.fetch(
        """select d.channel from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
           where d.family_id = $1 and n.type = 'procedure_message' order by n.seq""",
        family.id,
    )
    assert [row["channel"] for row in channels] == ["IN_APP", "EMAIL"]


async def test_a_draft_has_nobody_to_write_to(house: House) -> None:
    _, token = await house.member()
    identity = await draft(house, token)
    payload = await refused(house, POST, token, procedure=identity, body="Bonjour ?", key=str(uuid7()))
    assert payload["problems"][0]["code"] == "MOVE_NOT_ALLOWED" and payload["procedure"]["status"] == "DRAFT"
    assert await messages(house, token, identity) == []


@pytest.mark.parametrize(
    ("body", "key", "path"),
    [
        ("", "une-cle-valable", ["body"]),
        (" \n ", "une-cle-valable", ["body"]),
        ("x" * 4_001, "une-cle-valable", ["body"]),
        ("Bonjour.", "court", ["idempotencyKey"]),
        ("Bonjour.", "x" * 101, ["idempotencyKey"]),
    ],
)
async def test_what_is_no_message_is_refused_without_effect(house: House, body: str, key: str, path: list[str]) -> None:
    _, token = await house.member()
    identity = await submitted(house, token)
    payload = await refused(house, POST, token, procedure=identity, body=body, key=key)
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("BAD_USER_INPUT", path)]
    assert await messages(house, token, identity) == []


async def test_strangers_neither_read_nor_write_nor_mark(house: House) -> None:
    (_, token), (_, stranger) = await house.member(), await house.member()
    agent, other = await house.agent(), await house.agent("voirie")
    identity = await in_review(house, token, agent)
    await post(house, agent, identity, "Entre nous.")
    for viewer in (stranger, other):
        assert await read(house, viewer, identity) is None
        assert await house.problems(POST, viewer, procedure=identity, body="Moi !", key=str(uuid7())) == ["NOT_FOUND"]
        assert await house.problems(MARK, viewer, procedure=identity) == ["NOT_FOUND"]
    cashier = await house.agent("regie")
    assert (await house.ask(POST, cashier, procedure=identity, body="Moi !", key=str(uuid7()))).codes == ["FORBIDDEN"]
    assert await messages(house, token, identity) == [(1, "AGENT", "Entre nous.")]
    assert (await read(house, token, identity))["unreadMessages"] == 1


async def test_messages_written_at_once_are_numbered_without_gap(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await submitted(house, token)
    await asyncio.gather(*(post(house, (token, agent)[n % 2], identity, f"Message {n}") for n in range(16)))
    found = await messages(house, token, identity)
    assert [number for number, _, _ in found] == list(range(1, 17))
    assert {body for _, _, body in found} == {f"Message {n}" for n in range(16)}
