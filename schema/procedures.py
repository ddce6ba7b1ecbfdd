"""Procedures (démarches): the catalogue, what a family filed, how agents move it."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers import procedures
from resolvers.reading.mapping import Order
from schema.access import AGENT, EVERYBODY, FAMILY, FAMILY_OR_AGENT
from schema.declare import Arg, Orders, Payload, column, mutation, one, page, stored, written
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_SERVICE, PUBLIC, Connection, Info, Node, key_of
from schema.scalars import JSON
from schema.services import Service, in_language
from schema.tags import Tag


@strawberry.enum(description="Where a procedure stands.")
class ProcedureStatus(Enum):
    """The states of the machine whose moves are in `resolvers.procedures.MOVES`."""

    DRAFT = strawberry.enum_value("DRAFT", description="The family is still writing it.")
    SUBMITTED = strawberry.enum_value("SUBMITTED", description="Sent, and acknowledged.")
    IN_REVIEW = strawberry.enum_value("IN_REVIEW", description="An agent examines it.")
    AWAITING_FAMILY = strawberry.enum_value(
        "AWAITING_FAMILY", description="The family must answer; the legal clock pauses."
    )
    ACCEPTED = strawberry.enum_value("ACCEPTED", description="Accepted.")
    REJECTED = strawberry.enum_value("REJECTED", description="Rejected.")
    CLOSED = strawberry.enum_value("CLOSED", description="Closed without a decision.")
    WITHDRAWN = strawberry.enum_value("WITHDRAWN", description="Withdrawn by the family.")


@strawberry.enum(description="Who acts on a procedure.")
class Actor(Enum):
    """Who acts."""

    FAMILY = strawberry.enum_value("FAMILY", description="The family.")
    AGENT = strawberry.enum_value("AGENT", description="An agent of the service.")
    CLOCK = strawberry.enum_value("CLOCK", description="The legal clock: silence decided.")


@strawberry.enum(description="What the silence of the city means when the time has passed.")
class SilenceMeans(Enum):
    """CRPA L231-1 and its exceptions."""

    ACCEPTED = strawberry.enum_value("ACCEPTED", description="Silence accepts (CRPA L231-1).")
    REJECTED = strawberry.enum_value("REJECTED", description="Silence rejects (CRPA L231-4).")


@stored("procedure_kind", PUBLIC, tag=Tag.PROCEDURE_KIND, key=("id",))
@strawberry.type(description="An entry of the catalogue of procedures, in one version.")
class ProcedureKind(Node):
    """A kind of procedure (type de démarche)."""

    code: str = column("Stable code, e.g. cantine.")
    version: int = column("Version; a running procedure keeps its own.")
    title: str = column("Title, in the language of the viewer.", in_language("title"))
    summary: str = column("What it is for, in the language of the viewer.", in_language("summary"))
    form: JSON = column("The form as JSON Schema 2020-12, with labels in both languages.")
    attestation: str = column("What one attests on submission (R38).", in_language("attestation"))
    decision_months: int = column("Months after which silence decides.")
    silence_means: SilenceMeans = column("What silence means.")
    service: Service = one("Service in charge.", "{o}.id = {t}.service_id")


@stored("procedure_event", OWN_OR_SERVICE, tag=Tag.PROCEDURE_EVENT)
@strawberry.type(description="One step in the life of a procedure; never changed.")
class ProcedureEvent(Node):
    """An event of a procedure."""

    number: int = column("1, 2, 3 … without gap per procedure.")
    from_status: ProcedureStatus = column("Status before.")
    to_status: ProcedureStatus = column("Status after.")
    actor: Actor = column("Who acted.")
    message: str | None = column("What the family is told with it.")
    occurred_at: datetime = column("When.")


@stored("procedure", OWN_OR_SERVICE, tag=Tag.PROCEDURE)
@strawberry.type(description="A procedure (démarche) filed by a family; R12.")
class Procedure(Node):
    """A procedure."""

    reference: str = column("Reference for people, e.g. PES-2026-000123.")
    status: ProcedureStatus = column("Where it stands.")
    answers: JSON = column("Answers to the form of its kind.")
    attestation: str | None = column("What the family attested on submission (R38).")
    submitted_at: datetime | None = column("When it was submitted.")
    implied_decision_on: date | None = column("The day on which silence decides (CRPA L231-1, L231-4).")
    answers_erased_at: datetime | None = column("When its answers were erased, because nobody keeps them (R2).")
    created_at: datetime = column("When the draft was started.")
    updated_at: datetime = column("When it last changed.")
    kind: ProcedureKind = one("What is asked for, in the version it was started with.", "{o}.id = {t}.kind_id")
    service: Service = one("Service in charge.", "{o}.id = {t}.service_id")
    events: Connection[ProcedureEvent] = page(
        "Its history.", "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id", OLDEST_FIRST
    )


@strawberry.enum(description="In which order procedures are listed.")
class ProcedureOrder(Enum):
    """Orders of lists of procedures."""

    NEWEST = strawberry.enum_value("NEWEST", description="Started last first; the usual order.")
    OLDEST = strawberry.enum_value("OLDEST", description="Started first first.")
    LAST_CHANGED = strawberry.enum_value("LAST_CHANGED", description="Changed last first.")


LAST_CHANGED_FIRST = Order((("{o}.updated_at", "timestamptz"), ("{o}.id", "uuid")), descending=True, name="/changed")
ORDERS = Orders(
    ProcedureOrder,
    {
        "NEWEST": NEWEST_FIRST,
        "OLDEST": OLDEST_FIRST,
        "LAST_CHANGED": Order(
            (("{o}.updated_at", "timestamptz"), ("{o}.id", "uuid")), descending=True, name="/changed"
        ),
    },
)

FILTERS = {
    "status": Arg(list[ProcedureStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)"),
    "kind": Arg(
        str | None,
        "Only this kind, by its code.",
        filters="{o}.kind_id in (select k.id from procedure_kind k where k.code = :arg_kind)",
    ),
}


@strawberry.type
class ProcedureQueries:
    """Root fields about procedures."""

    procedure_kinds: Connection[ProcedureKind] = page(
        "The catalogue: kinds on offer, in their current version.",
        "{o}.superseded_at is null",
        OLDEST_FIRST,
        may=EVERYBODY,
    )
    procedure_kind: ProcedureKind | None = one(
        "A kind on offer, by its code.",
        "{o}.code = :arg_code and {o}.superseded_at is null",
        may=EVERYBODY,
        code=Arg(str, "Code of the kind."),
    )
    procedures: Connection[Procedure] = page(
        "Procedures that the viewer sees: the family's own, or those of the agent's services; newest first.",
        "true",
        NEWEST_FIRST,
        may=FAMILY_OR_AGENT,
        orders=ORDERS,
        apart={"service_id": ":services", "status": ":arg_status"},
        **FILTERS,
    )
    procedure: Procedure | None = one(
        "A procedure by its reference.",
        "{o}.reference = :arg_reference",
        may=FAMILY_OR_AGENT,
        reference=Arg(str, "Reference, e.g. PES-2026-000123."),
    )


@strawberry.type(description="What a command on a procedure gives.")
class ProcedurePayload(Payload):
    """Payload of all commands on procedures."""

    procedure: Procedure | None = written("The procedure as it stands now, unless refused.")


ProcedureId = Annotated[strawberry.ID, strawberry.argument(description="Id of the procedure.")]
Message = Annotated[
    str | None, strawberry.argument(description="What the family is told with it; 4,000 characters at the most.")
]
Reason = Annotated[
    str, strawberry.argument(description="Why, in words that the family reads; 4,000 characters at the most.")
]


def _key(info: Info, text: str) -> procedures.Key:
    family_id, procedure_id = key_of(info.context, text, "Procedure", "procedure")
    return procedures.Key(family_id, procedure_id)


def _payload(key: procedures.Key) -> ProcedurePayload:
    return ProcedurePayload(family_id=key.family_id, id=key.id)


async def _move(info: Info, procedure: str, to: str, message: str | None = None) -> ProcedurePayload:
    return _payload(await procedures.move(info.context, _key(info, procedure), to, message))


@strawberry.type
class ProcedureMutations:
    """Commands on procedures."""

    @mutation(may=FAMILY, description="Start a draft. The same key again gives the same draft.")
    async def start_procedure(
        info: Info,
        kind: Annotated[str, strawberry.argument(description="Code of the kind.")],
        idempotency_key: Annotated[
            str, strawberry.argument(description="Any text of 8 to 100 characters, new for each request.")
        ],
        member: Annotated[strawberry.ID | None, strawberry.argument(description="The member it is for.")] = None,
        answers: Annotated[JSON | None, strawberry.argument(description="First answers; kept as they are.")] = None,
    ) -> ProcedurePayload:
        """R12."""
        member_id: UUID | None = key_of(info.context, member, "Member", "member")[1] if member else None
        return _payload(await procedures.start(info.context, kind, member_id, answers, idempotency_key))

    @mutation(may=FAMILY, description="Keep the answers of a draft as typed; they are checked on submission.")
    async def save_draft(
        info: Info,
        procedure: ProcedureId,
        answers: Annotated[JSON, strawberry.argument(description="All answers so far.")],
    ) -> ProcedurePayload:
        """Drafts are partial."""
        return _payload(await procedures.save_draft(info.context, _key(info, procedure), answers))

    @mutation(may=FAMILY, description="Submit a draft; the acknowledgement follows at once (CRPA L112-3).")
    async def submit_procedure(
        info: Info,
        procedure: ProcedureId,
        attests: Annotated[
            bool, strawberry.argument(description="True: the attestation of the kind is accepted (R38).")
        ],
    ) -> ProcedurePayload:
        """R38."""
        return _payload(await procedures.submit(info.context, _key(info, procedure), attests))

    @mutation(may=FAMILY, description="Withdraw a procedure that is not decided yet.")
    async def withdraw_procedure(info: Info, procedure: ProcedureId) -> ProcedurePayload:
        """From any open state."""
        return await _move(info, procedure, "WITHDRAWN")

    @mutation(may=AGENT, description="Take a submitted procedure into review.")
    async def take_procedure(info: Info, procedure: ProcedureId) -> ProcedurePayload:
        """To IN_REVIEW."""
        return await _move(info, procedure, "IN_REVIEW")

    @mutation(may=AGENT, description="Ask the family for something that is missing; the legal clock pauses.")
    async def request_information(info: Info, procedure: ProcedureId, message: Reason) -> ProcedurePayload:
        """To AWAITING_FAMILY."""
        return await _move(info, procedure, "AWAITING_FAMILY", message)

    @mutation(may=AGENT, description="Accept a procedure; a repeated call changes nothing.")
    async def accept_procedure(info: Info, procedure: ProcedureId, message: Message = None) -> ProcedurePayload:
        """To ACCEPTED."""
        return await _move(info, procedure, "ACCEPTED", message)

    @mutation(may=AGENT, description="Reject a procedure; a repeated call changes nothing.")
    async def reject_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """To REJECTED, with the reason that the law asks for (CRPA L211-2)."""
        return await _move(info, procedure, "REJECTED", reason)

    @mutation(may=AGENT, description="Close a procedure without a decision.")
    async def close_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """To CLOSED."""
        return await _move(info, procedure, "CLOSED", reason)

    @mutation(may=AGENT, description="Reopen a decided procedure.")
    async def reopen_procedure(info: Info, procedure: ProcedureId, reason: Reason) -> ProcedurePayload:
        """Back to IN_REVIEW."""
        return await _move(info, procedure, "IN_REVIEW", reason)
