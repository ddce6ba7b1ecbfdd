"""Where a family can be reached: phones proven by a code, browsers and apps that asked for push messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a family."""

    id: UUID
    channel: str
    value: str
    verified: bool
    retired: bool
    account_id: UUID | None


# A number that was stopped, removed or dead comes back unproven.
OFFER = """
    insert into address (family_id, id, account_id, channel, value, label, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (family_id, channel, value) do update set
        verified_at = case when address.retired_at is null then address.verified_at end,
        account_id = $3, label = coalesce($6, address.label), retired_at = null, retired_reason = null
    returning id
"""

REGISTER = """
    insert into address (family_id, id, account_id, channel, value, target, label, verified_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    on conflict (family_id, channel, value) do update set
        account_id = $3, target = $6, label = $7, verified_at = $8, retired_at = null, retired_reason = null
    returning id
"""

# Whoever signs in on a device that others used gets its messages, and they no more.
TAKE_FROM_OTHERS = """
    update address set retired_at = $4, retired_reason = 'TAKEN', target = null
    where channel = $2 and value = $3 and family_id <> $1 and retired_at is null
"""

RETIRE_OLDEST = """
    update address set retired_at = $4, retired_reason = 'TOO_MANY', target = null
    where family_id = $1 and id in (
        select id from address where family_id = $1 and account_id = $2 and channel = $3 and retired_at is null
        order by verified_at desc offset $5
    )
"""

BY_ID = """
    select id, channel, value, verified_at is not null as verified, retired_at is not null as retired, account_id
    from address where family_id = $1 and id = $2 for update
"""


async def offer(
    tx: Any,
    family_id: UUID,
    address_id: UUID,
    account_id: UUID,
    channel: str,
    value: str,
    label: str | None,
    at: datetime,
) -> UUID:
    """Write an address that is still to be proven; gives its id, also when the family has it already."""
    found: UUID = await tx.fetchval(OFFER, family_id, address_id, account_id, channel, value, label, at)
    return found


async def register(
    tx: Any,
    family_id: UUID,
    address_id: UUID,
    account_id: UUID,
    place: tuple[str, str],
    target: Mapping[str, Any],
    label: str | None,
    at: datetime,
) -> UUID:
    """Write a device (channel and fingerprint) with what its push service needs; gives its id."""
    text = msgspec.json.encode(target).decode()
    found: UUID = await tx.fetchval(REGISTER, family_id, address_id, account_id, *place, text, label, at)
    return found


async def take_from_others(tx: Any, family_id: UUID, channel: str, value: str, at: datetime) -> None:
    """Let no other family be told on a device; needs the sight of the portal."""
    await tx.execute(TAKE_FROM_OTHERS, family_id, channel, value, at)


async def retire_oldest(tx: Any, family_id: UUID, account_id: UUID, channel: str, at: datetime, keep: int) -> None:
    """Retire all but the newest devices of a login."""
    await tx.execute(RETIRE_OLDEST, family_id, account_id, channel, at, keep)


async def hold(tx: Any, family_id: UUID, address_id: UUID) -> Address | None:
    """Give an address and hold it until the transaction ends."""
    row = await tx.fetchrow(BY_ID, family_id, address_id)
    return Address(**row) if row else None


async def verify(tx: Any, family_id: UUID, address_id: UUID, at: datetime) -> None:
    """Count an address as proven."""
    await tx.execute("update address set verified_at = $3 where family_id = $1 and id = $2", family_id, address_id, at)


async def remove(tx: Any, family_id: UUID, address_id: UUID, at: datetime) -> None:
    """Retire an address at the family's wish: what waits for it takes its next channel, and its keys are forgotten."""
    await tx.execute(
        "update address set retired_at = $3, retired_reason = $4, target = null where family_id = $1 and id = $2",
        family_id,
        address_id,
        at,
        REMOVED,
    )


