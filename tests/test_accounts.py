"""Accounts under attack and in daily use: activation, verified addresses, sign-in, sessions, terms."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt
import pytest

from db.keys import Keys
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, SIGN_IN, House, Made, opened, token_in
from tests.live import Socket
from tests.test_devices import NOON

ACTIVATE = """mutation ($number: String!, $code: String!, $email: EmailAddress!, $password: String!) {
    activateAccount(familyNumber: $number, activationCode: $code, email: $email, password: $password) {
        problems { code path } } }"""
VERIFY = "mutation ($token: String!) { verifyEmail(token: $token) { problems { code } } }"
REFRESH = """mutation ($token: String!) { refreshSession(refreshToken: $token) {
    problems { code } session { accessToken refreshToken } } }"""
SIGN_OUT = "mutation { signOut { problems { code } } }"
SIGN_OUT_EVERYWHERE = "mutation { signOutEverywhere { problems { code } } }"
WHO = "{ viewer { account { email } agent { name } family { number } } }"
FOLLOW = "subscription { news { cursor } }"
WRONG = "Mauvais-Mot-1"


async def activate(house: House, family: Made, **changed: Any) -> list[str]:
    given = {"number": family.number, "code": family.code, "email": family.email, "password": PASSWORD} | changed
    return await house.problems(ACTIVATE, **given)


async def accounts_of(house: House, family: Made) -> int:
    count: int = await house.connection.fetchval("select count(*) from account where family_id = $1", family.id)
    return count


async def test_every_wrong_activation_is_refused_alike_and_opens_nothing(house: House) -> None:
    family = await house.make_family()
    expired = await house.make_family()
    await house.connection.execute(
        "update activation_code set expires_at = now() - interval '1 day' where family_id = $1", expired.id
    )
    for changed in ({"number": "99999999"}, {"code": "00000-00000"}, {"code": "?"}, {"code": expired.code}):
        assert await activate(house, family, **changed) == ["ACTIVATION_REFUSED"]
    assert await activate(house, expired) == ["ACTIVATION_REFUSED"]
    assert await accounts_of(house, family) == await accounts_of(house, expired) == 0


async def test_after_five_wrong_codes_a_day_not_even_the_right_one_is_looked_at(house: House) -> None:
    house.clock.ahead = NOON - datetime.now(UTC)  # no new day begins meanwhile
    family = await house.make_family()
    wrong = [activate(house, family, code="00000-00000") for _ in range(8)]
    assert await asyncio.gather(*wrong) == [["ACTIVATION_REFUSED"]] * 8
    assert await activate(house, family) == ["ACTIVATION_REFUSED"]
    assert await accounts_of(house, family) == 0
    house.clock.ahead += timedelta(days=1)
    assert await activate(house, family) == []


async def test_a_code_opens_one_account_once(house: House) -> None:
    family = await house.make_family()
    assert await activate(house, family) == []
    assert await activate(house, family, email="autre@example.org") == ["ACTIVATION_REFUSED"]
    assert await accounts_of(house, family) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"password": "xK9-vLq"}, "PASSWORD_TOO_SHORT"),
        ({"password": "seulementdesminuscules"}, "PASSWORD_TOO_SIMPLE"),
        ({"password": "Beaucoup-trop-long-pour-les-CGU-2026"}, "PASSWORD_TOO_LONG"),
        ({"password": "Azerty123!"}, "PASSWORD_TOO_COMMON"),
        ({"email": "pas une adresse"}, "EMAIL_NOT_VALID"),
        ({"email": "deux@lignes.example\nBcc: x@y.example"}, "EMAIL_NOT_VALID"),
    ],
)
async def test_a_weak_password_or_a_faulty_address_does_not_use_up_the_code(
    house: House, changed: dict[str, str], code: str
) -> None:
    family = await house.make_family()
    assert await activate(house, family, **changed) == [code]
    assert await accounts_of(house, family) == 0
    assert await activate(house, family) == []


async def test_nobody_signs_in_before_the_address_is_verified_and_the_link_comes_again(house: House) -> None:
    family = await house.make_family()
    await activate(house, family)
    await house.mail_to(family.email, "verify-email")
    wrong = {"identifier": family.email, "as_": "FAMILY"}
    assert await house.problems(SIGN_IN, password=PASSWORD, **wrong) == ["EMAIL_NOT_VERIFIED"]
    await house.catcher.wait_for(lambda: len(house.catcher.to(family.email)) == 2)
    await house.do(VERIFY, token=token_in(await house.mail_to(family.email, "verify-email")))
    assert await house.sign_in(family.email) and await house.sign_in(family.number)


async def test_a_verification_link_is_good_for_its_account_and_its_time_only(house: House) -> None:
    family = await house.make_family()
    await activate(house, family)
    token = token_in(await house.mail_to(family.email, "verify-email"))
    claims = jwt.decode(token, options={"verify_signature": False})
    later = datetime.now(UTC) + timedelta(hours=1)
    named = {name: claims[name] for name in ("family", "account", "email")}
    for forged in (
        token[:-4] + "AAAA",
        Keys(b"x" * 32).link_token("verify-email", named, later),
        KEYS.link_token("reset-password", named, later),
        KEYS.link_token("verify-email", named | {"email": "autre@example.org"}, later),
        KEYS.link_token("verify-email", named, datetime.now(UTC) - timedelta(seconds=1)),
        "",
    ):
        assert await house.problems(VERIFY, token=forged) == ["LINK_NOT_VALID"]
    verified = "select email_verified_at from account where family_id = $1"
    assert await house.connection.fetchval(verified, family.id) is None
    assert await house.problems(VERIFY, token=token) == await house.problems(VERIFY, token=token) == []


async def test_an_address_that_another_account_has_verified_is_not_taken_over(house: House) -> None:
    owner, _ = await house.member()
    thief = await house.make_family()
    assert await activate(house, thief, email=owner.email) == []
    token = token_in(await house.mail_to(owner.email, "verify-email"))
    assert await house.problems(VERIFY, token=token) == ["LINK_NOT_VALID"]
    family = (await house.ask(WHO, await house.sign_in(owner.email))).data["viewer"]["family"]
    assert family["number"] == owner.number


async def test_wrong_password_and_unknown_account_are_told_alike(house: House) -> None:
    family, _ = await house.member()
    for identifier in (family.email, family.number, "personne@example.org", "99999999"):
        assert await house.problems(SIGN_IN, identifier=identifier, password=WRONG, as_="FAMILY") == ["BAD_CREDENTIALS"]


async def test_from_the_fourth_wrong_password_on_one_waits_and_the_right_one_clears_it(house: House) -> None:
    family, _ = await house.member()
    given = {"identifier": family.email, "as_": "FAMILY"}
    guesses = [await house.problems(SIGN_IN, password=WRONG, **given) for _ in range(6)]
    assert guesses == [["BAD_CREDENTIALS"]] * 4 + [["THROTTLED"]] * 2
    assert await house.problems(SIGN_IN, password=PASSWORD, **given) == ["THROTTLED"]
    house.clock.ahead += timedelta(seconds=17)
    assert await house.sign_in(family.email)
    assert await house.problems(SIGN_IN, password=WRONG, **given) == ["BAD_CREDENTIALS"]


async def test_parallel_guesses_do_not_outrun_the_count(house: House) -> None:
    family, _ = await house.member()
    guesses = [house.problems(SIGN_IN, identifier=family.email, password=WRONG, as_="FAMILY") for _ in range(30)]
    told = await asyncio.gather(*guesses)
    assert told.count(["BAD_CREDENTIALS"]) <= 4


async def test_a_refresh_token_works_once_and_its_late_return_ends_the_session(house: House) -> None:
    family, _ = await house.member()
    session = (await house.do(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY"))["session"]
    first = (await house.do(REFRESH, token=session["refreshToken"]))["session"]
    again = (await house.do(REFRESH, token=session["refreshToken"]))["session"]
    assert first["refreshToken"] == again["refreshToken"] != session["refreshToken"]
    house.clock.ahead += timedelta(seconds=11)
    assert await house.problems(REFRESH, token=session["refreshToken"]) == ["REFRESH_REFUSED"]
    assert await house.problems(REFRESH, token=first["refreshToken"]) == ["REFRESH_REFUSED"]
    await _refused_soon(house, first["accessToken"])


async def test_fifty_parallel_refreshes_have_one_successor(house: House) -> None:
    family, _ = await house.member()
    session = (await house.do(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY"))["session"]
    answers = await asyncio.gather(*(house.do(REFRESH, token=session["refreshToken"]) for _ in range(50)))
    assert len({answer["session"]["refreshToken"] for answer in answers}) == 1
    assert (
        await house.connection.fetchval("select count(*) from refresh_token") == 3
    )  # of `member`, of this one, successor


async def test_on_a_shared_computer_the_session_is_short_and_cannot_be_refreshed(house: House) -> None:
    family, _ = await house.member()
    query = SIGN_IN.replace("signInAs: $as_)", "signInAs: $as_, sharedComputer: true)")
    session = (await house.do(query, identifier=family.email, password=PASSWORD, as_="FAMILY"))["session"]
    assert session["refreshToken"] is None
    ends = await house.connection.fetchval("select max(expires_at - created_at) from session where shared_computer")
    assert ends == timedelta(minutes=30)


async def test_signing_out_ends_the_session_on_http_and_closes_its_sockets(house: House) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    async with Socket(house, token) as socket, Socket(house, other) as kept:
        await socket.subscribe("1", FOLLOW)
        await kept.subscribe("1", FOLLOW)
        await house.do(SIGN_OUT, token)
        assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
        assert await socket.closed() == 4403
        assert (await house.ask(WHO, other)).data["viewer"]["family"]["number"] == family.number
        await house.do(SIGN_OUT_EVERYWHERE, other)
        assert await kept.closed() == 4403


async def test_an_expired_access_token_is_refused_and_its_socket_closed(city: Database) -> None:
    async with opened(city.dsn, tokens={"access_seconds": 4}) as house:
        _, token = await house.member()
        async with Socket(house, token) as socket:
            await socket.subscribe("1", FOLLOW)
            assert await socket.closed() == 4403
        assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]


async def test_tokens_made_by_others_are_refused(house: House) -> None:
    _, token = await house.member()
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"kid": jwt.get_unverified_header(token)["kid"]}
    assert house.opened is not None
    own = house.opened.process.tokens._keys[header["kid"]].private
    public = own.public_key().public_bytes_raw()
    forged = [
        jwt.encode(claims, cast(Any, None), "none", headers=header),
        jwt.encode(claims, public.ljust(64, b"\0"), "HS256", headers=header),
        jwt.encode(claims, own, "EdDSA", headers={"kid": "unknown"}),
        *(jwt.encode(claims | {name: "wrong"}, own, "EdDSA", headers=header) for name in ("aud", "iss", "typ", "sid")),
        *(
            jwt.encode(
                {name: value for name, value in claims.items() if name != left_out}, own, "EdDSA", headers=header
            )
            for left_out in ("exp", "aud", "iss", "sub", "sid", "typ", "iat")
        ),
        jwt.encode(claims | {"exp": claims["iat"] - 1}, own, "EdDSA", headers=header),
        token[:-3],
        "x" * 5000,
    ]
    assert [(await house.ask(WHO, each)).codes for each in forged] == [["UNAUTHENTICATED"]] * len(forged)
    assert (await house.ask(WHO, token)).data["viewer"]["account"]


async def test_before_the_terms_are_accepted_nothing_but_what_is_declared_open_answers(house: House) -> None:
    family, token = await house.member(accepts_terms=False)
    who = await house.ask(WHO, token)
    assert who.codes == ["TERMS_NOT_ACCEPTED"] and who.body["data"]["viewer"]["family"] is None
    assert who.body["data"]["viewer"]["account"]["email"] == family.email
    assert (await house.ask("{ procedures { totalCount } }", token)).codes == ["TERMS_NOT_ACCEPTED"]
    start = 'mutation { startProcedure(kind: "cantine", idempotencyKey: "une-clef-1") { problems { code } } }'
    assert (await house.ask(start, token)).codes == ["TERMS_NOT_ACCEPTED"]
    assert await house.connection.fetchval("select count(*) from procedure where family_id = $1", family.id) == 0
    accept = "mutation ($version: Int!) { acceptTerms(version: $version) { problems { code } } }"
    assert await house.problems(accept, token, version=99) == ["TERMS_CHANGED"]
    await house.do(accept, token, version=1)
    assert (await house.ask("{ procedures { totalCount } }", token)).data == {"procedures": {"totalCount": 0}}


async def test_an_agent_issues_a_code_that_activates_and_a_family_cannot(house: House) -> None:
    family = await house.make_family()
    issue = """mutation ($number: String!) { issueActivationCode(familyNumber: $number) {
        problems { code } code expiresOn } }"""
    _, own = await house.member()
    before = await house.connection.fetchval("select count(*) from activation_code")
    assert (await house.ask(issue, own, number=family.number)).codes == ["FORBIDDEN"]
    assert await house.connection.fetchval("select count(*) from activation_code") == before
    agent = await house.agent("etat.civil")
    assert await house.problems(issue, agent, number="99999999") == ["NOT_FOUND"]
    issued = await house.do(issue, agent, number=family.number)
    assert await activate(house, family, code=issued["code"].lower()) == []


async def _refused_soon(house: House, token: str) -> None:
    """Wait until an access token is refused: at once on the gateway that ended the session, ≤ 2 s on others."""
    async with asyncio.timeout(2):
        while (await house.ask(WHO, token)).codes != ["UNAUTHENTICATED"]:
            await asyncio.sleep(0.05)
