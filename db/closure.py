"""Leaving as stored: a login erased, a family closed, terminated, reinstated, erased (R10, R22)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

ERASED_NAME = "Famille effacée"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a login may open a session."""

    terminated: bool
    removed: bool
    locked: bool


# The locks make a sign-in and what ends all sessions wait for each other: no session begins beside it. Shared locks
# would deadlock: the news of a new device needs the family's row for itself.
STANDING = """
    select f.terminated_at is not null, a.removed_at is not null, a.locked_at is not null
    from family f join account a on a.family_id = f.id
    where f.id = $1 and a.id = $2 for no key update
"""


async def standing(tx: Any, family_id: UUID, account_id: UUID) -> Standing:
    """Give whether a login may open a session, and hold that answer until the transaction ends."""
    return Standing(*(await tx.fetchrow(STANDING, family_id, account_id)).values())


@dataclass(frozen=True, slots=True)
class Family:
    """A family whose row is locked until the transaction ends."""

    number: str
    terminated: bool
    erased: bool


async def hold_family(tx: Any, family_id: UUID) -> Family | None:
    """Give a family and hold it."""
    row = await tx.fetchrow(
        "select number, terminated_at is not null, erased_at is not null from family where id = $1 for update",
        family_id,
    )
    return Family(*row.values()) if row else None


ADDRESSES = """
    select value from address where family_id = $1 and account_id = $2
    union select email from account where family_id = $1 and id = $2
    union select unnest(array[old_email, new_email]) from email_change where family_id = $1 and account_id = $2
"""
# A message that cannot go any more fails without a next channel. What was sent keeps its proof, but not its address,
# whose place takes the id of the delivery: two messages about the same news stay two.
FORGET_DELIVERIES = """
    update delivery set address = 'effacée ' || id, next_channels = '{}',
        status = case when status = 'PENDING' then 'FAILED' else status end,
        problem = case when status = 'PENDING' then 'ACCOUNT_CLOSED' else problem end
    where family_id = $1 and address = any($2)
"""
FORGET_LANES = "delete from lane where family_id = $1 and address = any($2)"
# What waits for somebody else keeps its words until it was sent.
FORGET_WORDS = """
    update news n set data = '{}' from unnest($2::text[]) as gone(address)
    where n.family_id = $1 and strpos(n.data::text, gone.address) > 0 and not exists (
        select from delivery d where d.family_id = n.family_id and d.news_seq = n.seq and d.status = 'PENDING')
"""
FORGET_ADDRESSES = "delete from address where family_id = $1 and (account_id = $2 or value = any($3))"
FORGET_INVITATIONS = """
    update invitation set email = 'removed-' || id || '@invalid', member_id = null,
        revoked_at = case when accepted_at is null then coalesce(revoked_at, $3) else revoked_at end
    where family_id = $1 and email = any($2)
"""
FORGET_CHANGES = """
    update email_change set old_email = 'removed-' || id || '@invalid', new_email = 'removed-' || id || '@invalid',
        cancelled_at = case when done_at is null then coalesce(cancelled_at, $3) end
    where family_id = $1 and account_id = $2
"""
VOID_RESETS = """
    update password_reset set expires_at = $3 where family_id = $1 and account_id = $2 and expires_at > $3
"""
ERASE_LOGINS = """
    update account set email = 'removed-' || id || '@invalid', email_verified_at = null, password_hash = '!',
        removed_at = coalesce(removed_at, $2), member_id = null
    where family_id = $1
"""
ERASE_LOGIN = f"{ERASE_LOGINS} and id = $3"
FORGET_DEVICES = "delete from device where family_id = $1 and account_id = $2"
FORGET_LINKS = "delete from provider_link where family_id = $1 and account_id = $2"


