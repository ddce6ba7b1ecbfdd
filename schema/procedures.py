"""Procedures (démarches): the catalogue, what a family filed, how agents move it."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers import information_requests, procedure_messages, procedures
from resolvers.reading.mapping import Order
from schema.access import FAMILY, FAMILY_OR_AGENT, FAMILY_OR_HANDLER, and_partner
from schema.acknowledgements import Acknowledgement
from schema.actors import Actor, Colleague
from schema.declare import Arg, Orders, Payload, column, embedded, mutation, one, page, stored, written
from schema.documents import AttachedDocument, document_key
from schema.information_requests import InformationRequest
from schema.kinds import ProcedureKind
from schema.members import Member
from schema.next_steps import NextStep
from schema.procedure_messages import IN_ORDER, UNREAD, ProcedureMessage
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN, OWN_OR_SERVICE, Connection, Info, Node, key_of
from schema.scalars import JSON
from schema.services import Service
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


SEEN = and_partner(FAMILY_OR_AGENT, "PROCEDURES_READ")
"""Of what a partner with procedures:read sees of a procedure."""
NAMED = and_partner(FAMILY_OR_AGENT, "PROCEDURES_READ", "FAMILIES_NAMES")
OF_PARTNER = "{t}.service_id = any(:services) and 'PROCEDURES_READ' = any(:scopes)"


@stored(
    "procedure_event",
    {**OWN_OR_SERVICE, "PARTNER": f"{OF_PARTNER} and ({{t}}.from_status, {{t}}.to_status) <> ('DRAFT', 'WITHDRAWN')"},
    tag=Tag.PROCEDURE_EVENT,
)
@strawberry.type(description="One step in the life of a procedure; never changed.")
class ProcedureEvent(Node):
    """An event of a procedure."""

    number: int = column("1, 2, 3 … without gap per procedure.", may=SEEN)
    from_status: ProcedureStatus = column("Status before.", may=SEEN)
    to_status: ProcedureStatus = column("Status after.", may=SEEN)
    actor: Actor = column("Who acted.", may=SEEN)
    message: str | None = column("What the family is told with it.")
    occurred_at: datetime = column("When.", may=SEEN)


OWN_OR_SUBMITTED = {
    **OWN,
    "AGENT": "{t}.service_id = any(:services) and {t}.submitted_at is not null",
    "PARTNER": f"{OF_PARTNER} and {{t}}.submitted_at is not null",
}
"""A draft is the family's own."""

IMPLIED_DECISION = """case when {t}.clock_paused_at is null or {t}.implied_decision_on is null
    then {t}.implied_decision_on
    else (select implied_after_answer({t}.implied_decision_on, k.silence_means, k.decision_months,
        ({t}.clock_paused_at at time zone 'Europe/Paris')::date, (:now at time zone 'Europe/Paris')::date)
        from procedure_kind k where k.id = {t}.kind_id) end"""


@stored("procedure", OWN_OR_SUBMITTED, tag=Tag.PROCEDURE)
@strawberry.type(description="A procedure (démarche) filed by a family; R12.")
class Procedure(Node):
    """A procedure."""

    reference: str = column("Reference for people, e.g. PES-2026-000123.", may=SEEN)
    status: ProcedureStatus = column("Where it stands.", may=SEEN)
    answers: JSON = column("Answers to the form of its kind.")
    attestation: str | None = column("What the family attested on submission (R38).")
    submitted_at: datetime | None = column("When it was submitted.", may=SEEN)
    implied_decision_on: date | None = column(
        "The day on which silence decides (CRPA L231-1, L231-4). While the clock stands, the day that it will be if "
        "the family answers today; none for a reopened procedure.",
        IMPLIED_DECISION,
        may=SEEN,
    )
    clock_paused_at: datetime | None = column(
        "Since when the clock stands, because the family is asked for something (CRPA L114-5, L114-6)."
    )
    paused_days: int = column("By how many days answers of the family have moved the implied decision.")
    decided_at: datetime | None = column("When it was decided.", may=SEEN)
    acknowledgement: Acknowledgement | None = one(
        "The acknowledgement of its receipt.", "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id"
    )
    answers_erased_at: datetime | None = column("When its answers were erased, because nobody keeps them (R2).")
    created_at: datetime = column("When the draft was started.")
    updated_at: datetime = column("When it last changed.", may=SEEN)
    kind: ProcedureKind = one(
        "What is asked for, in the version it was started with.", "{o}.id = {t}.kind_id", may=SEEN
    )
    service: Service = one("Service in charge.", "{o}.id = {t}.service_id", may=SEEN)
    family_number: str = column(
        "Number of the family, e.g. for agents.", "(select f.number from family f where f.id = {t}.family_id)"
    )
    family_name: str = column(
        "Name of the family.", "(select f.name from family f where f.id = {t}.family_id)", may=NAMED
    )
    member: Member | None = one("The member it is for.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id")
    assignee: Colleague | None = one("The agent in charge (CRPA L111-2).", "{o}.id = {t}.assigned_agent_id")
    next_step: NextStep = embedded("What is expected next, and of whom (R12).")
    events: Connection[ProcedureEvent] = page(
        "Its history.", "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id", OLDEST_FIRST, may=SEEN
    )
    documents: Connection[AttachedDocument] = page(
        "What is filed with it, with messages too.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id",
        OLDEST_FIRST,
    )
    information_request: InformationRequest | None = one(
        "What the family is being asked for; none unless it is awaited.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id and {o}.event_number = {t}.event_count "
        "and {t}.status = 'AWAITING_FAMILY'",
    )
    information_requests: Connection[InformationRequest] = page(
        "Everything that the family was asked for.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id",
        OLDEST_FIRST,
    )
    messages: Connection[ProcedureMessage] = page(
        "What the family and the service wrote, in order.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.id",
        IN_ORDER,
    )
    unread_messages: int = column("How many messages of the other side nobody has marked as read.", UNREAD)


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
        "LAST_CHANGED": LAST_CHANGED_FIRST,
    },
)

