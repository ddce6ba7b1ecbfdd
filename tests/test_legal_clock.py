"""The legal clock: what a family is told at once, when the clock stands, and what silence decides, once."""

import asyncio
import hashlib
import signal
from calendar import monthrange
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import PARIS
from db.ids import uuid7
from db.jobs import Job
from resolvers import legal_clock
from resolvers.legal_clock import DECIDE_BY_SILENCE, REMIND_OF_DEADLINES, after_an_answer, implied_decision
from resolvers.reading.identity import make_id
from tests.clockwork import run_due
from tests.conftest import Database
from tests.files import ATTACH, uploaded
from tests.house import ACCEPT, START, SUBMIT, TAKE, House, opened
from tests.life import ANSWER
from tests.program import Program, environment

ASK = """mutation ($procedure: ID!) { requestInformation(procedure: $procedure, message: "Un justificatif ?") {
    problems { code } procedure { status } } }"""
REOPEN = """mutation ($procedure: ID!) { reopenProcedure(procedure: $procedure, reason: "Erreur.") {
    problems { code } procedure { status impliedDecisionOn decidedAt } } }"""
WITHDRAW = "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } } }"
READ = """query ($id: ID!) { node(id: $id) { ... on Procedure {
    reference status submittedAt impliedDecisionOn clockPausedAt pausedDays decidedAt
    acknowledgement { receivedAt impliedDecisionOn silenceMeans attestationOnRequest appeal contentSha256
        service { name address phone email } }
    events { edges { node { number toStatus actor } } } } } }"""
TASKS = (
    "{ agentTasks(kinds: [DEADLINE_NEAR], done: false) { edges { node { id procedure { id } family { number } } } } }"
)
FINISH = "mutation ($task: ID!) { finishAgentTask(task: $task) { problems { code } } }"
INBOX = """{ viewer { family { inbox(first: 20) { edges { node { type summary } } } } } }"""
COPY = {
    "act": "BIRTH",
    "copy": "FULL_COPY",
    "first_names": "Zoé",
    "last_name": "Essai",
    "event_on": "2020-02-29",
    "copies": 1,
}


LONG = {"access_seconds": 10**8, "refresh_idle_days": 1_000, "refresh_absolute_days": 1_000}
STAFF = {"agent_idle_seconds": 10**8, "agent_absolute_seconds": 10**8}


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal whose sessions outlive the months that pass in these tests."""
    async with opened(city.dsn, tokens={**LONG, **STAFF}) as running:
        yield running


async def read(house: House, token: str, procedure: str) -> Any:
    """Give a procedure as its family sees it."""
    return (await house.ask(READ, token, id=procedure)).data["node"]


async def civil_copy(house: House, token: str) -> str:
    """Ask for a copy from the civil registry, where silence rejects; give the procedure's id."""
    draft = await house.do(START, token, kind="acte-etat-civil", key=str(uuid7()), answers=COPY)
    identity: str = draft["procedure"]["id"]
    await house.do(ATTACH, token, procedure=identity, document=await uploaded(house, token), field="identite")
    await house.do(SUBMIT, token, procedure=identity)
    return identity


async def answer(house: House, token: str, procedure: str) -> None:
    """Let the family answer what it was asked."""
    await house.do(ANSWER, token, procedure=procedure)


async def move_to(house: House, day: date, hour: int = 12, minute: int = 0) -> None:
    """Set the clock to a moment of a day in Paris."""
    wanted = datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)
    house.clock.ahead += wanted - house.clock()


def today(house: House) -> date:
    """Give the day in Paris."""
    return house.clock().astimezone(PARIS).date()


def day_of(moment: str) -> date:
    """Give the day in Paris of a moment as the API writes it."""
    return datetime.fromisoformat(moment).astimezone(PARIS).date()


