"""The outbox: news and its deliveries, written in the transaction of the change that they tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7

BULK = 2
"""Priority of what is told to many families at once: what concerns one alone (0 and 1) never waits behind it."""

DEFAULT_CHANNELS = ("EMAIL", "IN_APP")

OF_THE_SERVICE = frozenset({"CITY_INFORMATION"})
"""Topics that a service tells of its own accord, and no more to families that left it (R2). What is said about a
procedure or a debt is told all the same."""

OPTIONAL = frozenset(
    {
        "procedure_moved",
        "procedure_message",
        "invoice_issued",
        "daily_message",
        "card_payment_ended",
        "card_payment_refused",
        "maintenance_planned",
        "maintenance_started",
    }
)
"""Types of news that a family may do without. All others are required by law or by safety (acknowledgements, debts,
debits, security, terms): a family chooses the way they take, but cannot end them."""

CAN_WAIT = frozenset({"procedure_moved", "procedure_message", "invoice_issued"})
"""Types of news that come in the daily message of a family that wants one; all others are told at once."""

LEFT = """
    select exists (select from service_opt_in where family_id = $1 and service_id = $2 and not opted_in)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a family is told.

    `data` is what the messages need, in plain JSON; `to` overrides the family's choice, for an address that is not yet
    verified; `inbox_only` too, for what the family did itself and need not be called to.
    """

    family_id: UUID
    topic: str
    type: str
    subject_id: UUID
    data: dict[str, Any]
    occurred_at: datetime
    service_id: UUID | None = None
    procedure_id: UUID | None = None
    procedure_event_number: int | None = None
    priority: int = 1
    to: Sequence[tuple[str, str]] = ()
    inbox_only: bool = False
    unread: bool = True
    """False for what only repeats what is in the inbox."""


# The family's row is locked from here to the commit: its stream gets its numbers without gap and in the order of
# commits.
NEXT = """
    with numbered as (
        update family set news_seq = news_seq + 1 where id = $1
        returning news_seq, number, digest_hour is not null and $2 = any (digest_topics) as daily
    )
    select n.news_seq, n.number, n.daily,
        (select case when p.email_ended_at is not null and $3 then array_remove(p.channels, 'EMAIL') else p.channels end
            from channel_preference p where p.family_id = $1 and p.topic = $2) as channels,
        (select coalesce(json_agg(json_build_array(a.channel, a.value) order by a.id), '[]') from address a
            where a.family_id = $1 and a.verified_at is not null and a.retired_at is null) as addresses
    from numbered n
"""

WRITE = """
    with told as (
        insert into news (family_id, seq, id, topic, type, subject_id, service_id, procedure_id, procedure_event_number,
            data, occurred_at, awaits_digest, read_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $17, $18)
        returning family_id, seq, subject_id
    ), sent as (
        insert into delivery (family_id, id, news_seq, subject_id, channel, address, next_channels, next_try_at,
            created_at)
        select t.family_id, d.id, t.seq, t.subject_id, $13, d.address, $14, $11, $11
        from told t cross join unnest($12::uuid[], $15::text[]) as d(id, address)
    )
    insert into lane (family_id, subject_id, channel, address, priority, due_at)
    select $1, $6, $13, d.address, $16, case when $13 <> 'POST' then $11::timestamptz end
    from unnest($15::text[]) as d(address)
    on conflict (family_id, subject_id, channel, address) do update
        set due_at = case when lane.leased then lane.due_at else least(lane.due_at, excluded.due_at) end,
            priority = least(lane.priority, excluded.priority)
"""


async def tell(tx: Any, told: Told) -> int:
    """Write one item of news and what must be sent for it; give its number in the family's stream.

    The first channel of the family's ordered list that can reach it gets the deliveries, the rest wait as fallback
    (R13). What can wait for the family's daily message is in its inbox at once, and nowhere else until then. Gives 0
    and tells nothing when the family left the service that wants to tell it (R2).
    """
    if told.service_id and told.topic in OF_THE_SERVICE and await tx.fetchval(LEFT, told.family_id, told.service_id):
        return 0
    row = await tx.fetchrow(NEXT, told.family_id, told.topic, told.type in OPTIONAL)
    waits = row["daily"] and told.type in CAN_WAIT and not told.to and not told.inbox_only
    addresses = [(channel, value) for channel, value in msgspec.json.decode(row["addresses"])]
    if told.to:
        channel, values, rest = told.to[0][0], [value for _, value in told.to], list[str]()
    else:
        chosen = DEFAULT_CHANNELS if row["channels"] is None else row["channels"]
        channels = ("IN_APP",) if told.inbox_only or waits else chosen
        channel, values, rest = route(channels, addresses, row["number"])
        letters = [value for kind, value in addresses if kind == "POST"]
        if channel == "IN_APP" and len(letters) == len(addresses) > 0 and told.type not in OPTIONAL:
            # Nothing else reaches this family, which may have no login at all: what is required goes by post.
            channel, values, rest = "POST", letters, ["IN_APP"]
    await tx.execute(
        WRITE,
        told.family_id,
        row["news_seq"],
        uuid7(told.occurred_at),
        told.topic,
        told.type,
        told.subject_id,
        told.service_id,
        told.procedure_id,
        told.procedure_event_number,
        msgspec.json.encode(told.data).decode(),
        told.occurred_at,
        [uuid7(told.occurred_at) for _ in values],
        channel,
        rest,
        values,
        told.priority,
        waits,
        None if told.unread else told.occurred_at,
    )
    seq: int = row["news_seq"]
    return seq


def route(
    channels: Sequence[str], addresses: Sequence[tuple[str, str]], family_number: str
) -> tuple[str, list[str], list[str]]:
    """Give the first channel that can reach the family, its addresses, and the channels that remain.

    The inbox of the portal always can.
    """
    for position, channel in enumerate(channels):
        values = [family_number] if channel == "IN_APP" else [value for kind, value in addresses if kind == channel]
        if values:
            return channel, values, list(channels[position + 1 :])
    return "IN_APP", [family_number], []
