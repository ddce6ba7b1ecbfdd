"""Signing keys: published, rotated under running nodes, and gone when their time is over."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import jwt
import pytest

from db.clock import utc_now
from db.settings import Tokens
from resolvers import signing_keys
from tests.conftest import Database
from tests.house import KEYS, MASTER_KEY, House, opened

WHO = "{ viewer { account { email } } }"
ROOT = Path(__file__).parents[1]


async def published(house: House) -> dict[str, Any]:
    """Give the keys that others read."""
    async with house.http.get(f"{house.url}/.well-known/jwks.json") as response:
        assert response.status == 200 and "max-age=300" in response.headers["Cache-Control"]
        assert response.content_type == "application/jwk-set+json"
        return {key["kid"]: key for key in (await response.json(content_type=None))["keys"]}


def kid_of(token: str) -> str:
    """Give the name of the key that signed a token."""
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


async def rotate(house: House, *, compromised: bool = False) -> str:
    """Rotate as the command does."""
    async with house.connection.transaction():
        tokens = house.settings.tokens
        return await signing_keys.rotate(house.connection, KEYS, tokens, house.clock(), compromised=compromised)


async def heard(house: House, kid: str) -> None:
    """Wait until a running node publishes a key."""
    async with asyncio.timeout(10):
        while kid not in await published(house):
            await asyncio.sleep(0.02)


async def test_others_verify_our_tokens_with_what_is_published_and_learn_no_secret(house: House) -> None:
    _, token = await house.member()
    keys = await published(house)
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys.values())
    claims = jwt.decode(token, jwt.PyJWK(keys[kid_of(token)]), ["EdDSA"], audience="kiosque", issuer="kiosque")
    assert claims["typ"] == "access"
    async with house.http.post(f"{house.url}/.well-known/jwks.json") as response:
        assert response.status == 405


async def test_a_new_key_signs_on_every_running_node_and_the_one_before_verifies_until_its_tokens_ended(
    city: Database,
) -> None:
    async with opened(city.dsn) as one, opened(city.dsn) as two:
        family, old = await one.member()
        kid = await rotate(one)
        await asyncio.gather(heard(one, kid), heard(two, kid))
        for house in (one, two):
            new = await house.sign_in(family.email)
            assert kid_of(new) == kid != kid_of(old)
            for node in (one, two):
                assert [(await node.ask(WHO, token)).status for token in (old, new)] == [200, 200]
        one.clock.ahead = two.clock.ahead = timedelta(minutes=33)
        assert set(await published(one)) == {kid_of(old), kid}, "nodes have not looked since"
        latest = await rotate(one)
        await asyncio.gather(heard(one, latest), heard(two, latest))
        assert set(await published(two)) == {kid, latest}


async def test_a_key_whose_time_is_over_verifies_nothing(house: House) -> None:
    """Not even a token that claims to be good for longer than any that we make."""
    _, token = await house.member()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert house.opened is not None
    private = house.opened.process.tokens._keys[kid_of(token)].private
    forged = jwt.encode(claims | {"exp": claims["exp"] + 86_400}, private, "EdDSA", headers={"kid": kid_of(token)})
    kid = await rotate(house)
    await heard(house, kid)
    assert (await house.ask(WHO, forged)).status == 200
    await house.connection.execute("update signing_key set retired_at = $1 where retired_at is not null", house.clock())
    async with asyncio.timeout(10):
        while (await house.ask(WHO, forged)).codes != ["UNAUTHENTICATED"]:
            await asyncio.sleep(0.02)
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]


async def test_a_compromised_key_counts_no_more_at_once_and_clients_refresh(house: House) -> None:
    family, token = await house.member()
    refresh = """mutation ($token: String!) { refreshSession(refreshToken: $token) {
        problems { code } session { accessToken } } }"""
    sign_in = """mutation ($identifier: String!) { signIn(identifier: $identifier, password: "Marronnier-47") {
        problems { code } session { refreshToken } } }"""
    kept = (await house.do(sign_in, identifier=family.email))["session"]["refreshToken"]
    kid = await rotate(house, compromised=True)
    await heard(house, kid)
    assert set(await published(house)) == {kid}
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
    new = (await house.do(refresh, token=kept))["session"]["accessToken"]
    assert kid_of(new) == kid and (await house.ask(WHO, new)).status == 200


async def deaf_rotation(house: House) -> str:
    """Rotate without the bell; give a token of the viewer's session signed with the new key."""
    await house.connection.execute("alter table signing_key disable trigger ring")
    _, token = await house.member()
    await rotate(house)
    tokens = await signing_keys.open_tokens(house.connection, KEYS, house.settings.tokens, house.clock())
    claims = jwt.decode(token, options={"verify_signature": False})
    session_id, subject = claims["sid"], claims["sub"]
    return tokens.issue(session_id, subject, house.clock(), house.clock() + timedelta(hours=1))[0]


async def test_a_node_that_did_not_hear_of_a_key_looks_for_it_but_not_at_a_stranger_s_beck(house: House) -> None:
    first = await deaf_rotation(house)
    assert kid_of(first) not in await published(house)
    assert (await house.ask(WHO, first)).status == 200
    second = await deaf_rotation(house)
    answers = await asyncio.gather(*(house.ask(WHO, second) for _ in range(20)))
    assert {tuple(answer.codes) for answer in answers} == {("UNAUTHENTICATED",)}, "it looked a moment ago"
    assert kid_of(second) not in await published(house)
    await asyncio.sleep(signing_keys.LOOK_SECONDS)
    assert (await house.ask(WHO, second)).status == 200


async def command(dsn: str, *arguments: str) -> str:
    """Run a command of the program; give what it printed."""
    environment = os.environ | {"KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY, "PYTHONPATH": str(ROOT)}
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "gateway", "keys", *arguments, "--database", dsn,
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await running.communicate()
    assert running.returncode == 0, printed.decode()
    return printed.decode()


async def test_the_commands_list_and_rotate_keys_and_write_it_down(house: House) -> None:
    [first] = await published(house)
    assert "signs" in await command(house.dsn, "list")
    told = await command(house.dsn, "rotate")
    kid = told.split()[1]
    await heard(house, kid)
    lines = (await command(house.dsn, "list")).splitlines()
    assert lines[0].startswith(kid) and lines[0].endswith("signs")
    assert lines[1].startswith(first) and "verifies until" in lines[1]
    assert "refused" in await command(house.dsn, "rotate", "--compromised")
    assert len((await command(house.dsn, "list")).splitlines()) == 1
    acts = await house.connection.fetch(
        "select actor, subject_id::text, data->>'compromised' as compromised from audit_entry "
        "where act = 'signing_key_rotated' order by number"
    )
    assert [(row["actor"], row["compromised"]) for row in acts] == [("SYSTEM", "false"), ("SYSTEM", "true")]
    assert acts[0]["subject_id"] == kid


@pytest.mark.parametrize("path", ["/.well-known/jwks.json/", "/.well-known/", "/.well-known/openid-configuration"])
async def test_nothing_else_is_there(house: House, path: str) -> None:
    async with aiohttp.ClientSession() as client, client.get(f"{house.url}{path}") as response:
        assert response.status == 404


async def test_two_nodes_that_start_at_once_make_one_key(database: Database) -> None:
    async def start() -> list[str]:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        try:
            async with connection.transaction():
                tokens = await signing_keys.open_tokens(connection, KEYS, Tokens(), utc_now())
                return [key["kid"] for key in tokens.public_keys]
        finally:
            await connection.close()

    made = await asyncio.gather(*(start() for _ in range(5)))
    assert len({tuple(kids) for kids in made}) == 1
