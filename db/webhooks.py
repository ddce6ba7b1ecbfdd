"""Webhooks of partners: registered addresses, what is sent to each in order, and the journal of every attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7

PURPOSE = "webhook"
"""Of the key that seals secrets and certificates."""


async def insert(
    tx: Any, partner_id: UUID, webhook_id: UUID, url: str, secret: bytes, certificate: bytes | None, at: datetime
) -> None:
    """Write an address with its sealed secret."""
    await tx.execute(
        "insert into webhook (partner_id, id, url, sealed_secret, sealed_certificate, created_at) "
        "values ($1, $2, $3, $4, $5, $6)",
        partner_id,
        webhook_id,
        url,
        secret,
        certificate,
        at,
    )


async def count(tx: Any, partner_id: UUID) -> int:
    """Give how many addresses of a partner are at work."""
    statement = "select count(*) from webhook where partner_id = $1 and disabled_at is null"
    found: int = await tx.fetchval(statement, partner_id)
    return found


async def hold(tx: Any, partner_id: UUID, webhook_id: UUID) -> bool | None:
    """Hold an address until the transaction ends; give whether it is at work, None when there is none."""
    row = await tx.fetchrow(
        "select disabled_at from webhook where partner_id = $1 and id = $2 for update", partner_id, webhook_id
    )
    return None if row is None else row["disabled_at"] is None


async def disable(tx: Any, partner_id: UUID, webhook_id: UUID, because: str, at: datetime) -> None:
    """Send nothing more to an address; what waits stays in the journal."""
    await tx.execute(
        "update webhook set disabled_at = $3, disabled_because = $4 "
        "where partner_id = $1 and id = $2 and disabled_at is null",
        partner_id,
        webhook_id,
        at,
        because,
    )


ROTATE = """
    update webhook set sealed_secret = $3, old_secret_until = $4,
        sealed_old_secret = case when $4::timestamptz is not null then sealed_secret end
    where partner_id = $1 and id = $2
"""


async def rotate(tx: Any, partner_id: UUID, webhook_id: UUID, secret: bytes, until: datetime | None) -> None:
    """Write a new sealed secret; that of before signs too until `until`, or no more when it is None."""
    await tx.execute(ROTATE, partner_id, webhook_id, secret, until)


async def forget_secrets(tx: Any, now: datetime) -> None:
    """Forget the secrets whose overlap is over."""
    statement = "update webhook set sealed_old_secret = null, old_secret_until = null where old_secret_until <= $1"
    await tx.execute(statement, now)


ENABLE = """
    update webhook w set disabled_at = null, disabled_because = null, due_at = case when leased then due_at else (
        select min($3::timestamptz) from webhook_delivery d
        where d.webhook_id = w.id and d.partner_id = w.partner_id and d.status = 'PENDING') end
    where partner_id = $1 and id = $2
"""
WAKE = """
    update webhook set due_at = case when leased then due_at else least(due_at, $3) end
    where partner_id = $1 and id = $2
"""
ORDER = """
    insert into webhook_delivery (partner_id, webhook_id, id, message_id, type, body, next_try_at, created_at, replay)
    values ($1, $2, $3, $4, $5, $6, $7, $7, false)
"""
REPLAY = """
    insert into webhook_delivery (partner_id, webhook_id, id, message_id, type, body, next_try_at, created_at, replay)
    select d.partner_id, d.webhook_id, o.id, d.message_id, d.type, d.body, $5, $5, true
    from (
        select *, row_number() over (order by place) as nth from webhook_delivery
        where partner_id = $1 and webhook_id = $2 and status <> 'PENDING' and not replay
            and ($3::uuid is null or id = $3) and ($4::timestamptz is null or created_at >= $4)
        order by place limit $7
    ) d join unnest($6::uuid[]) with ordinality as o(id, nth) on o.nth = d.nth order by d.place
    returning 1
