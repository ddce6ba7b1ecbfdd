"""What guards a login: its password, its address, its lock; and the words that its password must not hold."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Personal:
    """What somebody who knows a family would try as its password."""

    number: str
    texts: list[str]
    """Names and e-mail addresses."""

    birth_dates: list[date]


PERSONAL = """
    select f.number,
        array(select f.name
            union select m.first_name from member m where m.family_id = f.id
            union select m.last_name from member m where m.family_id = f.id
            union select a.email from account a where a.family_id = f.id) as texts,
        array(select m.birth_date from member m where m.family_id = f.id and m.birth_date is not null) as birth_dates
    from family f where f.id = $1
"""


async def personal(tx: Any, family_id: UUID) -> Personal:
    """Give what is known of a family that the transaction sees; raises LookupError when it sees none."""
    row = await tx.fetchrow(PERSONAL, family_id)
    if row is None:
        raise LookupError("no such family in sight")
    return Personal(*row.values())
