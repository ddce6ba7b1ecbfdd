"""The work of agents: what waits, who is in charge, decisions, and moves of many procedures at once."""

from datetime import date
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import information_requests, procedures, work
from resolvers.problems import Refusal
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Order, Stored
from schema.access import AGENT
from schema.actors import Colleague
from schema.declare import (
    Arg,
    Orders,
    Payload,
    Problem,
    column,
    followed_work,
    mutation,
    one,
    page,
    problems_of,
    stored,
    written,
)
from schema.procedures import (
    KIND,
    LAST_CHANGED_FIRST,
    STATUS,
    Message,
    Procedure,
    ProcedureId,
    ProcedurePayload,
    Reason,
    found_by,
    move,
    payload_of,
    procedure_key,
)
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, Connection, Info, Node, key_of
from schema.services import Service
from schema.tags import Tag

OPEN = "{o}.status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')"
DEADLINE = """case when {o}.clock_paused_at is null and {o}.implied_decision_on is not null
    then {o}.implied_decision_on else '9999-12-31'::date end"""
"""The day on which silence decides; far away where it does not, and while the clock stands."""


@strawberry.enum(description="In which order work is listed.")
class WorkOrder(Enum):
    """Orders of the work list."""

    DEADLINE = strawberry.enum_value("DEADLINE", description="What silence decides first; the usual order.")
    NEWEST = strawberry.enum_value("NEWEST", description="Started last first.")
    OLDEST = strawberry.enum_value("OLDEST", description="Started first first.")
    LAST_CHANGED = strawberry.enum_value("LAST_CHANGED", description="Changed last first.")


BY_DEADLINE = Order(((DEADLINE, "date"), ("{o}.id", "uuid")), name="/deadline")
ORDERS = Orders(
    WorkOrder,
    {
        "DEADLINE": BY_DEADLINE,
        "NEWEST": NEWEST_FIRST,
        "OLDEST": OLDEST_FIRST,
        "LAST_CHANGED": LAST_CHANGED_FIRST,
    },
)


@strawberry.enum(description="Who is in charge, seen from the agent who asks.")
class Assignment(Enum):
    """Whose work."""

    MINE = strawberry.enum_value("MINE", description="The agent who asks.")
    NOBODY = strawberry.enum_value("NOBODY", description="Nobody yet.")
    OTHERS = strawberry.enum_value("OTHERS", description="Another agent.")


ASSIGNED = """case when {o}.assigned_agent_id = :agent then 'MINE' when {o}.assigned_agent_id is null then 'NOBODY'
    else 'OTHERS' end = :arg_assignment"""

COUNT = """coalesce((select sum(c.n) from (
    select y.n from procedure_count y
    where y.grain = 'MONTH' and y.service_id = {t}.id and y.status = '%s' and y.n <> 0
    union all
    select y.n from procedure_count_change y where y.service_id = {t}.id and y.status = '%s') c), 0)::integer"""
WAITING = """(select count(*)::integer from procedure p where p.service_id = {t}.id
    and p.status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY') and %s)"""
TODAY = "(:now at time zone 'Europe/Paris')::date"


def _count(status: str) -> str:
    """Give the template of how many procedures of a service stand there: months as counted, and what moved since."""
    return COUNT.replace("%s", status)


@stored("service", {"AGENT": "{t}.id = any(:services)"}, tag=Tag.SERVICE_WORK, key=("id",))
@strawberry.type(description="How much work a service has; kept up to date, so that nothing is counted.")
class ServiceWork(Node):
    """The backlog of a service."""

    service: Service = one("The service.", "{o}.id = {t}.id", kept_by="it is the same row")
    submitted: int = column("How many wait for an agent.", _count("SUBMITTED"))
    in_review: int = column("How many are examined.", _count("IN_REVIEW"))
    awaiting_family: int = column("How many wait for their family.", _count("AWAITING_FAMILY"))
    mine: int = column(
        "How many of all these the agent who asks is in charge of.", WAITING % "p.assigned_agent_id = :agent"
    )
    due_within_a_week: int = column(
        "How many of all these silence decides within seven days.",
        WAITING % f"{DEADLINE.replace('{o}', 'p')} <= {TODAY} + 7",
    )


