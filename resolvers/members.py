"""Members of families: adults and children, and children whose separated parents are two families (R11).

What is said of a shared child is the same on both sides, so that only agents change it; a family proposes. Nothing else
goes from one side to the other.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from db import families as stored_families
from db import members as stored
from db.families import Family
from db.ids import uuid7
from db.members import Member, Person
from resolvers import people
from resolvers.context import Context
from resolvers.family_news import confirm
from resolvers.viewer import Kind

MOST_MEMBERS = 100
MOST_FAMILIES = 2

Key = tuple[UUID, UUID]
"""Family and row."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a request says of a member; a field that is not in `fields` stays as it is."""

    fields: frozenset[str]
    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    school: str | None = None


def served(context: Context, family_id: UUID | None, argument: str) -> UUID:
    """Give the family that a command is about: the viewer's own, or the one that an agent names.

    Raises Refusal NOT_FOUND, and BAD_USER_INPUT for an agent who names none.
    """
    if context.viewer.kind is Kind.AGENT:
        if family_id is None:
            raise context.refusal("BAD_USER_INPUT", [argument])
        return family_id
    if family_id not in (None, context.viewer.family):
        raise context.refusal("NOT_FOUND", [argument])
    return context.viewer.family


async def held(tx: Any, context: Context, family_id: UUID, argument: str) -> Family:
    """Hold the family that a command is about; raises Refusal NOT_FOUND."""
    found = await stored_families.hold(tx, family_id)
    if not found:
        raise context.refusal("NOT_FOUND", [argument])
    return found[0]


async def add(
    context: Context, family: UUID | None, role: str, first_name: str, last_name: str, born: date | None, at: str | None
) -> Key:
    """Add a member; `at` is a child's school.

    Raises Refusal: NOT_FOUND, CHILD_NOT_ALLOWED, MEMBER_TWICE, TOO_MANY_MEMBERS, and those of `people`.
    """
    family_id, now = served(context, family, "family"), context.process.clock()
    person = people.person(context, first_name, last_name, born, role)
    school = people.school(context, at, role)
    async with context.transaction() as tx:
        holder = await held(tx, context, family_id, "family")
        if role == "CHILD" and holder.profile != "INDIVIDUAL":
            raise context.refusal("CHILD_NOT_ALLOWED", ["role"])
        known = await stored.current(tx, family_id)
        if any(member.person == person for member in known):
            raise context.refusal("MEMBER_TWICE", ["firstName"])
        if len(known) >= MOST_MEMBERS:
            raise context.refusal("TOO_MANY_MEMBERS")
        member = Member(family_id, uuid7(now), role, person, school, None)
        await stored.insert(tx, member, now)
        await confirm(tx, context, family_id, member.id, "MEMBER_ADDED", called(person))
        await context.record(tx, "member_added", family=family_id, subject=member.id, role=role)
    return family_id, member.id


async def update(context: Context, key: Key, given: Given) -> bool:
    """Change what is known of a member; tell whether the change waits for an agent, because the child is shared.

    Raises Refusal: NOT_FOUND, MEMBER_TWICE, and those of `people`.
    """
    async with context.transaction() as tx:
        member, known = await _member(tx, context, key)
        person, school = _changed(context, member, given)
        if any(other.person == person for other in known if other.id != member.id):
            raise context.refusal("MEMBER_TWICE", ["firstName"])
        waits = person != member.person and member.child_id is not None and context.viewer.kind is not Kind.AGENT
        if waits:
            await _propose(tx, context, member, person)
            person = member.person
        if (person, school) != (member.person, member.school):
            await _write(tx, context, member, person, school)
    return waits


def _changed(context: Context, member: Member, given: Given) -> tuple[Person, str | None]:
    """Give what a member will be; a name cannot be taken away."""
    before = member.person
    first = (given.first_name or "") if "first_name" in given.fields else before.first_name
    last = (given.last_name or "") if "last_name" in given.fields else before.last_name
    born = given.birth_date if "birth_date" in given.fields else before.birth_date
    school = people.school(context, given.school, member.role) if "school" in given.fields else member.school
    if (first, last, born) == (before.first_name, before.last_name, before.birth_date):
        return before, school  # as the city's register has it, even if nobody could enter it here
    return people.person(context, first, last, born, member.role), school


async def _member(tx: Any, context: Context, key: Key) -> tuple[Member, list[Member]]:
    """Hold a member with its families, in one order for all commands; give it and its family's members."""
    family_id = served(context, key[0], "member")
    await stored_families.hold(tx, *await stored.families_of(tx, family_id, key[1]))
    known = await stored.current(tx, family_id)
    for member in known:
        if member.id == key[1]:
            return member, known
    raise context.refusal("NOT_FOUND", ["member"])


async def _write(tx: Any, context: Context, member: Member, person: Person, school: str | None) -> None:
    """Write a member's facts; names and birth date in every family of a shared child, the school in its own only."""
    sides = await stored.sides(tx, member.child_id) if member.child_id and person != member.person else [member]
    for side in sides:
        own = side.family_id == member.family_id
        await stored.change(tx, side.family_id, side.id, person, school if own else side.school)
        await confirm(tx, context, side.family_id, side.id, "MEMBER_CHANGED", called(person))
        await context.record(tx, "member_changed", family=side.family_id, subject=side.id)


