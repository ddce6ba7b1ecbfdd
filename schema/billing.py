"""Billing runs: drafts of a month, what to look at before they are published, and what became of them (R29)."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import billing
from resolvers.reading.mapping import Order
from schema.access import TILL
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.families import Family
from schema.invoices import Invoice
from schema.members import Member
from schema.money import Money, money
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, Connection, GlobalID, Info, Node, key_of
from schema.services import Service, in_language
from schema.tags import Tag
from schema.tariffs import Tariff

OF_TILL = {"AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}


@strawberry.enum(description="Whether a run is the first of its month.")
class BillingRunKind(Enum):
    """Kinds of run."""

    REGULAR = strawberry.enum_value("REGULAR", description="The first of its month.")
    ADJUSTMENT = strawberry.enum_value(
        "ADJUSTMENT", description="Bills what was corrected since the month was published, and nothing twice."
    )


@strawberry.enum(description="How far a run is.")
class BillingRunState(Enum):
    """States of a run."""

    DRAFTING = strawberry.enum_value("DRAFTING", description="Drafts are being made.")
    DRAFTING_FAILED = strawberry.enum_value(
        "DRAFTING_FAILED",
        description="Drafting was given up after several attempts: start the same month again to go on, or discard it.",
    )
    DRAFTED = strawberry.enum_value("DRAFTED", description="Drafts and checks are there to be looked at.")
    PUBLISHING = strawberry.enum_value("PUBLISHING", description="It is being published; families are not told yet.")
    PUBLICATION_FAILED = strawberry.enum_value(
        "PUBLICATION_FAILED",
        description="Publication was given up after several attempts, and some invoices may be published: publish it "
        "again to go on.",
    )
    PUBLISHED = strawberry.enum_value("PUBLISHED", description="All its invoices are published.")
    DISCARDED = strawberry.enum_value("DISCARDED", description="Given up before publication.")


@strawberry.enum(description="How a draft stands to invoices of its month.")
class DraftKind(Enum):
    """Kinds of draft."""

    NEW = strawberry.enum_value(
        "NEW", description="No invoice of the month stands: none was issued, or it was cancelled, and this replaces it."
    )
    COMPLEMENT = strawberry.enum_value("COMPLEMENT", description="More was used than was billed.")
    REPLACEMENT = strawberry.enum_value(
        "REPLACEMENT", description="Less was used, or at another price: what stands is cancelled and replaced."
    )
    CANCELLATION = strawberry.enum_value("CANCELLATION", description="Nothing is owed any more.")


@strawberry.enum(description="What to look at before publishing.")
class BillingCheckCode(Enum):
    """Codes of checks."""

    NO_PRICE = strawberry.enum_value(
        "NO_PRICE", description="Something was used on a day without a price: publishing is refused until it has one."
    )
    QUOTIENT_MISSING = strawberry.enum_value("QUOTIENT_MISSING", description="Highest price, for want of a quotient.")
    ZERO_AMOUNT = strawberry.enum_value("ZERO_AMOUNT", description="The invoice is for nothing.")
    HUGE_AMOUNT = strawberry.enum_value("HUGE_AMOUNT", description="More than the setting billing.huge_cents.")
    DIFFERENCE = strawberry.enum_value("DIFFERENCE", description="Very different from the month before.")
    REPLACES = strawberry.enum_value("REPLACES", description="Published invoices are cancelled for it.")
    TOO_LARGE = strawberry.enum_value(
        "TOO_LARGE",
        description="The lines of the family come to more than 21,474,836.47 €, which no amount can say; the dearest "
        "is named. The family is left out of the run: the next one bills it, once use or price is corrected.",
    )
    OVERTAKEN = strawberry.enum_value(
        "OVERTAKEN", description="Other invoices were issued or cancelled since: left out, for the next run."
    )


@stored("draft_line", OF_TILL, tag=Tag.DRAFT_LINE)
@strawberry.type(description="One line of a draft, as it will be published.")
class DraftLine(Node):
    """A line of a draft."""

    position: int = column("1, 2, 3 …")
    label: str = column("What it is for, in the language of the viewer.", in_language("label"))
    first_day: date = column("First day that it counts.")
    last_day: date = column("Last day that it counts.")
    quantity: int = column("How many units.")
    unit_price: Money = money("Price of one unit.", "{t}.unit_cents")
    amount: Money = money("What it comes to.", "{t}.cents")
    cesu_eligible: bool = column("True when CESU may settle it.")
    explanation: str | None = column(
        "Why this price, in a sentence in the language of the viewer.",
        "{t}.explanation ->> case :language when 'en' then 'en' else 'fr' end",
    )
    member: Member = one("Who used it.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id")
    service: Service = one("The service.", "{o}.id = {t}.service_id")


@stored("draft_invoice", OF_TILL, tag=Tag.DRAFT_INVOICE)
@strawberry.type(description="What an invoice would hold; nobody but the staff sees it.")
class DraftInvoice(Node):
    """A draft."""

    kind: DraftKind = column("How it stands to invoices of its month.")
    family: Family = one("Whose it is.", "{o}.id = {t}.family_id")
    total: Money = money("What it is for.", "{t}.total_cents")
    cesu: Money = money("What of it may be paid by CESU.", "{t}.cesu_cents")
    lines: Connection[DraftLine] = page(
        "Its lines.",
        "{o}.family_id = {t}.family_id and {o}.draft_id = {t}.id",
        Order((("{o}.position", "integer"), ("{o}.id", "uuid"))),
    )


@stored("billing_check", OF_TILL, tag=Tag.BILLING_CHECK)
@strawberry.type(description="Something that an agent should look at before publishing.")
class BillingCheck(Node):
    """A check."""

    code: BillingCheckCode = column("What it is.")
    family: Family = one("Whose draft it is about.", "{o}.id = {t}.family_id")
    tariff: Tariff | None = one("With NO_PRICE and TOO_LARGE: the tariff.", "{o}.id = {t}.tariff_id")
    day: date | None = column("With NO_PRICE: the first day without a price; with TOO_LARGE: first day of the line.")
    member: Member | None = one(
        "With TOO_LARGE: who used it.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id"
    )
    before: Money | None = money("Of differences and replacements: what was billed.", "{t}.before_cents")
    now: Money | None = money("What would be billed.", "{t}.now_cents")


LARGEST_FIRST = Order((("{o}.total_cents", "integer"), ("{o}.id", "uuid")), descending=True)
BY_CODE = Order((("{o}.code", "text"), ("{o}.id", "uuid")))
SUM = """(select case when coalesce(sum(x.cents), 0) <= 2147483647 then coalesce(sum(x.cents), 0)::integer end from (
    select i.FIELD as cents from invoice i where i.run_id = {t}.id and i.cancelled_at is null
    union all select d.FIELD from draft_invoice d where d.run_id = {t}.id) x)"""
"""What is published is no draft any more. Drafts may be as wrong as what was imported: who looks for the fault must
still see the run, and no false sum."""
CANCELLED = """(select case when coalesce(sum(i.total_cents), 0) <= 2147483647
        then coalesce(sum(i.total_cents), 0)::integer end
    from invoice i where i.run_id = {t}.id and i.cancelled_at is not null)"""
COUNT = """((select count(*) from invoice i where i.run_id = {t}.id and i.cancelled_at is null)
    + (select count(*) from draft_invoice d where d.run_id = {t}.id and d.line_count > 0))::integer"""


@stored("billing_run", OF_TILL, tag=Tag.BILLING_RUN, key=("id",))
@strawberry.type(description="One month of one service or of all: from consumptions to published invoices.")
class BillingRun(Node):
    """A billing run (campagne)."""

    period: date = column("First day of its month.")
    service: Service | None = one("The service; none: all.", "{o}.id = {t}.service_id")
    kind: BillingRunKind = column("Whether it is the first of its month.")
    state: BillingRunState = column("How far it is.")
    families_total: int = column("How many families it concerns.")
    families_done: int = column("How many of them are drafted.")
    invoice_count: int = column("How many invoices of it stand, or would; not those that were cancelled.", COUNT)
    total: Money | None = money(
        "What those come to, which is what is owed of it; null beyond 21,474,836.47 €: such a run cannot be published "
        "(BILLING_RUN_TOO_LARGE).",
        SUM.replace("FIELD", "total_cents"),
    )
    cesu: Money | None = money(
        "What of it may be paid by CESU; null beyond 21,474,836.47 €.", SUM.replace("FIELD", "cesu_cents")
    )
    cancelled_count: int = column(
        "How many of its invoices were cancelled. One that was issued again counts among those that stand.",
        "(select count(*)::integer from invoice i where i.run_id = {t}.id and i.cancelled_at is not null)",
    )
    cancelled: Money | None = money("What these came to, owed no more; null beyond 21,474,836.47 €.", CANCELLED)
    started_at: datetime = column("When it was begun.")
    drafted_at: datetime | None = column("When its drafts were there.")
    published_at: datetime | None = column("When it was published.")
    discarded_at: datetime | None = column("When it was given up.")
    failed_at: datetime | None = column(
        "When its work was given up after several attempts; with PUBLISHED: while families were told. Publishing it "
        "again goes on; null from then on."
    )
    failed_because: str | None = column("Code of the fault, for who looks into the log.")
    issued_on: date | None = column("Day of issue of its invoices.")
    due_on: date | None = column("Last day to pay them.")
    first_number: str | None = column("Number of its first invoice.")
    last_number: str | None = column("Number of its last one; single invoices of others may lie between them.")
    left_out: int = column("Drafts that were overtaken before publication; the next run bills them.")
    invoices_told: int = column("How many of its invoices are set in type and told to their families.")
    told_at: datetime | None = column("When all were.")
    checks: Connection[BillingCheck] = page(
        "What to look at before publishing.",
        "{o}.run_id = {t}.id",
        BY_CODE,
        codes=Arg(list[BillingCheckCode] | None, "Only these.", "text[]", "{o}.code = any(:arg_codes)"),
    )
    drafts: Connection[DraftInvoice] = page(
        "Its drafts, the largest first; none once published.", "{o}.run_id = {t}.id", LARGEST_FIRST
    )
    invoices: Connection[Invoice] = page("Its invoices, once published.", "{o}.run_id = {t}.id", OLDEST_FIRST)


@strawberry.type
class BillingQueries:
    """Root fields about billing runs."""

    billing_runs: Connection[BillingRun] = page(
        "Billing runs, newest first.",
        "true",
        NEWEST_FIRST,
        may=TILL,
        state=Arg(list[BillingRunState] | None, "Only these states.", "text[]", "{o}.state = any(:arg_state)"),
    )


@strawberry.type(description="What a command on a billing run gives.")
class BillingRunPayload(Payload):
    """Payload of the commands on billing runs."""

    run: BillingRun | None = written("The run as it stands now, unless refused.", "{o}.id = :source_id")


@strawberry.type
class BillingMutations:
    """Commands on billing runs."""

    @mutation(
        may=TILL,
        description="Draft what was consumed in a month and is not billed yet. Follow `familiesDone` of the run; one "
        "run is open at a time. A run of the same month and service whose drafting failed goes on.",
    )
    async def start_billing_run(
        info: Info,
        month: Annotated[date, strawberry.argument(description="Any day of the month; it must be over.")],
        service: Annotated[str | None, strawberry.argument(description="Code of the only service; none: all.")] = None,
    ) -> BillingRunPayload:
        """R29."""
        return BillingRunPayload(id=await billing.start(info.context, month, service))

    @mutation(
        may=TILL,
        description="Publish all of a run that was drafted; its invoices are never changed afterwards; families are "
        "told when all are there. Follow `state`. Once more changes nothing, but for a run that failed (`failedAt`): "
        "it goes on where it stopped, with the days that its first invoices have.",
    )
    async def publish_billing_run(
        info: Info,
        run: GlobalID,
        issued_on: Annotated[date | None, strawberry.argument(description="Day of issue; today unless given.")] = None,
        due_on: Annotated[
            date | None, strawberry.argument(description="Last day to pay; billing.due_days later unless given.")
        ] = None,
    ) -> BillingRunPayload:
        """R29."""
        [run_id] = key_of(info.context, run, "BillingRun", "run")
        await billing.publish(info.context, run_id, issued_on, due_on)
        return BillingRunPayload(id=run_id)

    @mutation(may=TILL, description="Give up a run that is not published; once more changes nothing.")
    async def discard_billing_run(info: Info, run: GlobalID) -> BillingRunPayload:
        """Its drafts go."""
        [run_id] = key_of(info.context, run, "BillingRun", "run")
        await billing.discard(info.context, run_id)
        return BillingRunPayload(id=run_id)
