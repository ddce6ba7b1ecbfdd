"""Three whole stories over real sockets: accepted by silence, refused and reopened, asked for what is missing.

Each looks at what the family sees and is told: the live stream, the mails, the history, the certificate.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from resolvers.legal_clock import DECIDE_BY_SILENCE
from tests.clockwork import run_due
from tests.conftest import Database
from tests.files import ATTACH, PDF, fetch, uploaded
from tests.house import ACCEPT, SUBMIT, TAKE, House, Made, opened
from tests.life import ANSWER, ASK, REJECT, REOPEN, draft, nodes
from tests.live import Socket
from tests.test_certificate import LINK, get, named
from tests.test_legal_clock import COPY, LONG, STAFF, months_later, move_to, today

FOLLOW = """subscription { procedureStatusChanged(after: "0") { cursor
    procedure { reference status } event { number fromStatus toStatus actor message } } }"""
READ = """query ($id: ID!) { node(id: $id) { ... on Procedure {
    reference status answers impliedDecisionOn clockPausedAt pausedDays decidedAt nextStep { step by dueOn }
    informationRequest { message fields documents { edges { node { field label attached } } } }
    documents { edges { node { field document { id name } } } }
    events { edges { node { number fromStatus toStatus actor message } } } } } }"""
WORK = "{ workList(first: 100) { edges { node { id } } } }"


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal whose sessions outlive the months that pass in these stories."""
    async with opened(city.dsn, tokens={**LONG, **STAFF}) as running:
        yield running


async def read(house: House, token: str, procedure: str) -> Any:
    """Give a procedure as its family sees it."""
    return (await house.ask(READ, token, id=procedure)).data["node"]


async def heard(socket: Socket) -> tuple[int, str, str, str | None]:
    """Wait for the next event of the live stream."""
    event = (await socket.next("1"))["procedureStatusChanged"]["event"]
    return event["number"], event["toStatus"], event["actor"], event["message"]


def history(procedure: Any) -> list[tuple[int, str, str]]:
    """Give number, status and actor of each step."""
    return [(each["number"], each["toStatus"], each["actor"]) for each in nodes(procedure["events"])]


async def mailed(house: House, family: Made, words: str, *parts: str) -> None:
    """Wait for a mail and find some words in it, however its lines are broken.

    The dispatcher has a clock of its own: what is told in the months to come is sent now.
    """
    await house.connection.execute(
        "update delivery set next_try_at = now() where family_id = $1 and status = 'PENDING'", family.id
    )
    await house.connection.execute("update lane set due_at = now() where family_id = $1 and due_at > now()", family.id)
    text = " ".join((await house.mail_to(family.email, words)).replace("\N{NO-BREAK SPACE}", " ").split())
    for part in parts:
        assert part in text, part


async def certified(house: House, token: str, procedure: str) -> bytes:
    """Fetch the certificate by the link that the family makes, without signing in."""
    made = await house.do(LINK, token, procedure=procedure)
    status, body, headers = await get(house, made["url"].removeprefix(house.settings.server.url))
    assert status == 200 and body.startswith(b"%PDF-") and headers["Content-Type"] == "application/pdf"
    return body


async def waits(house: House, agent: str, procedure: str) -> bool:
    """Tell whether a procedure is in the work list of an agent."""
    return procedure in [each["id"] for each in nodes((await house.ask(WORK, agent)).data["workList"])]


