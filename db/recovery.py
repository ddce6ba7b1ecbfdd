"""Links that let a family choose a new password, and changes of a login's address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

OF_A_LOGIN = """exists (
        select from account a where a.family_id = $1 and a.id = account_id and a.removed_at is null)
"""
"""A login that was removed has nothing to recover."""

ASKED_SINCE = """
    select count(*) from password_reset where family_id = $1 and account_id = $2 and requested_at > $3
"""
VOID_RESETS = """
    update password_reset set expires_at = $3
    where family_id = $1 and account_id = $2 and used_at is null and expires_at > $3
"""
INSERT_RESET = """
    insert into password_reset (family_id, id, account_id, requested_at, expires_at) values ($1, $2, $3, $4, $5)
"""
OPEN_RESET = f"""
    select account_id from password_reset
    where family_id = $1 and id = $2 and used_at is null and expires_at > $3 and {OF_A_LOGIN}
"""
USE_RESET = f"""
    update password_reset set used_at = $3
    where family_id = $1 and id = $2 and used_at is null and expires_at > $3 and {OF_A_LOGIN} returning account_id
"""


async def resets_since(tx: Any, family_id: UUID, account_id: UUID, since: datetime) -> int:
    """Count the reset links that an account was sent after a moment."""
    found: int = await tx.fetchval(ASKED_SINCE, family_id, account_id, since)
    return found


async def void_resets(tx: Any, family_id: UUID, account_id: UUID, at: datetime) -> None:
    """End the reset links of an account that nobody has used."""
    await tx.execute(VOID_RESETS, family_id, account_id, at)


async def insert_reset(
    tx: Any, family_id: UUID, reset_id: UUID, account_id: UUID, at: datetime, expires_at: datetime
) -> None:
    """Write a reset link; the secret is the portal's signature, which is not stored."""
    await tx.execute(INSERT_RESET, family_id, reset_id, account_id, at, expires_at)


async def open_reset(tx: Any, family_id: UUID, reset_id: UUID, now: datetime) -> UUID | None:
    """Give the account of a reset link that can still be used."""
    found: UUID | None = await tx.fetchval(OPEN_RESET, family_id, reset_id, now)
    return found


async def use_reset(tx: Any, family_id: UUID, reset_id: UUID, now: datetime) -> UUID | None:
    """Use a reset link, once; give its account."""
    found: UUID | None = await tx.fetchval(USE_RESET, family_id, reset_id, now)
    return found


@dataclass(frozen=True, slots=True)
class EmailChange:
    """A change of address that is open, held until the transaction ends."""

    account_id: UUID
    old_email: str
    new_email: str
    old_confirmed: bool
    new_confirmed: bool

    @property
    def confirmed(self) -> bool:
        """True when both addresses have confirmed."""
        return self.old_confirmed and self.new_confirmed


CHANGES_SINCE = "select count(*) from email_change where family_id = $1 and account_id = $2 and requested_at > $3"
CANCEL_CHANGES = """
    update email_change set cancelled_at = $3
    where family_id = $1 and account_id = $2 and done_at is null and cancelled_at is null
"""
INSERT_CHANGE = """
    insert into email_change (family_id, id, account_id, old_email, new_email, requested_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""
HOLD_CHANGE = f"""
    select account_id, old_email, new_email, old_confirmed_at is not null, new_confirmed_at is not null
    from email_change
    where family_id = $1 and id = $2 and done_at is null and cancelled_at is null and expires_at > $3 and {OF_A_LOGIN}
    for update
"""
CONFIRM_OLD = """
    update email_change set old_confirmed_at = coalesce(old_confirmed_at, $3) where family_id = $1 and id = $2
"""
CONFIRM_NEW = """
    update email_change set new_confirmed_at = coalesce(new_confirmed_at, $3) where family_id = $1 and id = $2
"""
END_CHANGE = "update email_change set done_at = $3 where family_id = $1 and id = $2"
CHANGE = "update account set email = $3, email_verified_at = $4 where family_id = $1 and id = $2"
# Not dead: what is addressed to it on purpose, such as the news of its replacement, is still sent.
RETIRE = """
    update address set retired_at = $4, retired_reason = 'REPLACED'
    where family_id = $1 and account_id = $2 and channel = 'EMAIL' and value = $3 and retired_at is null
"""
REACH = """
    insert into address (family_id, id, account_id, channel, value, verified_at, created_at)
    values ($1, $2, $3, 'EMAIL', $4, $5, $5)
    on conflict (family_id, channel, value) do update
        set account_id = $3, verified_at = $5, retired_at = null, retired_reason = null
"""


async def changes_since(tx: Any, family_id: UUID, account_id: UUID, since: datetime) -> int:
    """Count the changes of address that an account asked for after a moment."""
    found: int = await tx.fetchval(CHANGES_SINCE, family_id, account_id, since)
    return found


async def cancel_changes(tx: Any, family_id: UUID, account_id: UUID, at: datetime) -> None:
    """Cancel the open change of address of an account, if there is one."""
    await tx.execute(CANCEL_CHANGES, family_id, account_id, at)


async def insert_change(
    tx: Any,
    family_id: UUID,
    change_id: UUID,
    account_id: UUID,
    emails: tuple[str, str],
    at: datetime,
    expires_at: datetime,
) -> None:
    """Write a change of address from the first to the second; nobody has confirmed it yet."""
    await tx.execute(INSERT_CHANGE, family_id, change_id, account_id, *emails, at, expires_at)


async def hold_change(tx: Any, family_id: UUID, change_id: UUID, now: datetime) -> EmailChange | None:
    """Give a change of address that is open, and hold it."""
    row = await tx.fetchrow(HOLD_CHANGE, family_id, change_id, now)
    return EmailChange(*row.values()) if row else None


async def confirm_change(tx: Any, family_id: UUID, change_id: UUID, at: datetime, *, by_new: bool) -> None:
    """Note that one of the two addresses confirmed; a second time changes nothing."""
    await tx.execute(CONFIRM_NEW if by_new else CONFIRM_OLD, family_id, change_id, at)


async def carry_out_change(
    tx: Any, family_id: UUID, change_id: UUID, change: EmailChange, address_id: UUID, at: datetime
) -> None:
    """Give the login its new address, by which the family is told from now on; the old one is retired.

    Raises asyncpg.UniqueViolationError when another account has verified the new address.
    """
    await tx.execute(END_CHANGE, family_id, change_id, at)
    await tx.execute(CHANGE, family_id, change.account_id, change.new_email, at)
    await tx.execute(RETIRE, family_id, change.account_id, change.old_email, at)
    await tx.execute(REACH, family_id, address_id, change.account_id, change.new_email, at)
