"""Card payments: invoices on their way over a bank's page, and what the bank says of them."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import card_payments
from resolvers.card_news import PAYMENT_CHANGES
from resolvers.card_payments import Asked, Started
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Order
from schema.access import FAMILY, FAMILY_OR_TILL, TILL
from schema.declare import Arg, Payload, column, feed, mutation, one, page, stored, written
from schema.invoices import Invoice
from schema.money import Money, money
from schema.news import CURSOR, NEWS_ITEM
from schema.payments import Payment
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_TILL, Connection, GlobalID, Info, Node, key_of
from schema.tags import Tag

if TYPE_CHECKING:
    from schema.families import Family


@strawberry.enum(description="Where a card payment stands.")
class CardPaymentStatus(Enum):
    """States; the legal moves are in `resolvers.card_payments.MOVES`."""

    CREATED = strawberry.enum_value("CREATED", description="Ordered; the browser was not sent to the bank yet.")
    REDIRECTED = strawberry.enum_value("REDIRECTED", description="At the bank; nothing is decided.")
    PAID = strawberry.enum_value("PAID", description="The bank says that it was paid; the money is booked.")
    REFUSED = strawberry.enum_value("REFUSED", description="The bank refused (R33); the invoices can be paid again.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="Given up; the invoices can be paid again.")
    EXPIRED = strawberry.enum_value("EXPIRED", description="Not paid in time; the invoices can be paid again.")


@strawberry.enum(description="Why a card payment ended.")
class CardPaymentEnd(Enum):
    """Reasons."""

    BANK = strawberry.enum_value("BANK", description="The bank said so.")
    FAMILY = strawberry.enum_value("FAMILY", description="The family gave it up.")
    TIME = strawberry.enum_value("TIME", description="Its time was over.")
    BANK_UNAVAILABLE = strawberry.enum_value("BANK_UNAVAILABLE", description="The bank could not be reached.")


@stored("bank_message", {"AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}, tag=Tag.BANK_MESSAGE)
@strawberry.type(description="What a bank said of a card payment, and what was made of it. Nothing of the card (R35).")
class BankMessage(Node):
    """For who takes money, to understand what happened."""

    source: str = column("NOTIFICATION when the bank told us, ENQUIRY when we asked.")
    verdict: str = column(
        "BOOKED, REFUSED, DUPLICATE, … or which comparison failed, e.g. AMOUNT; see docs/payments.md."
    )
    bank_status: str | None = column("The bank's own word.")
    amount: Money | None = money("The amount that the bank names.", "{t}.cents")
    transaction_id: str | None = column("The bank's id of the money that moved.")
    times: int = column("How often it came.")
    first_at: datetime = column("When it came first.")
    last_at: datetime = column("When it came last.")


@stored("card_attempt", OWN_OR_TILL, tag=Tag.CARD_PAYMENT)
@strawberry.type(description="Invoices that a family pays by card on a bank's page (R25, R31).")
class CardPayment(Node):
    """One way to the bank and back."""

    reference: str = column("By which the bank and its return page name it.")
    bank: str = column("The bank, e.g. systempay.")
    status: CardPaymentStatus = column("Where it stands.")
    end_reason: CardPaymentEnd | None = column("Why it ended.")
    amount: Money = money("What is paid: the invoices, whole (R30).", "{t}.cents")
    created_at: datetime = column("When it was started.")
    expires_at: datetime = column("Until when it can be paid.")
    redirected_at: datetime | None = column("When the browser could go to the bank.")
    ended_at: datetime | None = column("When it ended.")
    invoices: Connection[Invoice] = page(
        "The invoices that it pays.",
        "{o}.family_id = {t}.family_id and {o}.id in (select c.invoice_id from card_attempt_invoice c "
        "where c.family_id = {t}.family_id and c.attempt_id = {t}.id)",
        OLDEST_FIRST,
    )
    payment: Payment | None = one(
        "The payment in the ledger, once the bank has paid.", "{o}.family_id = {t}.family_id and {o}.id = {t}.id"
    )
    bank_messages: Connection[BankMessage] = page(
        "What the bank said of it.",
        "{o}.family_id = {t}.family_id and {o}.attempt_id = {t}.id",
        Order((("{o}.first_at", "timestamptz"), ("{o}.id", "uuid"))),
        may=TILL,
    )
    family: Annotated["Family", strawberry.lazy("schema.families")] = one("Who pays.", "{o}.id = {t}.family_id")


OF_STATUS = Arg(list[CardPaymentStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)")


@strawberry.type
class CardPaymentQueries:
    """Root fields about card payments."""

    card_payments: Connection[CardPayment] = page(
        "Card payments that the viewer sees: the family's own, or all for who takes money; newest first.",
        "true",
        NEWEST_FIRST,
        may=FAMILY_OR_TILL,
        status=OF_STATUS,
    )


@strawberry.type(description="One field of a form.")
class FormField:
    """As it must be sent: names and values unchanged."""

    id: strawberry.ID = strawberry.field(description="For caches: the form and the name.")
    name: str = strawberry.field(description="Name.")
    value: str = strawberry.field(description="Value.")


@strawberry.type(description="Where the browser goes to pay: an address, and the form to send there (R31).")
class BankRedirect:
    """The bank's page; card data never touches the portal."""

    id: strawberry.ID = strawberry.field(description="For caches: the reference by which the bank knows the payment.")
    url: str = strawberry.field(description="Address of the bank.")
    method: str = strawberry.field(description="POST with the fields as a form, or GET to the address as it is.")
    fields: list[FormField] = strawberry.field(description="Fields of the form; none for GET.")


