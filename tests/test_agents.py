"""Administration of staff: who may, what it changes, and that it ends at once what no longer holds."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from db.ids import uuid7
from db.pool import API_ROLE
from resolvers.viewer import Kind, Viewer
from tests.house import PASSWORD, SIGN_IN, House, token_in
from tests.live import Socket
from tests.test_second_factor import begin, enrol

AGENT = "agent { id name email roles disabledAt services { edges { node { code } } } }"
SAVE = f"""mutation ($email: EmailAddress!, $name: String!, $roles: [AgentRole!]!, $services: [ID!]!, $agent: ID) {{
    saveAgent(email: $email, name: $name, roles: $roles, services: $services, agent: $agent) {{
        problems {{ code path }} {AGENT} passwordLink }} }}"""
DISABLE = f"mutation ($agent: ID!) {{ disableAgent(agent: $agent) {{ problems {{ code }} {AGENT} }} }}"
ENABLE = f"mutation ($agent: ID!) {{ enableAgent(agent: $agent) {{ problems {{ code }} {AGENT} }} }}"
RESET = "mutation ($agent: ID!) { resetSecondFactor(agent: $agent) { problems { code } agent { id } } }"
LINK = "mutation ($agent: ID!) { issueAgentPasswordLink(agent: $agent) { problems { code } passwordLink } }"
SET = """mutation ($token: String!, $password: String!) {
    setAgentPassword(token: $token, password: $password) { problems { code } } }"""
AGENTS = """query ($search: String) { agents(search: $search, first: 20) { edges { node {
    id name email roles services(first: 9) { edges { node { id code } } } secondFactors { totalCount } } } } }"""
WHO = "{ viewer { agent { name } } }"
FOLLOW = "subscription ($p: ID!) { procedureStatusChanged(procedure: $p) { cursor } }"
ADMIN = "admin@mairie.example"
NEW = "Nouvelle-Aube-58"


async def admin_of(house: House) -> str:
    return await house.sign_in(ADMIN, agent=True)


async def found(house: House, admin: str, search: str) -> dict[str, Any]:
    [edge] = (await house.ask(AGENTS, admin, search=search)).data["agents"]["edges"]
    agent: dict[str, Any] = edge["node"]
    return agent


async def as_saved(house: House, admin: str, search: str, **changed: Any) -> dict[str, Any]:
    """Give what saves an agent as it is, but for what is changed."""
    agent = await found(house, admin, search)
    services = [edge["node"]["id"] for edge in agent["services"]["edges"]]
    given = {"email": agent["email"], "name": agent["name"], "roles": agent["roles"], "services": services}
    return given | {"agent": agent["id"]} | changed


async def staff(house: House) -> list[Any]:
    return [tuple(row.values()) for row in await house.connection.fetch("select * from agent order by id")]


async def test_a_new_agent_sets_its_password_once_by_the_link_that_the_administrator_hands_over(house: House) -> None:
    admin = await admin_of(house)
    services = [edge["node"]["id"] for edge in (await found(house, admin, "etat.civil"))["services"]["edges"]]
    given = {"email": "Lea.Moreau@Mairie.Example", "name": " Léa  Moreau ", "roles": ["AGENT"], "services": services}
    made = await house.do(SAVE, admin, **given)
    agent, token = made["agent"], token_in(made["passwordLink"])
    assert (agent["name"], agent["email"], agent["roles"]) == ("Léa Moreau", "lea.moreau@mairie.example", ["AGENT"])
    wrong = {"identifier": agent["email"], "as_": "AGENT"}
    assert await house.problems(SIGN_IN, password=PASSWORD, **wrong) == ["BAD_CREDENTIALS"]
    assert await house.problems(SET, token=token, password="court") != []
    assert await house.problems(SET, token=token, password="Lea-Moreau-33") == ["PASSWORD_PERSONAL"]
    together = await asyncio.gather(*(house.problems(SET, token=token, password=NEW) for _ in range(2)))
    assert sorted(together) == [[], ["LINK_NOT_VALID"]]
    assert await house.problems(SET, token=token, password=PASSWORD) == ["LINK_NOT_VALID"]
    assert (await house.do(SIGN_IN, password=NEW, **wrong))["session"]


async def test_a_password_link_ends_after_a_day_and_with_the_password_it_was_made_for(house: House) -> None:
    admin = await admin_of(house)
    agent = (await found(house, admin, "voirie"))["id"]
    first, second = [token_in((await house.do(LINK, admin, agent=agent))["passwordLink"]) for _ in range(2)]
    session = await house.agent("voirie")
    await house.do(SET, token=second, password=NEW)
    assert (await house.ask(WHO, session)).codes == ["UNAUTHENTICATED"]
    assert await house.problems(SET, token=first, password=PASSWORD) == ["LINK_NOT_VALID"]
    late = token_in((await house.do(LINK, admin, agent=agent))["passwordLink"])
    house.clock.ahead += timedelta(hours=24, seconds=1)
    for token in (late, "", "x", late[:-4] + "AAAA"):
        assert await house.problems(SET, token=token, password=PASSWORD) == ["LINK_NOT_VALID"]


async def test_only_administrators_administer_and_others_change_nothing(house: House) -> None:
    admin = await admin_of(house)
    given = await as_saved(house, admin, "voirie", name="Autre Nom")
    before = await staff(house)
    _, family = await house.member()
    for token, code in ((None, "UNAUTHENTICATED"), (family, "FORBIDDEN"), (await house.agent(), "FORBIDDEN")):
        assert (await house.ask(SAVE, token, **given)).codes == [code]
        for mutation in (DISABLE, ENABLE, RESET, LINK):
            assert (await house.ask(mutation, token, agent=given["agent"])).codes == [code]
        assert (await house.ask(AGENTS, token)).codes == [code]
    assert await staff(house) == before


async def test_an_agent_sees_itself_only_and_an_administrator_everybody(house: House) -> None:
    admin = await admin_of(house)
    agent = (await found(house, admin, "voirie"))["id"]
    ask = "query ($id: ID!) { node(id: $id) { ... on Agent { email } } }"
    assert (await house.ask(ask, await house.agent(), id=agent)).data == {"node": None}
    assert (await house.ask(ask, admin, id=agent)).data["node"]["email"] == "voirie@mairie.example"
    assert len((await house.ask(AGENTS, admin)).data["agents"]["edges"]) == 6
    assert (await found(house, admin, "etcheverry"))["email"] == "regie@mairie.example"


async def test_a_change_of_rights_ends_sessions_and_streams_and_a_change_of_name_does_not(house: House) -> None:
    admin, agent = await admin_of(house), await house.agent()
    _, family = await house.member()
    procedure = await house.submitted(family)
    async with Socket(house, agent) as socket:
        await socket.subscribe("1", FOLLOW, p=procedure)
        await house.do(SAVE, admin, **await as_saved(house, admin, "scolaire", name="Thomas L."))
        assert (await house.ask(WHO, agent)).data["viewer"]["agent"]["name"] == "Thomas L."
        await house.do(SAVE, admin, **await as_saved(house, admin, "scolaire", services=[]))
        assert (await house.ask(WHO, agent)).codes == ["UNAUTHENTICATED"]
        assert await socket.closed() == 4403
    again = await house.agent()
    take = "mutation ($p: ID!) { takeProcedure(procedure: $p) { problems { code } } }"
    assert await house.problems(take, again, p=procedure) == ["NOT_FOUND"]


async def test_a_disabled_agent_is_out_at_once_and_comes_back_when_enabled(house: House) -> None:
    admin, agent = await admin_of(house), await house.agent("voirie")
    app = await enrol(house, "etat.civil@mairie.example")
    asked = await begin(house, "etat.civil@mairie.example")
    for search in ("voirie", "etat.civil"):
        saved = await house.do(DISABLE, admin, agent=(await found(house, admin, search))["id"])
        assert saved["agent"]["disabledAt"]
    assert (await house.ask(WHO, agent)).codes == (await house.ask(WHO, app.token)).codes == ["UNAUTHENTICATED"]
    given = {"identifier": "voirie@mairie.example", "password": PASSWORD, "as_": "AGENT"}
    assert await house.problems(SIGN_IN, **given) == ["BAD_CREDENTIALS"]
    confirm = """mutation ($challenge: String!, $code: String!) {
        confirmSignIn(challenge: $challenge, code: $code) { problems { code } } }"""
    assert await house.problems(confirm, challenge=asked["challenge"], code=app.code()) == ["CHALLENGE_NOT_VALID"]
    await house.do(ENABLE, admin, agent=(await found(house, admin, "voirie"))["id"])
    assert (await house.do(SIGN_IN, **given))["session"]


async def test_there_is_always_an_administrator(house: House) -> None:
    admin = await admin_of(house)
    own = await as_saved(house, admin, ADMIN, roles=["AGENT"])
    assert await house.problems(SAVE, admin, **own) == ["LAST_ADMIN"]
    assert await house.problems(DISABLE, admin, agent=own["agent"]) == ["LAST_ADMIN"]
    await house.do(SAVE, admin, **await as_saved(house, admin, "voirie", roles=["ADMIN"]))
    other = await as_saved(house, admin, "voirie", roles=["AGENT"])
    replies = await asyncio.gather(house.ask(SAVE, admin, **own), house.ask(SAVE, admin, **other))
    assert sum(reply.codes == [] and reply.data["saveAgent"]["problems"] == [] for reply in replies) == 1
    left = "select count(*) from agent where 'ADMIN' = any(roles) and disabled_at is null"
    assert await house.connection.fetchval(left) == 1


async def test_lost_factors_are_reset_by_another_administrator_only(house: House) -> None:
    app = await enrol(house)
    admin = await admin_of(house)
    agent = await found(house, admin, "scolaire")
    assert agent["secondFactors"]["totalCount"] == 1
    await house.do(RESET, admin, agent=agent["id"])
    assert (await house.ask(WHO, app.token)).codes == ["UNAUTHENTICATED"]
    for table in ("second_factor", "recovery_code", "agent_challenge"):
        assert await house.connection.fetchval(f"select count(*) from {table}") == 0
    assert await house.agent()
    own = await enrol(house, ADMIN)
    assert await house.problems(RESET, own.token, agent=(await found(house, own.token, ADMIN))["id"]) == [
        "NOT_FOR_ONESELF"
    ]
    assert await house.connection.fetchval("select count(*) from second_factor") == 1


@pytest.mark.parametrize(
    ("changed", "code", "path"),
    [
        ({"email": "voirie@mairie.example"}, "EMAIL_TAKEN", ["email"]),
        ({"email": "pas une adresse"}, "EMAIL_NOT_VALID", ["email"]),
        ({"name": "  "}, "BAD_USER_INPUT", ["name"]),
        ({"name": "x" * 101}, "BAD_USER_INPUT", ["name"]),
        ({"roles": []}, "BAD_USER_INPUT", ["roles"]),
        ({"services": ["AAAA"]}, "NOT_FOUND", ["services"]),
        ({"agent": "AAAA"}, "NOT_FOUND", ["agent"]),
    ],
)
async def test_a_faulty_agent_is_refused_without_effect(
    house: House, changed: dict[str, Any], code: str, path: list[str]
) -> None:
    admin = await admin_of(house)
    given = await as_saved(house, admin, "scolaire", **changed)
    before = await staff(house)
    [problem] = (await house.ask(SAVE, admin, **given)).data["saveAgent"]["problems"]
    assert (problem["code"], problem["path"]) == (code, path)
    assert await staff(house) == before


async def test_the_database_lets_nobody_but_an_administrator_change_staff(house: House) -> None:
    """The second wall: even a resolver that forgot to ask could not give rights away."""
    assert house.opened is not None
    database, agent_id = house.opened.process.database, await house.connection.fetchval("select id from agent limit 1")
    plain = Viewer(Kind.AGENT, agent_id=agent_id, roles=frozenset({"AGENT"}))
    family = Viewer(Kind.FAMILY, family_id=uuid7())
    for viewer in (plain, family):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(viewer.sight) as tx:
                await tx.execute("update agent set roles = '{ADMIN}' where id = $1", agent_id)
    async with database.transaction(Viewer(Kind.AGENT, agent_id=uuid7(), roles=frozenset({"ADMIN"})).sight) as tx:
        assert await tx.fetchval("select current_user") == API_ROLE
        assert await tx.execute("update agent set name = 'Autre' where id = $1", agent_id) == "UPDATE 1"


async def test_every_act_on_staff_is_in_the_audit_log_without_names(house: House) -> None:
    admin = await admin_of(house)
    given = await as_saved(house, admin, "voirie", name="Un Autre Nom")
    await house.do(SAVE, admin, **given)
    for mutation in (DISABLE, ENABLE, RESET, LINK):
        await house.do(mutation, admin, agent=given["agent"])
    rows = await house.connection.fetch(
        "select act, actor, e::text as text from audit_entry e where act like 'agent_%' or act like 'second_%' "
        "order by number"
    )
    assert [row["act"] for row in rows] == [
        "agent_saved", "agent_disabled", "agent_enabled", "second_factor_reset", "agent_password_link_issued",
    ]  # fmt: skip
    assert {row["actor"] for row in rows} == {"AGENT"}
    assert not [row for row in rows if "Nom" in row["text"] or "@" in row["text"]]