LEAVE_POSTAL = """
    update address set retired_at = $3, retired_reason = 'REPLACED'
    where family_id = $1 and channel = 'POST' and value <> $2 and retired_at is null
"""
SET_POSTAL = """
    insert into address (family_id, id, account_id, channel, value, verified_at, created_at)
    values ($1, $2, $3, 'POST', $4, $5, $5)
    on conflict (family_id, channel, value) do update set
        verified_at = $5, retired_at = null, retired_reason = null, source = 'FAMILY'
    returning id
"""


async def set_postal(
    tx: Any, family_id: UUID, address_id: UUID, account_id: UUID | None, value: str, at: datetime
) -> UUID:
    """Write the one postal address of a family, as it or an agent for it says; gives its id.

    What waits for another one still goes there.
    """
    await tx.execute(LEAVE_POSTAL, family_id, value, at)
    found: UUID = await tx.fetchval(SET_POSTAL, family_id, address_id, account_id, value, at)
    return found


# Only the address of a login: whoever proved it still signs in with it.
USE_AGAIN = """
    update address set retired_at = null, retired_reason = null, dead_untold = false
    where family_id = $1 and id = $2 and channel = 'EMAIL' and retired_at is not null and verified_at is not null
        and exists (select from account c where c.family_id = $1 and c.id = address.account_id and c.removed_at is null
            and c.email = address.value)
    returning value
"""


async def use_again(tx: Any, family_id: UUID, address_id: UUID) -> str | None:
    """Count an e-mail address that proved dead as working and give it; None when it is not one of a login."""
    found: str | None = await tx.fetchval(USE_AGAIN, family_id, address_id)
    return found


DEAD_UNTOLD = "select family_id, id from address where dead_untold order by family_id, id limit $1"
TELL_DEAD = """
    update address set dead_untold = false where family_id = $1 and id = $2 and dead_untold
    returning channel, value, retired_at is not null as dead
"""


async def dead_untold(tx: Any, limit: int) -> list[tuple[UUID, UUID]]:
    """Give family and id of addresses that proved dead and of which nobody was told."""
    return [(row[0], row[1]) for row in await tx.fetch(DEAD_UNTOLD, limit)]


async def tell_dead(tx: Any, family_id: UUID, address_id: UUID) -> tuple[str, str] | None:
    """Mark an address as told of and give its channel and itself; None when it was before, or is in use again."""
    row = await tx.fetchrow(TELL_DEAD, family_id, address_id)
    return (row["channel"], row["value"]) if row is not None and row["dead"] else None


INSERT_CHALLENGE = """
    insert into phone_challenge (family_id, id, account_id, address_id, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6)
"""
OPEN_CHALLENGE = """
    select id from phone_challenge
    where family_id = $1 and address_id = $2 and expires_at > $3 and used_at is null
        and id = (select max(id::text)::uuid from phone_challenge where family_id = $1 and address_id = $2)
"""


async def challenge(
    tx: Any, family_id: UUID, challenge_id: UUID, account_id: UUID, address_id: UUID, at: datetime, until: datetime
) -> None:
    """Write that a code was sent; it ends the ones before. Those of other days are forgotten."""
    await tx.execute("delete from phone_challenge where family_id = $1 and expires_at < $2", family_id, at)
    await tx.execute(INSERT_CHALLENGE, family_id, challenge_id, account_id, address_id, at, until)


async def open_challenge(tx: Any, family_id: UUID, address_id: UUID, now: datetime) -> UUID | None:
    """Give the last challenge of an address, if its code can still be used."""
    found: UUID | None = await tx.fetchval(OPEN_CHALLENGE, family_id, address_id, now)
    return found


async def use_challenge(tx: Any, family_id: UUID, challenge_id: UUID, at: datetime) -> None:
    """Let a code be of no more use."""
    await tx.execute(
        "update phone_challenge set used_at = $3 where family_id = $1 and id = $2", family_id, challenge_id, at
    )
