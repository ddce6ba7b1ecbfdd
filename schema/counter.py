"""The counter: recording money by coupon, taking it back the same day, closing the day."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import counter
from resolvers.reading.mapping import Order
from schema.access import TILL
from schema.declare import Arg, Payload, column, mutation, page, report, stored, written
from schema.money import Money, money
from schema.payments import Payment, PaymentMeans
from schema.relay import Connection, Info, Node, key_of
from schema.tags import Tag

OF_THE_TILL = {"AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}
BY_MEANS = Order((("{o}.means", "text"), ("{o}.id", "uuid")))
NEWEST_DAY_FIRST = Order((("{o}.day::text", "text"), ("{o}.id", "uuid")), descending=True)

IdempotencyKey = Annotated[
    str,
    strawberry.argument(
        description="Any text of 8 to 100 characters, new for each request. For a day, the same key again gives what "
        "the first request gave, and is refused with other parameters."
    ),
]
Reason = Annotated[str, strawberry.argument(description="Why, in words that the family reads; 3 to 4,000 characters.")]


@strawberry.enum(description="By which way a cashier received money.")
class CounterSource(Enum):
    """Ways in that a cashier records."""

    COUNTER = strawberry.enum_value("COUNTER", description="At the town hall (R28).")
    POST = strawberry.enum_value("POST", description="By post, with the coupon (R27).")


@strawberry.input(description="What somebody pays with.")
class TenderInput:
    """A means and its worth."""

    means: PaymentMeans = strawberry.field(description="The means.")
    cents: int = strawberry.field(description="Its worth in cents; of vouchers what is printed on them.")


@stored("daily_total", OF_THE_TILL, tag=Tag.DAILY_TOTAL, key=("id",))
@strawberry.type(description="What a closed day of the till came to by one means.")
class DailyTotal(Node):
    """One line of a closing."""

    means: PaymentMeans = column("The means.")
    count: int = column("How many payments.")
    received: Money = money("What was received.", "{t}.cents")
    forfeited: Money = money("What vouchers were worth beyond it.", "{t}.forfeited_cents")
    refunded: Money = money("What was paid back.", "{t}.refunded_cents")


@stored("daily_closing", OF_THE_TILL, tag=Tag.DAILY_CLOSING, key=("id",))
@strawberry.type(description="A day of the till that changes no more.")
class DailyClosing(Node):
    """A closing."""

    day: date = column("The day.")
    closed_at: datetime = column("When it was closed.")
    totals: Connection[DailyTotal] = page("What it came to, by means.", "{o}.day = {t}.day", BY_MEANS)


@stored(
    "till_totals",
    OF_THE_TILL,
    tag=Tag.TILL_TOTAL,
    key=("day", "means"),
    types={"day": "date", "means": "text"},
    again="till_totals({k}.day)",
)
@strawberry.type(description="What a day of the till came to until now by one means.")
class TillTotal(Node):
    """One line of a day that may still change."""

    means: PaymentMeans = column("The means.", "{t}.means::text")
    count: int = column("How many payments.", "({t}.count)")
    received: Money = money("What was received.", "{t}.cents")
    forfeited: Money = money("What vouchers were worth beyond it.", "{t}.forfeited_cents")
    refunded: Money = money("What was paid back.", "{t}.refunded_cents")


@strawberry.type
class CounterQueries:
    """Root fields about the till."""

    till_totals: Connection[TillTotal] = report(
        "What a day of the till came to until now, by means.",
        "till_totals(:arg_day)",
        Order((("{o}.id", "text"),)),
        may=TILL,
        day=Arg(date, "The day.", "date"),
    )
    daily_closings: Connection[DailyClosing] = page("Closed days, newest first.", "true", NEWEST_DAY_FIRST, may=TILL)


@strawberry.type(description="What recording or undoing a payment gives.")
class PaymentPayload(Payload):
    """Payload of commands on payments."""

    payment: Payment | None = written("The payment; `together` has the others of the same visit. Null when refused.")


@strawberry.type(description="What closing a day gives.")
class DailyClosingPayload(Payload):
    """Payload of closeDay."""

    closing: DailyClosing | None = written("The closed day, unless refused.", "{o}.id = :source_id")


@strawberry.type
class CounterMutations:
    """Commands of cashiers."""

    @mutation(
        may=TILL,
        description="Record money for invoices of one family by the references of their coupons; several means at one "
        "visit. CESU settle eligible lines only, holiday vouchers give no change, a cheque for more leaves a credit. "
        "The family gets an acknowledgement with the receipt (R16).",
    )
    async def record_payment(
        info: Info,
        references: Annotated[
            list[str], strawberry.argument(description="References of coupons, in the order in which to settle them.")
        ],
        tenders: Annotated[list[TenderInput], strawberry.argument(description="What was paid with; each means once.")],
        idempotency_key: IdempotencyKey,
        source: Annotated[CounterSource, strawberry.argument(description="By which way.")] = CounterSource.COUNTER,
        despite_debit: Annotated[
            bool,
            strawberry.argument(
                description="Take it although the bank is debiting one of the invoices, which is refused at the "
                "counter otherwise (DEBIT_UNDER_WAY): what the debit brings becomes a credit and a task. What comes by "
                "post is always taken."
            ),
        ] = False,
    ) -> PaymentPayload:
        """R27, R28."""
        given = [counter.Tender(each.means.name, each.cents) for each in tenders]
        family_id, payment_id = await counter.record(
            info.context, references, given, source.name, idempotency_key, despite_debit=despite_debit
        )
        return PaymentPayload(family_id=family_id, id=payment_id)

    @mutation(may=TILL, description="Take back a payment that a cashier recorded in error, on the same day.")
    async def undo_payment(
        info: Info,
        payment: Annotated[strawberry.ID, strawberry.argument(description="The payment.")],
        reason: Reason,
        idempotency_key: IdempotencyKey,
    ) -> PaymentPayload:
        """What it had settled is owed again."""
        family_id, payment_id = key_of(info.context, payment, "Payment", "payment")
        await counter.undo(info.context, (family_id, payment_id), reason, idempotency_key)
        return PaymentPayload(family_id=family_id, id=payment_id)

    @mutation(
        may=TILL,
        description="Close a day of the till for good, once what was counted is what was recorded. Closed once more "
        "it stays as it is.",
    )
    async def close_day(
        info: Info,
        day: Annotated[date, strawberry.argument(description="The day, today at the latest.")],
        counted: Annotated[
            list[TenderInput],
            strawberry.argument(description="What is in the till by means: received and forfeited less paid back."),
        ],
    ) -> DailyClosingPayload:
        """The end of a day."""
        found = [counter.Tender(each.means.name, each.cents) for each in counted]
        return DailyClosingPayload(id=await counter.close_day(info.context, day, found))