@strawberry.type(description="What startCardPayment and cancelPayment give.")
class CardPaymentPayload(Payload):
    """Payload of commands about card payments."""

    payment: CardPayment | None = written("The card payment, unless refused.")
    redirect: BankRedirect | None = strawberry.field(
        default=None, description="Where the browser goes; none once the payment has ended."
    )


@stored("news", {"FAMILY": "{t}.family_id = :family"})
@strawberry.type(description="A card payment moved.")
class PaymentChange:
    """What `paymentChanged` pushes."""

    id: strawberry.ID = column("Id of the item of news that tells it.", id_sql(NEWS_ITEM))
    cursor: str = column("For `after`, to resume behind this event.", CURSOR)
    payment: CardPayment = one(
        "The card payment as it stands now.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.subject_id",
        kept_by="the stream carries only news about one card payment",
    )


@strawberry.type
class CardPaymentSubscriptions:
    """Live streams."""

    payment_changed: PaymentChange = feed(
        "Each change of one card payment: paid, refused, cancelled, expired, undone; as it is committed.",
        may=FAMILY,
        types=PAYMENT_CHANGES,
        takes=("payment", "after"),
    )


@strawberry.type
class CardPaymentMutations:
    """Commands about card payments."""

    @mutation(
        may=FAMILY,
        description="Start to pay invoices by card, whole (R30): give where the browser goes. Only what the bank tells "
        "the portal decides; what the browser brings back shows nothing. An invoice is in one payment at a time, and "
        "in none while the bank collects it by direct debit (DEBIT_UNDER_WAY).",
    )
    async def start_card_payment(
        info: Info,
        invoices: Annotated[
            list[strawberry.ID], strawberry.argument(description="Invoices of the family, 1 to 20, each once.")
        ],
        idempotency_key: Annotated[
            str, strawberry.argument(description="Chosen by the client, 8 to 100 characters; repeats give the same.")
        ],
        bank: Annotated[
            str | None, strawberry.argument(description="Which bank, e.g. payfip; the city's first one unless given.")
        ] = None,
        cents: Annotated[
            int | None,
            strawberry.argument(description="What the client takes the whole to be; anything else is refused (R30)."),
        ] = None,
    ) -> CardPaymentPayload:
        """R25, R30, R31."""
        keys = [key_of(info.context, invoice, "Invoice", "invoices") for invoice in invoices]
        if any(family_id != info.context.viewer.family_id for family_id, _ in keys):
            raise info.context.refusal("NOT_FOUND", ["invoices"])
        asked = Asked([invoice_id for _, invoice_id in keys], idempotency_key, bank, cents)
        return _payload(await card_payments.start(info.context, asked))

    @mutation(
        may=FAMILY,
        description="Give up a card payment that the bank has not decided; once more changes nothing. Should the bank "
        "say later that it was paid, the money is booked.",
    )
    async def cancel_payment(info: Info, payment: GlobalID) -> CardPaymentPayload:
        """The invoices can be paid again at once."""
        family_id, attempt_id = key_of(info.context, payment, "CardPayment", "payment")
        await card_payments.cancel(info.context, family_id, attempt_id)
        return CardPaymentPayload(family_id=family_id, id=attempt_id)


def _payload(started: Started) -> CardPaymentPayload:
    redirect = started.redirect
    shown = None
    if redirect is not None:
        of = redirect.bank_reference
        fields = [FormField(id=strawberry.ID(f"{of}/{n}"), name=n, value=v) for n, v in redirect.fields.items()]
        shown = BankRedirect(id=strawberry.ID(of), url=redirect.url, method=redirect.method, fields=fields)
    return CardPaymentPayload(family_id=started.family_id, id=started.id, redirect=shown)
