"""What guards a login: its password, its address, its lock; and the words that its password must not hold."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Personal:
    """What somebody who knows a family would try as its password."""

    number: str
    texts: list[str]
    """Names and e-mail addresses."""

    birth_dates: list[date]


PERSONAL = """
    select f.number,
        array(select f.name
            union select m.first_name from member m where m.family_id = f.id
            union select m.last_name from member m where m.family_id = f.id
            union select a.email from account a where a.family_id = f.id) as texts,
        array(select m.birth_date from member m where m.family_id = f.id and m.birth_date is not null) as birth_dates
    from family f where f.id = $1
"""


async def personal(tx: Any, family_id: UUID) -> Personal:
    """Give what is known of a family that the transaction sees; raises LookupError when it sees none."""
    row = await tx.fetchrow(PERSONAL, family_id)
    if row is None:
        raise LookupError("no such family in sight")
    return Personal(*row.values())


@dataclass(frozen=True, slots=True)
class Login:
    """A login, held until the transaction ends."""

    email: str
    password_hash: str
    language: str
    locked: bool


async def hold_family(tx: Any, family_id: UUID) -> None:
    """Let everything else that concerns the logins of a family wait until the transaction ends.

    Whoever changes a login takes this row first: news need it in the end, and two that took rows in different orders
    would wait for each other.
    """
    await tx.execute("select from family where id = $1 for no key update", family_id)


HOLD = """
    select email, password_hash, language, locked_at is not null from account
    where family_id = $1 and id = $2 for update
"""


async def hold(tx: Any, family_id: UUID, account_id: UUID) -> Login | None:
    """Give a login that the transaction sees, and hold it."""
    row = await tx.fetchrow(HOLD, family_id, account_id)
    return Login(*row.values()) if row else None


async def email_of(tx: Any, family_id: UUID, account_id: UUID) -> str:
    """Give the address of a login that is there: alerts name it, because they go to other logins of the family too."""
    email: str = await tx.fetchval("select email from account where family_id = $1 and id = $2", family_id, account_id)
    return email


async def set_password(tx: Any, family_id: UUID, account_id: UUID, hashed: str) -> None:
    """Write a login's password's hash."""
    await tx.execute(
        "update account set password_hash = $3 where family_id = $1 and id = $2", family_id, account_id, hashed
    )


LOCK = """
    update account set locked_at = $3
    where family_id = $1 and id = $2 and removed_at is null and (unlocked_at is null or unlocked_at <= $4)
    returning id
"""
UNLOCK = """
    update account set locked_at = null, unlocked_at = $3 where family_id = $1 and id = $2 and locked_at is not null
"""


async def lock(tx: Any, family_id: UUID, account_id: UUID, at: datetime, alerted_at: datetime) -> bool:
    """Lock a login; False when it was unlocked since the alert, or is not there."""
    return await tx.fetchval(LOCK, family_id, account_id, at, alerted_at) is not None


async def unlock(tx: Any, family_id: UUID, account_id: UUID, at: datetime) -> None:
    """Unlock a login, if it is locked."""
    await tx.execute(UNLOCK, family_id, account_id, at)