async def test_a_registration_for_the_canteen_is_accepted_by_silence(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        procedure = await house.submitted(token)
        assert await heard(socket) == (1, "SUBMITTED", "FAMILY", None)
        found = await read(house, token, procedure)
        due = months_later(today(house), 2)
        assert found["nextStep"] == {"step": "TAKE", "by": "AGENT", "dueOn": due.isoformat()}
        reference, content_hash = await named(house, token, procedure)
        await mailed(house, family, "Accusé de réception", reference, content_hash, "réputée acceptée")
        proof = await certified(house, token, procedure)
        assert await waits(house, agent, procedure)

        await move_to(house, due, 23, 59)
        await run_due(house, DECIDE_BY_SILENCE)
        assert (await read(house, token, procedure))["status"] == "SUBMITTED", "the day is not over"
        await move_to(house, due + timedelta(days=1), 1)
        await run_due(house, DECIDE_BY_SILENCE)
        assert await heard(socket) == (2, "ACCEPTED", "CLOCK", None)

    found = await read(house, token, procedure)
    assert history(found) == [(1, "SUBMITTED", "FAMILY"), (2, "ACCEPTED", "CLOCK")]
    assert (found["status"], found["nextStep"]["step"], found["nextStep"]["by"]) == ("ACCEPTED", "NONE", None)
    await mailed(house, family, "est acceptée", reference, "n’a pas répondu", "réputée acceptée", "attestation")
    assert not await waits(house, agent, procedure)
    assert await certified(house, token, procedure) == proof, "what was filed stays what was filed"


async def test_a_copy_is_refused_and_the_city_thinks_again(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent("etat.civil")
    reason = "Le nom de la mère manque."
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        procedure = await draft(house, token, "acte-etat-civil", COPY)
        assert await house.problems(SUBMIT, token, procedure=procedure) == ["DOCUMENT_MISSING"]
        identity = await uploaded(house, token, name="identite.pdf")
        await house.do(ATTACH, token, procedure=procedure, document=identity, field="identite")
        await house.do(SUBMIT, token, procedure=procedure)
        reference, content_hash = await named(house, token, procedure)
        await mailed(house, family, "Accusé de réception", content_hash, "réputée refusée", "recours gracieux")
        await house.do(TAKE, agent, procedure=procedure)
        await house.do(REJECT, agent, procedure=procedure, reason=reason)
        assert [await heard(socket) for _ in range(3)] == [
            (1, "SUBMITTED", "FAMILY", None),
            (2, "IN_REVIEW", "AGENT", None),
            (3, "REJECTED", "AGENT", reason),
        ]
        await mailed(house, family, "est refusée", reference, "Le nom de la mère manque.")
        assert (await read(house, token, procedure))["decidedAt"]

        await house.do(REOPEN, agent, procedure=procedure, reason="Le nom est au verso.")
        assert await heard(socket) == (4, "IN_REVIEW", "AGENT", "Le nom est au verso.")
        await mailed(house, family, "Le nom est au verso.", reference)
        found = await read(house, token, procedure)
        assert (found["impliedDecisionOn"], found["decidedAt"]) == (None, None), "silence decides it no more"
        await move_to(house, months_later(today(house), 12))
        await run_due(house, DECIDE_BY_SILENCE)
        assert (await read(house, token, procedure))["status"] == "IN_REVIEW"

        await house.do(ACCEPT, agent, procedure=procedure)
        assert await heard(socket) == (5, "ACCEPTED", "AGENT", "Bienvenue.")
    await mailed(house, family, "est acceptée", reference, "Bienvenue.")
    assert [status for _, status, _ in history(await read(house, token, procedure))] == [
        "SUBMITTED",
        "IN_REVIEW",
        "REJECTED",
        "IN_REVIEW",
        "ACCEPTED",
    ]
    assert await certified(house, token, procedure)


async def test_a_family_is_asked_for_what_is_missing_and_gives_it(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        procedure = await house.submitted(token)
        _, content_hash = await named(house, token, procedure)
        proof = await certified(house, token, procedure)
        before = date.fromisoformat((await read(house, token, procedure))["impliedDecisionOn"])
        await house.do(TAKE, agent, procedure=procedure)
        asked = {"message": "Le protocole, et le régime ?", "fields": ["remark"], "documents": ["Protocole (PAI)"]}
        await house.do(ASK, agent, procedure=procedure, **asked)
        assert [(await heard(socket))[1] for _ in range(3)] == ["SUBMITTED", "IN_REVIEW", "AWAITING_FAMILY"]
        await mailed(house, family, "en attente de votre réponse", "Le protocole, et le régime ?")
        found = await read(house, token, procedure)
        request = found["informationRequest"]
        [wanted] = nodes(request["documents"])
        assert (request["message"], request["fields"]) == (asked["message"], asked["fields"])
        assert (wanted["label"], wanted["attached"], found["clockPausedAt"] is None) == (
            "Protocole (PAI)",
            False,
            False,
        )
        assert found["nextStep"] == {"step": "ANSWER", "by": "FAMILY", "dueOn": None}

        await move_to(house, before + timedelta(days=10))
        await run_due(house, DECIDE_BY_SILENCE)
        assert (await read(house, token, procedure))["status"] == "AWAITING_FAMILY", "the clock stands"

        document = await uploaded(house, token, name="pai.pdf")
        await house.do(ATTACH, token, procedure=procedure, document=document, field=wanted["field"])
        wrong = (await house.ask(ANSWER, token, procedure=procedure, answers={"school": "Ailleurs"})).data
        assert wrong["answerInformationRequest"]["problems"][0]["code"] == "ANSWER_NOT_ASKED"
        await house.do(ANSWER, token, procedure=procedure, answers={"remark": "Sans arachide."}, message="Le voici.")
        assert await heard(socket) == (4, "IN_REVIEW", "FAMILY", None)
        found = await read(house, token, procedure)
        due = months_later(today(house), 2)
        assert (found["impliedDecisionOn"], found["clockPausedAt"]) == (due.isoformat(), None), "it begins anew"
        assert found["pausedDays"] == (due - before).days and found["answers"]["remark"] == "Sans arachide."

        got = await fetch(house, document, agent)
        assert (got.status, got.body) == (200, PDF), "the agent reads what was sent"
        await house.do(ACCEPT, agent, procedure=procedure)
        assert await heard(socket) == (5, "ACCEPTED", "AGENT", "Bienvenue.")
    found = await read(house, token, procedure)
    assert [(each["field"], each["document"]["name"]) for each in nodes(found["documents"])] == [
        (wanted["field"], "pai.pdf")
    ]
    assert history(found)[-2:] == [(4, "IN_REVIEW", "FAMILY"), (5, "ACCEPTED", "AGENT")]
    await mailed(house, family, "est acceptée", found["reference"], "Bienvenue.")
    assert (await named(house, token, procedure))[1] == content_hash
    assert await certified(house, token, procedure) == proof, "it proves what was filed first"
