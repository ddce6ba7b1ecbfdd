"""The city ends an access (R22), and may give it back."""

import asyncio

from tests.house import PASSWORD, SIGN_IN, House
from tests.live import Socket

TERMINATE = """mutation ($family: ID!, $reason: String!) {
    terminateAccount(family: $family, reason: $reason) { problems { code } } }"""
REINSTATE = "mutation ($family: ID!) { reinstateAccount(family: $family) { problems { code } } }"
ACTIVATE = """mutation ($number: String!, $code: String!) {
    activateAccount(familyNumber: $number, activationCode: $code, email: "autre@example.org",
        password: "Pelican-Vert-26") { problems { code } } }"""
FAMILY = "query ($number: String!) { family(number: $number) { id terminatedAt terminationReason } }"
WHO = "{ viewer { family { number } } }"
FOLLOW = "subscription { news { cursor } }"
REASON = "Faux justificatifs de domicile."


async def admin(house: House) -> str:
    """Give an access token of an administrator."""
    email = await house.connection.fetchval("select email from agent where 'ADMIN' = any(roles) limit 1")
    return await house.sign_in(email, agent=True)


async def family_id(house: House, token: str, number: str) -> str:
    found: str = (await house.ask(FAMILY, token, number=number)).data["family"]["id"]
    return found


async def test_a_terminated_family_is_out_at_once_and_told_why(house: House) -> None:
    family, token = await house.member()
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        await house.do(TERMINATE, boss, family=identity, reason=REASON)
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
    assert f"> {REASON}" in await house.mail_to(family.email, "a été fermé")
    seen = (await house.ask(FAMILY, boss, number=family.number)).data["family"]
    assert seen["terminatedAt"] is not None and seen["terminationReason"] == REASON
    acts = await house.connection.fetch(
        "select act, actor, data::text from audit_entry where family_id = $1", family.id
    )
    assert ("account_terminated", "AGENT", "{}") in [tuple(row) for row in acts]


async def test_only_the_right_password_learns_of_the_termination(house: House) -> None:
    family, _ = await house.member()
    boss = await admin(house)
    await house.do(TERMINATE, boss, family=await family_id(house, boss, family.number), reason=REASON)
    before = await house.connection.fetchval("select count(*) from session where family_id = $1", family.id)
    given = {"identifier": family.email, "as_": "FAMILY"}
    assert await house.problems(SIGN_IN, password="Mauvais-Mot-1", **given) == ["BAD_CREDENTIALS"]
    assert await house.problems(SIGN_IN, password=PASSWORD, **given) == ["ACCOUNT_TERMINATED"]
    assert await house.connection.fetchval("select count(*) from session where family_id = $1", family.id) == before
    assert await house.problems(ACTIVATE, number=family.number, code=family.code) == ["ACTIVATION_REFUSED"]


async def test_a_sign_in_beside_a_termination_opens_nothing_that_stays(house: House) -> None:
    family, _ = await house.member()
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    given = {"identifier": family.email, "password": PASSWORD, "as_": "FAMILY"}
    signing = [house.ask(SIGN_IN, **given) for _ in range(3)]
    await asyncio.gather(*signing, house.do(TERMINATE, boss, family=identity, reason=REASON))
    alive = "select count(*) from session where family_id = $1 and ended_at is null"
    assert await house.connection.fetchval(alive, family.id) == 0


async def test_a_reinstated_family_signs_in_as_before(house: House) -> None:
    family, _ = await house.member()
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    for _ in range(2):
        await house.do(TERMINATE, boss, family=identity, reason=REASON)
    for _ in range(2):
        await house.do(REINSTATE, boss, family=identity)
    await house.mail_to(family.email, "rétabli")
    assert await house.sign_in(family.email)
    told = await house.connection.fetch(
        "select type from news where family_id = $1 and type like 'account\\_%' order by seq", family.id
    )
    assert [row["type"] for row in told] == ["account_terminated", "account_reinstated"], "each once"


async def test_nobody_but_an_administrator_ends_an_access(house: House) -> None:
    family, token = await house.member()
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    agent = await house.agent("etat.civil")
    for mutation, given in ((TERMINATE, {"reason": REASON}), (REINSTATE, {})):
        assert (await house.ask(mutation, agent, family=identity, **given)).codes == ["FORBIDDEN"]
        assert (await house.ask(mutation, token, family=identity, **given)).codes == ["FORBIDDEN"]
    assert await house.problems(TERMINATE, boss, family=identity, reason="  ") == ["BAD_USER_INPUT"]
    assert await house.problems(TERMINATE, boss, family="AAAA", reason=REASON) == ["NOT_FOUND"]
    assert (await house.ask(WHO, token)).data["viewer"]["family"]["number"] == family.number
