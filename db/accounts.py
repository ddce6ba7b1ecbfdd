"""Families' activation codes and accounts; agents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import agents, credentials


@dataclass(frozen=True, slots=True)
class Code:
    """An activation code that waits for its use."""

    family_id: UUID
    id: UUID
    code_hmac: bytes


OPEN_CODES = """
    select c.family_id, c.id, c.code_hmac from activation_code c join family f on f.id = c.family_id
    where f.number = $1 and c.used_at is null and c.expires_at > $2 and f.terminated_at is null
    order by c.created_at desc limit 5 for update of c
"""


async def open_codes(tx: Any, family_number: str, now: datetime) -> list[Code]:
    """Give the codes of a family that are neither used nor expired, held until the transaction ends."""
    return [Code(*row.values()) for row in await tx.fetch(OPEN_CODES, family_number, now)]


USE_CODES = "update activation_code set used_at = $2 where family_id = $1 and used_at is null"
ACTIVATE = "update family set activated_at = coalesce(activated_at, $2), language = $3, closed_at = null where id = $1"
LOGIN_OF_ADDRESS = """
    select id, email_verified_at is not null from account where family_id = $1 and email = $2 and removed_at is null
    order by email_verified_at nulls last, created_at limit 1 for update
"""
INSERT_ACCOUNT = """
    insert into account (family_id, id, email, password_hash, language, created_at) values ($1, $2, $3, $4, $5, $6)
"""


async def activate(tx: Any, family_id: UUID, language: str, at: datetime) -> None:
    """Use up the family's codes and mark it as active."""
    await tx.execute(USE_CODES, family_id, at)
    await tx.execute(ACTIVATE, family_id, at, language)


@dataclass(frozen=True, slots=True)
class Found:
    """A login with a certain address."""

    id: UUID
    verified: bool


async def login_of_address(tx: Any, family_id: UUID, email: str) -> Found | None:
    """Give a family's login with this address, held until the transaction ends."""
    row = await tx.fetchrow(LOGIN_OF_ADDRESS, family_id, email)
    return Found(*row.values()) if row else None


async def insert(
    tx: Any, family_id: UUID, account_id: UUID, email: str, password_hash: str, language: str, at: datetime
) -> None:
    """Write an account whose e-mail address is still to be verified."""
    await tx.execute(INSERT_ACCOUNT, family_id, account_id, email, password_hash, language, at)


ON_FILE = """
    select value from address
    where family_id = $1 and channel = 'EMAIL' and retired_at is null order by verified_at nulls last, id
"""


VERIFIED = """
    select value from address
    where family_id = $1 and channel = 'EMAIL' and verified_at is not null and retired_at is null order by id
"""


async def emails_on_file(tx: Any, family_id: UUID) -> list[str]:
    """Give every e-mail address by which a family can be told, also those that nobody has verified yet."""
    return [row["value"] for row in await tx.fetch(ON_FILE, family_id)]


VERIFY = """
    with verified as (
        update account set email_verified_at = $4
        where family_id = $1 and id = $2 and email = $3 and email_verified_at is null
        returning family_id, id, email
    )
    insert into address (family_id, id, account_id, channel, value, verified_at, created_at)
    select family_id, $5, id, 'EMAIL', email, $4, $4 from verified
    on conflict (family_id, channel, value) do update set verified_at = $4, retired_at = null, retired_reason = null
"""
IS_VERIFIED = """
    select exists (
        select from account where family_id = $1 and id = $2 and email = $3 and email_verified_at is not null
    )
"""


async def verify_email(tx: Any, family_id: UUID, account_id: UUID, email: str, address_id: UUID, at: datetime) -> bool:
    """Mark an account's address as verified and as one that reaches the family; False when the account has another
    address.

    Raises asyncpg.UniqueViolationError when another account verified the same address before.
    """
    await tx.execute(VERIFY, family_id, account_id, email, at, address_id)
    found: bool = await tx.fetchval(IS_VERIFIED, family_id, account_id, email)
    return found


async def verified_emails(tx: Any, family_id: UUID) -> list[str]:
    """Give the addresses of a family that somebody has proven to read."""
    return [row["value"] for row in await tx.fetch(VERIFIED, family_id)]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against."""

    family_id: UUID | None
    id: UUID
    email: str
    password_hash: str
    language: str
    email_verified: bool
    locked: bool


COLUMNS = """
    a.family_id, a.id, a.email, a.password_hash, a.language, a.email_verified_at is not null, a.locked_at is not null
"""
BY_EMAIL = f"""
    select {COLUMNS} from account a
    where a.email = $1 and a.removed_at is null order by (a.email_verified_at is null), a.created_at desc limit 1
"""
BY_NUMBER = f"""
    select {COLUMNS} from account a join family f on f.id = a.family_id
    where f.number = $1 and a.removed_at is null order by a.created_at limit 1
"""
OF_AGENT = """
    select null::uuid, g.id, g.email, g.password_hash, 'fr', true, false
    from agent g where g.email = $1 and g.disabled_at is null
"""


async def credentials_of_family(tx: Any, identifier: str) -> Credentials | None:
    """Find a login by e-mail address (a verified one first) or by family number (its first account).

    One statement for whoever asks, so that its time does not tell who is known.
    """
    row = await tx.fetchrow(BY_EMAIL if "@" in identifier else BY_NUMBER, identifier)
    return Credentials(*row.values()) if row else None


async def credentials_of_agent(tx: Any, email: str) -> Credentials | None:
    """Find an agent by e-mail address."""
    row = await tx.fetchrow(OF_AGENT, email)
    return Credentials(*row.values()) if row else None


# The family's row comes first, as with all that concerns logins.
HOLD = """
    select a.password_hash from family f join account a on a.family_id = f.id
    where f.id = $1 and a.id = $2 and a.removed_at is null for no key update
"""
HOLD_AGENT = "select password_hash from agent where id = $1 and disabled_at is null for no key update"


async def hold(tx: Any, found: Credentials) -> str | None:
    """Hold who was found until the transaction ends; give the hash stored now, None for somebody who left.

    What changes a password ends the sessions that there are: none may begin beside it with the old one.
    """
    if found.family_id is None:
        held: str | None = await tx.fetchval(HOLD_AGENT, found.id)
    else:
        held = await tx.fetchval(HOLD, found.family_id, found.id)
    return held


async def change_hash(tx: Any, held: Credentials, password_hash: str) -> None:
    """Write the same password's hash anew, of somebody whose row is held."""
    if held.family_id is None:
        await agents.set_password(tx, held.id, password_hash)
    else:
        await credentials.set_password(tx, held.family_id, held.id, password_hash)


INSERT_CODE = """
    insert into activation_code (family_id, id, code_hmac, expires_at, issued_by, created_at)
    values ($1, $2, $3, $4, $5, $6)
"""


async def family_by_number(tx: Any, number: str) -> UUID | None:
    """Give the id of a family that the viewer sees."""
    found: UUID | None = await tx.fetchval("select id from family where number = $1", number)
    return found


async def insert_code(
    tx: Any, family_id: UUID, code_id: UUID, code_hmac: bytes, expires_at: datetime, agent_id: UUID, at: datetime
) -> None:
    """Write an activation code issued by an agent."""
    await tx.execute(INSERT_CODE, family_id, code_id, code_hmac, expires_at, agent_id, at)