def months_later(day: date, months: int) -> date:
    """Count months from date to date, without the library that the portal uses."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


async def test_the_acknowledgement_says_at_once_all_that_the_law_asks_for(house: House) -> None:
    """CRPA R112-5 and R112-11-1, where silence accepts."""
    family, token = await house.member()
    procedure = await house.submitted(token)
    found = await read(house, token, procedure)
    said = found["acknowledgement"]
    due = months_later(day_of(found["submittedAt"]), 2)
    assert said["receivedAt"] == found["submittedAt"] and said["impliedDecisionOn"] == due.isoformat()
    assert (said["silenceMeans"], said["attestationOnRequest"], said["appeal"]) == ("ACCEPTED", True, None)
    service = said["service"]
    mail = await house.mail_to(family.email, "Accusé de réception")
    mail = " ".join(mail.replace("\N{NO-BREAK SPACE}", " ").split())
    for part in (found["reference"], service["name"], service["address"], service["phone"], service["email"]):
        assert part in mail, part
    for part in ("réputée acceptée", "L. 232-3", "L. 114-5", f"{due.year}", said["contentSha256"]):
        assert part in mail, part


async def test_where_silence_rejects_the_acknowledgement_names_the_ways_of_appeal(house: House) -> None:
    family, token = await house.member()
    procedure = await civil_copy(house, token)
    said = (await read(house, token, procedure))["acknowledgement"]
    assert (said["silenceMeans"], said["attestationOnRequest"]) == ("REJECTED", False)
    assert "recours gracieux" in said["appeal"] and house.settings.city.court in said["appeal"]
    mail = " ".join((await house.mail_to(family.email, "Accusé de réception")).split())
    for part in ("réputée refusée", "recours gracieux", "deux mois", house.settings.city.court.split(",")[0]):
        assert part in mail.replace("\N{NO-BREAK SPACE}", " "), part


async def test_the_hash_in_the_acknowledgement_is_that_of_what_was_submitted(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    said = (await read(house, token, procedure))["acknowledgement"]
    row = await house.connection.fetchrow(
        "select content::text as content, content_sha256 from acknowledgement order by id desc limit 1"
    )
    assert row is not None
    assert hashlib.sha256(row["content"].encode()).hexdigest() == row["content_sha256"] == said["contentSha256"]


async def test_an_acknowledgement_is_seen_by_its_family_and_the_agents_of_its_service_only(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    procedure = await house.submitted(token)
    [row] = await house.connection.fetch("select family_id, id from acknowledgement order by id desc limit 1")
    assert house.opened is not None
    identity = make_id(house.opened.process.reader.mapping, "Acknowledgement", row["family_id"], row["id"])
    node = "query ($id: ID!) { node(id: $id) { ... on Acknowledgement { contentSha256 } } }"
    assert (await house.ask(node, token, id=identity)).data["node"]
    assert (await house.ask(node, await house.agent(), id=identity)).data["node"]
    for other in (stranger, await house.agent("voirie"), None):
        assert (await house.ask(node, other, id=identity)).data["node"] is None
    assert await read(house, stranger, procedure) is None


async def test_where_silence_rejects_the_clock_stands_while_the_family_is_asked(house: House) -> None:
    """CRPA L114-5: suspended; the day moves by the days of the pause."""
    _, token = await house.member()
    procedure = await civil_copy(house, token)
    agent = await house.agent("etat.civil")
    before = date.fromisoformat((await read(house, token, procedure))["impliedDecisionOn"])
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ASK, agent, procedure=procedure)
    found = await read(house, token, procedure)
    assert found["clockPausedAt"] and found["impliedDecisionOn"] == before.isoformat()
    await move_to(house, day_of(found["clockPausedAt"]) + timedelta(days=17))
    assert (await read(house, token, procedure))["impliedDecisionOn"] == str(before + timedelta(days=17)), "if today"
    await answer(house, token, procedure)
    found = await read(house, token, procedure)
    assert (found["clockPausedAt"], found["pausedDays"]) == (None, 17)
    assert found["impliedDecisionOn"] == (before + timedelta(days=17)).isoformat()
    assert found["acknowledgement"]["impliedDecisionOn"] == before.isoformat(), "what was said stays said"


async def test_where_silence_accepts_the_time_begins_anew_with_the_answer(house: House) -> None:
    """CRPA L114-5: it runs only from the receipt of what was missing."""
    _, token = await house.member()
    procedure = await house.submitted(token)
    agent = await house.agent()
    await move_to(house, today(house) + timedelta(days=20))
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ASK, agent, procedure=procedure)
    await move_to(house, today(house) + timedelta(days=5))
    await answer(house, token, procedure)
    assert (await read(house, token, procedure))["impliedDecisionOn"] == months_later(today(house), 2).isoformat()


@given(
    submitted=st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    asked=st.integers(0, 60),
    answered=st.integers(0, 400),
    months=st.integers(1, 24),
    silence=st.sampled_from(["ACCEPTED", "REJECTED"]),
)
async def test_the_database_moves_the_day_as_the_rule_says(
    oracle_connection: Any, submitted: date, asked: int, answered: int, months: int, silence: str
) -> None:
    before = months_later(submitted, months)
    asked_on = submitted + timedelta(days=asked)
    answered_on = asked_on + timedelta(days=answered)
    by_rule = months_later(answered_on, months) if silence == "ACCEPTED" else before + timedelta(days=answered)
    assert after_an_answer(before, silence, months, asked_on, answered_on) == max(by_rule, before)
    moved = await oracle_connection.fetchval(
        "select implied_after_answer($1, $2, $3, $4, $5)", before, silence, months, asked_on, answered_on
    )
    assert moved == max(by_rule, before)


@pytest.fixture(scope="module")
async def oracle_connection(cluster: Any) -> Any:
    """Give a connection to an empty database."""
    async with cluster.database("empty") as made:
        connection = await asyncpg.connect(made.dsn, timeout=10)
        yield connection
        await connection.close()


@given(moment=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), months=st.integers(1, 24))
def test_days_are_counted_in_paris_from_date_to_date(moment: datetime, months: int) -> None:
    received = moment.replace(tzinfo=UTC)
    assert implied_decision(received, months) == months_later(received.astimezone(PARIS).date(), months)


def test_what_comes_before_midnight_in_london_comes_after_midnight_in_paris() -> None:
    assert implied_decision(datetime(2026, 12, 30, 22, 59, tzinfo=UTC), 2) == date(2027, 2, 28)
    assert implied_decision(datetime(2026, 12, 30, 23, 0, tzinfo=UTC), 2) == date(2027, 2, 28), "there is no 31st"
    assert implied_decision(datetime(2026, 7, 14, 21, 59, tzinfo=UTC), 2) == date(2026, 9, 14)
    assert implied_decision(datetime(2026, 7, 14, 22, 0, tzinfo=UTC), 2) == date(2026, 9, 15)


async def test_silence_decides_when_the_last_day_is_over_in_paris_and_not_before(house: House) -> None:
    family, token = await house.member()
    canteen, copy = await house.submitted(token), await civil_copy(house, token)
    due = date.fromisoformat((await read(house, token, canteen))["impliedDecisionOn"])
    await move_to(house, due, 23, 59)
    await run_due(house, DECIDE_BY_SILENCE)
    assert (await read(house, token, canteen))["status"] == "SUBMITTED"
    await move_to(house, due + timedelta(days=1), 1, 0)
    await run_due(house, DECIDE_BY_SILENCE)
    accepted, rejected = await read(house, token, canteen), await read(house, token, copy)
    assert (accepted["status"], rejected["status"]) == ("ACCEPTED", "REJECTED")
    for found in (accepted, rejected):
        last = found["events"]["edges"][-1]["node"]
        assert (last["number"], last["actor"]) == (2, "CLOCK") and found["decidedAt"]
    types = [
        edge["node"]["type"] for edge in (await house.ask(INBOX, token)).data["viewer"]["family"]["inbox"]["edges"]
    ]
    assert types.count("procedure_decided_by_silence") == 2
    # The dispatcher has a clock of its own.
    await house.connection.execute("update delivery set next_try_at = now() where family_id = $1", family.id)
    await house.connection.execute("update lane set due_at = now() where family_id = $1 and due_at > now()", family.id)
    assert "réputée acceptée" in " ".join((await house.mail_to(family.email, "est acceptée")).split())
    acts = await house.connection.fetch(
        "select actor, data::text as data from audit_entry where family_id = $1 and act = 'procedure_moved' "
        "order by occurred_at desc limit 2",
        family.id,
    )
    assert {row["actor"] for row in acts} == {"SYSTEM"} and all('"by":"CLOCK"' in row["data"] for row in acts)


async def test_silence_decides_nothing_that_was_decided_withdrawn_reopened_or_is_asked(house: House) -> None:
    _, token = await house.member()
    agent = await house.agent()
    accepted, withdrawn, reopened, asked = [await house.submitted(token) for _ in range(4)]
    for each in (accepted, reopened, asked):
        await house.do(TAKE, agent, procedure=each)
    await house.do(ASK, agent, procedure=asked)
    await house.do(WITHDRAW, token, procedure=withdrawn)
    for each in (accepted, reopened):
        await house.do(ACCEPT, agent, procedure=each)
    again = await house.do(REOPEN, agent, procedure=reopened)
    assert again["procedure"] == {"status": "IN_REVIEW", "impliedDecisionOn": None, "decidedAt": None}
    await move_to(house, today(house) + timedelta(days=400))
    await run_due(house, DECIDE_BY_SILENCE)
    stands = [(await read(house, token, each))["status"] for each in (accepted, withdrawn, reopened, asked)]
    assert stands == ["ACCEPTED", "WITHDRAWN", "IN_REVIEW", "AWAITING_FAMILY"]
    by_clock = (
        "select count(*) from procedure_event e join procedure p on p.id = e.procedure_id where e.actor = 'CLOCK' "
    )
    assert await house.connection.fetchval(by_clock + "and p.created_at > now() - interval '1 hour'") == 0


async def test_two_nodes_and_an_agent_in_the_same_second_decide_once(house: House) -> None:
    _, token = await house.member()
    procedures = [await house.submitted(token) for _ in range(6)]
    agent = await house.agent()
    for each in procedures:
        await house.do(TAKE, agent, procedure=each)
    due = date.fromisoformat((await read(house, token, procedures[0]))["impliedDecisionOn"])
    await move_to(house, due + timedelta(days=3))
    assert house.opened is not None

    async def progress(_: int) -> None:
        return None

    job = Job(uuid7(), DECIDE_BY_SILENCE, None, {}, 1, 1)
    process = house.opened.process
    runs = [legal_clock.decide_by_silence(process, job, progress) for _ in range(3)]
    results = await asyncio.gather(*runs, *(house.ask(ACCEPT, agent, procedure=each) for each in procedures))
    for each in procedures:
        found = await read(house, token, each)
        assert found["status"] == "ACCEPTED"
        assert [edge["node"]["toStatus"] for edge in found["events"]["edges"]].count("ACCEPTED") == 1
    assert len(results) == 9


STEPS = ("job.claimed", "clock.decision_written", "clock.decided", "job.worked", "job.finished")


@pytest.mark.parametrize("step", STEPS)
async def test_a_node_killed_at_any_step_leaves_one_decision(city: Database, tmp_path: Path, step: str) -> None:
    """The day passed while everything was down; whoever comes up next decides, once."""
    async with opened(city.dsn) as house:
        family, token = await house.member()
        procedures = [await house.submitted(token) for _ in range(2)]
        await house.connection.execute(
            """update procedure set submitted_at = submitted_at - interval '200 days',
                   implied_decision_on = implied_decision_on - 200 where family_id = $1""",
            family.id,
        )
        arguments = ["gateway", "jobs", "run", "--kind", DECIDE_BY_SILENCE, "--database", city.dsn]
        run = Program(arguments, environment(jobs__lease=1), tmp_path / "log")
        await run.start(step)
        assert await run.ended() == -signal.SIGKILL
        await asyncio.sleep(1.2)
        await run.start()
        assert await run.ended() == 0, run.said()
        for each in procedures:
            found = await read(house, token, each)
            assert found["status"] == "ACCEPTED"
            assert [edge["node"]["toStatus"] for edge in found["events"]["edges"]] == ["SUBMITTED", "ACCEPTED"]
        told = "select count(*) from news where family_id = $1 and type = 'procedure_decided_by_silence'"
        assert await house.connection.fetchval(told, family.id) == 2
        acts = "select count(*) from audit_entry where family_id = $1 and data::text like '%CLOCK%'"
        assert await house.connection.fetchval(acts, family.id) == 2


async def test_agents_of_the_service_are_reminded_once_before_the_deadline(house: House) -> None:
    family, token = await house.member()
    procedure = await house.submitted(token)
    due = date.fromisoformat((await read(house, token, procedure))["impliedDecisionOn"])

    async def waiting(agent: str) -> list[str]:
        edges = (await house.ask(TASKS, await house.agent(agent))).data["agentTasks"]["edges"]
        return [edge["node"]["id"] for edge in edges if edge["node"]["family"]["number"] == family.number]

    await move_to(house, due - timedelta(days=11))
    await run_due(house, REMIND_OF_DEADLINES)
    assert await waiting("scolaire") == []
    await move_to(house, due - timedelta(days=10))
    for _ in range(2):
        await run_due(house, REMIND_OF_DEADLINES)
        house.clock.ahead += timedelta(hours=1)
    [task] = await waiting("scolaire")
    assert await waiting("voirie") == [], "agents of another service do not see it"
    assert await house.problems(FINISH, await house.agent("voirie"), task=task) == ["NOT_FOUND"]
    await house.do(FINISH, await house.agent(), task=task)
    house.clock.ahead += timedelta(hours=1)
    await run_due(house, REMIND_OF_DEADLINES)
    assert await waiting("scolaire") == [], "once a deadline"


async def test_a_reminder_settles_itself_when_the_procedure_is_decided(house: House) -> None:
    family, token = await house.member()
    procedure = await house.submitted(token)
    due = date.fromisoformat((await read(house, token, procedure))["impliedDecisionOn"])
    await move_to(house, due - timedelta(days=5))
    await run_due(house, REMIND_OF_DEADLINES)
    agent = await house.agent()
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ACCEPT, agent, procedure=procedure)
    house.clock.ahead += timedelta(hours=1)
    await run_due(house, REMIND_OF_DEADLINES)
    task = "select done_at is not null as done, done_by from agent_task where family_id = $1 and kind = 'DEADLINE_NEAR'"
    assert [tuple(row) for row in await house.connection.fetch(task, family.id)] == [(True, None)]


async def test_what_was_submitted_is_erased_with_the_answers_and_its_hash_stays(house: House) -> None:
    family, token = await house.member()
    procedure = await house.submitted(token)
    await house.do(WITHDRAW, token, procedure=procedure)
    house.clock.ahead = timedelta(days=100)
    await run_due(house, "erase_unkept")
    row = await house.connection.fetchrow("select * from acknowledgement where family_id = $1", family.id)
    assert row is not None and row["content"] is None and len(row["content_sha256"]) == 64
