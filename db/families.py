"""Families as stored: who they are, and their dated quotients."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7
from db.keys import Keys


@dataclass(frozen=True, slots=True)
class Family:
    """A family whose row is held until the transaction ends."""

    id: UUID
    number: str
    profile: str
    name: str
    siret: str | None
    rna: str | None
    registry_number: str | None


HOLD = """
    select id, number, profile, name, siret, rna, registry_number from family where id = any($1) order by id for update
"""


async def hold(tx: Any, *family_ids: UUID) -> list[Family]:
    """Give those families that the viewer sees and hold their rows, always in the same order."""
    return [Family(*row.values()) for row in await tx.fetch(HOLD, family_ids)]


IDENTIFY = "update family set profile = $2, siret = $3, rna = $4, registry_number = $5 where id = $1"


async def identify(
    tx: Any, family_id: UUID, profile: str, siret: str | None, rna: str | None, registry_number: str | None
) -> None:
    """Write what a family is and its identifiers (R6)."""
    await tx.execute(IDENTIFY, family_id, profile, siret, rna, registry_number)


@dataclass(frozen=True, slots=True)
class Quotient:
    """A quotient familial as an agent recorded it; `value` in euros a month, as the CAF gives it."""

    value: int
    valid_from: date
    valid_until: date | None
    source: str


def _purpose(family_id: UUID | str) -> str:
    """Give the purpose of the key: a sealed value that is moved to another family cannot be opened there."""
    return f"quotient-familial/{family_id}"


def opened(keys: Keys, family_id: UUID | str, sealed: bytes) -> int:
    """Give the value in a sealed quotient; raises InvalidTag for one that was altered or moved."""
    return int(keys.unseal(_purpose(family_id), sealed))


def sealed_quotient(keys: Keys, family_id: UUID, value: int) -> bytes:
    """Encrypt a quotient for its row (decisions: Privacy)."""
    return keys.seal(_purpose(family_id), str(value).encode())


RECORD_QUOTIENT = """
    insert into quotient_familial (family_id, id, sealed_value, valid_from, valid_until, source, recorded_by,
        recorded_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def record_quotient(
    tx: Any, keys: Keys, family_id: UUID, quotient: Quotient, agent_id: UUID, at: datetime
) -> UUID:
    """Write a quotient beside those known; nothing is overwritten. Give its id."""
    quotient_id = uuid7(at)
    sealed = sealed_quotient(keys, family_id, quotient.value)
    known = (quotient.valid_from, quotient.valid_until, quotient.source)
    await tx.execute(RECORD_QUOTIENT, family_id, quotient_id, sealed, *known, agent_id, at)
    return quotient_id


QUOTIENT_ON = """
    select sealed_value, valid_from, valid_until, source from quotient_familial
    where family_id = $1 and valid_from <= $2 order by valid_from desc, id desc limit 1
"""


async def quotient_on(tx: Any, keys: Keys, family_id: UUID, day: date) -> Quotient | None:
    """Give the quotient that counts on a day: the last to begin, of these the last recorded; None when it has run out.

    None means the highest price.
    """
    row = await tx.fetchrow(QUOTIENT_ON, family_id, day)
    if row is None or (row["valid_until"] is not None and row["valid_until"] < day):
        return None
    value = opened(keys, family_id, row["sealed_value"])
    return Quotient(value, row["valid_from"], row["valid_until"], row["source"])
