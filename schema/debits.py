"""Direct debits: announced, sent to the bank, booked, returned (R26, R30)."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import debit_returns, debits
from schema.access import FAMILY_OR_TILL, TILL
from schema.declare import Arg, Payload, column, mutation, page, stored, written
from schema.money import Money, money
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_TILL, Connection, GlobalID, Info, Node, key_of
from schema.tags import Tag


def _why(language: str) -> str:
    cases = (
        f"when '{code}' then '{reason.sentence.to(language).replace(chr(39), chr(39) * 2)}'"
        for code, reason in debit_returns.REASONS.items()
    )
    return f"case {{t}}.return_reason {' '.join(cases)} end"


WHY = f"case :language when 'en' then {_why('en')} else {_why('fr')} end"


@strawberry.enum(description="Why a bank sends a debit back (ISO 20022).")
class DebitReturnReason(Enum):
    """Codes of `resolvers.debit_returns.REASONS`."""

    AC01 = strawberry.enum_value("AC01", description="The account number is not known.")
    AC04 = strawberry.enum_value("AC04", description="The account is closed.")
    AC06 = strawberry.enum_value("AC06", description="The account is blocked.")
    AC13 = strawberry.enum_value("AC13", description="This kind of account takes no such debit.")
    AG01 = strawberry.enum_value("AG01", description="This account takes no direct debits.")
    AG02 = strawberry.enum_value("AG02", description="The bank could not process the operation.")
    AM04 = strawberry.enum_value("AM04", description="There was not enough money on the account.")
    AM05 = strawberry.enum_value("AM05", description="The bank saw the debit twice.")
    BE05 = strawberry.enum_value("BE05", description="The bank does not know the creditor.")
    CNOR = strawberry.enum_value("CNOR", description="The creditor’s bank cannot be reached.")
    DNOR = strawberry.enum_value("DNOR", description="The family’s bank cannot be reached.")
    FOCR = strawberry.enum_value("FOCR", description="The debit was cancelled.")
    MD01 = strawberry.enum_value("MD01", description="The bank finds no authorised mandate.")
    MD02 = strawberry.enum_value("MD02", description="The data of the mandate are incomplete.")
    MD06 = strawberry.enum_value("MD06", description="The family asked its bank to pay the money back.")
    MD07 = strawberry.enum_value("MD07", description="The bank closed the holder’s file.")
    MS02 = strawberry.enum_value("MS02", description="The family refused this debit.")
    MS03 = strawberry.enum_value("MS03", description="The bank gave no reason.")
    RC01 = strawberry.enum_value("RC01", description="The bank’s code is not known.")
    RR01 = strawberry.enum_value("RR01", description="The bank lacks data of the account holder.")
    RR02 = strawberry.enum_value("RR02", description="The bank lacks the holder’s name or address.")
    RR03 = strawberry.enum_value("RR03", description="The bank lacks the creditor’s name or address.")
    RR04 = strawberry.enum_value("RR04", description="The bank named a regulatory reason.")
    SL01 = strawberry.enum_value("SL01", description="The family limited debits at its bank.")


@strawberry.enum(description="Where a direct debit stands.")
class DebitState(Enum):
    """Moves: ANNOUNCED → SENT → BOOKED; SENT and BOOKED → RETURNED; ANNOUNCED and SENT → DROPPED."""

    ANNOUNCED = strawberry.enum_value("ANNOUNCED", description="The family was told day and amount.")
    SENT = strawberry.enum_value("SENT", description="It is in a file for the bank.")
    BOOKED = strawberry.enum_value("BOOKED", description="Its day has come, and the invoice is settled.")
    RETURNED = strawberry.enum_value("RETURNED", description="The bank sent it back: the invoice is owed again.")
    DROPPED = strawberry.enum_value("DROPPED", description="It did not take place.")


@strawberry.enum(description="Why a direct debit did not take place.")
class DebitDropped(Enum):
    """Reasons."""

    MANDATE_ENDED = strawberry.enum_value("MANDATE_ENDED", description="The mandate was no longer in force.")
    INVOICE_CANCELLED = strawberry.enum_value("INVOICE_CANCELLED", description="The invoice was cancelled.")
    INVOICE_PAID = strawberry.enum_value("INVOICE_PAID", description="The invoice was paid otherwise.")
    INVOICE_PARTLY_PAID = strawberry.enum_value(
        "INVOICE_PARTLY_PAID", description="A part was paid otherwise; invoices are debited whole (R30)."
    )
    CARD_PAYMENT = strawberry.enum_value(
        "CARD_PAYMENT", description="The family was about to pay by card; it is announced anew if that failed."
    )
    HANDED_OVER = strawberry.enum_value("HANDED_OVER", description="The public accountant collects it.")
    MISSED = strawberry.enum_value("MISSED", description="No file was sent in time; it is announced anew.")
    WITHDRAWN = strawberry.enum_value("WITHDRAWN", description="The file was taken back; it is announced anew.")


@stored("debit_batch", {"AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}, tag=Tag.DEBIT_BATCH, key=("id",))
@strawberry.type(description="What is sent to the bank for one day, in one pain.008 file.")
class DebitBatch(Node):
    """A batch."""

    due_on: date = column("Day of the debits.")
    message_id: str = column("What the bank calls the file by.")
    count: int = column("Debits in the file.", "{t}.debits")
    total: Money = money("What they come to.", "{t}.cents")
    sha256: str | None = column("SHA-256 of the file, in hexadecimal.", "encode({t}.file_hash, 'hex')")
    filed_at: datetime | None = column("When the file was made.")
    booked_at: datetime | None = column("When all of it was booked.")
    withdrawn_at: datetime | None = column("When it was taken back.")
    url: str | None = column(
        "Where to fetch the file with the same `Authorization`, on the address of this API; none until it is made.",
        "case when {t}.filed_at is not null then '/debits/' || {t}.id || '.xml' end",
    )
    debits: Connection[Annotated["Debit", strawberry.lazy("schema.debits")]] = page(
        "Its debits.", "{o}.batch_id = {t}.id", OLDEST_FIRST
    )


@stored("debit", OWN_OR_TILL, tag=Tag.DEBIT)
@strawberry.type(description="The collection of one invoice, whole, from one account (R30).")
class Debit(Node):
    """A direct debit."""

    end_to_end_id: str = column("What the bank calls it by.")
    amount: Money = money("How much.", "{t}.cents")
    collect_on: date = column("On which day.")
    state: DebitState = column("Where it stands.")
    announced_at: datetime = column("When the family was told.")
    dropped_because: DebitDropped | None = column("Why it did not take place.")
    return_reason: DebitReturnReason | None = column("The bank's reason, as a code.")
    returned_because: str | None = column("The bank's reason, in the language of the viewer.", WHY)
    returned_on: date | None = column("Day on which the bank sent it back.")
    invoice_number: str = column(
        "Number of the invoice that it collects.",
        "(select i.number from invoice i where i.family_id = {t}.family_id and i.id = {t}.invoice_id)",
    )
    rum: str = column(
        "Reference of the mandate that it rests on (RUM).",
        "(select m.rum from mandate m where m.family_id = {t}.family_id and m.id = {t}.mandate_id)",
    )
    account: str = column(
        "From which account, masked.",
        """(select m.country || '•• •••• ' || m.iban_end from mandate m
            where m.family_id = {t}.family_id and m.id = {t}.mandate_id)""",
    )
    family_number: str = column("Number of the family.", "(select f.number from family f where f.id = {t}.family_id)")


@strawberry.type(description="What recording a returned debit gives.")
class DebitPayload(Payload):
    """Payload of recordDebitReturn."""

    debit: Debit | None = written("The debit, unless refused.")


@strawberry.type(description="What taking back a batch gives.")
class DebitBatchPayload(Payload):
    """Payload of withdrawDebitBatch."""

    batch: DebitBatch | None = written("The batch, unless refused.", "{o}.id = :source_id")


@strawberry.type
class DebitQueries:
    """Root fields about direct debits."""

    debits: Connection[Debit] = page(
        "Direct debits that the viewer sees: the family's own, or all for who takes money; newest first.",
        "true",
        NEWEST_FIRST,
        may=FAMILY_OR_TILL,
        state=Arg(list[DebitState] | None, "Only these states.", "text[]", "{o}.state = any(:arg_state)"),
    )
    debit_batches: Connection[DebitBatch] = page("Files for the bank, newest first.", "true", NEWEST_FIRST, may=TILL)


@strawberry.type
class DebitMutations:
    """Commands about direct debits."""

    @mutation(
        may=TILL,
        description="Record that the bank sent a debit back: the invoice is owed again and the family told; the "
        "mandate ends where the reason says so, or after two returns. Once more changes nothing.",
    )
    async def record_debit_return(
        info: Info,
        end_to_end_id: Annotated[str, strawberry.argument(description="What the bank calls the debit by.")],
        reason: Annotated[DebitReturnReason, strawberry.argument(description="The bank's reason.")],
        returned_on: Annotated[date, strawberry.argument(description="Day of the bank's statement.")],
    ) -> DebitPayload:
        """R26."""
        family_id, debit_id = await debit_returns.record(info.context, end_to_end_id, reason.name, returned_on)
        return DebitPayload(family_id=family_id, id=debit_id)

    @mutation(
        may=TILL,
        description="Take back a file that the bank never got, before its day: its debits are announced anew. "
        "Once more changes nothing.",
    )
    async def withdraw_debit_batch(info: Info, batch: GlobalID) -> DebitBatchPayload:
        """R26."""
        [batch_id] = key_of(info.context, batch, "DebitBatch", "batch")
        return DebitBatchPayload(id=await debits.withdraw(info.context, batch_id))
