"""Families sign in by a provider: only who began can finish, only what the provider signed counts, nothing links
itself.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from db.configuration import SettingsError, read
from gateway.demo.identity import CLIENT_ID, CLIENT_SECRET, Granted
from resolvers.identity import LONGEST
from tests.conftest import Database
from tests.house import PASSWORD, House, opened
from tests.town import (
    BACK,
    FINISH,
    FINISH_LINK,
    LINK,
    MINE,
    PROVIDERS,
    START,
    UNLINK,
    Forger,
    Town,
    Way,
)


async def test_a_linked_family_signs_in_by_the_provider_and_is_told_of_the_link(town: Town) -> None:
    house = town.house
    assert (await house.ask(PROVIDERS)).data["identityProviders"]["edges"] == [
        {"node": {"name": "FranceConnect", "issuer": town.provider.issuer}}
    ]
    family, token, link = await town.linked()
    assert link["provider"]["issuer"] == town.provider.issuer and link["usedAt"] is None
    told = await house.mail_to(family.email, "Connexion par FranceConnect ajoutée")
    assert "appelez-nous" in told
    session = (await house.do(FINISH, **(await town.way()).values))["session"]
    mine = (await house.ask(MINE, session["accessToken"])).data["viewer"]
    assert mine["family"]["number"] == family.number
    assert mine["account"]["linkedProviders"]["edges"][0]["node"]["usedAt"]
    assert await house.sign_in(family.email), "the password stays good"
    await house.do(UNLINK, token, link=link["id"])
    await house.mail_to(family.email, "Connexion par FranceConnect retirée")
    await town.refused("PROVIDER_NOT_LINKED", await town.way())


async def test_somebody_unknown_is_never_linked_by_what_the_provider_says(town: Town) -> None:
    family, _ = await town.house.member()

    def with_email(provider: Forger, granted: Granted) -> str:
        claims = provider.claims(granted)
        return provider.signed(claims | {"email": family.email, "email_verified": True})

    town.provider.forge = with_email
    await town.refused("PROVIDER_NOT_LINKED", await town.way())
    assert await town.count("provider_link") == 0


async def test_a_subject_opens_one_account_only_and_an_account_has_one_subject(town: Town) -> None:
    family, token, _ = await town.linked()
    _, other = await town.house.member()
    for viewer, person in ((other, "camille-durand"), (token, "sacha-martin")):
        started = await town.house.do(LINK, viewer, back=BACK, password=PASSWORD)
        way = await town.back(started, person)
        assert await town.house.problems(FINISH_LINK, viewer, **way.values) == ["PROVIDER_LINKED_ALREADY"]
    assert await town.count("provider_link") == 1
    session = (await town.house.do(FINISH, **(await town.way()).values))["session"]
    mine = (await town.house.ask(MINE, session["accessToken"])).data["viewer"]
    assert mine["family"]["number"] == family.number


async def test_the_subject_is_stored_so_that_it_cannot_be_read(town: Town) -> None:
    await town.linked()
    for table in ("provider_link", "identity_attempt", "audit_entry", "news"):
        rows = await town.house.connection.fetch(f"select t::text as text from {table} t")
        assert rows and not [row for row in rows if "camille" in row["text"]]
        assert not [row for row in rows if b"camille".hex() in row["text"]]


async def test_the_browser_is_sent_with_state_nonce_and_a_pkce_challenge(town: Town) -> None:
    one, two = [await town.house.do(START, back=BACK) for _ in range(2)]
    asked = {name: value for name, [value] in parse_qs(urlsplit(one["url"]).query).items()}
    assert (asked["response_type"], asked["scope"], asked["redirect_uri"]) == ("code", "openid", BACK)
    assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT_ID, "S256")
    others = {name: value for name, [value] in parse_qs(urlsplit(two["url"]).query).items()}
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) == 43 and asked[name] != others[name]
    assert CLIENT_SECRET not in one["url"] and one["binding"] not in one["url"]
    rows = await town.house.connection.fetch("select a::text as text from identity_attempt a")
    kept = [value for value in (asked["state"], asked["nonce"], one["binding"])]
    assert not [
        row for row in rows if any(value in row["text"] or value.encode().hex() in row["text"] for value in kept)
    ]


async def test_a_browser_comes_back_to_addresses_of_the_settings_only(town: Town) -> None:
    for address in ("https://evil.example/", BACK + "/", BACK + "?x=1", BACK.replace("http:", "https:"), ""):
        [problem] = (await town.house.ask(START, back=address)).data["startProviderSignIn"]["problems"]
        assert (problem["code"], problem["path"]) == ("BAD_USER_INPUT", ["redirectUri"])
    assert await town.count("identity_attempt") == 0


async def test_a_state_works_once(town: Town) -> None:
    await town.linked()
    way = await town.way()
    await town.house.do(FINISH, **way.values)
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", way)
    fresh = await town.way()
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", Way(way.state, fresh.code, way.binding))
    together = await asyncio.gather(*(town.house.problems(FINISH, **fresh.values) for _ in range(5)))
    assert sorted(together) == [[]] + [["PROVIDER_ATTEMPT_NOT_VALID"]] * 4


async def test_a_code_that_another_browser_stole_opens_nothing(town: Town) -> None:
    """Login CSRF and stolen call-backs: state and code are not enough without what the first browser kept."""
    await town.linked()
    thief = await town.house.do(START, back=BACK)
    victim = await town.way()
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", Way(victim.state, victim.code, thief["binding"]))
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", victim)  # it was shown to too many
    victim = await town.way()
    own = parse_qs(urlsplit(thief["url"]).query)["state"][0]
    await town.refused("PROVIDER_REFUSED", Way(own, victim.code, thief["binding"]))  # PKCE: another verifier
    assert town.provider.asked.count("/token") == 2, "the link, and the thief's own attempt"


async def test_a_code_too_long_to_be_one_is_not_shown_to_the_provider_and_uses_up_nothing(town: Town) -> None:
    await town.linked()
    way, asked = await town.way(), len(town.provider.asked)
    for wrong in (
        Way(way.state, way.code + "x" * LONGEST, way.binding),
        Way(way.state + "x" * LONGEST, way.code, way.binding),
    ):
        await town.refused("PROVIDER_ATTEMPT_NOT_VALID", wrong)
    assert len(town.provider.asked) == asked
    await town.house.do(FINISH, **way.values)


async def test_an_attempt_ends_after_ten_minutes(town: Town) -> None:
    await town.linked()
    way = await town.way()
    town.house.clock.ahead += timedelta(minutes=10, seconds=1)
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", way)
    await town.house.do(START, back=BACK)
    assert await town.count("identity_attempt where expires_at < now() + interval '10 minutes'") == 0, "swept"


async def test_a_sign_in_cannot_be_finished_as_a_link_nor_a_link_by_somebody_else(town: Town) -> None:
    _, token = await town.house.member()
    _, stranger = await town.house.member()
    way = await town.way()
    assert await town.house.problems(FINISH_LINK, token, **way.values) == ["PROVIDER_ATTEMPT_NOT_VALID"]
    linking = await town.back(await town.house.do(LINK, token, back=BACK, password=PASSWORD))
    await town.refused("PROVIDER_ATTEMPT_NOT_VALID", linking)
    assert await town.house.problems(FINISH_LINK, stranger, **linking.values) == ["PROVIDER_ATTEMPT_NOT_VALID"]
    assert await town.count("provider_link") == 0


async def test_a_link_needs_the_password_and_is_removed_by_its_account_only(town: Town) -> None:
    _, token, link = await town.linked()
    _, stranger = await town.house.member()
    wrong = {"back": BACK, "password": "Mauvais-Mot-1"}
    assert await town.house.problems(LINK, stranger, **wrong) == ["PASSWORD_WRONG"]
    assert await town.house.problems(UNLINK, stranger, link=link["id"]) == ["NOT_FOUND"]
    agent = await town.house.agent()
    assert (await town.house.ask(LINK, agent, back=BACK, password=PASSWORD)).codes == ["FORBIDDEN"]
    assert await town.count("provider_link") == 1
    await town.house.do(UNLINK, token, link=link["id"])
    assert await town.count("provider_link") == 0


async def test_a_family_whose_access_the_city_ended_does_not_come_in_by_the_provider(town: Town) -> None:
    family, _, _ = await town.linked()
    await town.house.connection.execute(
        "update family set terminated_at = now(), termination_reason = 'FRAUD' where id = $1", family.id
    )
    await town.refused("ACCOUNT_TERMINATED", await town.way())
    used = "select used_at from provider_link where family_id = $1"
    assert await town.house.connection.fetchval(used, family.id) is None


async def test_a_login_whose_address_is_not_confirmed_does_not_come_in_by_the_provider(town: Town) -> None:
    family, _, _ = await town.linked()
    await town.house.connection.execute("update account set email_verified_at = null where family_id = $1", family.id)
    sessions = "select count(*) from session where family_id = $1"
    before = await town.house.connection.fetchval(sessions, family.id)
    await town.refused("EMAIL_NOT_VERIFIED", await town.way())
    assert await town.house.connection.fetchval(sessions, family.id) == before


async def test_a_session_on_a_shared_computer_is_short(town: Town) -> None:
    await town.linked()
    way = await town.back(await town.house.do(START, back=BACK, shared=True))
    session = (await town.house.do(FINISH, **way.values))["session"]
    assert session["refreshToken"] is None


async def test_with_the_provider_down_it_is_told_and_passwords_work(town: Town) -> None:
    family, _, _ = await town.linked()
    way = await town.way()
    await town.provider.stop()
    await town.refused("PROVIDER_UNAVAILABLE", way)
    assert await town.house.sign_in(family.email)
    town.house.clock.ahead += timedelta(hours=2)
    assert await town.house.problems(START, back=BACK) == ["PROVIDER_UNAVAILABLE"]
    assert await town.house.sign_in(family.email)


async def _rubbish(request: web.Request) -> web.StreamResponse:
    answers: dict[str, Callable[[], Any]] = {
        "/large": lambda: web.Response(body=b" " * 70_000, content_type="application/json"),
        "/redirect": lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        "/html": lambda: web.Response(text="<html>"),
        "/error": lambda: web.Response(status=500),
        "/list": lambda: web.json_response([]),
        "/deep": lambda: web.Response(text="[" * 60_000),
    }
    name = "/" + request.path.split("/")[1]
    if name == "/slow":
        await asyncio.sleep(5)
    made: web.StreamResponse = answers.get(name, lambda: _described(request, name))()
    return made


def _described(request: web.Request, name: str) -> web.Response:
    own = f"http://{request.host}{name}"
    said = {"issuer": own, "authorization_endpoint": f"{own}/a", "token_endpoint": f"{own}/t", "jwks_uri": f"{own}/j"}
    wrong = {
        "/other-issuer": {"issuer": "https://evil.example"},
        "/plain-http": {"token_endpoint": "http://evil.example/token"},
        "/file": {"jwks_uri": "file:///etc/passwd"},
        "/broken": {"jwks_uri": "http://[x"},
    }
    return web.json_response(said | wrong.get(name, {}))


async def test_a_provider_that_answers_otherwise_than_a_provider_is_told_as_unavailable(city: Database) -> None:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", _rubbish)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    names = (
        "large",
        "redirect",
        "html",
        "error",
        "list",
        "deep",
        "slow",
        "other-issuer",
        "plain-http",
        "file",
        "broken",
    )
    try:
        for name in names:
            issuer = f"http://127.0.0.1:{port}/{name}"
            given = {"issuer": issuer, "client_id": CLIENT_ID, "timeout": 0.3}
            async with opened(city.dsn, identity=given) as house:
                assert await house.problems(START, back=BACK) == ["PROVIDER_UNAVAILABLE"], name
                providers = (await house.ask(PROVIDERS)).data["identityProviders"]["edges"]
                assert [edge["node"]["issuer"] for edge in providers] == [issuer], (
                    "those of earlier settings are retired"
                )
    finally:
        await runner.cleanup()


async def test_without_a_provider_in_the_settings_none_is_offered(house: House) -> None:
    assert (await house.ask(PROVIDERS)).data["identityProviders"]["edges"] == []
    assert await house.problems(START, back=BACK) == ["PROVIDER_NOT_OFFERED"]
    assert await house.problems(FINISH, state="x", code="x", binding="x") == ["PROVIDER_NOT_OFFERED"]


async def test_the_page_of_the_provider_names_people_and_the_code_is_for_its_client_only(town: Town) -> None:
    url = (await town.house.do(START, back=BACK))["url"]
    async with town.house.http.get(url) as response:
        page = await response.text()
    assert "Camille Durand" in page and "<script" not in page
    async with aiohttp.ClientSession() as http:
        form = {"grant_type": "authorization_code", "code": "x", "client_id": CLIENT_ID, "client_secret": "autre"}
        async with http.post(f"{town.provider.issuer}/token", data=form) as response:
            assert response.status == 401


@pytest.mark.parametrize(
    "issuer", ["http://fc.example", "ftp://fc.example", "fc.example", "http://127.0.0.1.evil.example"]
)
def test_an_issuer_without_tls_stops_the_start(issuer: str) -> None:
    with pytest.raises(SettingsError, match=r"identity\.issuer"):
        read(None, {}, {"identity.issuer": issuer, "identity.client_id": "x"})


def test_an_issuer_without_a_client_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"identity\.client_id"):
        read(None, {}, {"identity.issuer": "https://fc.example"})
