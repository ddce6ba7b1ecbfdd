"""Devices: a new one is told, and a known one gets in while strangers guess."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.ids import uuid7
from db.pool import Database as Pool
from db.sessions import sweep
from db.settings import Tokens
from gateway.addresses import household_of
from resolvers.devices import called_by
from resolvers.viewer import SYSTEM_SIGHT
from tests.browser import Browser
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, House, Made, opened, token_in

SIGN_IN = """mutation ($identifier: String!, $password: String!, $device: String, $shared: Boolean! = false) {
    signIn(identifier: $identifier, password: $password, deviceToken: $device, sharedComputer: $shared) {
        problems { code message retryAfter } session { accessToken deviceToken } } }"""
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
WRONG = "Mauvais-Mot-1"
NOON = datetime(2031, 5, 6, 12, 0, tzinfo=UTC)


async def sign_in(house: House, identifier: str, password: str = PASSWORD, **more: Any) -> Any:
    """Try to sign in; give the payload."""
    return (await house.ask(SIGN_IN, identifier=identifier, password=password, **more)).data["signIn"]


async def code(house: House, identifier: str, password: str = PASSWORD, **more: Any) -> str:
    """Try to sign in; give the code of the refusal, or nothing."""
    problems = (await sign_in(house, identifier, password, **more))["problems"]
    return problems[0]["code"] if problems else ""


async def device_of(house: House, family: Made) -> str:
    """Give the token of a device that a family's account knows from now on."""
    await house.connection.execute("delete from device where family_id = $1", family.id)
    token: str = (await sign_in(house, family.email))["session"]["deviceToken"]
    return token


async def told(house: House, family: Made) -> int:
    """Count the alerts of new devices."""
    alerts = "select count(*) from news where family_id = $1 and type = 'new_device'"
    count: int = await house.connection.fetchval(alerts, family.id)
    return count


async def test_the_first_device_and_known_ones_are_not_told_a_new_one_is(house: House) -> None:
    family, _ = await house.member()
    device = await device_of(house, family)
    again = await sign_in(house, family.email, device=device)
    assert again["session"]["deviceToken"] == device
    assert await told(house, family) == 0
    new = (await sign_in(house, family.email))["session"]["deviceToken"]
    assert new and new != device
    assert await told(house, family) == 1
    await sign_in(house, family.email, device=new)
    assert await told(house, family) == 1
    stored = await house.connection.fetch("select hash from device where family_id = $1", family.id)
    assert len(stored) == 2 and not any(row["hash"].hex() in device for row in stored)


async def test_the_alert_names_the_device_in_our_words_and_carries_a_link_to_report_it(house: House) -> None:
    family, _ = await house.member()
    await device_of(house, family)
    browser = Browser(house)
    body = {"query": SIGN_IN, "variables": {"identifier": family.email, "password": PASSWORD}}
    phishing = "Votre compte est suspendu, appelez le 08 99 00 00 00"
    for agent in (FIREFOX, phishing):
        async with house.http.post(f"{browser.house.url}/graphql", json=body, headers={"User-Agent": agent}) as reply:
            assert (await reply.json())["data"]["signIn"]["session"]
    text = await house.mail_to(family.email, "Firefox sur Windows")
    claims = KEYS.read_link("report-unauthorized-use", token_in(text), house.clock() + timedelta(days=6))
    account = await house.connection.fetchval("select id from account where family_id = $1", family.id)
    assert (claims["family"], claims["account"]) == (str(family.id), str(account))
    assert "08 99" not in await house.mail_to(family.email, "un appareil que nous ne reconnaissons pas")
    summaries = await house.connection.fetch(
        "select data->>'summary_fr' as fr, data->>'summary_en' as en from news where family_id = $1 order by seq",
        family.id,
    )
    assert [row["en"] for row in summaries] == [
        "Sign-in on a new device: Firefox on Windows.",
        "Sign-in on a new device: a device that we do not recognise.",
    ]


