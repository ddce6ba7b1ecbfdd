"""Handing unpaid invoices over to the public accountant (comptable public), who collects them by force of law.

Sources: CGCT L1617-5 and D1611-1; the order and the keys of the file are in `resolvers.pes`.
"""

import asyncio
import csv
import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from db import audit, ledger, steps
from db import collection as stored
from db.audit import Act
from db.collection import Debt, Docket, Handed
from db.keys import Keys
from db.outbox import Told, tell
from resolvers import pes
from resolvers.cells import cell
from resolvers.context import Context, Process
from resolvers.mandates import today
from resolvers.pes import Debtor, Piece, Slip, amount
from resolvers.sentence import Sentence
from resolvers.tariffs import formatted
from resolvers.viewer import SYSTEM_SIGHT

FAMILIES_AT_ONCE = 100
FIRST = UUID(int=0)
POSTAL = re.compile(r"(?s)(.*\S)[\s,]+(\d{5})\s+(\S[^\n,]*?)\s*")
"""Street, postcode, town."""

HANDED_OVER = Sentence(
    "La facture {number} est transmise au Trésor public : il reste {amount} à lui régler.",
    "The invoice {number} was handed over to the public accountant: {amount} are to be paid there.",
)
HEADINGS = (
    "numero_famille", "debiteur", "prenom", "adresse", "code_postal", "ville", "facture", "reference", "periode",
    "emise_le", "echeance", "montant", "reste_a_payer",
)  # fmt: skip
"""Columns of the list."""


class Files(msgspec.Struct, frozen=True):
    """The two files of a docket."""

    csv: bytes
    xml: bytes


@dataclass(frozen=True, slots=True)
class Filed:
    """A docket as it is kept."""

    docket_id: UUID
    name: str
    files: Files
    invoices: int
    cents: int
    without_address: int = 0
    """Families that owe and whose address the city does not know: nobody could collect from them."""


class NothingOverdue(Exception):
    """Nothing is to be handed over."""


async def hand_over(process: Process) -> Filed:
    """Hand over what is overdue for `collection.overdue_days`, each invoice once; a docket that was cut off is
    finished first. Raises NothingOverdue.
    """
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        docket = await stored.unfinished(tx)
    before = today(process) - timedelta(days=process.settings.collection.overdue_days)
    without_address, after = 0, FIRST
    while True:
        least = process.settings.collection.least_cents
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            families = await stored.debtors(tx, before, least, after, FAMILIES_AT_ONCE)
        for family_id, address in families:
            after = family_id
            if place_of(address) is None:
                without_address += 1
                continue
            docket = await _hand_over_of(process, family_id, before) or docket
            steps.reached("docket.held")
        if len(families) < FAMILIES_AT_ONCE:
            break
    if docket is None:
        raise NothingOverdue(without_address)
    return await _finish(process, docket.id, without_address)


async def _hand_over_of(process: Process, family_id: UUID, before: date) -> Docket | None:
    """Put the overdue invoices of a family into the docket and tell the family; None when there are none any more."""
    now, day = process.clock(), today(process)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await ledger.hold(tx, family_id)
        docket = await stored.begin(tx, day, now)
        handed = await stored.hand_over(tx, before, family_id, docket.id, day)
        for each in handed:
            await tell(tx, _told(process, family_id, each))
            act = Act("invoice_handed_over", "SYSTEM", now, None, family_id, each.invoice_id, {"cents": each.cents})
            await audit.record(tx, act)
    return docket if handed else None


def _told(process: Process, family_id: UUID, handed: Handed) -> Told:
    data: dict[str, Any] = {"invoice": handed.number}
    for language in ("fr", "en"):
        written = formatted(handed.cents, language)
        data[f"amount_{language}"] = written
        data[f"summary_{language}"] = HANDED_OVER.to(language).format(number=handed.number, amount=written)
    return Told(family_id, "INVOICE_ISSUED", "invoice_handed_over", handed.invoice_id, data, process.clock())