"""


async def enable(tx: Any, partner_id: UUID, webhook_id: UUID, at: datetime) -> None:
    """Send to an address again, what waits first."""
    await tx.execute(ENABLE, partner_id, webhook_id, at)


async def order(
    tx: Any, partner_id: UUID, webhook_id: UUID, delivery_id: UUID, kind: str, body: str, at: datetime
) -> None:
    """Order one delivery behind what waits."""
    await tx.execute(ORDER, partner_id, webhook_id, delivery_id, f"msg_{delivery_id}", kind, body, at)
    await tx.execute(WAKE, partner_id, webhook_id, at)


async def replay(
    tx: Any,
    partner_id: UUID,
    webhook_id: UUID,
    delivery_id: UUID | None,
    since: datetime | None,
    at: datetime,
    most: int,
) -> int:
    """Order again what the journal holds, one delivery or all since a moment; give how many."""
    ids = [uuid7(at) for _ in range(most)]
    rows = await tx.fetch(REPLAY, partner_id, webhook_id, delivery_id, since, at, ids, most)
    await tx.execute(WAKE, partner_id, webhook_id, at)
    return len(rows)


SWEEP = """
    delete from webhook_delivery
    where ctid = any(array(select ctid from webhook_delivery where created_at < $1 limit $2))
"""


async def sweep(tx: Any, before: datetime, most: int) -> int:
    """Forget what is older than the journal; give how many went."""
    told: str = await tx.execute(SWEEP, before, most)
    return int(told.split()[-1])


# What follows is the dispatcher's.

EVENTS = """
    select f.position, f.service_id, s.code as service, p.reference, k.code as kind, e.number, e.from_status,
        e.to_status, e.actor, e.occurred_at
    from procedure_feed f
    join procedure_event e on e.family_id = f.family_id and e.procedure_id = f.procedure_id and e.number = f.number
    join procedure p on p.family_id = f.family_id and p.id = f.procedure_id
    join procedure_kind k on k.id = p.kind_id join service s on s.id = f.service_id
    where f.position between $1 and $2 order by f.position
"""
LISTENERS = """
    select w.partner_id, w.id, p.services from webhook w join partner p on p.id = w.partner_id
    where w.disabled_at is null and p.revoked_at is null and p.expires_at > $1 and 'PROCEDURES_READ' = any(p.scopes)
    order by w.partner_id, w.id
"""
SPREAD = """
    insert into webhook_delivery (partner_id, webhook_id, id, message_id, type, body, next_try_at, created_at)
    select d.partner_id, d.webhook_id, d.id, d.message_id, 'procedure.moved', d.body, $2, $2
    from rows from (json_to_recordset($1::json)
        as (partner_id uuid, webhook_id uuid, id uuid, message_id text, body text)) with ordinality
        as d(partner_id, webhook_id, id, message_id, body, nth) order by d.nth
"""
WAKE_ALL = """
    update webhook w set due_at = case when leased then due_at else least(due_at, $2) end
    where w.id = any($1::uuid[])
"""


async def spread(tx: Any, first: int, last: int, now: datetime) -> int:
    """Order the steps of these places for every address whose partner sees their service; give how many deliveries.

    In the transaction that numbers them, so that a step is ordered if and only if it has its place.
    """
    listeners = await tx.fetch(LISTENERS, now)
    if not listeners:
        return 0
    rows = []
    for event in await tx.fetch(EVENTS, first, last):
        body = msgspec.json.encode(told(event)).decode()
        for listener in listeners:
            if event["service_id"] in listener["services"]:
                where = {"partner_id": listener["partner_id"], "webhook_id": listener["id"]}
                rows.append({**where, "id": uuid7(now), "message_id": f"evt_{event['position']}", "body": body})
    if rows:
        await tx.execute(SPREAD, msgspec.json.encode(rows).decode(), now)
        await tx.execute(WAKE_ALL, sorted({row["webhook_id"] for row in rows}), now)
    return len(rows)


def told(event: Any) -> dict[str, Any]:
    """Give the body of a step, as Standard Webhooks lay it out; nothing in it names a family."""
    step = {name: event[name] for name in ("reference", "kind", "service", "number", "actor")}
    moved = {"fromStatus": event["from_status"], "toStatus": event["to_status"]}
    when = event["occurred_at"]
    return {"type": "procedure.moved", "timestamp": when, "data": {"position": event["position"], **step, **moved}}


@dataclass(frozen=True, slots=True)
class Held:
    """An address under lease, and the delivery that comes first."""

    partner_id: UUID
    webhook_id: UUID
    lease: int
    url: str
    sealed_secret: bytes
    sealed_certificate: bytes | None
    sealed_old_secret: bytes | None
    """Signs beside the other one while a receiver changes over."""
    partner: str
    working: bool
    """Whether its partner may still be told anything."""
    delivery_id: UUID | None
    message_id: str | None
    body: str | None
    attempts: int
    next_try_at: datetime | None


NOTHING = (None, None, None, 0, None)
"""The delivery that comes first, where none waits."""

PRESENT = """
    w.url, w.sealed_secret, w.sealed_certificate, case when w.old_secret_until > $1 then w.sealed_old_secret end,
    p.name, p.revoked_at is null and p.expires_at > $1 and 'PROCEDURES_READ' = any(p.scopes)
