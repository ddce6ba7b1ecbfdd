"""A child of separated parents is in two families, and neither learns anything of the other (R11)."""

import json
import re
from typing import Any

from tests.house import House, Made
from tests.test_families import ADD, REMOVE, START_FOR, UPDATE, acts, family_of

SHARE = """mutation ($member: ID!, $family: ID!) { shareChild(member: $member, family: $family) {
    problems { code path } member { id firstName shared } } }"""
UNSHARE = "mutation ($member: ID!) { unshareChild(member: $member) { problems { code } member { shared } } }"
RENAME = """mutation ($member: ID!, $first: String, $school: String) {
    updateMember(member: $member, firstName: $first, school: $school) { problems { code path } proposed
        member { firstName school proposedChange { id firstName lastName } } } }"""
DECIDE = """mutation ($change: ID!, $accept: Boolean!) { decideMemberChange(change: $change, accept: $accept) {
    problems { code path } member { firstName } } }"""
WAITING = """query { memberChanges(first: 10) { edges { node { id familyNumber firstName member { firstName } } } } }"""
EVERYTHING = """query { viewer { family { id number name
    members(first: 5) { edges { node { __typename id role firstName lastName birthDate school shared endedAt
        proposedChange { id firstName } } } }
    procedures(first: 5) { edges { node { id reference } } }
    inbox(first: 20) { edges { node { id type summary deliveries(first: 2) { edges { node { address } } } } } }
    deliveries { edges { node { address } } } accounts { edges { node { email } } }
    quotients(first: 5) { edges { node { id value } } } invitations(first: 5) { edges { node { email } } } } } }"""


async def two_families(house: House) -> tuple[tuple[Made, str], tuple[Made, str], str]:
    """Give two families that share a child, and an agent."""
    ours, theirs, agent = await house.member(), await house.member(), await house.agent()
    child = (await house.do(ADD, ours[1], role="CHILD", first="Zoé", last="Commune", school="École A"))["member"]["id"]
    second = (await family_of(house, theirs[1]))["id"]
    await house.do(SHARE, agent, member=child, family=second)
    return ours, theirs, agent


async def child_of(house: House, token: str) -> Any:
    """Give the shared child as a family sees it."""
    [child] = [edge["node"] for edge in (await family_of(house, token))["members"]["edges"] if edge["node"]["shared"]]
    return child


async def test_each_side_has_its_own_row_of_the_child(house: House) -> None:
    ours, theirs, _ = await two_families(house)
    mine, other = await child_of(house, ours[1]), await child_of(house, theirs[1])
    assert mine["id"] != other["id"]
    assert (mine["firstName"], mine["school"]) == ("Zoé", "École A")
    assert (other["firstName"], other["school"]) == ("Zoé", None), "what a family said of the school is its own"
    await house.do(UPDATE, theirs[1], member=other["id"], school="École B")
    assert (await child_of(house, ours[1]))["school"] == "École A"
    assert (await acts(house, theirs[0]))[:1] == ["child_shared"]


async def test_neither_family_learns_anything_of_the_other(house: House) -> None:
    ours, theirs, agent = await two_families(house)
    mine, other = await child_of(house, ours[1]), await child_of(house, theirs[1])
    for token, child in ((ours[1], mine), (theirs[1], other)):
        await house.do(START_FOR, token, kind="cantine", key=f"cle-{child['id'][-12:]}", member=child["id"])
    await house.do(RENAME, agent, member=mine["id"], first="Zoë")
    await house.do(RENAME, theirs[1], member=other["id"], first="Zora")
    for (family, token), (stranger, its_token) in ((ours, theirs), (theirs, ours)):
        seen = json.dumps((await house.ask(EVERYTHING, token)).body, ensure_ascii=False)
        foreign = (await house.ask(EVERYTHING, its_token)).data["viewer"]["family"]
        secrets = [stranger.number, stranger.email, str(stranger.id), foreign["id"]]
        for name in ("members", "procedures", "inbox"):
            secrets += [edge["node"]["id"] for edge in foreign[name]["edges"]]
        secrets += [edge["node"]["reference"] for edge in foreign["procedures"]["edges"]]
        assert len(secrets) > 8 and [secret for secret in secrets if secret in seen] == [], family.number
    seen = json.dumps((await house.ask(EVERYTHING, ours[1])).data)
    assert not re.search(r"\bZora\b", seen), "nor what the other one asks for"
    news = "select string_agg(data::text, '') from news where family_id = $1"
    for (family, _), (stranger, _) in ((ours, theirs), (theirs, ours)):
        told = await house.connection.fetchval(news, family.id)
        assert stranger.number not in told and stranger.email not in told