async def _finish(process: Process, docket_id: UUID, without_address: int) -> Filed:
    """Make the files of a docket and keep them, unless another process has."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        docket = await stored.hold(tx, docket_id)
        assert docket is not None, "dockets are never deleted"
        debts = await stored.debts(tx, docket_id)
    if docket.filed_at is None and not debts:
        raise NothingOverdue(without_address)
    files = await asyncio.to_thread(_made, process, docket, debts)
    steps.reached("docket.made")
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        docket = await stored.hold(tx, docket_id)
        assert docket is not None, "dockets are never deleted"
        if docket.filed_at is None:
            await _file(tx, process, docket_id, files, debts)
            docket = await stored.hold(tx, docket_id)
        steps.reached("docket.before_filed")
    steps.reached("docket.filed")
    assert docket is not None, "held"
    return _filed(process.keys, docket, without_address)


async def _file(tx: Any, process: Process, docket_id: UUID, files: Files, debts: Sequence[Debt]) -> None:
    now, cents = process.clock(), sum(debt.cents for debt in debts)
    sealed = process.keys.seal(_purpose(docket_id), zlib.compress(msgspec.msgpack.encode(files)))
    hashes = hashlib.sha256(files.csv).digest(), hashlib.sha256(files.xml).digest()
    await stored.file(tx, docket_id, sealed, hashes, len(debts), cents, now)
    data = {"invoices": len(debts), "cents": cents, "csv": hashes[0].hex(), "xml": hashes[1].hex()}
    await audit.record(tx, Act("docket_filed", "SYSTEM", now, None, None, docket_id, data))


def _purpose(docket_id: UUID) -> str:
    return f"docket/{docket_id}"


def name_of(year: int, number: int) -> str:
    """Give what the files of a docket are called, without their ending."""
    return f"recouvrement-{year}-{number:03d}"


def _filed(keys: Keys, docket: Docket, without_address: int = 0) -> Filed:
    assert docket.sealed_files is not None, "filed"
    clear = zlib.decompress(keys.unseal(_purpose(docket.id), docket.sealed_files))
    files = msgspec.msgpack.decode(clear, type=Files)
    name = name_of(docket.year, docket.number)
    return Filed(docket.id, name, files, docket.invoices, docket.cents, without_address)


async def again(process: Process, year: int, number: int) -> Filed | None:
    """Give a docket that was made before, or None."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        docket = await stored.numbered(tx, year, number)
    return _filed(process.keys, docket) if docket is not None and docket.sealed_files is not None else None


async def files_of(context: Context, docket_id: UUID) -> Filed | None:
    """Give a docket to a cashier, and write down who took it; None where there is none."""
    async with context.transaction() as tx:
        docket = await stored.hold(tx, docket_id)
        if docket is None or docket.sealed_files is None:
            return None
        await context.record(tx, "docket_downloaded", family=None, subject=docket_id)
    return _filed(context.process.keys, docket)


def place_of(address: str | None) -> tuple[str, str, str] | None:
    """Give street, postcode and town of a French postal address, or None where it cannot be told."""
    found = POSTAL.fullmatch(address or "")
    return (" ".join(found[1].split()).rstrip(","), found[2], found[3]) if found else None


def _made(process: Process, docket: Docket, debts: Sequence[Debt]) -> Files:
    name = name_of(docket.year, docket.number)
    slip = Slip(docket.year, docket.number, docket.made_on, process.settings.city.name, f"{name}.xml")
    pieces = [_piece(debt) for debt in debts]
    return Files(_list(debts), pes.pes(process.settings.collection, slip, pieces))


def _debtor(debt: Debt) -> Debtor:
    # A family may have moved since it was handed over: without a place the file would be refused as a whole.
    street, postcode, town = place_of(debt.address) or ("-", "00000", "-")
    person = debt.profile == "INDIVIDUAL" and debt.last_name is not None
    name = debt.last_name if person and debt.last_name else debt.family_name
    return Debtor(name, debt.first_name if person else None, debt.siret, debt.profile, street, postcode, town)


def _piece(debt: Debt) -> Piece:
    subject = f"FACTURE {debt.invoice} PERIODE {debt.period:%m/%Y}"
    return Piece(debt.invoice, debt.reference, subject, debt.cents, _debtor(debt))


def _list(debts: Sequence[Debt]) -> bytes:
    """Write the list as spreadsheets of French offices open it: UTF-8 with its mark, semicolons, decimal commas."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for debt in debts:
        owes = _debtor(debt)
        who = (debt.family_number, owes.name, owes.first_name or "", owes.street, owes.postcode, owes.town)
        what = (debt.invoice, debt.reference, f"{debt.period:%m/%Y}", f"{debt.issued_on:%d/%m/%Y}")
        sums = (f"{debt.due_on:%d/%m/%Y}", _euros(debt.total_cents), _euros(debt.cents))
        writer.writerow([cell(text) for text in (*who, *what, *sums)])
    return written.getvalue().encode("utf-8-sig")


def _euros(cents: int) -> str:
    return amount(cents).replace(".", ",")
