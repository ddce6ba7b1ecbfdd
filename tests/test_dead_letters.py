"""Messages that were put aside after repeated crashes are listed and sent again, by administrators only."""

from typing import Any

import pytest

from db.ids import uuid7
from db.outbox import Told, tell
from tests.house import House, Made

LIST = """{ deadLetters(first: 10) { totalCount edges { node {
    id reference channel familyNumber crashes problem } } } }"""
AGAIN = """mutation ($deadLetters: [ID!]!) { sendDeadLettersAgain(deadLetters: $deadLetters) {
    problems { code path } sent } }"""
PUT_ASIDE = """update delivery set status = 'DEAD_LETTER', crashes = 3, problem = 'CRASHED'
    where family_id = $1 and news_seq = $2"""
STATUSES = "select status from delivery where family_id = $1 and channel = 'EMAIL' order by news_seq desc limit $2"
SUBJECT = "Message d’essai"


async def put_aside(house: House, family: Made, count: int = 1) -> None:
    """Leave messages as a dispatcher leaves those at which it failed too often."""
    for _ in range(count):
        async with house.connection.transaction():
            told = Told(family.id, "PAYMENT", "test", uuid7(), {}, house.clock())
            await house.connection.execute(PUT_ASIDE, family.id, await tell(house.connection, told))


async def listed(house: House) -> list[dict[str, Any]]:
    """Give the dead letters as an administrator sees them."""
    found = (await house.ask(LIST, await house.agent("admin"))).data["deadLetters"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def statuses(house: House, family: Made, count: int) -> list[str]:
    """Give the newest deliveries by e-mail of a family."""
    return [row["status"] for row in await house.connection.fetch(STATUSES, family.id, count)]


async def test_what_was_put_aside_is_listed_without_words_or_address_and_sent_again(house: House) -> None:
    family, _ = await house.member()
    await put_aside(house, family, 2)
    found = await listed(house)
    assert [(each["channel"], each["familyNumber"], each["crashes"], each["problem"]) for each in found] == [
        ("EMAIL", family.number, 3, "CRASHED")
    ] * 2
    admin = await house.agent("admin")
    assert (await house.do(AGAIN, admin, deadLetters=[each["id"] for each in found]))["sent"] == 2
    await house.mail_to(family.email, SUBJECT)
    assert await listed(house) == []
    acts = await house.connection.fetch(
        "select subject_id::text from audit_entry where act = 'dead_letter_sent_again' order by number"
    )
    assert [row[0] for row in acts] == [each["reference"] for each in found]


@pytest.mark.parametrize("service", ["scolaire", "regie"])
async def test_nobody_else_lists_or_sends_dead_letters(house: House, service: str) -> None:
    family, token = await house.member()
    await put_aside(house, family)
    [found] = await listed(house)
    for each in (token, await house.agent(service)):
        assert (await house.ask(LIST, each)).codes == ["FORBIDDEN"]
        assert (await house.ask(AGAIN, each, deadLetters=[found["id"]])).codes == ["FORBIDDEN"]
    assert await statuses(house, family, 1) == ["DEAD_LETTER"]


async def test_what_is_no_dead_letter_is_not_found_and_nothing_is_sent(house: House) -> None:
    family, _ = await house.member()
    await put_aside(house, family, 2)
    one, other = await listed(house)
    admin = await house.agent("admin")
    assert (await house.do(AGAIN, admin, deadLetters=[one["id"]]))["sent"] == 1
    await house.mail_to(family.email, SUBJECT)
    for given, code in (
        ([one["id"], other["id"]], "NOT_FOUND"),
        ([other["id"], "bm9uZSBvZiBvdXJz"], "NOT_FOUND"),
        ([other["id"]] * 2, "BAD_USER_INPUT"),
        ([other["id"]] * 101, "BAD_USER_INPUT"),
        ([], "BAD_USER_INPUT"),
    ):
        assert await house.problems(AGAIN, admin, deadLetters=given) == [code]
    assert [each["id"] for each in await listed(house)] == [other["id"]]