async def _propose(tx: Any, context: Context, member: Member, person: Person) -> None:
    now, account = context.process.clock(), context.viewer.account
    await stored.propose(tx, member.family_id, uuid7(now), member.id, person, account, now)
    await confirm(tx, context, member.family_id, member.id, "CHANGE_PROPOSED", called(member.person))
    await context.record(tx, "member_change_proposed", family=member.family_id, subject=member.id)


async def remove(context: Context, key: Key) -> None:
    """Take a member out of its family: deleted when nothing refers to it, else kept as a former one.

    Raises Refusal: NOT_FOUND, LAST_ADULT.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        member, known = await _member(tx, context, key)
        if member.role == "ADULT" and sum(other.role == "ADULT" for other in known) == 1:
            raise context.refusal("LAST_ADULT", ["member"])
        deleted = await stored.remove(tx, member.family_id, member.id, now)
        await confirm(tx, context, member.family_id, member.id, "MEMBER_REMOVED", called(member.person))
        await context.record(tx, "member_removed", family=member.family_id, subject=member.id, deleted=deleted)


async def share(context: Context, key: Key, other_family: UUID) -> Key:
    """Let another family have the same child; it gets a row of its own, or the one it has is recognised.

    Raises Refusal: NOT_FOUND, NOT_A_CHILD, CHILD_NOT_ALLOWED, ALREADY_SHARED.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        families = {each.id: each for each in await stored_families.hold(tx, key[0], other_family)}
        if other_family not in families or other_family == key[0]:
            raise context.refusal("NOT_FOUND", ["family"])
        member, _ = await _member(tx, context, key)
        if member.role != "CHILD":
            raise context.refusal("NOT_A_CHILD", ["member"])
        if families[other_family].profile != "INDIVIDUAL":
            raise context.refusal("CHILD_NOT_ALLOWED", ["family"])
        if member.child_id and len(await stored.sides(tx, member.child_id)) >= MOST_FAMILIES:
            raise context.refusal("ALREADY_SHARED", ["member"])
        child_id = member.child_id or uuid7(now)
        other = await _other_side(tx, context, member, other_family, child_id)
        await stored.share(tx, member.family_id, member.id, child_id)
        for family_id, member_id in sorted([key, other]):
            await confirm(tx, context, family_id, member_id, "CHILD_SHARED", called(member.person))
            await context.record(tx, "child_shared", family=family_id, subject=member_id)
    return other


async def _other_side(tx: Any, context: Context, member: Member, family_id: UUID, child_id: UUID) -> Key:
    """Recognise the child among the members of the other family, or add it; its school is each family's own."""
    for other in await stored.current(tx, family_id):
        if other.person == member.person and other.role == "CHILD":
            if other.child_id is not None:
                raise context.refusal("ALREADY_SHARED", ["family"])
            await stored.share(tx, family_id, other.id, child_id)
            return family_id, other.id
    now = context.process.clock()
    added = Member(family_id, uuid7(now), "CHILD", member.person, None, child_id)
    await stored.insert(tx, added, now)
    return family_id, added.id


async def unshare(context: Context, key: Key) -> None:
    """End what `share` did; each family keeps its row. Raises Refusal NOT_FOUND."""
    async with context.transaction() as tx:
        member, _ = await _member(tx, context, key)
        if member.child_id is None:
            raise context.refusal("NOT_FOUND", ["member"])
        for side in await stored.sides(tx, member.child_id):
            await confirm(tx, context, side.family_id, side.id, "CHILD_UNSHARED", called(side.person))
            await context.record(tx, "child_unshared", family=side.family_id, subject=side.id)
        await stored.unshare(tx, member.child_id)


async def decide(context: Context, key: Key, *, accept: bool) -> Key:
    """Decide what a family proposed for a shared child: accepted, it is changed on both sides. Gives the member.

    Raises Refusal: NOT_FOUND, also for what is decided already; MEMBER_TWICE.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        change = await stored.open_change(tx, *key)
        if change is None:
            raise context.refusal("NOT_FOUND", ["change"])
        member, known = await _member(tx, context, (change.family_id, change.member_id))
        if accept and any(other.person == change.person for other in known if other.id != member.id):
            raise context.refusal("MEMBER_TWICE", ["change"])
        await stored.decide(tx, change, context.viewer.agent, now, accepted=accept)
        await context.record(tx, "member_change_decided", family=member.family_id, subject=change.id, accepted=accept)
        if accept:
            await _write(tx, context, member, change.person, member.school)
        else:
            await confirm(tx, context, member.family_id, member.id, "CHANGE_REFUSED", called(member.person))
    return member.family_id, member.id


def called(person: Person) -> str:
    """Give a person's name as messages have it."""
    return f"{person.first_name} {person.last_name}"