async def erase_login(tx: Any, family_id: UUID, account_id: UUID, at: datetime) -> None:
    """Erase the credentials and the addresses of a login, wherever they stand; what waits for them is cancelled.

    Needs the sight of the portal, which alone may delete.
    """
    values = [row["value"] for row in await tx.fetch(ADDRESSES, family_id, account_id)]
    await _forget(tx, family_id, values, at)
    await tx.execute(FORGET_ADDRESSES, family_id, account_id, values)
    await tx.execute(FORGET_DEVICES, family_id, account_id)
    await tx.execute(FORGET_LINKS, family_id, account_id)
    await tx.execute(FORGET_CHANGES, family_id, account_id, at)
    await tx.execute(VOID_RESETS, family_id, account_id, at)
    await tx.execute(ERASE_LOGIN, family_id, at, account_id)


async def _forget(tx: Any, family_id: UUID, values: list[str], at: datetime) -> None:
    """Erase addresses from what was sent, what waits and what was said."""
    await tx.execute(FORGET_DELIVERIES, family_id, values)
    await tx.execute(FORGET_LANES, family_id, values)
    await tx.execute(FORGET_INVITATIONS, family_id, values, at)
    await tx.execute(FORGET_WORDS, family_id, values)


VOID_CODES = "update activation_code set expires_at = $2 where family_id = $1 and used_at is null and expires_at > $2"
LEFT_ADDRESSES = """
    select value from address where family_id = $1 union select email from invitation where family_id = $1
"""
CLOSE = (
    "update family set closed_at = $2 where id = $1",
    VOID_CODES,
    "delete from address where family_id = $1",
    "delete from channel_preference where family_id = $1",
    "delete from data_choice where family_id = $1",
    "delete from service_opt_in where family_id = $1",
)


async def close(tx: Any, family_id: UUID, at: datetime) -> None:
    """Close a family whose last login has left: no address, no choice and no code of it is left."""
    values = [row["value"] for row in await tx.fetch(LEFT_ADDRESSES, family_id)]
    await _forget(tx, family_id, values, at)
    for statement in CLOSE:
        await _carry_out(tx, statement, family_id, at)


async def drafts(tx: Any, family_id: UUID) -> list[UUID]:
    """Give the drafts of a family."""
    rows = await tx.fetch("select id from procedure where family_id = $1 and status = 'DRAFT' order by id", family_id)
    return [row["id"] for row in rows]


TERMINATE = "update family set terminated_at = $2, termination_reason = $3 where id = $1"


async def terminate(tx: Any, family_id: UUID, at: datetime, reason: str) -> None:
    """End the access of a family, and its codes."""
    await tx.execute(TERMINATE, family_id, at, reason)
    await tx.execute(VOID_CODES, family_id, at)


async def reinstate(tx: Any, family_id: UUID) -> None:
    """Give a family its access back."""
    await tx.execute("update family set terminated_at = null, termination_reason = null where id = $1", family_id)


# The addresses to which it went and that are the family's no more: other logins stay who they are.
GONE = """
    select d.address from delivery d
    where d.family_id = $1 and d.news_seq = $2
        and not exists (select from address a where a.family_id = d.family_id and a.value = d.address)
"""
# What waited when the login left kept its words; what is said of the address later is of somebody's new login.
IS_WAITING = f"""
    select exists (
        select from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
        where d.family_id = $1 and d.news_seq <= $2 and d.status = 'PENDING' and (d.news_seq = $2
            or exists (select from ({GONE}) gone where strpos(n.data::text, gone.address) > 0)))
"""
FORGET_LAST = (
    f"""update news n set data = replace(n.data::text, gone.address, '…')::jsonb from ({GONE}) gone
        where n.family_id = $1 and n.seq <= $2 and strpos(n.data::text, gone.address) > 0""",
    f"""delete from lane l using delivery d
        where d.family_id = $1 and d.news_seq = $2 and l.family_id = d.family_id and l.subject_id = d.subject_id
            and l.channel = d.channel and l.address = d.address and l.address in ({GONE})""",
    f"""update delivery set address = 'effacée ' || id
        where family_id = $1 and news_seq = $2 and address in ({GONE})""",
)


async def is_waiting(tx: Any, family_id: UUID, seq: int) -> bool:
    """Tell whether a last message still waits to be sent, or another one that names where it goes."""
    found: bool = await tx.fetchval(IS_WAITING, family_id, seq)
    return found


