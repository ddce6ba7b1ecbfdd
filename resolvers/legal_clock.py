"""The legal clock: the acknowledgement of receipt, the day on which silence decides, and the job that decides then.

Sources, all of the Code des relations entre le public et l'administration (CRPA); see docs/legal-clock.md:
L112-3 and R112-5 (acknowledgement), L112-11 and R112-11-1 (by electronic means), L114-5 and L114-6 (incomplete
requests), L231-1 (silence accepts after two months), L231-4 and L231-5 (exceptions: silence rejects), L231-6 (other
delays), L232-3 (attestation of an implied acceptance); Code de justice administrative R421-1 and R421-2 (two months to
appeal).
"""

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from dateutil.relativedelta import relativedelta

from db import audit, procedures, steps
from db import legal_clock as stored
from db.clock import PARIS
from db.ids import uuid7
from db.jobs import Job
from db.legal_clock import Acknowledgement, Key
from db.outbox import tell
from resolvers import news, tasks
from resolvers.context import Process
from resolvers.job_runner import Progress, Result
from resolvers.sentence import Sentence
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

DECIDE_BY_SILENCE = "decide_by_silence"
REMIND_OF_DEADLINES = "remind_of_deadlines"

RUNS_IN = frozenset({"SUBMITTED", "IN_REVIEW"})
"""Where the clock runs, and may move a procedure to what the silence of the city means. It stands while the family is
asked for something, and a procedure that was reopened has had its decision: silence decides it no more."""

BATCH = 200

APPEAL = Sentence(
    "Dans les deux mois qui suivent ce refus, vous pouvez demander à la mairie de revoir sa position "
    "(recours gracieux) ou saisir le tribunal administratif : {court}.",
    "Within two months of this refusal you may ask the town hall to reconsider (recours gracieux), or bring it before "
    "the administrative court: {court}.",
)
"""Ways and time of appeal against an implied rejection (CRPA R112-5, CJA R421-1 and R421-2)."""


def implied_decision(submitted_at: datetime, months: int) -> date:
    """Give the day on which silence decides: `months` after the day of receipt in Paris (CRPA L231-1, L231-6).

    From date to date; where the month is shorter, its last day. The decision is born when that day is over.
    """
    day: date = submitted_at.astimezone(PARIS).date() + relativedelta(months=months)
    return day


def after_an_answer(before: date, silence_means: str, months: int, asked_on: date, answered_on: date) -> date:
    """Give the day on which silence decides, moved because the request was incomplete (CRPA L114-5).

    Where silence accepts, the time runs only from the receipt of what was missing. Where it rejects, it stood still
    between the question and the answer. Never earlier than `before`. The database says the same in
    `implied_after_answer`, and writes it with the move.
    """
    if silence_means == "ACCEPTED":
        return max(before, answered_on + relativedelta(months=months))
    return before + max(answered_on - asked_on, timedelta())


def canonical(submitted: stored.Submitted) -> str:
    """Write what was submitted in the one form whose bytes are hashed: JSON, keys in order, no blanks, UTF-8."""
    content = {
        "family": {"number": submitted.family_number, "name": submitted.family_name},
        "reference": submitted.reference,
        "kind": {"code": submitted.kind_code, "version": submitted.kind_version, "title": submitted.title_fr},
        "member": None if submitted.first_name is None else f"{submitted.first_name} {submitted.last_name}",
        "answers": msgspec.json.decode(submitted.answers),
        "attestation": submitted.attestation,
        "receivedAt": submitted.submitted_at.isoformat(),
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


async def acknowledge(tx: Any, key: Key, kind: procedures.Kind, at: datetime) -> Acknowledgement:
    """Write the acknowledgement of a procedure that was submitted, in the transaction of its submission, with all that
    the law asks for (CRPA R112-5, R112-11-1): day of receipt, service in charge and how to reach it, what silence will
    mean and when. A procedure has one: what is there already is given.
    """
    known = await stored.of_procedure(tx, key)
    if known is not None:
        return known
    submitted = await stored.submitted(tx, key)
    assert submitted is not None, "the caller has submitted it"
    made = acknowledgement_of(key, submitted, kind, uuid7(at))
    await stored.insert(tx, made)
    return made


def acknowledgement_of(key: Key, submitted: stored.Submitted, kind: procedures.Kind, made_id: UUID) -> Acknowledgement:
    """Make the acknowledgement of what was submitted."""
    content = canonical(submitted)
    return Acknowledgement(
        *key,
        made_id,
        kind.service_id,
        submitted.submitted_at,
        implied_decision(submitted.submitted_at, kind.decision_months),
        kind.silence_means,
        msgspec.json.encode(kind.service).decode(),
        content,
        hashlib.sha256(content.encode()).hexdigest(),
    )


async def decide_by_silence(process: Process, job: Job, progress: Progress) -> Result:
    """Decide every procedure whose day is over, each in a transaction of its own; those that a pause of the portal left
    behind too.

    Once: the row is held and looked at again, so that two nodes, an agent in the same second, or a second run after a
    crash find it decided. One that fails is left for the next run and keeps no other from being decided.
    """
    now = process.clock()
    today, place, decided, fault = now.astimezone(PARIS).date(), stored.FIRST, 0, None
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            batch = await stored.due(tx, today, place, BATCH)
        for place in batch:
            try:
                decided += await _decide(process, place[1:], now, today)
            except Exception as error:  # it is raised when the others are decided
                log.error("implied_decision_failed", procedure=str(place[2]), fault=type(error).__name__)
                fault = error
        if len(batch) < BATCH:
            break
        await progress(50)
    if fault is not None:
        raise fault
    return {"decided": decided}


async def _decide(process: Process, key: Key, now: datetime, today: date) -> bool:
    """Let silence decide one procedure; False when it is no longer to be decided so."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        before = await procedures.lock(tx, *key)
        if before is None or before.status not in RUNS_IN:
            return False
        if before.implied_decision_on is None or before.implied_decision_on >= today:
            return False
        kind = await procedures.kind(tx, before.kind_id)
        to = kind.silence_means
        number = await procedures.change_status(
            tx, before, to, uuid7(now), now, actor="CLOCK", agent_id=None, message=None
        )
        await tell(tx, news.decided_by_silence(before, kind, number, to, now))
        data = {"to": to, "by": "CLOCK"}
        act = audit.Act("procedure_moved", "SYSTEM", now, None, before.family_id, before.id, data)
        await audit.record(tx, act)
        steps.reached("clock.decision_written")
    steps.reached("clock.decided")
    return True


async def remind_of_deadlines(process: Process, job: Job, progress: Progress) -> Result:
    """Put a task before the agents of a service for each of its procedures that silence will decide within the days of
    the settings; take away those that have settled themselves.
    """
    now, days = process.clock(), process.settings.legal_clock.remind_days
    today = now.astimezone(PARIS).date()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        settled = await stored.settle(tx, today, days, now)
    reminded = 0
    while days:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            roles = tasks.DONE_BY["DEADLINE_NEAR"]
            count = await stored.remind(tx, today, days, roles, now, [uuid7(now) for _ in range(BATCH)])
        reminded += count
        if count < BATCH:
            break
    return {"reminded": reminded, "settled": settled}
