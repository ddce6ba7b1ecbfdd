"""Logins of a family, and invitations to open one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation held until the transaction ends."""

    family_id: UUID
    id: UUID
    email: str
    member_id: UUID | None


COUNT = """
    select (select count(*) from account where family_id = $1 and removed_at is null) as logins,
        (select count(*) from invitation where family_id = $1
            and (created_at > $2::timestamptz - interval '1 day'
                or accepted_at is null and revoked_at is null and expires_at > $2)) as invitations
"""


async def counted(tx: Any, family_id: UUID, now: datetime) -> tuple[int, int]:
    """Give how many logins a family has, and how many of its invitations are open or of the last 24 hours."""
    row = await tx.fetchrow(COUNT, family_id, now)
    return row["logins"], row["invitations"]


REVOKE_SAME = """
    update invitation set revoked_at = $3
    where family_id = $1 and email = $2 and accepted_at is null and revoked_at is null
"""
INSERT = """
    insert into invitation (family_id, id, email, member_id, invited_by, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""


async def insert(tx: Any, invitation: Invitation, invited_by: UUID, at: datetime, expires_at: datetime) -> None:
    """Write an invitation; an open one to the same address ends."""
    family_id, email = invitation.family_id, invitation.email
    await tx.execute(REVOKE_SAME, family_id, email, at)
    await tx.execute(INSERT, family_id, invitation.id, email, invitation.member_id, invited_by, at, expires_at)


OPEN = """
    select family_id, id, email, member_id from invitation
    where family_id = $1 and id = $2 and accepted_at is null and revoked_at is null and expires_at > $3
        and exists (select from family f where f.id = $1 and f.terminated_at is null)
    for update
"""


async def open_invitation(tx: Any, family_id: UUID, invitation_id: UUID, now: datetime) -> Invitation | None:
    """Give an invitation that can still be accepted or revoked, and hold it."""
    row = await tx.fetchrow(OPEN, family_id, invitation_id, now)
    return Invitation(*row.values()) if row else None


REVOKE = "update invitation set revoked_at = $3 where family_id = $1 and id = $2"
ACCEPT = "update invitation set accepted_at = $3 where family_id = $1 and id = $2"


async def revoke(tx: Any, invitation: Invitation, at: datetime) -> None:
    """End an invitation: its link opens nothing any more."""
    await tx.execute(REVOKE, invitation.family_id, invitation.id, at)


INSERT_ACCOUNT = """
    insert into account (family_id, id, email, email_verified_at, password_hash, language, member_id, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $4)
"""
INSERT_ADDRESS = """
    insert into address (family_id, id, account_id, channel, value, verified_at, created_at)
    values ($1, $2, $3, 'EMAIL', $4, $5, $5)
    on conflict (family_id, channel, value) do update
        set account_id = $3, verified_at = $5, source = 'FAMILY', retired_at = null, retired_reason = null
"""


async def accept(
    tx: Any, invitation: Invitation, account_id: UUID, address_id: UUID, password_hash: str, language: str, at: datetime
) -> None:
    """Write the invited adult's own login, whose address the link has verified.

    Raises asyncpg.UniqueViolationError when another account verified the same address before.
    """
    family_id, email = invitation.family_id, invitation.email
    await tx.execute(ACCEPT, family_id, invitation.id, at)
    values = (email, at, password_hash, language, invitation.member_id)
    await tx.execute(INSERT_ACCOUNT, family_id, account_id, *values)
    await tx.execute(INSERT_ADDRESS, family_id, address_id, account_id, email, at)


async def logins(tx: Any, family_id: UUID) -> dict[UUID, str]:
    """Give the addresses of the logins of a family, by their ids, and hold them."""
    rows = await tx.fetch(
        "select id, email from account where family_id = $1 and removed_at is null order by id for update", family_id
    )
    return {row["id"]: row["email"] for row in rows}
