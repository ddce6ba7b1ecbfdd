"""Dead letters: deliveries that were put aside because our own program failed at them again and again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

HOLD = """
    select family_id, id from delivery join unnest($1::uuid[], $2::uuid[]) as asked(family_id, id) using (family_id, id)
    where status = 'DEAD_LETTER' order by family_id, id for update of delivery
"""

# A lane that is being worked off looks for more when it is done; letters wait for the command that prints them.
AGAIN = """
    with again as (
        update delivery set status = 'PENDING', crashes = 0, problem = null, next_try_at = $3
        from unnest($1::uuid[], $2::uuid[]) as asked(family_id, id)
        where delivery.family_id = asked.family_id and delivery.id = asked.id
        returning delivery.family_id, delivery.subject_id, delivery.channel, delivery.address
    ), due as (
        insert into lane (family_id, subject_id, channel, address, priority, due_at)
        select distinct family_id, subject_id, channel, address, 1,
            case when channel <> 'POST' then $3::timestamptz end
        from again order by family_id, subject_id, channel, address
        on conflict (family_id, subject_id, channel, address) do update set
            due_at = case when lane.leased then lane.due_at else least(lane.due_at, excluded.due_at) end
    )
    select pg_notify('kiosque_lane', '')
"""


async def send_again(tx: Any, deliveries: Sequence[tuple[UUID, UUID]], now: datetime) -> int:
    """Let dead letters, given as family and id, wait to be sent at once; gives how many there are.

    Nothing is changed unless all are dead letters. Needs a transaction.
    """
    families, ids = [family for family, _ in deliveries], [delivery for _, delivery in deliveries]
    found = len(await tx.fetch(HOLD, families, ids))
    if found == len(deliveries):
        await tx.execute(AGAIN, families, ids, now)
    return found