WORDS = """like all (array(
    select '% ' || word || '%' from unnest(string_to_array(btrim(folded({words})), ' ')) word))"""


FOUND_BY = """{o}.id = any (array(
    select p.id from procedure p join procedure_kind k on k.id = p.kind_id
        left join member m on m.family_id = p.family_id and m.id = p.member_id
    where p.family_id = :family and folded(
        concat_ws(' ', p.reference, k.title_fr, k.title_en, m.first_name, m.last_name)) {every_word}
    union all
    select p.id from procedure p where :family is null and p.reference = upper(btrim({words}))
    union all
    select p.id from procedure p where :family is null and p.family_id = any (array(
        select f.id from family f where f.number = btrim({words})
        union all
        select f.id from family f where {words} !~ '^[0-9]{6}' and length(btrim(folded({words}))) > 1
            and {words} !~ '^[A-Za-z]+-[0-9]{4}-' and f.search {every_word}))))"""


def found_by(argument: str) -> str:
    """Give the condition of a search: a family finds its own by every word of reference, title and member's name; an
    agent by the whole reference, the family's number, or every word of its name.

    The ids are gathered first, each select by an index or in one pass over families, so that no list of procedures is
    read through.
    """
    return FOUND_BY.replace("{every_word}", WORDS).replace("{words}", argument)


