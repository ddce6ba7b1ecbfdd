"""Agents show more than a password: apps, passkeys, recovery codes; each answer once, to its own challenge."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from tests.authenticator import Authenticator
from tests.conftest import Database
from tests.house import PASSWORD, House, opened

ORIGIN, DOMAIN = "http://127.0.0.1:0", "127.0.0.1"
AGENT, OTHER = "scolaire@mairie.example", "etat.civil@mairie.example"
CHALLENGE = "secondFactor { challenge expiresAt methods passkeyOptions enrolment { secret uri } }"
SIGN_IN = f"""mutation ($identifier: String!, $password: String!) {{
    signIn(identifier: $identifier, password: $password, signInAs: AGENT) {{
        problems {{ code }} session {{ accessToken refreshToken }} {CHALLENGE} }} }}"""
CONFIRM = """mutation ($challenge: String!, $code: String, $passkey: JSON) {
    confirmSignIn(challenge: $challenge, code: $code, passkey: $passkey) {
        problems { code } session { accessToken refreshToken } recoveryCodes } }"""
ENROL = f"mutation ($password: String!) {{ enrolTotp(password: $password) {{ problems {{ code }} {CHALLENGE} }} }}"
ENROLLED = "problems { code } secondFactor { id method name createdAt usedAt } recoveryCodes"
CONFIRM_TOTP = f"""mutation ($challenge: String!, $code: String!) {{
    confirmTotp(challenge: $challenge, code: $code, name: "Mon  téléphone") {{ {ENROLLED} }} }}"""
BEGIN = f"mutation ($password: String!) {{ beginPasskey(password: $password) {{ problems {{ code }} {CHALLENGE} }} }}"
ADD = f"""mutation ($challenge: String!, $passkey: JSON!) {{
    addPasskey(challenge: $challenge, passkey: $passkey) {{ {ENROLLED} }} }}"""
REMOVE = """mutation ($factor: ID!, $password: String!) {
    removeSecondFactor(factor: $factor, password: $password) { problems { code } } }"""
RENEW = "mutation ($password: String!) { renewRecoveryCodes(password: $password) { problems { code } recoveryCodes } }"
MINE = """{ viewer { agent { recoveryCodesLeft
    secondFactors { edges { node { id method name usedAt } } } } } }"""
WRONG = "000000"


@dataclass(slots=True)
class Enrolled:
    """An agent with an authenticator app."""

    house: House
    secret: str
    recovery_codes: list[str]
    token: str

    def code(self, steps: int = 0) -> str:
        """Give what the app shows, or would show some steps of 30 s from now."""
        return pyotp.TOTP(self.secret).at(self.house.clock() + timedelta(seconds=30 * steps))


async def begin(house: House, identifier: str = AGENT) -> dict[str, Any]:
    """Sign in by password and give what is asked."""
    payload = await house.do(SIGN_IN, identifier=identifier, password=PASSWORD)
    assert payload["session"] is None
    asked: dict[str, Any] = payload["secondFactor"]
    return asked


async def enrol(house: House, identifier: str = AGENT) -> Enrolled:
    token = await house.sign_in(identifier, agent=True)
    asked = (await house.do(ENROL, token, password=PASSWORD))["secondFactor"]
    secret = asked["enrolment"]["secret"]
    # A step begins now, so that none ends between a code and the look at it.
    house.clock.ahead += timedelta(seconds=30 - house.clock().timestamp() % 30)
    # The step before this one, so that the present code is left for the test.
    code = pyotp.TOTP(secret).at(house.clock() - timedelta(seconds=30))
    made = await house.do(CONFIRM_TOTP, token, challenge=asked["challenge"], code=code)
    return Enrolled(house, secret, made["recoveryCodes"], token)


async def enrol_passkey(house: House, identifier: str = AGENT) -> tuple[Authenticator, str]:
    token = await house.sign_in(identifier, agent=True)
    asked = (await house.do(BEGIN, token, password=PASSWORD))["secondFactor"]
    passkey = Authenticator(ORIGIN, DOMAIN)
    made = passkey.create(asked["passkeyOptions"])
    await house.do(ADD, token, challenge=asked["challenge"], passkey=made)
    return passkey, token


async def sessions(house: House) -> int:
    count: int = await house.connection.fetchval("select count(*) from session where agent_id is not null")
    return count


async def acts(house: House, act: str) -> list[Any]:
    rows = await house.connection.fetch("select data::text from audit_entry where act = $1 order by number", act)
    return [json.loads(row["data"]) for row in rows]


@pytest.fixture
async def required(city: Database) -> AsyncIterator[House]:
    """Give a portal whose agents must show a second factor."""
    async with opened(city.dsn, agents={"second_factor": "required"}) as house:
        yield house


async def test_with_an_app_enrolled_the_password_alone_opens_nothing(house: House) -> None:
    app = await enrol(house)
    before = await sessions(house)
    asked = await begin(house)
    assert asked["methods"] == ["TOTP", "RECOVERY_CODE"] and asked["enrolment"] is None
    assert await sessions(house) == before
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=WRONG) == ["SECOND_FACTOR_REFUSED"]
    assert await sessions(house) == before
    session = (await house.do(CONFIRM, challenge=asked["challenge"], code=app.code()))["session"]
    mine = (await house.ask(MINE, session["accessToken"])).data["viewer"]["agent"]
    [edge] = mine["secondFactors"]["edges"]
    assert (edge["node"]["method"], edge["node"]["name"]) == ("TOTP", "Mon téléphone") and edge["node"]["usedAt"]
    assert await acts(house, "second_factor_refused") == [{"code": "WRONG_CODE"}]
    assert await acts(house, "second_factor_enrolled") == [{"method": "TOTP"}]


async def test_a_code_works_once_and_none_of_an_earlier_step_after_it(house: House) -> None:
    app = await enrol(house)
    used, earlier = app.code(), app.code(-1)
    await house.do(CONFIRM, challenge=(await begin(house))["challenge"], code=used)
    for code in (used, earlier):
        asked = await begin(house)
        assert await house.problems(CONFIRM, challenge=asked["challenge"], code=code) == ["SECOND_FACTOR_REFUSED"]
    house.clock.ahead += timedelta(seconds=30)
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=used) == ["SECOND_FACTOR_REFUSED"]
    await house.do(CONFIRM, challenge=asked["challenge"], code=app.code())


async def test_clocks_may_differ_by_one_step_and_no_more(house: House) -> None:
    app = await enrol(house)
    asked = await begin(house)
    for steps in (-2, 2):
        code = app.code(steps)
        assert await house.problems(CONFIRM, challenge=asked["challenge"], code=code) == ["SECOND_FACTOR_REFUSED"]
    await house.do(CONFIRM, challenge=asked["challenge"], code=app.code(1))


async def test_of_two_answers_at_once_with_the_same_code_one_wins(house: House) -> None:
    app = await enrol(house)
    challenges = [(await begin(house))["challenge"] for _ in range(4)]
    before = await sessions(house)
    answers = [house.problems(CONFIRM, challenge=each, code=app.code()) for each in challenges]
    told = await asyncio.gather(*answers)
    assert sorted(told) == [[]] + [["SECOND_FACTOR_REFUSED"]] * 3
    assert await sessions(house) == before + 1


async def test_an_answered_challenge_cannot_be_answered_again(house: House) -> None:
    app = await enrol(house)
    asked = await begin(house)
    await house.do(CONFIRM, challenge=asked["challenge"], code=app.code())
    before = await sessions(house)
    house.clock.ahead += timedelta(seconds=30)
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=app.code()) == ["CHALLENGE_NOT_VALID"]
    assert await sessions(house) == before


async def test_a_challenge_ends_after_five_minutes_and_cannot_be_made_up(house: House) -> None:
    app = await enrol(house)
    asked = await begin(house)
    enrolling = (await house.do(ENROL, app.token, password=PASSWORD))["secondFactor"]["challenge"]
    for forged in ("", "x", asked["challenge"][:-4] + "AAAA", enrolling):
        assert await house.problems(CONFIRM, challenge=forged, code=app.code()) == ["CHALLENGE_NOT_VALID"]
    house.clock.ahead += timedelta(minutes=5, seconds=1)
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=app.code()) == ["CHALLENGE_NOT_VALID"]


async def test_after_five_wrong_codes_the_challenge_is_dead_and_the_agent_waits(house: House) -> None:
    app = await enrol(house)
    asked, fresh = await begin(house), await begin(house)
    guesses = [house.problems(CONFIRM, challenge=asked["challenge"], code=f"{n:06}") for n in range(30)]
    told = await asyncio.gather(*guesses)
    assert told.count(["SECOND_FACTOR_REFUSED"]) == 5 and told.count(["THROTTLED"]) == 25
    assert await house.problems(CONFIRM, challenge=fresh["challenge"], code=app.code()) == ["THROTTLED"]
    house.clock.ahead += timedelta(minutes=15, seconds=1)
    await house.connection.execute("update agent_challenge set expires_at = expires_at + interval '1 hour'")
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=app.code()) == ["CHALLENGE_NOT_VALID"]
    await house.do(CONFIRM, challenge=(await begin(house))["challenge"], code=app.code())


async def test_after_twenty_five_wrong_codes_a_day_not_even_the_right_one_is_looked_at(house: House) -> None:
    app = await enrol(house)
    for _ in range(5):
        challenge = (await begin(house))["challenge"]
        for _ in range(5):
            assert await house.problems(CONFIRM, challenge=challenge, code=WRONG) == ["SECOND_FACTOR_REFUSED"]
        await house.connection.execute("update throttle set failures = 0, blocked_until = null")
    assert await house.problems(CONFIRM, challenge=(await begin(house))["challenge"], code=app.code()) == ["THROTTLED"]
    assert len(await acts(house, "second_factor_refused")) == 25
    house.clock.ahead += timedelta(days=1)
    await house.do(CONFIRM, challenge=(await begin(house))["challenge"], code=app.code())


async def test_the_factor_of_another_agent_does_not_count(house: House) -> None:
    app = await enrol(house)
    passkey, _ = await enrol_passkey(house, OTHER)
    before = await sessions(house)
    asked, others = await begin(house), await begin(house, OTHER)
    assert await house.problems(CONFIRM, challenge=others["challenge"], code=app.code()) == ["SECOND_FACTOR_REFUSED"]
    signed = passkey.get({"challenge": others["passkeyOptions"]["challenge"]})
    assert await house.problems(CONFIRM, challenge=asked["challenge"], passkey=signed) == ["SECOND_FACTOR_REFUSED"]
    assert await house.problems(CONFIRM, challenge=others["challenge"], code=app.recovery_codes[0]) == [
        "SECOND_FACTOR_REFUSED"
    ]
    assert await sessions(house) == before
    assert [entry["code"] for entry in await acts(house, "second_factor_refused")] == [
        "WRONG_CODE", "PASSKEY_OF_NOBODY", "WRONG_CODE",
    ]  # fmt: skip


async def test_a_passkey_signs_in_once_for_each_challenge(house: House) -> None:
    passkey, _ = await enrol_passkey(house)
    asked, other = await begin(house), await begin(house)
    assert asked["methods"] == ["PASSKEY", "RECOVERY_CODE"]
    assert asked["passkeyOptions"]["rpId"] == DOMAIN
    signed = passkey.get(asked["passkeyOptions"])
    assert await house.problems(CONFIRM, challenge=other["challenge"], passkey=signed) == ["SECOND_FACTOR_REFUSED"]
    await house.do(CONFIRM, challenge=asked["challenge"], passkey=signed)
    assert await house.problems(CONFIRM, challenge=asked["challenge"], passkey=signed) == ["CHALLENGE_NOT_VALID"]


async def test_a_passkey_that_a_page_of_another_site_asked_is_refused(house: House) -> None:
    passkey, _ = await enrol_passkey(house)
    before = await sessions(house)
    for origin, domain in (("https://mairie.example.evil", DOMAIN), (ORIGIN, "evil.example"), ("null", DOMAIN)):
        passkey.origin, passkey.domain = origin, domain
        asked = await begin(house)
        signed = passkey.get(asked["passkeyOptions"])
        assert await house.problems(CONFIRM, challenge=asked["challenge"], passkey=signed) == ["SECOND_FACTOR_REFUSED"]
    assert await sessions(house) == before


async def test_a_cloned_passkey_is_found_by_its_count_and_told_in_the_audit_log(house: House) -> None:
    passkey, _ = await enrol_passkey(house)
    clone = passkey.clone()
    for _ in range(2):
        asked = await begin(house)
        await house.do(CONFIRM, challenge=asked["challenge"], passkey=passkey.get(asked["passkeyOptions"]))
    before = await sessions(house)
    asked = await begin(house)
    signed = clone.get(asked["passkeyOptions"])
    assert await house.problems(CONFIRM, challenge=asked["challenge"], passkey=signed) == ["SECOND_FACTOR_REFUSED"]
    assert await sessions(house) == before
    assert await acts(house, "second_factor_refused") == [{"code": "PASSKEY_CLONED"}]


async def test_answers_that_no_authenticator_makes_are_refused_without_a_fault(house: House) -> None:
    passkey, token = await enrol_passkey(house)
    house.clock.ahead += timedelta(seconds=1)
    random, before = Random(7), await sessions(house)
    for n in range(40):
        if n % 4 == 0:  # before the throttle
            await house.connection.execute("delete from throttle")
        asked = await begin(house)
        spoiled = _spoiled(passkey.get(asked["passkeyOptions"]), random)
        assert await house.problems(CONFIRM, challenge=asked["challenge"], passkey=spoiled) == ["SECOND_FACTOR_REFUSED"]
        adding = (await house.do(BEGIN, token, password=PASSWORD))["secondFactor"]
        made = _spoiled(Authenticator(ORIGIN, DOMAIN).create(adding["passkeyOptions"]), random)
        assert await house.problems(ADD, token, challenge=adding["challenge"], passkey=made) == [
            "SECOND_FACTOR_REFUSED"
        ]
    assert await sessions(house) == before
    assert await house.connection.fetchval("select count(*) from second_factor") == 1


def _spoiled(answer: dict[str, Any], random: Random) -> Any:
    """Change one thing of an answer."""
    rubbish: list[Any] = [None, 0, "", "A", "é", [], {}, {"a": 1}, "%%%", b"\xff".hex() * 40, -1.5, True]
    inside = random.random() < 0.7
    part = answer["response"] if inside else answer
    # The rest is not signed, or may be left out.
    name = random.choice([key for key in part if key not in ("clientExtensionResults", "type")])
    part[name] = random.choice([each for each in rubbish if each != part[name]])
    return random.choice([answer, answer, answer, json.dumps(answer), [], 3, "x"])


async def test_a_recovery_code_opens_one_session_and_fresh_ones_replace_the_rest(house: House) -> None:
    app = await enrol(house)
    assert len(set(app.recovery_codes)) == 10
    first, second, *_ = app.recovery_codes
    typed = first.lower().replace("-", " ")
    await house.do(CONFIRM, challenge=(await begin(house))["challenge"], code=typed)
    asked = await begin(house)
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=first) == ["SECOND_FACTOR_REFUSED"]
    assert (await house.ask(MINE, app.token)).data["viewer"]["agent"]["recoveryCodesLeft"] == 9
    fresh = (await house.do(RENEW, app.token, password=PASSWORD))["recoveryCodes"]
    assert await house.problems(CONFIRM, challenge=asked["challenge"], code=second) == ["SECOND_FACTOR_REFUSED"]
    await house.do(CONFIRM, challenge=asked["challenge"], code=fresh[0])
    assert len(await acts(house, "recovery_code_used")) == 2
    stored = await house.connection.fetch("select hash from recovery_code")
    assert not [row for row in stored if any(code.encode() in row["hash"] for code in fresh)]


async def test_another_factor_brings_no_new_codes_and_leaves_those_that_were_printed(house: House) -> None:
    app = await enrol(house)
    asked = (await house.do(BEGIN, app.token, password=PASSWORD))["secondFactor"]
    made = Authenticator(ORIGIN, DOMAIN).create(asked["passkeyOptions"])
    added = await house.do(ADD, app.token, challenge=asked["challenge"], passkey=made)
    assert (added["secondFactor"]["method"], added["recoveryCodes"]) == ("PASSKEY", None)
    await house.do(CONFIRM, challenge=(await begin(house))["challenge"], code=app.recovery_codes[0])


async def test_where_a_factor_is_required_the_first_code_of_an_app_enrols_it(required: House) -> None:
    asked = await begin(required)
    assert asked["methods"] == ["TOTP"]
    secret = asked["enrolment"]["secret"]
    address = urlsplit(asked["enrolment"]["uri"])
    assert (address.scheme, parse_qs(address.query)["secret"]) == ("otpauth", [secret])
    assert await required.problems(CONFIRM, challenge=asked["challenge"], code=WRONG) == ["SECOND_FACTOR_REFUSED"]
    assert await sessions(required) == 0
    code = pyotp.TOTP(secret).at(required.clock())
    confirmed = await required.do(CONFIRM, challenge=asked["challenge"], code=code)
    assert len(confirmed["recoveryCodes"]) == 10
    token = confirmed["session"]["accessToken"]
    [edge] = (await required.ask(MINE, token)).data["viewer"]["agent"]["secondFactors"]["edges"]
    factor = edge["node"]["id"]
    assert await required.problems(REMOVE, token, factor=factor, password=PASSWORD) == ["LAST_SECOND_FACTOR"]
    assert (await begin(required))["enrolment"] is None, "enrolled: the password shows no secret any more"


async def test_of_two_enrolments_begun_at_sign_in_only_the_first_counts(required: House) -> None:
    ours, theirs = await begin(required), await begin(required)
    codes = {
        asked["challenge"]: pyotp.TOTP(asked["enrolment"]["secret"]).at(required.clock()) for asked in (ours, theirs)
    }
    await required.do(CONFIRM, challenge=ours["challenge"], code=codes[ours["challenge"]])
    late = await required.problems(CONFIRM, challenge=theirs["challenge"], code=codes[theirs["challenge"]])
    assert late == ["SECOND_FACTOR_REFUSED"]
    assert await required.connection.fetchval("select count(*) from second_factor") == 1


async def test_nothing_is_added_or_removed_without_the_password(house: House) -> None:
    app = await enrol(house)
    [edge] = (await house.ask(MINE, app.token)).data["viewer"]["agent"]["secondFactors"]["edges"]
    for mutation in (ENROL, BEGIN, RENEW):
        assert await house.problems(mutation, app.token, password="Mauvais-Mot-1") == ["PASSWORD_WRONG"]
        await house.connection.execute("delete from throttle")
    wrong = {"factor": edge["node"]["id"], "password": "Mauvais-Mot-1"}
    assert await house.problems(REMOVE, app.token, **wrong) == ["PASSWORD_WRONG"]
    assert await house.connection.fetchval("select count(*) from second_factor") == 1
    await house.do(REMOVE, app.token, factor=edge["node"]["id"], password=PASSWORD)
    assert await house.connection.fetchval("select count(*) from recovery_code") == 0
    assert await house.sign_in(AGENT, agent=True), "no factor is left, and none is required"


async def test_nobody_removes_the_factor_of_another_agent_or_answers_its_enrolment(house: House) -> None:
    app = await enrol(house)
    [edge] = (await house.ask(MINE, app.token)).data["viewer"]["agent"]["secondFactors"]["edges"]
    stranger = await house.sign_in(OTHER, agent=True)
    assert await house.problems(REMOVE, stranger, factor=edge["node"]["id"], password=PASSWORD) == ["NOT_FOUND"]
    begun = (await house.do(ENROL, app.token, password=PASSWORD))["secondFactor"]
    code = pyotp.TOTP(begun["enrolment"]["secret"]).at(house.clock())
    assert await house.problems(CONFIRM_TOTP, stranger, challenge=begun["challenge"], code=code) == [
        "CHALLENGE_NOT_VALID"
    ]
    _, family = await house.member()
    assert (await house.ask(ENROL, family, password=PASSWORD)).codes == ["FORBIDDEN"]
    assert await house.connection.fetchval("select count(*) from second_factor") == 1


async def test_a_passkey_is_added_once_only(house: House) -> None:
    passkey, token = await enrol_passkey(house)
    asked = (await house.do(BEGIN, token, password=PASSWORD))["secondFactor"]
    assert [each["id"] for each in asked["passkeyOptions"]["excludeCredentials"]] != []
    made = passkey.create(asked["passkeyOptions"])
    assert await house.problems(ADD, token, challenge=asked["challenge"], passkey=made) == ["SECOND_FACTOR_REFUSED"]
    assert await house.connection.fetchval("select count(*) from second_factor") == 1


async def test_secrets_are_sealed_in_the_database(house: House) -> None:
    app = await enrol(house)
    sealed = await house.connection.fetchval("select sealed_secret from second_factor")
    assert app.secret.encode() not in sealed
    rows = await house.connection.fetch("select a::text as text from audit_entry a")
    assert not [row for row in rows if app.secret in row["text"] or AGENT in row["text"]]


async def test_families_sign_in_as_before(required: House) -> None:
    family, _ = await required.member()
    assert await required.sign_in(family.email)


COUNT = "select count(*) from second_factor"


async def test_a_wrong_code_and_a_challenge_of_somebody_else_enrol_nothing(house: House) -> None:
    token, other = await house.sign_in(AGENT, agent=True), await house.sign_in(OTHER, agent=True)
    asked = (await house.do(ENROL, token, password=PASSWORD))["secondFactor"]
    challenge, code = asked["challenge"], pyotp.TOTP(asked["enrolment"]["secret"]).at(house.clock())
    assert await house.problems(CONFIRM_TOTP, token, challenge=challenge, code=WRONG) == ["SECOND_FACTOR_REFUSED"]
    assert await house.problems(CONFIRM_TOTP, other, challenge=challenge, code=code) == ["CHALLENGE_NOT_VALID"]
    assert await house.connection.fetchval(COUNT) == 0
    await house.do(CONFIRM_TOTP, token, challenge=challenge, code=code)
    assert await house.problems(CONFIRM_TOTP, token, challenge=challenge, code=code) == ["CHALLENGE_NOT_VALID"]
    assert await house.connection.fetchval(COUNT) == 1


async def test_an_agent_has_so_many_factors_at_the_most_and_codes_only_with_one(house: House) -> None:
    token = await house.sign_in(AGENT, agent=True)
    assert await house.problems(RENEW, token, password=PASSWORD) == ["NO_SECOND_FACTOR"]
    assert await house.connection.fetchval("select count(*) from recovery_code") == 0
    await enrol(house)
    await house.connection.execute(
        """insert into second_factor (id, agent_id, method, name, sealed_secret, last_step, created_at)
           select gen_random_uuid(), agent_id, method, name, sealed_secret, last_step, created_at
           from second_factor, generate_series(2, 10)"""
    )
    for command in (ENROL, BEGIN):
        assert await house.problems(command, token, password=PASSWORD) == ["TOO_MANY_FACTORS"]
    assert await house.connection.fetchval(COUNT) == 10
