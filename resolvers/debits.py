"""Direct debits (R26, R30): announced to the family in time, sent to the bank in one file a day, booked on their day.

Each step may be cut off anywhere and done again: a debit moves once, a batch has one file, a payment is booked once.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta

from db import audit, ledger, mandates, money, steps
from db import debit_batches as batches
from db import debits as stored
from db.audit import Act
from db.debit_batches import Batch, Sent
from db.debits import Collectable, Due
from db.jobs import Job
from db.keys import Keys
from db.money import Received
from db.outbox import Told, tell
from resolvers import pain008, sepa
from resolvers.context import Context, Process
from resolvers.job_runner import Progress, Result
from resolvers.mandates import today
from resolvers.pain008 import Address, Collection, Message
from resolvers.sentence import Sentence
from resolvers.sepa import BankAccount, Creditor
from resolvers.tariffs import formatted
from resolvers.viewer import SYSTEM_SIGHT

ANNOUNCE_DEBITS = "announce_debits"
BOOK_DEBITS = "book_debits"
FAMILIES_AT_ONCE = 100
DEBITS_AT_ONCE = 100
OLDEST_DUE = timedelta(days=60)
"""An invoice whose due date is longer ago is no longer collected: somebody looks after it in person."""

FIRST = UUID(int=0)

ANNOUNCED = Sentence(
    "La facture {number} de {amount} sera prélevée le {day} sur le compte {account}.",
    "The invoice {number} of {amount} will be debited on {day} from the account {account}.",
)
NOT_DEBITED = Sentence(
    "La facture {number} ne sera pas prélevée, car une partie en est déjà payée : il reste {amount} à régler "
    "autrement.",
    "The invoice {number} will not be debited, because a part of it is paid: {amount} remain to be paid otherwise.",
)


class NothingToCollect(Exception):
    """No debit was announced for this day, or none may be sent."""


class NotThatDay(Exception):
    """Banks do not settle on this day, or the file would come too late; the text says which."""


async def announce(process: Process, job: Job, progress: Progress) -> Result:
    """Announce the collection of invoices to families with a mandate, `debit.notice_days` before (rulebook AT-11,
    R26); debits whose day passed unsent are announced anew.
    """
    if sepa.creditor_of(process.settings) is None:
        return {"announced": 0}
    now, day = process.clock(), today(process)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        missed = await stored.drop_missed(tx, day, now)
    announced, after = 0, FIRST
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            families = await stored.families_to_tell(tx, day - OLDEST_DUE, after, FAMILIES_AT_ONCE)
        for family_id in families:
            announced += await _announce_to(process, family_id, day)
            after = family_id
        if len(families) < FAMILIES_AT_ONCE:
            return {"announced": announced, "missed": missed}


async def _announce_to(process: Process, family_id: UUID, day: date) -> int:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        taken = await batches.days_taken(tx, day)
        await ledger.hold(tx, family_id)
        wanted = await stored.collectable(tx, day - OLDEST_DUE, family_id)
        for each in wanted:
            collect_on = _day_for(process, each.due_on, day, taken)
            now = process.clock()
            debit_id = await stored.announce(tx, family_id, each, collect_on, now)
            await tell(tx, _announcement(process, family_id, debit_id, each, collect_on))
            data = {"cents": each.cents, "collect_on": collect_on.isoformat()}
            await audit.record(tx, Act("debit_announced", "SYSTEM", now, None, family_id, debit_id, data))
    steps.reached("debit.announced")
    return len(wanted)


def _day_for(process: Process, due_on: date, today: date, taken: Set[date]) -> date:
    """Give the first day that can be kept: from the due date on, after the notice (R26), in time for the bank, and with
    a file that is not made yet.
    """
    settings = process.settings.debit
    noticed = today + timedelta(days=settings.notice_days)
    day = sepa.bank_day_from(max(due_on, noticed, sepa.bank_days_after(today, settings.bank_days)))
    while day in taken:
        day = sepa.bank_days_after(day, 1)
    return day


def _announcement(process: Process, family_id: UUID, debit_id: UUID, wanted: Collectable, on: date) -> Told:
    """Make the pre-notification: it goes the way the family chose, and no choice of channels can silence it."""
    creditor = sepa.creditor_of(process.settings)
    assert creditor is not None, "asked before"
    facts = {"number": wanted.number, "account": wanted.masked}
    data: dict[str, Any] = {
        "invoice": wanted.number,
        "collect_on": on.isoformat(),
        "account": wanted.masked,
        "rum": wanted.rum,
        "ics": wanted.ics,
        "creditor": creditor.name,
        **_in_both("amount", wanted.cents),
    }
    for language in ("fr", "en"):
        sentence = ANNOUNCED.to(language)
        words = facts | {"amount": data[f"amount_{language}"], "day": day_of(on, language)}
        data[f"summary_{language}"] = sentence.format(**words)
    return Told(family_id, "DIRECT_DEBIT", "debit_announced", debit_id, data, process.clock(), priority=0)


def _in_both(name: str, cents: int) -> dict[str, str]:
    return {f"{name}_{language}": formatted(cents, language) for language in ("fr", "en")}


def day_of(day: date, language: str) -> str:
    """Write a day as people do: 10/11/2026, or 10 November 2026."""
    from babel.dates import format_date

    return format_date(day, "dd/MM/yyyy" if language == "fr" else "d MMMM y", locale=language)


@dataclass(frozen=True, slots=True)
class Filed:
    """The file of a day as it is kept."""

    batch_id: UUID
    name: str
    content: bytes
    file_hash: bytes
    debits: int
    cents: int
    dropped: Mapping[str, int]
    """How many debits were not sent now, by why."""


async def collect(process: Process, due_on: date) -> Filed:
    """Give the file for the bank that collects on a day: made the first time, the same ever after.

    Raises NotThatDay, NothingToCollect.
    """
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        found = await batches.of_day(tx, due_on)
    if found is not None and found.filed_at is not None:
        return _filed(process.keys, found, {})
    creditor = _creditor_in_time(process, due_on)
    dropped = await _hold_due(process, due_on)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        batch = await batches.of_day(tx, due_on)
        held = await batches.sent(tx, batch.id) if batch else []
    if batch is None or not held:
        raise NothingToCollect
    made = [_collection(process.keys, each) for each in held]
    content = await asyncio.to_thread(
        pain008.pain008, creditor, Message(batch.message_id, batch.created_at, due_on), made
    )
    steps.reached("debit.made")
    return _filed(process.keys, await _file(process, batch.id, content, len(made), sum(d.cents for d in made)), dropped)


def _creditor_in_time(process: Process, due_on: date) -> Creditor:
    creditor = sepa.creditor_of(process.settings)
    if creditor is None:
        raise NotThatDay("debit.creditor_identifier and debit.creditor_iban are not set")
    if not sepa.is_bank_day(due_on):
        raise NotThatDay(f"banks do not settle on {due_on}")
    earliest = sepa.bank_days_after(today(process), process.settings.debit.bank_days)
    if due_on < earliest:
        raise NotThatDay(f"the bank needs the file earlier: {earliest} is the first day that can be had")
    return creditor


async def _hold_due(process: Process, due_on: date) -> dict[str, int]:
    """Put what was announced for a day into its batch, family by family; count what must not be sent, by why."""
    dropped: dict[str, int] = {}
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            await batches.hold_days(tx)
            families = await stored.families_due(tx, due_on, FAMILIES_AT_ONCE)
            if not families:
                return dropped
            await ledger.hold(tx, *families)
            lapsed = today(process) - relativedelta(months=process.settings.debit.lapse_months)
            due = await stored.due(tx, families, due_on, lapsed)
            await _drop(tx, process, [each for each in due if each.obstacle])
            sound = _sequenced([each for each in due if not each.obstacle], process.settings.debit.first_sequence)
            if sound:
                batch = await batches.begin(tx, due_on, process.settings.city.reference_prefix, process.clock())
                await stored.send(tx, batch.id, sound)
        for each in due:
            if each.obstacle:
                dropped[each.obstacle] = dropped.get(each.obstacle, 0) + 1
        steps.reached("debit.held")


def _sequenced(due: list[Due], first: str) -> list[tuple[Due, str]]:
    """Say which debit is the first of its mandate: FRST once, until the bank has taken one; all others RCUR."""
    begun: set[UUID] = set()
    sequenced = []
    for each in due:
        sequenced.append((each, first if each.first and each.mandate_id not in begun else "RCUR"))
        begun.add(each.mandate_id)
    return sequenced


async def _drop(tx: Any, process: Process, dropped: list[Due]) -> None:
    now = process.clock()
    await stored.drop(tx, dropped, now)
    for each in dropped:
        act = Act("debit_dropped", "SYSTEM", now, None, each.family_id, each.id, {"because": each.obstacle})
        await audit.record(tx, act)
        if each.obstacle == "INVOICE_PARTLY_PAID":
            await tell(tx, _not_debited(process, each))


def _not_debited(process: Process, due: Due) -> Told:
    data = {"invoice": due.number, **_in_both("amount", due.open_cents)}
    for language in ("fr", "en"):
        words = {"number": due.number, "amount": data[f"amount_{language}"]}
        data[f"summary_{language}"] = NOT_DEBITED.to(language).format(**words)
    return Told(due.family_id, "DIRECT_DEBIT", "debit_dropped", due.id, data, process.clock(), priority=0)


def _collection(keys: Keys, sent: Sent) -> Collection:
    holder = mandates.opened(keys, sent.family_id, sent.sealed_account)
    account = BankAccount(holder.iban, holder.bic)
    address = (
        Address(holder.street, holder.postcode, holder.town, account.country)
        if holder.street and holder.postcode and holder.town
        else None
    )
    text = f"FACTURE {sent.number}"
    return Collection(
        sent.end_to_end_id, sent.cents, sent.sequence, sent.rum, sent.signed_on, holder.name, account, address, text
    )


async def _file(process: Process, batch_id: UUID, content: bytes, debits: int, cents: int) -> Batch:
    """Keep the file, unless another process has kept one meanwhile; give the batch as it is then."""
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        batch = await batches.hold(tx, batch_id)
        assert batch is not None, "batches are never deleted"
        if batch.filed_at is None and batch.withdrawn_at is None:
            hashed = hashlib.sha256(content).digest()
            sealed = process.keys.seal(_purpose(batch_id), zlib.compress(content))
            await batches.file(tx, batch_id, sealed, hashed, debits, cents, now)
            data = {"debits": debits, "cents": cents, "sha256": hashed.hex()}
            await audit.record(tx, Act("debits_filed", "SYSTEM", now, None, None, batch_id, data))
            batch = await batches.hold(tx, batch_id)
        steps.reached("debit.before_filed")
    steps.reached("debit.filed")
    assert batch is not None, "held"
    return batch


def _purpose(batch_id: UUID) -> str:
    return f"debit-batch/{batch_id}"


def _filed(keys: Keys, batch: Batch, dropped: Mapping[str, int]) -> Filed:
    """Open the file of a batch. Raises NothingToCollect for one without a file, InvalidTag for one altered."""
    if batch.sealed_file is None or batch.file_hash is None:
        raise NothingToCollect
    content = zlib.decompress(keys.unseal(_purpose(batch.id), batch.sealed_file))
    name = f"{batch.message_id}.xml"
    return Filed(batch.id, name, content, batch.file_hash, batch.debits, batch.cents, dropped)


async def file_of(context: Context, batch_id: UUID) -> Filed | None:
    """Give the file of a batch to a cashier, and write down who took it; None where there is none."""
    async with context.transaction() as tx:
        batch = await batches.hold(tx, batch_id)
        if batch is None or batch.sealed_file is None:
            return None
        await context.record(tx, "debit_file_downloaded", family=None, subject=batch_id)
    return _filed(context.process.keys, batch, {})


async def withdraw(context: Context, batch_id: UUID) -> UUID:
    """Take back a batch that the bank never got: its debits are dropped and announced anew. Once more changes nothing.

    Raises Refusal: NOT_FOUND, BATCH_BOOKED once its day has come.
    """
    async with context.transaction() as tx:
        batch = await batches.hold(tx, batch_id)
        if batch is None:
            raise context.refusal("NOT_FOUND", ["batch"])
        if batch.withdrawn_at is None:
            if batch.due_on <= today(context.process):
                raise context.refusal("BATCH_BOOKED", ["batch"])
            count = await batches.withdraw(tx, batch_id, context.viewer.agent_id, context.process.clock())
            await context.record(tx, "debits_withdrawn", family=None, subject=batch_id, debits=count)
    return batch_id


async def book(process: Process, job: Job, progress: Progress) -> Result:
    """Book what was sent to the bank as payments, once its day has come; what it returns is unbooked later."""
    booked = 0
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        due = await batches.unbooked(tx, today(process))
    for batch_id in due:
        booked += await _book_batch(process, batch_id)
    return {"booked": booked}


async def _book_batch(process: Process, batch_id: UUID) -> int:
    booked = 0
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            waiting = await batches.to_book(tx, batch_id, DEBITS_AT_ONCE)
            if not waiting:
                await batches.end(tx, batch_id, process.clock())
                return booked
        for family_id, debit_id in waiting:
            booked += await _book(process, family_id, debit_id)


async def _book(process: Process, family_id: UUID, debit_id: UUID) -> int:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await ledger.hold(tx, family_id)
        debit = await stored.hold(tx, family_id, debit_id)
        if debit is None or debit.state != "SENT":
            return 0
        received = Received(
            family_id, "DIRECT_DEBIT", debit.cents, "DEBIT", process.clock(), id=debit_id
        )  # known by the debit's id: booked once, whatever happens
        await money.book(tx, received, [debit.invoice_id])
        await stored.book(tx, debit, debit_id)
        steps.reached("debit.before_booked")
    steps.reached("debit.booked")
    return 1
