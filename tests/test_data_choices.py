"""What a family keeps and which services it uses (R2): its choice, and what the clock erases by it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import schema
from db.families import sealed_quotient
from db.ids import uuid7
from db.outbox import Told, tell
from resolvers.reading.identity import make_id
from tests.clockwork import run_due
from tests.house import ACCEPT, KEYS, START, TAKE, House, Made

KEEP = """mutation ($datum: RetainedDatum!, $keep: Boolean!) { setDataRetention(datum: $datum, keep: $keep) {
    problems { code } choice { datum keep } } }"""
OPT = """mutation ($service: ID!, $optIn: Boolean!) { setServiceOptIn(service: $service, optIn: $optIn) {
    problems { code } optIn { optedIn service { code } } } }"""
WITHDRAW = "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } } }"
CHOICES = """{ viewer { family {
    dataChoices { edges { node { datum keep } } }
    serviceOptIns { edges { node { optedIn service { id code } } } } } } }"""
TWO_MONTHS = timedelta(days=63)


async def answers_of(house: House, family: Made) -> list[Any]:
    rows = await house.connection.fetch(
        "select answers::text, answers_erased_at is not null as erased from procedure where family_id = $1 order by id",
        family.id,
    )
    return [(row["answers"] == "{}", row["erased"]) for row in rows]


async def accepted(house: House, token: str) -> str:
    """File a procedure that the city accepts; give its id."""
    identity = await house.submitted(token)
    agent = await house.agent()
    await house.do(TAKE, agent, procedure=identity)
    await house.do(ACCEPT, agent, procedure=identity)
    return identity


async def choices(house: House, token: str) -> tuple[dict[str, bool], dict[str, bool], str]:
    """Give choices of data, of services, and the id of a service."""
    family = (await house.ask(CHOICES, token)).data["viewer"]["family"]
    data = {edge["node"]["datum"]: edge["node"]["keep"] for edge in family["dataChoices"]["edges"]}
    used = [edge["node"] for edge in family["serviceOptIns"]["edges"]]
    services = {node["service"]["code"]: node["optedIn"] for node in used}
    return data, services, used[0]["service"]["id"] if used else ""


async def test_answers_go_two_months_after_the_decision_and_its_history_stays(house: House) -> None:
    family, token = await house.member()
    await accepted(house, token)
    still_open = await house.submitted(token)
    house.clock.ahead = timedelta(days=58)
    await run_due(house)
    assert await answers_of(house, family) == [(False, False), (False, False)]
    house.clock.ahead = TWO_MONTHS
    await run_due(house)
    assert await answers_of(house, family) == [(True, True), (False, False)], "what is open keeps its answers"
    kept = await house.connection.fetchrow(
        """select p.status, p.attestation,
               (select count(*) from procedure_event e where e.procedure_id = p.id) as events
           from procedure p where family_id = $1 order by id limit 1""",
        family.id,
    )
    assert kept is not None
    assert kept["status"] == "ACCEPTED" and kept["attestation"] and kept["events"] == 3
    asked = "query ($id: ID!) { node(id: $id) { ... on Procedure { answersErasedAt answers } } }"
    seen = (await house.ask(asked, await house.sign_in(family.email), id=still_open)).data["node"]
    assert seen["answersErasedAt"] is None and seen["answers"]


async def test_answers_that_a_family_keeps_stay_until_it_keeps_them_no_longer(house: House) -> None:
    family, token = await house.member()
    assert (await house.do(KEEP, token, datum="ANSWERS", keep=True))["choice"] == {"datum": "ANSWERS", "keep": True}
    await accepted(house, token)
    house.clock.ahead = TWO_MONTHS
    await run_due(house)
    assert await answers_of(house, family) == [(False, False)]
    token = await house.sign_in(family.email)
    await house.do(KEEP, token, datum="ANSWERS", keep=False)
    done = await run_due(house, "erase_unkept_of_family")
    assert done == {("erase_unkept_of_family", "done"): 1}, "not only at night"
    assert await answers_of(house, family) == [(True, True)]
    assert (await choices(house, token))[0] == {"ANSWERS": False}


async def test_even_kept_answers_and_messages_go_after_five_years(house: House) -> None:
    family, token = await house.member()
    await house.do(KEEP, token, datum="ANSWERS", keep=True)
    await accepted(house, token)
    messages = "select count(*) from procedure_event where family_id = $1 and message is not null"
    for years, left in ((4.9, 1), (5.1, 0)):
        house.clock.ahead = timedelta(days=365.25 * years)
        await run_due(house, "sweep")
        assert await house.connection.fetchval(messages, family.id) == left
        assert await answers_of(house, family) == [(not left, not left)]


async def _with_more(house: House) -> tuple[Made, str]:
    """Give a family with a school, a telephone and a quotient."""
    family, token = await house.member()
    await house.connection.execute("update member set school = 'École du Centre' where family_id = $1", family.id)
    await house.connection.execute(
        """insert into address (family_id, id, channel, value, verified_at, created_at)
           values ($1, $2, 'SMS', '+33600000000', now(), now())""",
        family.id,
        uuid7(),
    )
    await house.connection.execute(
        """insert into quotient_familial (family_id, id, sealed_value, valid_from, source, recorded_by, recorded_at)
           values ($1, $2, $3, $4, 'CAF', (select id from agent limit 1), now())""",
        family.id,
        uuid7(),
        sealed_quotient(KEYS, family.id, 800),
        date(2026, 1, 1),
    )
    return family, token


async def _left(house: House, family: Made) -> dict[str, int]:
    counts = {
        "SCHOOL": "select count(school) from member where family_id = $1",
        "CONTACTS": "select count(*) from address where family_id = $1 and channel = 'SMS'",
        "QUOTIENT_FAMILIAL": "select count(*) from quotient_familial where family_id = $1",
    }
    return {datum: await house.connection.fetchval(sql, family.id) for datum, sql in counts.items()}


async def test_what_serves_the_account_stays_until_refused_and_while_a_procedure_needs_it(house: House) -> None:
    family, token = await _with_more(house)
    other, _ = await _with_more(house)
    everything = {"SCHOOL": 1, "CONTACTS": 1, "QUOTIENT_FAMILIAL": 1}
    identity = await house.submitted(token)
    for datum in everything:
        await house.do(KEEP, token, datum=datum, keep=False)
    await run_due(house)
    assert await _left(house, family) == everything, "a procedure is open"
    await house.do(WITHDRAW, token, procedure=identity)
    await run_due(house)
    assert await _left(house, family) == everything, "it has just ended"
    house.clock.ahead = TWO_MONTHS
    await run_due(house)
    assert await _left(house, family) == dict.fromkeys(everything, 0)
    assert await _left(house, other) == everything, "this family refused nothing"
    emails = "select count(*) from address where family_id = $1 and channel = 'EMAIL'"
    assert await house.connection.fetchval(emails, family.id) == 1


async def test_starting_a_procedure_is_using_its_service_and_leaving_waits_for_its_end(house: House) -> None:
    _, token = await house.member()
    assert (await choices(house, token))[1] == {}
    identity = await house.submitted(token)
    _, used, service = await choices(house, token)
    assert list(used.values()) == [True]
    assert await house.problems(OPT, token, service=service, optIn=False) == ["SERVICE_IN_USE"]
    assert (await choices(house, token))[1] == used
    await house.do(WITHDRAW, token, procedure=identity)
    assert (await house.do(OPT, token, service=service, optIn=False))["optIn"]["optedIn"] is False
    await house.do(START, token, kind="cantine", key=str(uuid7()), answers={})
    assert (await choices(house, token))[1] == used, "a new procedure uses it again"


async def test_a_service_that_a_family_left_tells_it_no_more_than_it_must(house: House) -> None:
    family, token = await house.member()
    identity = await house.submitted(token)
    await house.do(WITHDRAW, token, procedure=identity)
    _, _, service = await choices(house, token)
    service_id: UUID = await house.connection.fetchval(
        "select service_id from service_opt_in where family_id = $1", family.id
    )

    async def told(topic: str) -> int:
        async with house.connection.transaction():
            item = Told(family.id, topic, "test", uuid7(), {}, house.clock(), service_id=service_id)
            return await tell(house.connection, item)

    assert await told("CITY_INFORMATION") > 0
    await house.do(OPT, token, service=service, optIn=False)
    assert await told("CITY_INFORMATION") == 0
    assert await told("PROCEDURE_MESSAGE") > 0 and await told("INVOICE_ISSUED") > 0


async def test_nobody_reads_the_choices_of_another_family_not_even_agents(house: House) -> None:
    family, token = await house.member()
    await house.do(KEEP, token, datum="SCHOOL", keep=False)
    agent = await house.agent()
    asked = """query ($number: String!) { family(number: $number) {
        dataChoices { totalCount } serviceOptIns { totalCount } exports { totalCount } } }"""
    seen = (await house.ask(asked, agent, number=family.number)).data["family"]
    assert [each["totalCount"] for each in seen.values()] == [0, 0, 0]
    assert (await house.ask(KEEP, agent, datum="SCHOOL", keep=True)).codes == ["FORBIDDEN"]
    assert (await choices(house, token))[0] == {"SCHOOL": False}


async def test_nobody_uses_a_service_that_there_is_not(house: House) -> None:
    family, token = await house.member()
    stranger = make_id(schema.build().mapping, "Service", uuid7())
    assert await house.problems(OPT, token, service=stranger, optIn=True) == ["NOT_FOUND"]
    choices = "select count(*) from service_opt_in where family_id = $1"
    assert await house.connection.fetchval(choices, family.id) == 0
