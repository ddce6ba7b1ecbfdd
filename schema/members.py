"""Members of families: adults and children, and children that two families share."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers import members
from schema.access import COUNTER, FAMILY_OR_COUNTER
from schema.declare import Payload, column, mutation, one, page, stored, written
from schema.relay import OLDEST_FIRST, OWN_OR_STAFF, Connection, Info, Node, key_of
from schema.tags import Tag


@strawberry.enum(description="What a member is in its family.")
class MemberRole(Enum):
    """Adults answer, children are registered."""

    ADULT = strawberry.enum_value("ADULT", description="An adult.")
    CHILD = strawberry.enum_value("CHILD", description="A child.")


@stored("member", OWN_OR_STAFF, tag=Tag.MEMBER)
@strawberry.type(description="An adult or a child of a family.")
class Member(Node):
    """A member of a family (R11)."""

    role: MemberRole = column("Adult or child.")
    first_name: str = column("First name.")
    last_name: str = column("Last name.")
    birth_date: date | None = column("Day of birth.")
    school: str | None = column("School, for a child that goes to one; what this family says.")
    shared: bool = column(
        "True for a child that another family has too: its names and birth date are changed by agents only.",
        "({t}.child_id is not null)",
    )
    ended_at: datetime | None = column("When it left the family, for former members.")
    proposed_change: "MemberChange | None" = one(
        "What the family asked to change and no agent decided yet; for shared children.",
        "{o}.family_id = {t}.family_id and {o}.member_id = {t}.id and {o}.decided_at is null",
    )


@stored("member_change", OWN_OR_STAFF, tag=Tag.MEMBER_CHANGE)
@strawberry.type(description="What a family asks to change of a child that another family has too; an agent decides.")
class MemberChange(Node):
    """A proposal (R11)."""

    member: Member = one("The child.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id")
    family_number: str = column(
        "Number of the family that asks.", "(select f.number from family f where f.id = {t}.family_id)"
    )
    first_name: str = column("First name as it shall be.")
    last_name: str = column("Last name as it shall be.")
    birth_date: date | None = column("Day of birth as it shall be.")
    proposed_at: datetime = column("When it was asked.")
    decided_at: datetime | None = column("When an agent decided.")
    accepted: bool | None = column("What was decided.")


@strawberry.type(description="What a change of a member gives.")
class MemberPayload(Payload):
    """Payload of commands on members."""

    member: Member | None = written("The member; none when it was deleted, or when nothing was done.")
    proposed: bool = strawberry.field(
        default=False, description="True when the change waits for an agent, because another family has the child too."
    )


@strawberry.type
class MemberQueries:
    """Root fields about members."""

    member_changes: Connection[MemberChange] = page(
        "What families ask to change of shared children, for agents: the oldest first.",
        "{o}.decided_at is null",
        OLDEST_FIRST,
        may=COUNTER,
    )


MemberId = Annotated[strawberry.ID, strawberry.argument(description="The member.")]
FirstName = Annotated[str, strawberry.argument(description="First name: letters, apostrophes, hyphens, blanks.")]
LastName = Annotated[str, strawberry.argument(description="Last name, likewise.")]
BirthDate = Annotated[date | None, strawberry.argument(description="Day of birth.")]
School = Annotated[str | None, strawberry.argument(description="School, for a child.")]


@strawberry.type
class MemberMutations:
    """Commands about members."""

    @mutation(may=FAMILY_OR_COUNTER, description="Add an adult or a child to the family; it is confirmed (R16).")
    async def add_member(
        info: Info,
        role: Annotated[MemberRole, strawberry.argument(description="Adult or child.")],
        first_name: FirstName,
        last_name: LastName,
        birth_date: BirthDate = None,
        school: School = None,
        family: Annotated[
            strawberry.ID | None, strawberry.argument(description="The family; agents say which one they serve.")
        ] = None,
    ) -> MemberPayload:
        """R11."""
        family_id = family_key(info, family)
        return _payload(
            await members.add(info.context, family_id, role.name, first_name, last_name, birth_date, school)
        )

    @mutation(
        may=FAMILY_OR_COUNTER,
        description="Change a member; what is not given stays. Names and birth date of a shared child are proposed: "
        "an agent decides.",
    )
    async def update_member(
        info: Info,
        member: MemberId,
        first_name: Annotated[str | None, strawberry.argument(description="First name.")] = UNSET,
        last_name: Annotated[str | None, strawberry.argument(description="Last name.")] = UNSET,
        birth_date: Annotated[date | None, strawberry.argument(description="Day of birth; null: unknown.")] = UNSET,
        school: Annotated[str | None, strawberry.argument(description="School; null: none.")] = UNSET,
    ) -> MemberPayload:
        """R11."""
        given: dict[str, Any] = {
            "first_name": first_name,
            "last_name": last_name,
            "birth_date": birth_date,
            "school": school,
        }
        said = {name: value for name, value in given.items() if value is not UNSET}
        key = _key(info, member)
        waits = await members.update(info.context, key, members.Given(frozenset(said), **said))
        return _payload(key, proposed=waits)

    @mutation(
        may=FAMILY_OR_COUNTER,
        description="Take a member out of the family: deleted, or kept as a former one when a procedure names it.",
    )
    async def remove_member(info: Info, member: MemberId) -> MemberPayload:
        """R11."""
        key = _key(info, member)
        await members.remove(info.context, key)
        return _payload(key)

    @mutation(
        may=COUNTER,
        description="Let a second family have the same child, as separated parents do; each sees its own side only.",
    )
    async def share_child(
        info: Info,
        member: Annotated[strawberry.ID, strawberry.argument(description="The child in its first family.")],
        family: Annotated[strawberry.ID, strawberry.argument(description="The second family.")],
    ) -> MemberPayload:
        """R11."""
        second = key_of(info.context, family, "Family", "family")[0]
        return _payload(await members.share(info.context, _key(info, member), second))

    @mutation(may=COUNTER, description="End what shareChild did: each family keeps its member.")
    async def unshare_child(info: Info, member: MemberId) -> MemberPayload:
        """R11."""
        key = _key(info, member)
        await members.unshare(info.context, key)
        return _payload(key)

    @mutation(may=COUNTER, description="Decide what a family asks to change of a shared child; both families are told.")
    async def decide_member_change(
        info: Info,
        change: Annotated[strawberry.ID, strawberry.argument(description="The proposal.")],
        accept: Annotated[bool, strawberry.argument(description="True: it is changed on both sides.")],
    ) -> MemberPayload:
        """R11."""
        family_id, change_id = key_of(info.context, change, "MemberChange", "change")
        return _payload(await members.decide(info.context, (family_id, change_id), accept=accept))


def family_key(info: Info, family: strawberry.ID | None) -> UUID | None:
    """Give the id of a family that a command names, if it does; raises Refusal NOT_FOUND."""
    return key_of(info.context, family, "Family", "family")[0] if family is not None else None


def _key(info: Info, member: str) -> members.Key:
    family_id, member_id = key_of(info.context, member, "Member", "member")
    return family_id, member_id


def _payload(key: members.Key, *, proposed: bool = False) -> MemberPayload:
    return MemberPayload(family_id=key[0], id=key[1], proposed=proposed)