async def test_a_family_proposes_and_an_agent_changes_both_sides(house: House) -> None:
    ours, theirs, agent = await two_families(house)
    mine, other = await child_of(house, ours[1]), await child_of(house, theirs[1])
    asked = await house.do(RENAME, ours[1], member=mine["id"], first="Zoë", school="École C")
    assert asked["proposed"] is True
    assert asked["member"]["firstName"] == "Zoé" and asked["member"]["school"] == "École C"
    assert (await house.do(RENAME, ours[1], member=mine["id"], first="Zoï"))["member"]["proposedChange"] == {
        "id": asked["member"]["proposedChange"]["id"],
        "firstName": "Zoï",
        "lastName": "Commune",
    }, "the last thing said counts"
    [waiting] = (await house.ask(WAITING, agent)).data["memberChanges"]["edges"]
    assert waiting["node"]["familyNumber"] == ours[0].number
    assert (await house.ask(DECIDE, ours[1], change=waiting["node"]["id"], accept=True)).codes == ["FORBIDDEN"]
    await house.do(DECIDE, agent, change=waiting["node"]["id"], accept=True)
    assert (await child_of(house, ours[1]))["firstName"] == (await child_of(house, theirs[1]))["firstName"] == "Zoï"
    assert (await house.ask(WAITING, agent)).data["memberChanges"]["edges"] == []
    assert await house.problems(DECIDE, agent, change=waiting["node"]["id"], accept=True) == ["NOT_FOUND"]
    refused = await house.do(RENAME, theirs[1], member=other["id"], first="Zora")
    await house.do(DECIDE, agent, change=refused["member"]["proposedChange"]["id"], accept=False)
    assert (await child_of(house, theirs[1]))["firstName"] == "Zoï"
    assert "member_changed" in await acts(house, theirs[0])
    assert (await acts(house, theirs[0]))[-1] == "member_change_decided"


async def test_a_child_that_the_other_family_has_already_is_recognised(house: House) -> None:
    ours, theirs, agent = await house.member(), await house.member(), await house.agent()
    first, second = [
        (await house.do(ADD, token, role="CHILD", first="Léo", last="Commun", born="2019-05-01"))["member"]["id"]
        for _, token in (ours, theirs)
    ]
    identity = (await family_of(house, theirs[1]))["id"]
    shared = await house.do(SHARE, agent, member=first, family=identity)
    assert shared["member"] == {"id": second, "firstName": "Léo", "shared": True}
    assert len((await family_of(house, theirs[1]))["members"]["edges"]) == 2


async def test_what_cannot_be_shared_is_refused_without_effect(house: House) -> None:
    ours, theirs, agent = await two_families(house)
    third = await house.member()
    child = (await child_of(house, ours[1]))["id"]
    adult = (await house.do(ADD, ours[1], role="ADULT", first="Anne", last="Essai"))["member"]["id"]
    second, other = (await family_of(house, theirs[1]))["id"], (await family_of(house, third[1]))["id"]
    own = (await family_of(house, ours[1]))["id"]
    assert await house.problems(SHARE, agent, member=child, family=other) == ["ALREADY_SHARED"]
    assert await house.problems(SHARE, agent, member=child, family=second) == ["ALREADY_SHARED"]
    assert await house.problems(SHARE, agent, member=adult, family=second) == ["NOT_A_CHILD"]
    assert await house.problems(SHARE, agent, member=child, family=own) == ["NOT_FOUND"]
    await house.connection.execute("update family set profile = 'ASSOCIATION' where id = $1", third[0].id)
    plain = (await house.do(ADD, ours[1], role="CHILD", first="Max", last="Essai"))["member"]["id"]
    assert await house.problems(SHARE, agent, member=plain, family=other) == ["CHILD_NOT_ALLOWED"]
    assert (await house.ask(SHARE, ours[1], member=plain, family=second)).codes == ["FORBIDDEN"]
    assert len((await family_of(house, third[1]))["members"]["edges"]) == 1


async def test_a_child_that_the_other_family_shares_with_a_third_is_not_shared_again(house: House) -> None:
    ours, theirs, agent = await two_families(house)
    third = await house.member()
    twin = (await house.do(ADD, third[1], role="CHILD", first="Zoé", last="Commune"))["member"]["id"]
    family = (await family_of(house, theirs[1]))["id"]
    assert await house.problems(SHARE, agent, member=twin, family=family) == ["ALREADY_SHARED"]
    assert not any(edge["node"]["shared"] for edge in (await family_of(house, third[1]))["members"]["edges"])
    assert (await child_of(house, ours[1]))["shared"]


async def test_what_is_not_shared_is_not_parted(house: House) -> None:
    _, token = await house.member()
    child = (await house.do(ADD, token, role="CHILD", first="Max", last="Essai"))["member"]["id"]
    agent = await house.agent()
    before = await house.connection.fetchval("select count(*) from audit_entry")
    assert await house.problems(UNSHARE, agent, member=child) == ["NOT_FOUND"]
    assert await house.connection.fetchval("select count(*) from audit_entry") == before


async def test_a_proposal_that_would_make_a_member_twice_is_not_accepted(house: House) -> None:
    ours, _, agent = await two_families(house)
    child = (await child_of(house, ours[1]))["id"]
    change = (await house.do(RENAME, ours[1], member=child, first="Nina"))["member"]["proposedChange"]["id"]
    await house.do(ADD, ours[1], role="CHILD", first="Nina", last="Commune")
    assert await house.problems(DECIDE, agent, change=change, accept=True) == ["MEMBER_TWICE"]
    assert (await child_of(house, ours[1]))["firstName"] == "Zoé"
    assert await house.problems(DECIDE, agent, change=change, accept=False) == []


async def test_one_side_may_let_go_and_the_other_keeps_its_child(house: House) -> None:
    ours, theirs, agent = await two_families(house)
    mine = (await child_of(house, ours[1]))["id"]
    await house.do(UNSHARE, agent, member=mine)
    for _, token in (ours, theirs):
        members = (await family_of(house, token))["members"]["edges"]
        assert ["Zoé", False] in [[edge["node"]["firstName"], edge["node"]["shared"]] for edge in members]
    assert (await house.do(RENAME, ours[1], member=mine, first="Zoï"))["proposed"] is False
    await house.do(REMOVE, ours[1], m=mine)
    names = [edge["node"]["firstName"] for edge in (await family_of(house, theirs[1]))["members"]["edges"]]
    assert names == ["Enfant 1", "Zoé"]
