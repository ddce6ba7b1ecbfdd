"""Receipts of providers: kept as they come, moved into deliveries by a dispatcher, waited for no longer than said."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from db.dispatch import Fallen, retire
from db.lanes import Held, as_json

State = Literal["DELIVERED", "FAILED", "RETRY"]

KEPT = timedelta(days=1)
"""How long a receipt waits for its delivery to be written."""

KEEP = """
insert into sms_receipt (provider, reference, state, received_at, problem, retires) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""

# A provider may first say that it failed and then that it arrived: what arrived has arrived.
TAKE = """
with matched as (
    select distinct on (delivery.family_id, delivery.id) delivery.family_id, delivery.id, came.provider,
        came.reference, came.state, came.received_at, came.problem, came.retires
    from sms_receipt as came
    join delivery on delivery.provider = came.provider and delivery.reference = came.reference
    order by delivery.family_id, delivery.id, came.state
    limit $2
), told as (
    update delivery set
        status = case when matched.state = 'RETRY' then 'PENDING' else matched.state end,
        next_try_at = case when matched.state = 'RETRY' then $3 else delivery.next_try_at end,
        arrived_at = case when matched.state = 'DELIVERED' then matched.received_at end,
        problem = case when matched.state <> 'DELIVERED' then coalesce(matched.problem, 'NOT_DELIVERED') end,
        receipt_due_at = null
    from matched
    where delivery.family_id = matched.family_id and delivery.id = matched.id
        and (delivery.status = 'SENT' or (delivery.problem = 'NO_RECEIPT' and matched.state = 'DELIVERED'))
    returning delivery.family_id, delivery.id, delivery.status, delivery.subject_id, delivery.channel,
        delivery.address, matched.problem, matched.retires
), gone as (
    delete from sms_receipt using matched
    where sms_receipt.provider = matched.provider and sms_receipt.reference = matched.reference
), old as (
    delete from sms_receipt where received_at < $1
)
select family_id, id, status, subject_id, channel, address, problem, retires from told where status <> 'DELIVERED'
"""

RESUME = """
update lane set due_at = least(lane.due_at, $2)
from json_to_recordset($1::json) as back(family_id uuid, subject_id uuid, channel text, address text)
where lane.family_id = back.family_id and lane.subject_id = back.subject_id
    and lane.channel = back.channel and lane.address = back.address and not lane.leased
"""

TIME_OUT = """
update delivery set status = 'FAILED', problem = 'NO_RECEIPT', receipt_due_at = null
where (family_id, id) in (
    select family_id, id from delivery where receipt_due_at < $1 and status = 'SENT'
    order by receipt_due_at limit $2 for update skip locked
)
returning family_id, id
"""

# What a receipt called undeliverable says nothing about the provider's speed.
SLOW = """
select provider, count(*) filter (where coalesce(arrived_at, $1) - sent_at > $4)::float8 / count(*) as share,
    count(*) as judged
from delivery
where provider = any($2) and sent_at > $3 and sent_at <= $1
    and (arrived_at is not null or receipt_due_at is not null or problem = 'NO_RECEIPT')
    and (arrived_at is not null or $1 - sent_at > $4)
group by provider
"""

DEMOTE = """
insert into sms_provider (name, demoted_until) values ($1, $2)
on conflict (name) do update set demoted_until = greatest(sms_provider.demoted_until, $2)
"""

RETIRE = """
update address set retired_at = $3, retired_reason = $4, dead_untold = true
where channel = $1 and value = $2 and retired_at is null and verified_at is not null
returning family_id, id
"""


async def keep(
    tx: Any,
    provider: str,
    reference: str,
    state: State,
    at: datetime,
    *,
    problem: str | None = None,
    retires: bool = False,
) -> None:
    """Keep a receipt; the same one again changes nothing."""
    await tx.execute(KEEP, provider, reference, state, at, problem, retires)


async def take(tx: Any, now: datetime, limit: int, wait: timedelta) -> Fallen:
    """Move receipts into their deliveries, and drop those that belong to none; gives what failed.

    What is to be tried again is due in `wait`; addresses that proved dead are retired.
    """
    rows = await tx.fetch(TAKE, now - KEPT, limit, now + wait)
    lanes = [(Held(row["family_id"], row["subject_id"], row["channel"], row["address"], 0), row) for row in rows]
    again = [held for held, row in lanes if row["status"] == "PENDING"]
    if again:
        await tx.execute(RESUME, as_json(again), now + wait)
    dead = [(held, row["problem"] or "NOT_DELIVERED") for held, row in lanes if row["retires"]]
    if dead:
        await retire(tx, dead, now)
    return [(row["family_id"], row["id"]) for row in rows if row["status"] == "FAILED"]


async def time_out(tx: Any, now: datetime, limit: int) -> Fallen:
    """Fail what should have had a receipt by now; gives it."""
    rows = await tx.fetch(TIME_OUT, now, limit)
    return [(row["family_id"], row["id"]) for row in rows]


async def slow_shares(
    tx: Any, providers: Sequence[str], now: datetime, window: timedelta, slow: timedelta
) -> dict[str, tuple[float, int]]:
    """Give, of what each provider took within `window`, the share that needed longer than `slow`, and out of how many.

    What is younger than `slow` and has not arrived is not judged yet.
    """
    rows = await tx.fetch(SLOW, now, list(providers), now - window, slow)
    return {row["provider"]: (row["share"], row["judged"]) for row in rows}


async def demote(tx: Any, provider: str, until: datetime) -> None:
    """Let the other providers go first until a moment."""
    await tx.execute(DEMOTE, provider, until)


async def demoted(tx: Any, now: datetime) -> set[str]:
    """Give the providers that others precede now."""
    return {row["name"] for row in await tx.fetch("select name from sms_provider where demoted_until > $1", now)}


async def retire_everywhere(tx: Any, channel: str, value: str, now: datetime, reason: str) -> list[tuple[UUID, UUID]]:
    """Retire an address of whichever families have it, which are then told; gives family and id of each."""
    rows = await tx.fetch(RETIRE, channel, value, now, reason)
    return [(row["family_id"], row["id"]) for row in rows]


# The database's clock counts: those of nodes may differ.
SENDERS = """
    with own as (
        insert into sms_sender (node, seen_at) values ($1, now()) on conflict (node) do update set seen_at = now()
    ), gone as (
        delete from sms_sender where node <> $1 and seen_at < now() - interval '1 minute'
    )
    select 1 + count(*)::integer from sms_sender where node <> $1 and seen_at > now() - interval '5 seconds'
"""


async def senders(tx: Any, node: UUID) -> int:
    """Note that a dispatcher sends text messages; gives how many do, this one included."""
    found: int = await tx.fetchval(SENDERS, node)
    return found