PROCEDURE: Stored = Procedure.__stored__  # type: ignore[attr-defined]


@stored("procedure", {"AGENT": PROCEDURE.whose["AGENT"]})
@strawberry.type(description="Something changed in the work list.")
class WorkListChange:
    """What `workListChanged` pushes."""

    id: strawberry.ID = column("Id of the procedure.", id_sql(PROCEDURE))
    procedure: Procedure = one(
        "The procedure as it stands now; it may have left the list.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.id",
        kept_by="it is the same row",
    )


@strawberry.type
class WorkQueries:
    """Root fields about work."""

    work_list: Connection[Procedure] = page(
        "Open procedures of the agent's services, the nearest deadline first.",
        OPEN,
        BY_DEADLINE,
        may=AGENT,
        orders=ORDERS,
        apart={"service_id": ":services"},
        status=STATUS,
        kind=KIND,
        assignment=Arg(Assignment | None, "Only those in these hands.", filters=ASSIGNED),
        service=Arg(
            str | None,
            "Only those of this service, by its code.",
            filters="{o}.service_id = (select s.id from service s where s.code = :arg_service)",
        ),
        due_until=Arg(
            date | None,
            "Only those that silence decides by this day.",
            "date",
            f"({DEADLINE}) <= :arg_dueUntil",
        ),
        search=Arg(
            str | None,
            "A whole reference, a family's number, or words of its name.",
            filters=found_by(":arg_search"),
        ),
    )
    service_work: Connection[ServiceWork] = page(
        "How much work each of the agent's services has.", "true", OLDEST_FIRST, may=AGENT
    )
    colleagues: Connection[Colleague] = page(
        "Agents who handle procedures of the same services.", "true", OLDEST_FIRST, may=AGENT
    )


@strawberry.type
class WorkSubscriptions:
    """Live work."""

    work_list_changed: WorkListChange | None = followed_work(
        "Each change of a submitted procedure of the agent's services: status, agent in charge, message. Null comes "
        "first, and again whenever something may have been missed: read the list then.",
        may=AGENT,
    )


@strawberry.enum(description="What can be done to many procedures at once.")
class BulkAction(Enum):
    """Commands of `moveProcedures`."""

    TAKE = strawberry.enum_value("TAKE", description="As takeProcedure.")
    RELEASE = strawberry.enum_value("RELEASE", description="As releaseProcedure.")
    ACCEPT = strawberry.enum_value("ACCEPT", description="As acceptProcedure.")
    REJECT = strawberry.enum_value("REJECT", description="As rejectProcedure; the message is the reason.")
    CLOSE = strawberry.enum_value("CLOSE", description="As closeProcedure; the message is the reason.")
    REOPEN = strawberry.enum_value("REOPEN", description="As reopenProcedure; the message is the reason.")


@strawberry.type(description="What became of one procedure of many.")
class MovedProcedureResult(Payload):
    """One item of a bulk command."""

    procedure: Procedure | None = written("The procedure as it stands now, where the viewer sees it.")


@strawberry.type(description="What a command on many procedures gives.")
class MoveProceduresPayload(Payload):
    """Payload of moveProcedures; its problems are those of all items, their path names the place in the list."""

    results: list[MovedProcedureResult] = strawberry.field(
        default_factory=list, description="What became of each procedure, in the order of the request."
    )


def _key_or_refusal(info: Info, text: str) -> procedures.Key | Refusal:
    try:
        return procedure_key(info, text)
    except Refusal as refused:
        return refused


