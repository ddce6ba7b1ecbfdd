"""SEPA mandates as stored; who holds which account is sealed with a key of the settings."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7
from db.keys import Keys


class Holder(msgspec.Struct, frozen=True):
    """What a mandate says of the account and of whose it is."""

    iban: str
    bic: str | None
    name: str
    street: str | None = None
    postcode: str | None = None
    town: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate without its account."""

    id: UUID
    rum: str
    account_hmac: bytes | None
    country: str
    iban_end: str
    signed_on: date
    used_on: date | None
    ended_at: datetime | None

    @property
    def masked(self) -> str:
        """The account as people know it again: country and last four characters."""
        return masked(self.country, self.iban_end)


def masked(country: str, iban_end: str) -> str:
    """Write an account so that it is known again and cannot be used."""
    return f"{country}•• •••• {iban_end}"


COLUMNS = "id, rum, account_hmac, country, iban_end, signed_on, used_on, ended_at"


def _purpose(family_id: UUID) -> str:
    """A sealed account that is moved to another family cannot be opened there."""
    return f"mandate/{family_id}"


def digest(keys: Keys, family_id: UUID, iban: str) -> bytes:
    """Give what tells that a family names the same account again."""
    return keys.digest(_purpose(family_id), iban)


def opened(keys: Keys, family_id: UUID, sealed: bytes) -> Holder:
    """Give the account of a mandate; raises `cryptography.exceptions.InvalidTag` for one altered or moved."""
    return msgspec.json.decode(keys.unseal(_purpose(family_id), sealed), type=Holder)


def sealed(keys: Keys, family_id: UUID, holder: Holder) -> bytes:
    """Encrypt an account for its family."""
    return keys.seal(_purpose(family_id), msgspec.json.encode(holder))


IN_FORCE = f"select {COLUMNS} from mandate where family_id = $1 and ended_at is null"


async def in_force(tx: Any, family_id: UUID) -> Mandate | None:
    """Give the mandate that a family has in force."""
    row = await tx.fetchrow(IN_FORCE, family_id)
    return Mandate(*row.values()) if row else None


HOLD = f"select {COLUMNS} from mandate where family_id = $1 and id = $2 for update"


async def hold(tx: Any, family_id: UUID, mandate_id: UUID) -> Mandate | None:
    """Give a mandate and hold it until the transaction ends."""
    row = await tx.fetchrow(HOLD, family_id, mandate_id)
    return Mandate(*row.values()) if row else None


SIGNED_BEFORE = """
    select f.number, (select count(*) from mandate m where m.family_id = $1) from family f where f.id = $1
"""
INSERT = """
    insert into mandate (family_id, id, rum, ics, account_id, sealed_account, account_hmac, country, iban_end,
        text_hash, signed_at, signed_on)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a login signs."""

    holder: Holder
    ics: str
    account_id: UUID
    text_hash: bytes
    at: datetime
    on: date
    """The day in Paris."""


async def insert(tx: Any, keys: Keys, family_id: UUID, prefix: str, signed: Signed) -> tuple[UUID, str]:
    """Write a mandate; give its id and its RUM: the prefix, the family's number, and the next number of the family,
    whose row the caller holds.
    """
    mandate_id, holder = uuid7(signed.at), signed.holder
    number, before = await tx.fetchrow(SIGNED_BEFORE, family_id)
    rum = f"{prefix}-{number}-{before + 1:03d}"
    await tx.execute(
        INSERT,
        family_id,
        mandate_id,
        rum,
        signed.ics,
        signed.account_id,
        sealed(keys, family_id, holder),
        digest(keys, family_id, holder.iban),
        holder.iban[:2],
        holder.iban[-4:],
        signed.text_hash,
        signed.at,
        signed.on,
    )
    return mandate_id, rum


END = """
    update mandate set ended_at = $3, ended_reason = $4 where family_id = $1 and id = $2 and ended_at is null
"""


async def end(tx: Any, family_id: UUID, mandate_id: UUID, at: datetime, reason: str) -> bool:
    """End a mandate; False when it had ended before."""
    told: str = await tx.execute(END, family_id, mandate_id, at, reason)
    return told == "UPDATE 1"


LAPSED = """
    select family_id, id from mandate
    where ended_at is null and coalesce(used_on, signed_on) <= $1 order by family_id limit $2
"""


async def unused_since(tx: Any, day: date, count: int) -> list[tuple[UUID, UUID]]:
    """Give mandates in force that were neither signed nor used after a day."""
    return [(row["family_id"], row["id"]) for row in await tx.fetch(LAPSED, day, count)]