"""
CLAIM = f"""
    with due as (
        select partner_id, id from webhook
        where due_at is not null and due_at <= $1 and disabled_at is null and slow = $4 order by due_at limit $3
        for update skip locked
    )
    update webhook w set leased = true, lease = w.lease + 1, due_at = $2 from due, partner p
    where w.partner_id = due.partner_id and w.id = due.id and p.id = due.partner_id
    returning w.partner_id, w.id, w.lease, {PRESENT}
"""
NEXT = """
    select id, message_id, body, attempts, next_try_at from webhook_delivery
    where webhook_id = $1 and status = 'PENDING' order by place limit 1
"""


async def claim(connection: Any, now: datetime, until: datetime, count: int, *, slow: bool) -> list[Held]:
    """Lease addresses that are due, of the slow or of the others, `count` at the most, until `until`."""
    rows = await connection.fetch(CLAIM, now, until, count, slow)
    return [Held(*[*row.values(), *NOTHING]) for row in rows]


RENEW = f"""
    update webhook w set due_at = $2 from partner p
    where w.partner_id = $3 and w.id = $4 and w.lease = $5 and w.leased and w.disabled_at is null
        and p.id = w.partner_id
    returning w.partner_id, w.id, w.lease, {PRESENT}
"""


async def renew(connection: Any, held: Held, now: datetime, until: datetime) -> Held | None:
    """Keep a lease until `until`; give the address as it is now, with the delivery that comes first.

    None when the lease was lost, or the address is disabled by now. The delivery is looked up first, so that what was
    ordered after a change is sent as the change wants it: with the new secret, or no more to a revoked partner.
    """
    waiting = await connection.fetchrow(NEXT, held.webhook_id)
    present = await connection.fetchrow(RENEW, now, until, held.partner_id, held.webhook_id, held.lease)
    if present is None:
        return None
    return Held(*present.values(), *(waiting.values() if waiting else NOTHING))


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended."""

    begun_at: datetime
    milliseconds: int
    status_code: int | None
    problem: str | None
    answer: str | None


SLOW_MILLISECONDS = 2000
LOCK = "select 1 from webhook where partner_id = $1 and id = $2 and lease = $3 and leased for update"
ATTEMPT = """
    insert into webhook_attempt (partner_id, delivery_id, number, id, begun_at, milliseconds, status_code, problem,
        answer)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
RESULT = """
    update webhook_delivery set status = $3, attempts = $4, next_try_at = coalesce($5, next_try_at), delivered_at = $6
    where partner_id = $1 and id = $2
"""
GIVE_BACK = """
    update webhook w set leased = false, due_at = (
        select d.next_try_at from webhook_delivery d
        where d.webhook_id = w.id and d.status = 'PENDING' order by d.place limit 1)
    where partner_id = $1 and id = $2 and lease = $3 and leased
"""


async def held_still(tx: Any, held: Held) -> bool:
    """Lock an address if its lease still holds."""
    return await tx.fetchval(LOCK, held.partner_id, held.webhook_id, held.lease) is not None


async def record(
    tx: Any, held: Held, attempt: Attempt, status: str, next_try_at: datetime | None, now: datetime
) -> None:
    """Write an attempt and what it means for its delivery."""
    number = held.attempts + 1
    what = (attempt.milliseconds, attempt.status_code, attempt.problem, attempt.answer)
    await tx.execute(ATTEMPT, held.partner_id, held.delivery_id, number, uuid7(now), attempt.begun_at, *what)
    await tx.execute(
        "update webhook set slow = $3 where partner_id = $1 and id = $2",
        held.partner_id,
        held.webhook_id,
        attempt.problem is not None or attempt.milliseconds > SLOW_MILLISECONDS,
    )
    delivered = now if status == "DELIVERED" else None
    await tx.execute(RESULT, held.partner_id, held.delivery_id, status, number, next_try_at, delivered)


async def give_back(tx: Any, held: Held) -> None:
    """End a lease; the address is due when its first delivery is.

    The row is held by a statement of its own: one that waits for it would look for deliveries as they were before, miss
    the one that was ordered meanwhile, and leave it waiting until the next is ordered.
    """
    async with tx.transaction():
        if await held_still(tx, held):
            await tx.execute(GIVE_BACK, held.partner_id, held.webhook_id, held.lease)