def _moved(outcome: work.Outcome) -> MovedProcedureResult:
    problems: list[Problem] = problems_of(outcome.refused) if outcome.refused else []
    if outcome.key is None:
        return MovedProcedureResult(problems=problems)
    return MovedProcedureResult(problems=problems, family_id=outcome.key.family_id, id=outcome.key.id)


@strawberry.type
class WorkMutations:
    """Commands of agents on procedures."""

    @mutation(
        may=AGENT,
        description="Take charge of a procedure; a submitted one goes into review. Of two agents one wins, the other "
        "gets ALREADY_MOVED.",
    )
    async def take_procedure(info: Info, procedure: ProcedureId) -> ProcedurePayload:
        """To IN_REVIEW."""
        return payload_of(await work.take(info.context, procedure_key(info, procedure)))

    @mutation(may=AGENT, description="Put a colleague in charge of an open procedure.")
    async def assign_procedure(
        info: Info,
        procedure: ProcedureId,
        colleague: Annotated[strawberry.ID, strawberry.argument(description="Who handles procedures of its service.")],
    ) -> ProcedurePayload:
        """Assignment."""
        key = procedure_key(info, procedure)
        [agent_id] = key_of(info.context, colleague, "Colleague", "colleague")
        return payload_of(await work.assign(info.context, key, agent_id))

    @mutation(may=AGENT, description="Put nobody in charge of an open procedure; its status stays.")
    async def release_procedure(info: Info, procedure: ProcedureId) -> ProcedurePayload:
        """Assignment."""
        return payload_of(await work.assign(info.context, procedure_key(info, procedure), None))

    @mutation(may=AGENT, description="Ask the family for something that is missing; the legal clock pauses.")
    async def request_information(
        info: Info,
        procedure: ProcedureId,
        message: Reason,
        fields: Annotated[
            list[str] | None, strawberry.argument(description="Fields of the form that the family may change.")
        ] = None,
        documents: Annotated[
            list[str] | None,
            strawberry.argument(description="Documents that are missing, in words; 20 at the most, of 200 characters."),
        ] = None,
    ) -> ProcedurePayload:
        """To AWAITING_FAMILY."""
        key = procedure_key(info, procedure)
        return payload_of(await information_requests.ask(info.context, key, message, fields or [], documents or []))

    @mutation(may=AGENT, description="Accept a procedure; a repeated call changes nothing.")
    async def accept_procedure(info: Info, procedure: ProcedureId, message: Message = None) -> ProcedurePayload:
        """To ACCEPTED."""
        return await move(info, procedure, "ACCEPTED", message)

    @mutation(may=AGENT, description="Reject a procedure; a repeated call changes nothing.")
    async def reject_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """To REJECTED, with the reason that the law asks for (CRPA L211-2)."""
        return await move(info, procedure, "REJECTED", reason)

    @mutation(may=AGENT, description="Close a procedure without a decision.")
    async def close_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """To CLOSED."""
        return await move(info, procedure, "CLOSED", reason)

    @mutation(may=AGENT, description="Reopen a decided procedure.")
    async def reopen_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """Back to IN_REVIEW."""
        key = procedure_key(info, procedure)
        return payload_of(await procedures.move(info.context, key, "IN_REVIEW", reason, starts=procedures.TO_REOPEN))

    @mutation(
        may=AGENT,
        description="Do the same to many procedures, each as if it were alone: one that is refused stops no other.",
    )
    async def move_procedures(
        info: Info,
        procedures: Annotated[
            list[strawberry.ID], strawberry.argument(description="Ids of the procedures, 100 at the most.")
        ],
        action: Annotated[BulkAction, strawberry.argument(description="What to do.")],
        message: Message = None,
    ) -> MoveProceduresPayload:
        """Bulk moves."""
        keys = [_key_or_refusal(info, each) for each in procedures]
        results = [_moved(each) for each in await work.do_all(info.context, action.name, keys, message)]
        return MoveProceduresPayload(problems=[each for one in results for each in one.problems], results=results)
