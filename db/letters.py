"""Letters as stored: deliveries by post that wait, and those that a print file took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.lanes import Waiting

PROVIDER = "post"
"""What deliveries by post call who took them."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to print."""

    family_id: UUID
    number: str
    name: str
    language: str
    address: str
    """Lines, as they stand on the envelope."""

    waiting: Waiting
    """The delivery, with the news that it tells."""


# Held until the file is written: two commands at once print nothing twice.
WAITING = """
    select d.family_id, f.number, f.name, f.language, d.address,
        d.id, d.attempts, d.crashes, d.next_try_at, n.topic, n.type, n.data::text as data, n.occurred_at
    from delivery d join family f on f.id = d.family_id
    join news n on n.family_id = d.family_id and n.seq = d.news_seq
    where d.channel = 'POST' and d.status = 'PENDING' and d.next_try_at <= $1
    order by d.created_at, d.family_id, d.id limit $2 for update of d skip locked
"""

FILES = """
    select count(distinct split_part(reference, '/', 1)) from delivery
    where provider = $1 and reference like $2
"""

TAKE = """
    update delivery set status = 'SENT', sent_at = $2, attempts = attempts + 1, problem = null, provider = $3,
        reference = taken.reference, receipt = taken.reference
    from json_to_recordset($1::json) as taken(family_id uuid, id uuid, reference text)
    where delivery.family_id = taken.family_id and delivery.id = taken.id
"""


async def waiting(tx: Any, now: datetime, most: int) -> list[Letter]:
    """Give the next letters that are due, oldest first, and hold them until the transaction ends."""
    return [_letter(row) for row in await tx.fetch(WAITING, now, most)]


def _letter(row: Any) -> Letter:
    family_id, number, name, language, address, *waiting = {**row, "data": msgspec.json.decode(row["data"])}.values()
    return Letter(family_id, number, name, language, address, Waiting(*waiting))


async def files_of(tx: Any, name: str) -> int:
    """Give how many print files with a name that begins so have taken letters."""
    found: int = await tx.fetchval(FILES, PROVIDER, f"{name}%")
    return found


async def take(tx: Any, letters: Sequence[Letter], file: str, at: datetime) -> None:
    """Write that a print file holds these letters, each at its place."""
    rows = [
        {"family_id": letter.family_id, "id": letter.waiting.id, "reference": f"{file}/{place}"}
        for place, letter in enumerate(letters, 1)
    ]
    await tx.execute(TAKE, msgspec.json.encode(rows).decode(), at, PROVIDER)