async def forget_last_address(tx: Any, family_id: UUID, seq: int) -> None:
    """Erase the address to which a login's last message went, also where that news, or one before, names it."""
    for statement in FORGET_LAST:
        await tx.execute(statement, family_id, seq)


# Pseudonymised, not deleted: what accounts and the audit log point at stays, and points at nobody. Table → statement.
ERASE = {
    "session": "update session set device = '' where family_id = $1",
    "password_reset": "delete from password_reset where family_id = $1",
    "email_change": "delete from email_change where family_id = $1",
    "identity_attempt": "delete from identity_attempt where family_id = $1",
    "provider_link": "delete from provider_link where family_id = $1",
    "device": "delete from device where family_id = $1",
    "account": ERASE_LOGINS,
    "activation_code": VOID_CODES,
    "phone_challenge": "delete from phone_challenge where family_id = $1",
    "address": "delete from address where family_id = $1",
    "channel_preference": "delete from channel_preference where family_id = $1",
    "data_choice": "delete from data_choice where family_id = $1",
    "service_opt_in": "delete from service_opt_in where family_id = $1",
    "idempotency_key": "delete from idempotency_key where family_id = $1",
    "lane": "delete from lane where family_id = $1",
    "delivery": """
        update delivery set address = 'effacée ' || id, next_channels = '{}', receipt = null,
            reference = null, receipt_due_at = null,
            status = case when status = 'PENDING' then 'FAILED' else status end, problem = 'ERASED'
        where family_id = $1
    """,
    "card_attempt": "update card_attempt set redirect = null where family_id = $1",
    "news": "update news set data = '{}' where family_id = $1",
    "document": """
        update document set erased_at = coalesce(erased_at, $2), name = '', sha256 = null where family_id = $1
    """,
    "procedure_event": """
        update procedure_event set message = null
        where family_id = $1 and message is not null
    """,
    "information_request": """
        update information_request set message = null, documents = '{}', answers = null where family_id = $1
    """,
    "procedure_message": "delete from procedure_message where family_id = $1",
    "procedure": """
        update procedure set answers = '{}', answers_erased_at = coalesce(answers_erased_at, $2),
            messages_erased_at = coalesce(messages_erased_at, $2)
        where family_id = $1
    """,
    "acknowledgement": "update acknowledgement set content = null where family_id = $1",
    "member": """
        update member set first_name = 'Effacé', last_name = 'Effacé', birth_date = null, school = null,
            child_id = null
        where family_id = $1
    """,
    "member_change": """
        update member_change set first_name = 'Effacé', last_name = 'Effacé', birth_date = null where family_id = $1
    """,
    "quotient_familial": "delete from quotient_familial where family_id = $1",
    "invitation": """
        update invitation set email = 'removed-' || id || '@invalid', member_id = null,
            revoked_at = coalesce(revoked_at, $2)
        where family_id = $1
    """,
    "debit": """
        update debit set state = 'DROPPED', dropped_at = $2, dropped_because = 'MANDATE_ENDED'
        where family_id = $1 and state = 'ANNOUNCED'
    """,
    "mandate": """
        update mandate set sealed_account = null, account_hmac = null, iban_end = '',
            ended_at = coalesce(ended_at, $2), ended_reason = coalesce(ended_reason, 'ERASED')
        where family_id = $1
    """,
    "family": f"""
        update family set name = '{ERASED_NAME}', closed_at = coalesce(closed_at, $2), erased_at = $2,
            termination_reason = null, siret = null, rna = null, registry_number = null
        where id = $1
    """,
}


async def erase(tx: Any, family_id: UUID, at: datetime) -> None:
    """Erase everything that names a family; keys, dates, statuses and counts stay. Its exports are not meant here."""
    for statement in ERASE.values():
        await _carry_out(tx, statement, family_id, at)


async def _carry_out(tx: Any, statement: str, family_id: UUID, at: datetime) -> None:
    """Run a statement about a family (`$1`) that may write a moment (`$2`)."""
    await tx.execute(statement, *(family_id, at)[: 2 if "$2" in statement else 1])