AGENTS = {
    FIREFOX: "Firefox sur Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.0 Safari/605.1": "Safari sur Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/130.0 Mobile Safari/604.1": "Chrome sur iPhone",
    "Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile Safari/537.36 EdgA/130.0": "Edge sur Android",
    "KiosqueMobile/2.1 (Android 15)": "Android",
    "curl/8.5": "un appareil que nous ne reconnaissons pas",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_user_agent_is_put_into_words_of_ours(agent: str) -> None:
    assert called_by(agent).fr == AGENTS[agent]


async def test_a_shared_computer_is_told_and_not_remembered(house: House) -> None:
    family, _ = await house.member()
    await device_of(house, family)
    assert (await sign_in(house, family.email, shared=True))["session"]["deviceToken"] is None
    assert await told(house, family) == 1
    assert await house.connection.fetchval("select count(*) from device where family_id = $1", family.id) == 1


async def exhaust(house: House, identifier: str) -> None:
    """Guess until the identifier is blocked."""
    while await code(house, identifier, WRONG) == "BAD_CREDENTIALS":
        pass


async def test_on_its_own_device_a_family_gets_in_while_strangers_exhaust_its_identifier(house: House) -> None:
    family, _ = await house.member()
    device = await device_of(house, family)
    await exhaust(house, family.email)
    assert await code(house, family.email) == "THROTTLED"
    assert await code(house, family.email, device=device) == ""
    assert await code(house, family.email) == "THROTTLED", "its success does not let the strangers go on"


async def test_in_a_browser_the_cookie_of_the_device_does_the_same(house: House) -> None:
    family, _ = await house.member()
    browser = Browser(house)
    await browser.sign_in(family.email)
    await exhaust(house, family.email)
    await browser.sign_in(family.email)
    await house.connection.execute("delete from device")
    with pytest.raises(AssertionError, match="THROTTLED"):
        await browser.sign_in(family.email)


async def test_a_device_has_a_count_of_its_own_and_frees_nobody_elses_account(house: House) -> None:
    family, _ = await house.member()
    other, _ = await house.member()
    device, foreign = await device_of(house, family), await device_of(house, other)
    guesses = await asyncio.gather(*(code(house, family.email, WRONG, device=device) for _ in range(20)))
    assert guesses.count("BAD_CREDENTIALS") <= 4, "a stolen device is no free pass to guess"
    assert await code(house, family.email, device=device) == "THROTTLED"
    assert await code(house, family.email) == "", "elsewhere the family still gets in"
    await exhaust(house, family.email)
    altered = device[:-2] + ("A" if device[-2] != "A" else "B") + device[-1]
    for given in (foreign, altered, "", "rubbish", "é", "A" * 54, device + "A" * 400):
        assert await code(house, family.email, device=given) == "THROTTLED", given


async def test_a_device_forgotten_after_its_time_is_new_again(house: House) -> None:
    family, _ = await house.member()
    device = await device_of(house, family)
    house.clock.ahead += timedelta(days=401)
    await exhaust(house, family.email)
    assert await code(house, family.email, device=device) == "THROTTLED"


async def test_waiting_doubles_from_the_fourth_failure_and_the_tenth_blocks_for_an_hour(house: House) -> None:
    """2^n seconds, block at 10, at most 25 a day (decisions, "Throttling")."""
    family, _ = await house.member()
    house.clock.ahead = NOON - datetime.now(UTC)
    waits = []
    for failure in range(1, 11):
        assert await code(house, family.email, WRONG) == "BAD_CREDENTIALS", failure
        if failure >= 4:
            [problem] = (await sign_in(house, family.email))["problems"]
            assert problem["code"] == "THROTTLED"
            waits.append(problem["retryAfter"])
            house.clock.ahead += timedelta(seconds=waits[-1] - 5)
            assert await code(house, family.email) == "THROTTLED"
            house.clock.ahead += timedelta(seconds=6)
    whole = (16, 32, 64, 128, 256, 512, 3600)
    assert all(0 <= full - wait <= 5 for full, wait in zip(whole, waits, strict=True)), waits
    assert await code(house, family.email) == "", "the time has passed, and the right password clears it"


async def test_a_day_has_at_most_twenty_five_failures_of_an_identifier(house: House) -> None:
    family, _ = await house.member()
    house.clock.ahead = NOON.replace(hour=0, minute=5) - datetime.now(UTC)
    evaluated = 0
    for _ in range(60):
        [problem] = (await sign_in(house, family.email, WRONG))["problems"]
        evaluated += problem["code"] == "BAD_CREDENTIALS"
        left = NOON.replace(hour=0) + timedelta(days=1) - house.clock()
        house.clock.ahead += min(timedelta(seconds=(problem["retryAfter"] or 0) + 1), left - timedelta(seconds=30))
    assert evaluated == 25
    problem = (await sign_in(house, family.email))["problems"][0]
    assert problem["code"] == "THROTTLED" and problem["retryAfter"] <= 31, "until midnight, UTC"
    house.clock.ahead += timedelta(hours=1, minutes=1)
    assert await code(house, family.email) == ""


async def test_who_must_wait_is_told_how_long_in_words_whether_there_is_an_account_or_not(house: House) -> None:
    family, _ = await house.member()
    told = []
    for identifier in (family.email, "personne@example.org"):
        await exhaust(house, identifier)
        [problem] = (await sign_in(house, identifier))["problems"]
        assert 1 < problem["retryAfter"] <= 16
        told.append(problem["message"].replace(str(problem["retryAfter"]), "n"))
    assert told[0] == told[1] and told[0].startswith("Trop d’essais. Réessayez dans n\N{NO-BREAK SPACE}secondes.")


async def test_an_address_that_fails_too_often_waits_for_the_next_hour_whomever_it_tries(city: Database) -> None:
    async with opened(city.dsn, limits={"sign_ins_per_address": 5}) as house:
        family, _ = await house.member()
        house.clock.ahead = NOON.replace(minute=40) - datetime.now(UTC)
        device = await device_of(house, family)
        told = [await code(house, f"personne{n}@example.org", WRONG) for n in range(7)]
        assert told == ["BAD_CREDENTIALS"] * 5 + ["THROTTLED"] * 2
        [problem] = (await sign_in(house, family.email))["problems"]
        assert problem["code"] == "THROTTLED" and 1140 <= problem["retryAfter"] <= 1200
        assert await code(house, family.email, device=device) == "", "its own device gets in"
        house.clock.ahead += timedelta(minutes=21)
        assert await code(house, family.email) == ""


async def test_right_passwords_of_one_address_do_not_add_up(city: Database) -> None:
    async with opened(city.dsn, limits={"sign_ins_per_address": 3}) as house:
        family, _ = await house.member()
        assert [await code(house, family.email) for _ in range(6)] == [""] * 6


def test_a_household_counts_as_one_address_over_ipv6() -> None:
    assert household_of("2001:db8:1:2:3::4") == household_of("2001:db8:1:2:ffff::1") != household_of("2001:db8:1:3::4")


async def test_what_is_over_is_forgotten_after_its_time_and_nothing_else(house: House) -> None:
    family, token = await house.member()
    device = await device_of(house, family)
    live = await house.connection.fetchval("select count(*) from session where family_id = $1", family.id)
    for kept, ended in ((False, "31 days"), (True, "29 days")):
        session_id = uuid7()
        await house.connection.execute(
            """insert into session (id, family_id, account_id, device, created_at, used_at, expires_at, ended_at)
               select $1, family_id, id, $3, now(), now(), now() + interval '1 day', now() - $4::text::interval
               from account where family_id = $2""",
            session_id,
            family.id,
            f"kept {kept}",
            ended,
        )
        insert = "insert into refresh_token (hash, session_id, created_at) values ($1, $2, now())"
        await house.connection.execute(insert, session_id.bytes, session_id)
    await exhaust(house, "personne@example.org")
    pool = await Pool.open(house.dsn, size=1, command_seconds=30, statement_seconds=30)
    try:
        gone = []
        for ahead in (0, 3, 401):
            async with pool.transaction(SYSTEM_SIGHT) as tx:
                gone.append(await sweep(tx, house.clock() + timedelta(days=ahead), Tokens()))
            if ahead == 0:
                rows = await house.connection.fetch(
                    "select device, ended_at from session where family_id = $1", family.id
                )
                assert len(rows) == live + 1 and "kept False" not in {row["device"] for row in rows}
                assert await code(house, "personne@example.org") == "THROTTLED"
                assert await code(house, family.email, device=device) == ""
                assert (await house.ask("{ viewer { id } }", token)).status == 200
            async with pool.transaction(SYSTEM_SIGHT) as tx:
                assert await sweep(tx, house.clock() + timedelta(days=ahead), Tokens()) == 0, "nothing is left"
    finally:
        await pool.close()
    assert gone[0] == 2 and gone[1] >= 2 and gone[2] >= 2
    for table in ("session", "refresh_token", "throttle", "device"):
        assert await house.connection.fetchval(f"select count(*) from {table}") == 0, table
