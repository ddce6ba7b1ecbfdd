"""Members of families as stored, and what families propose to change of a child that two of them have."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Person:
    """The facts of a member that are the same wherever it is a member."""

    first_name: str
    last_name: str
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member whose row is held until the transaction ends."""

    family_id: UUID
    id: UUID
    role: str
    person: Person
    school: str | None
    child_id: UUID | None


INSERT = """
    insert into member (family_id, id, role, first_name, last_name, birth_date, school, child_id, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def insert(tx: Any, member: Member, at: datetime) -> None:
    """Write a new member."""
    person = member.person
    facts = (person.first_name, person.last_name, person.birth_date)
    await tx.execute(INSERT, member.family_id, member.id, member.role, *facts, member.school, member.child_id, at)


CURRENT = """
    select family_id, id, role, first_name, last_name, birth_date, school, child_id from member
    where family_id = $1 and ended_at is null order by id for update
"""


async def current(tx: Any, family_id: UUID) -> list[Member]:
    """Give the members of a family that have not left, oldest row first, held."""
    return [_member(row) for row in await tx.fetch(CURRENT, family_id)]


FAMILIES = """
    select $1::uuid as family_id union
    select family_id from member where child_id = (select child_id from member where family_id = $1 and id = $2)
"""


async def families_of(tx: Any, family_id: UUID, member_id: UUID) -> list[UUID]:
    """Give the families, as far as the viewer sees them, in which somebody is a member."""
    return [row["family_id"] for row in await tx.fetch(FAMILIES, family_id, member_id)]


SIDES = """
    select family_id, id, role, first_name, last_name, birth_date, school, child_id from member
    where child_id = $1 and ended_at is null order by family_id for update
"""


async def sides(tx: Any, child_id: UUID) -> list[Member]:
    """Give a shared child's rows in all its families that the viewer sees, held."""
    return [_member(row) for row in await tx.fetch(SIDES, child_id)]


def _member(row: Any) -> Member:
    person = Person(row["first_name"], row["last_name"], row["birth_date"])
    return Member(row["family_id"], row["id"], row["role"], person, row["school"], row["child_id"])


CHANGE = """
    update member set first_name = $3, last_name = $4, birth_date = $5, school = $6 where family_id = $1 and id = $2
"""


async def change(tx: Any, family_id: UUID, member_id: UUID, person: Person, school: str | None) -> None:
    """Write the facts of a member."""
    facts = (person.first_name, person.last_name, person.birth_date)
    await tx.execute(CHANGE, family_id, member_id, *facts, school)


DELETE = "delete from member where family_id = $1 and id = $2"
END = "update member set ended_at = $3, child_id = null where family_id = $1 and id = $2"


async def remove(tx: Any, family_id: UUID, member_id: UUID, at: datetime) -> bool:
    """Take a member away: deleted, or marked as former when anything refers to it; tell whether it was deleted."""
    try:
        async with tx.transaction():
            await tx.execute(DELETE, family_id, member_id)
    except asyncpg.ForeignKeyViolationError:
        await tx.execute(END, family_id, member_id, at)
        return False
    return True


SHARE = "update member set child_id = $3 where family_id = $1 and id = $2"
UNSHARE = "update member set child_id = null where child_id = $1"


async def share(tx: Any, family_id: UUID, member_id: UUID, child_id: UUID) -> None:
    """Say which child a member is."""
    await tx.execute(SHARE, family_id, member_id, child_id)


async def unshare(tx: Any, child_id: UUID) -> None:
    """Forget that members of several families are one child."""
    await tx.execute(UNSHARE, child_id)


PROPOSE = """
    insert into member_change (family_id, id, member_id, first_name, last_name, birth_date, proposed_by, proposed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (family_id, member_id) where decided_at is null do update
        set first_name = $4, last_name = $5, birth_date = $6, proposed_by = $7, proposed_at = $8
"""


async def propose(
    tx: Any, family_id: UUID, change_id: UUID, member_id: UUID, person: Person, account_id: UUID, at: datetime
) -> None:
    """Write what a family says of a shared child; it takes the place of what it said before and nobody decided yet."""
    facts = (person.first_name, person.last_name, person.birth_date)
    await tx.execute(PROPOSE, family_id, change_id, member_id, *facts, account_id, at)


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal that waits for an agent, held until the transaction ends."""

    family_id: UUID
    id: UUID
    member_id: UUID
    person: Person


OPEN_CHANGE = """
    select family_id, id, member_id, first_name, last_name, birth_date from member_change
    where family_id = $1 and id = $2 and decided_at is null for update
"""


async def open_change(tx: Any, family_id: UUID, change_id: UUID) -> Change | None:
    """Give a proposal that nobody decided yet."""
    row = await tx.fetchrow(OPEN_CHANGE, family_id, change_id)
    if row is None:
        return None
    person = Person(row["first_name"], row["last_name"], row["birth_date"])
    return Change(row["family_id"], row["id"], row["member_id"], person)


DECIDE = """
    update member_change set decided_by = $3, decided_at = $4, accepted = $5 where family_id = $1 and id = $2
"""


async def decide(tx: Any, change: Change, agent_id: UUID, at: datetime, *, accepted: bool) -> None:
    """Write the decision on a proposal."""
    await tx.execute(DECIDE, change.family_id, change.id, agent_id, at, accepted)
