"""Members come and go, identifiers are checked, and agents find a family by any way of writing its name (R6, R11)."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from resolvers import identifiers
from resolvers.people import age
from tests.house import House, Made

MEMBERS = """query { viewer { family { id number profile siret rna registryNumber
    members(first: 100) { edges { node { id role firstName lastName birthDate school shared } } }
    formerMembers { edges { node { id firstName endedAt } } }
    inbox(first: 5) { edges { node { type summary } } } } } }"""
ADD = """mutation ($role: MemberRole!, $first: String!, $last: String!, $born: Date, $school: String, $family: ID) {
    addMember(role: $role, firstName: $first, lastName: $last, birthDate: $born, school: $school, family: $family) {
        problems { code path } member { id role firstName lastName birthDate school } } }"""
UPDATE = """mutation ($member: ID!, $first: String, $school: String, $born: Date) {
    updateMember(member: $member, firstName: $first, school: $school, birthDate: $born) {
        problems { code path } proposed member { firstName lastName birthDate school } } }"""
REMOVE = "mutation ($m: ID!) { removeMember(member: $m) { problems { code path } member { endedAt } } }"
IDENTIFY = """mutation ($siret: String, $rna: String, $registry: String, $profile: Profile, $family: ID) {
    setFamilyIdentifier(siret: $siret, rna: $rna, registryNumber: $registry, profile: $profile, family: $family) {
        problems { code path } family { profile siret rna registryNumber } } }"""
SEARCH = "query ($s: String) { families(search: $s, first: 20) { edges { node { number name } } } }"
START_FOR = """mutation ($kind: String!, $key: String!, $member: ID!) {
    startProcedure(kind: $kind, idempotencyKey: $key, member: $member) { problems { code } } }"""
SIRET = "73282932000074"


async def family_of(house: House, token: str) -> Any:
    """Give what a family sees of itself."""
    return (await house.ask(MEMBERS, token)).data["viewer"]["family"]


async def names(house: House, token: str) -> list[str]:
    """Give the first names of the members."""
    return [edge["node"]["firstName"] for edge in (await family_of(house, token))["members"]["edges"]]


async def add(house: House, token: str, **given: Any) -> Any:
    """Add a member."""
    return await house.do(ADD, token, **{"role": "CHILD", "first": "Zoé", "last": "Essai", **given})


async def acts(house: House, family: Made) -> list[str]:
    """Give what the audit log says of a family but its sign-ins, oldest first."""
    rows = await house.connection.fetch(
        "select act from audit_entry where family_id = $1 and act <> 'signed_in' order by number", family.id
    )
    return [row["act"] for row in rows]


async def test_a_family_adds_changes_and_removes_members_and_each_step_is_confirmed(house: House) -> None:
    family, token = await house.member()
    born = (house.clock() - timedelta(days=8 * 365)).date().isoformat()
    added = (await add(house, token, first="  Zoe\u0301   d’Arc ", last="Lévy-Ŝerer", born=born, school="École A"))[
        "member"
    ]
    assert (added["firstName"], added["lastName"], added["birthDate"]) == ("Zoé d’Arc", "Lévy-Ŝerer", born)
    changed = await house.do(UPDATE, token, member=added["id"], school="École B")
    assert changed["member"] == {
        "firstName": "Zoé d’Arc",
        "lastName": "Lévy-Ŝerer",
        "birthDate": born,
        "school": "École B",
    }
    assert changed["proposed"] is False
    assert (await house.do(UPDATE, token, member=added["id"], school=None))["member"]["school"] is None
    assert (await house.do(REMOVE, token, m=added["id"]))["member"] is None
    assert await names(house, token) == ["Enfant 1"]
    told = [edge["node"]["summary"] for edge in (await family_of(house, token))["inbox"]["edges"]]
    assert told[0] == "Zoé d’Arc Lévy-Ŝerer ne figure plus parmi les membres de votre compte."
    assert len(told) == 4
    assert await acts(house, family) == ["member_added", "member_changed", "member_changed", "member_removed"]
    assert "ne figure plus" in await house.mail_to(family.email, "ne figure plus")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"first": ""}, "NAME_NOT_VALID"),
    ({"first": "x" * 101}, "NAME_NOT_VALID"),
    ({"last": "Robert'); --"}, "NAME_NOT_VALID"),
    ({"last": "a\u0007b"}, "NAME_NOT_VALID"),
    ({"last": "a\u202eb"}, "NAME_NOT_VALID"),
    ({"last": "-'"}, "NAME_NOT_VALID"),
    ({"last": "R2D2"}, "NAME_NOT_VALID"),
    ({"born": "2999-01-01"}, "BIRTH_DATE_NOT_VALID"),
    ({"born": "1880-01-01", "role": "ADULT"}, "BIRTH_DATE_NOT_VALID"),
    ({"born": "1990-01-01"}, "TOO_OLD_FOR_A_CHILD"),
    ({"school": "x" * 201}, "SCHOOL_NOT_VALID"),
    ({"school": "Lycée", "role": "ADULT"}, "SCHOOL_NOT_VALID"),
    ({"first": "Enfant 1"}, "NAME_NOT_VALID"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG)
async def test_a_member_that_cannot_be_is_refused_without_effect(
    house: House, wrong: dict[str, Any], code: str
) -> None:
    family, token = await house.member()
    given = {"role": "CHILD", "first": "Zoé", "last": "Essai", **wrong}
    assert await house.problems(ADD, token, **given) == [code]
    assert await names(house, token) == ["Enfant 1"]
    assert await acts(house, family) == []


def test_a_birthday_counts_from_its_day_on() -> None:
    assert age(date(2001, 11, 24), date(2026, 11, 23)) == 24
    assert age(date(2001, 11, 23), date(2026, 11, 23)) == 25
    assert age(date(2026, 11, 24), date(2026, 11, 23)) == -1


async def test_the_same_person_is_no_member_twice_and_there_is_an_end_to_members(house: House) -> None:
    _, token = await house.member()
    added = await add(house, token)
    other = await add(house, token, first="Léo")
    given = {"role": "CHILD", "first": "Zoé", "last": "Essai"}
    assert await house.problems(ADD, token, **given) == ["MEMBER_TWICE"]
    assert await house.problems(UPDATE, token, member=other["member"]["id"], first="Zoé") == ["MEMBER_TWICE"]
    await house.connection.execute(
        """insert into member (family_id, id, role, first_name, last_name, created_at)
           select family_id, gen_random_uuid(), 'CHILD', 'x', 'y' || n, now()
           from member, generate_series(1, 97) n where first_name = 'Zoé' and last_name = 'Essai'"""
    )
    assert added["member"]["firstName"] == "Zoé"
    assert await house.problems(ADD, token, **given | {"first": "Max"}) == ["TOO_MANY_MEMBERS"]


async def test_parallel_additions_of_one_person_make_one_member(house: House) -> None:
    _, token = await house.member()
    given = {"role": "CHILD", "first": "Zoé", "last": "Essai"}
    codes = await asyncio.gather(*(house.problems(ADD, token, **given) for _ in range(6)))
    assert sorted(codes) == [[], *[["MEMBER_TWICE"]] * 5]
    assert await names(house, token) == ["Enfant 1", "Zoé"]


async def test_a_member_whom_a_procedure_names_stays_as_a_former_one(house: House) -> None:
    _, token = await house.member()
    child = (await family_of(house, token))["members"]["edges"][0]["node"]["id"]
    await house.do(START_FOR, token, kind="cantine", key="une-cle-unique", member=child)
    assert (await house.do(REMOVE, token, m=child))["member"]["endedAt"] is not None
    family = await family_of(house, token)
    assert family["members"]["edges"] == []
    assert [edge["node"]["firstName"] for edge in family["formerMembers"]["edges"]] == ["Enfant 1"]
    assert await house.problems(REMOVE, token, m=child) == ["NOT_FOUND"]
    assert await house.problems(UPDATE, token, member=child, school="X") == ["NOT_FOUND"]
    assert await house.problems(START_FOR, token, kind="cantine", key="une-autre-cle", member=child) == ["NOT_FOUND"]


async def test_the_last_adult_stays(house: House) -> None:
    _, token = await house.member()
    first = await add(house, token, role="ADULT", first="Anne")
    second = await add(house, token, role="ADULT", first="Paul")
    await house.do(REMOVE, token, m=first["member"]["id"])
    assert await house.problems(REMOVE, token, m=second["member"]["id"]) == ["LAST_ADULT"]
    assert await names(house, token) == ["Enfant 1", "Paul"]


async def test_another_family_reaches_no_member_and_adds_none(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    mine = await family_of(house, token)
    child = mine["members"]["edges"][0]["node"]["id"]
    assert await house.problems(UPDATE, stranger, member=child, school="X") == ["NOT_FOUND"]
    assert await house.problems(REMOVE, stranger, m=child) == ["NOT_FOUND"]
    given = {"role": "CHILD", "first": "Zoé", "last": "Essai", "family": mine["id"]}
    assert await house.problems(ADD, stranger, **given) == ["NOT_FOUND"]
    assert await family_of(house, token) == mine


async def test_an_agent_serves_a_family_at_the_counter_and_it_is_told(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    identity = (await family_of(house, token))["id"]
    added = await add(house, agent, family=identity)
    await house.do(UPDATE, agent, member=added["member"]["id"], school="École des Pins")
    assert await names(house, token) == ["Enfant 1", "Zoé"]
    inbox = (await family_of(house, token))["inbox"]["edges"]
    assert [edge["node"]["type"] for edge in inbox] == ["family_changed"] * 2
    given = {"role": "CHILD", "first": "Zoé", "last": "Essai"}
    assert await house.problems(ADD, agent, **given) == ["BAD_USER_INPUT"]
    rows = await house.connection.fetch(
        "select actor from audit_entry where family_id = $1 and act like 'member%'", family.id
    )
    assert [row["actor"] for row in rows] == ["AGENT", "AGENT"]


async def become(house: House, family: Made, profile: str) -> None:
    """Make a family an organisation, behind the scenes."""
    await house.connection.execute("delete from member where family_id = $1", family.id)
    await house.connection.execute("update family set profile = $2 where id = $1", family.id, profile)


async def test_a_professional_gives_a_siret_and_has_adult_contacts_only(house: House) -> None:
    family, token = await house.member()
    await become(house, family, "PROFESSIONAL")
    assert (await family_of(house, token))["siret"] is None, "rows of before may have none"
    for wrong, code in [
        ({"siret": "73282932000075"}, "SIRET_NOT_VALID"),
        ({"siret": "732829320"}, "SIRET_NOT_VALID"),
        ({"siret": "٧٣٢٨٢٩٣٢٠٠٠٠٧٤"}, "SIRET_NOT_VALID"),
        ({}, "IDENTIFIER_MISSING"),
        ({"siret": SIRET, "rna": "W751234567"}, "IDENTIFIER_NOT_FOR_PROFILE"),
        ({"siret": SIRET, "profile": "ASSOCIATION"}, "FORBIDDEN"),
    ]:
        assert await house.problems(IDENTIFY, token, **wrong) == [code]
    assert (await family_of(house, token))["siret"] is None
    given = await house.do(IDENTIFY, token, siret=" 732 829 320 00074 ")
    assert given["family"]["siret"] == SIRET
    child = {"role": "CHILD", "first": "Zoé", "last": "Essai"}
    assert await house.problems(ADD, token, **child) == ["CHILD_NOT_ALLOWED"]
    await add(house, token, role="ADULT")


async def test_an_association_gives_its_rna_or_registry_number(house: House) -> None:
    family, token = await house.member()
    await become(house, family, "ASSOCIATION")
    for wrong, code in [
        ({"rna": "751234567"}, "RNA_NOT_VALID"),
        ({"registry": "94-123"}, "REGISTRY_NUMBER_NOT_VALID"),
        ({"registry": "732829321"}, "REGISTRY_NUMBER_NOT_VALID"),
        ({"siret": SIRET}, "IDENTIFIER_MISSING"),
    ]:
        assert await house.problems(IDENTIFY, token, **wrong) == [code]
    assert (await house.do(IDENTIFY, token, rna="w751 234 567"))["family"]["rna"] == "W751234567"
    given = await house.do(IDENTIFY, token, registry="94 / 123", siret=SIRET)
    assert given["family"] == {"profile": "ASSOCIATION", "siret": SIRET, "rna": None, "registryNumber": "94/123"}


async def test_a_household_has_no_identifier_and_only_an_agent_corrects_the_profile(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    identity = (await family_of(house, token))["id"]
    assert await house.problems(IDENTIFY, token, siret=SIRET) == ["IDENTIFIER_NOT_FOR_PROFILE"]
    wanted = {"siret": SIRET, "profile": "PROFESSIONAL", "family": identity}
    assert await house.problems(IDENTIFY, agent, **wanted) == ["CHILD_NOT_ALLOWED"], "it has a child"
    await house.connection.execute("delete from member where family_id = $1", family.id)
    assert (await house.do(IDENTIFY, agent, **wanted))["family"]["profile"] == "PROFESSIONAL"
    assert await acts(house, family) == ["family_identified"]


def test_identifiers_are_checked_by_their_own_rules() -> None:
    for good in ("35600000049837", "35600000000048", SIRET):
        assert identifiers.siret_of(good) == good, "La Poste's offices have a rule of their own"
    assert identifiers.rna_of("W2A1000123") == "W2A1000123"
    assert identifiers.registry_number_of("732 829 320") == "732829320"
    for wrong in ("35600000049838", "", "W751234567", "7328293200007é"):
        with pytest.raises(identifiers.NotValid):
            identifiers.siret_of(wrong)


async def test_an_agent_finds_a_family_by_number_or_by_any_word_of_its_name(house: House) -> None:
    made = await house.make_family("Lévy-Bœuf d’Arc de l'Étoile")
    agent = await house.agent()

    async def found(text: str) -> bool:
        page = (await house.ask(SEARCH, agent, s=text)).data["families"]["edges"]
        return made.number in [edge["node"]["number"] for edge in page]

    for text in (
        "levy",
        "LÉVY bœuf",
        "boeuf",
        "arc etoile",
        "d'arc",
        "étoile LÉVY",
        "  levy-b",
        made.number,
        made.number[:5],
    ):
        assert await found(text), text
    for text in ("evy", "levy martin", "%", "_", "' or true --", "\\", "9" * 3000, "x" * 5000):
        assert text in ("%", "_", "\\") or not await found(text), text
    assert (await house.ask(SEARCH, agent, s="")).data["families"]["edges"] != []
    everything = (await house.ask(SEARCH, agent, s="%%%")).data["families"]["edges"]
    assert len(everything) == 20, "signs are no words: nothing is asked"