DAY = "coalesce({o}.submitted_at, {o}.created_at)"
MIDNIGHT = "({day})::timestamp at time zone 'Europe/Paris'"
STATUS = Arg(list[ProcedureStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)")
KIND = Arg(
    str | None,
    "Only this kind, by its code.",
    filters="{o}.kind_id in (select k.id from procedure_kind k where k.code = :arg_kind)",
)
FILTERS = {
    "status": STATUS,
    "kind": KIND,
    "member": Arg(
        strawberry.ID | None,
        "Only those for this member.",
        filters="{o}.family_id = id_part(:arg_member, 0) and {o}.member_id = id_part(:arg_member, 1)",
    ),
    "first_day": Arg(
        date | None,
        "Only those submitted, or drafts begun, on this day (Paris) or later.",
        "date",
        f"{DAY} >= {MIDNIGHT.format(day=':arg_firstDay')}",
    ),
    "last_day": Arg(
        date | None,
        "Only those submitted, or drafts begun, on this day (Paris) or before.",
        "date",
        f"{DAY} < {MIDNIGHT.format(day=':arg_lastDay + 1')}",
    ),
    "text": Arg(
        str | None,
        "Words: of the reference, the title or the member's name; for agents a whole reference, a family's number or "
        "words of its name.",
        filters=found_by(":arg_text"),
    ),
}


@strawberry.type
class ProcedureQueries:
    """Root fields about procedures."""

    procedures: Connection[Procedure] = page(
        "Procedures that the viewer sees: the family's own, or those of the agent's or the partner's services; newest "
        "first.",
        "true",
        NEWEST_FIRST,
        may=SEEN,
        orders=ORDERS,
        apart={"service_id": ":services", "status": ":arg_status"},
        **FILTERS,
    )
    procedure: Procedure | None = one(
        "A procedure by its reference.",
        "{o}.reference = :arg_reference",
        may=SEEN,
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


IdempotencyKey = Annotated[
    str, strawberry.argument(description="Any text of 8 to 100 characters, new for each request.")
]


def procedure_key(info: Info, text: str) -> procedures.Key:
    """Give the key in a global id; raises Refusal NOT_FOUND."""
    family_id, procedure_id = key_of(info.context, text, "Procedure", "procedure")
    return procedures.Key(family_id, procedure_id)


def payload_of(key: procedures.Key) -> ProcedurePayload:
    """Give the payload of a procedure that was written."""
    return ProcedurePayload(family_id=key.family_id, id=key.id)


async def move(info: Info, procedure: str, to: str, message: str | None = None) -> ProcedurePayload:
    """Move a procedure."""
    return payload_of(await procedures.move(info.context, procedure_key(info, procedure), to, message))


@strawberry.type
class ProcedureMutations:
    """Commands on procedures."""

    @mutation(may=FAMILY, description="Start a draft. The same key again gives the same draft.")
    async def start_procedure(
        info: Info,
        kind: Annotated[str, strawberry.argument(description="Code of the kind.")],
        idempotency_key: IdempotencyKey,
        member: Annotated[strawberry.ID | None, strawberry.argument(description="The member it is for.")] = None,
        answers: Annotated[JSON | None, strawberry.argument(description="First answers; kept as they are.")] = None,
        prefill: Annotated[
            bool,
            strawberry.argument(
                description="Fill in what is known: data of the family, and earlier answers where it keeps them (R2)."
            ),
        ] = False,
    ) -> ProcedurePayload:
        """R12."""
        member_id: UUID | None = key_of(info.context, member, "Member", "member")[1] if member else None
        started = await procedures.start(info.context, kind, member_id, answers, idempotency_key, fill_in=prefill)
        return payload_of(started)

    @mutation(may=FAMILY, description="Keep the answers of a draft as typed; they are checked on submission.")
    async def save_draft(
        info: Info,
        procedure: ProcedureId,
        answers: Annotated[JSON, strawberry.argument(description="All answers so far, by field.")],
    ) -> ProcedurePayload:
        """Drafts are partial."""
        return payload_of(await procedures.save_draft(info.context, procedure_key(info, procedure), answers))

    @mutation(may=FAMILY, description="Submit a draft; the acknowledgement follows at once (CRPA L112-3).")
    async def submit_procedure(
        info: Info,
        procedure: ProcedureId,
        attests: Annotated[
            bool, strawberry.argument(description="True: the attestation of the kind is accepted (R38).")
        ],
    ) -> ProcedurePayload:
        """R38."""
        return payload_of(await procedures.submit(info.context, procedure_key(info, procedure), attests))

    @mutation(may=FAMILY, description="Withdraw a procedure that is not decided yet.")
    async def withdraw_procedure(info: Info, procedure: ProcedureId) -> ProcedurePayload:
        """From any open state."""
        return await move(info, procedure, "WITHDRAWN")

    @mutation(
        may=FAMILY,
        description="Answer an information request; the review, and the legal clock, go on. Without a document that "
        "was asked for it needs a message (DOCUMENT_MISSING).",
    )
    async def answer_information_request(
        info: Info,
        procedure: ProcedureId,
        answers: Annotated[
            JSON | None,
            strawberry.argument(
                description="New answers to fields that the request names; null takes one away (RFC 7396)."
            ),
        ] = None,
        message: Annotated[
            str | None, strawberry.argument(description="Words for the service; 4,000 characters at the most.")
        ] = None,
    ) -> ProcedurePayload:
        """Back to IN_REVIEW."""
        key = procedure_key(info, procedure)
        return payload_of(await information_requests.answer(info.context, key, answers, message))

    @mutation(
        may=FAMILY_OR_HANDLER,
        description="Write to the other side about a submitted procedure. The same key again writes nothing.",
    )
    async def post_message(
        info: Info,
        procedure: ProcedureId,
        body: Annotated[str, strawberry.argument(description="The words; 4,000 characters at the most.")],
        idempotency_key: IdempotencyKey,
        documents: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(
                description="Ids of documents that it carries, 10 at the most: of the family, or those that the agent "
                "has uploaded for this procedure. They stay with it."
            ),
        ] = None,
    ) -> ProcedurePayload:
        """Both ways."""
        key = procedure_key(info, procedure)
        carried = [document_key(info, each, "documents") for each in documents or []]
        return payload_of(await procedure_messages.post(info.context, key, body, idempotency_key, carried))

    @mutation(may=FAMILY_OR_HANDLER, description="Mark what the other side wrote as read; once more changes nothing.")
    async def mark_messages_read(
        info: Info,
        procedure: ProcedureId,
        up_to: Annotated[
            int | None, strawberry.argument(description="Number of the last message that was read; all unless given.")
        ] = None,
    ) -> ProcedurePayload:
        """Read marks."""
        key = procedure_key(info, procedure)
        return payload_of(await procedure_messages.mark_read(info.context, key, up_to))
