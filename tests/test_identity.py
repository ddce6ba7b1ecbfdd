"""Families sign in by a provider: only who began can finish, only what the provider signed counts, nothing links
itself.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db.configuration import SettingsError, read
from gateway.demo.identity import CLIENT_ID, CLIENT_SECRET, DemoProvider, Granted
from tests.conftest import Database
from tests.house import PASSWORD, House, Made, opened
from tests.program import free_port

BACK = "http://127.0.0.1:0/sign-in/provider"
START = """mutation ($back: String!, $shared: Boolean) {
    startProviderSignIn(redirectUri: $back, sharedComputer: $shared) { problems { code path } url binding } }"""
FINISH = """mutation ($state: String!, $code: String!, $binding: String!) {
    finishProviderSignIn(state: $state, code: $code, binding: $binding) {
        problems { code } session { accessToken refreshToken } } }"""
LINK = """mutation ($back: String!, $password: String!) {
    linkProvider(redirectUri: $back, password: $password) { problems { code path } url binding } }"""
FINISH_LINK = """mutation ($state: String!, $code: String!, $binding: String!) {
    finishProviderLink(state: $state, code: $code, binding: $binding) {
        problems { code } link { id createdAt usedAt provider { name issuer } } } }"""
UNLINK = "mutation ($link: ID!) { unlinkProvider(link: $link) { problems { code } } }"
MINE = """{ viewer { family { number } account { linkedProviders { edges { node { id usedAt } } } } } }"""
PROVIDERS = "{ identityProviders { edges { node { name issuer } } } }"
Forge = Callable[["Forger", Granted], str]


class Forger(DemoProvider):
    """A provider whose ID tokens can be made otherwise."""

    forge: Forge | None = None

    def id_token(self, granted: Granted) -> str:
        """Make the ID token of a code."""
        return self.forge(self, granted) if self.forge is not None else super().id_token(granted)


@dataclass(slots=True)
class Way:
    """A browser on its way back from the provider."""

    state: str
    code: str
    binding: str

    @property
    def values(self) -> dict[str, str]:
        """What the client sends to finish."""
        return {"state": self.state, "code": self.code, "binding": self.binding}


@dataclass(slots=True)
class Town:
    """A portal and its provider."""

    house: House
    provider: Forger

    async def back(self, started: dict[str, Any], person: str = "camille-durand") -> Way:
        """Choose somebody at the provider, as a browser does, and come back."""
        url = f"{started['url']}&{urlencode({'person': person})}"
        async with self.house.http.get(url, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            came = urlsplit(response.headers["Location"])
        query = {name: value for name, [value] in parse_qs(came.query).items()}
        assert came._replace(query="").geturl() == BACK
        return Way(query["state"], query["code"], started["binding"])

    async def way(self, person: str = "camille-durand") -> Way:
        """Begin to sign in and come back."""
        return await self.back(await self.house.do(START, back=BACK), person)

    async def linked(self, person: str = "camille-durand") -> tuple[Made, str, dict[str, Any]]:
        """Give a family whose account is linked, its token, and the link."""
        family, token = await self.house.member()
        started = await self.house.do(LINK, token, back=BACK, password=PASSWORD)
        link = (await self.house.do(FINISH_LINK, token, **(await self.back(started, person)).values))["link"]
        return family, token, link

    async def count(self, table: str) -> int:
        """Count the rows of a table."""
        found: int = await self.house.connection.fetchval(f"select count(*) from {table}")
        return found

    async def refused(self, code: str, way: Way) -> None:
        """See a sign-in refused, and no session opened."""
        before = await self.count("session")
        assert await self.house.problems(FINISH, **way.values) == [code]
        assert await self.count("session") == before


@asynccontextmanager
async def town_on(dsn: str, provider: Forger, **identity: Any) -> AsyncIterator[Town]:
    given = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **identity}
    async with opened(dsn, identity=given) as house:
        provider.clock = house.clock
        yield Town(house, provider)


@pytest.fixture
async def provider() -> AsyncIterator[Forger]:
    """Give a provider on a socket of its own."""
    running = Forger()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def town(city: Database, provider: Forger) -> AsyncIterator[Town]:
    """Give a portal whose settings name the provider."""
    async with town_on(city.dsn, provider) as made:
        yield made


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


async def test_a_session_on_a_shared_computer_is_short(town: Town) -> None:
    await town.linked()
    way = await town.back(await town.house.do(START, back=BACK, shared=True))
    session = (await town.house.do(FINISH, **way.values))["session"]
    assert session["refreshToken"] is None


def _claims(**changed: Any) -> Forge:
    """Give a token with other claims, well signed; `...` leaves one out."""

    def forge(provider: Forger, granted: Granted) -> str:
        now = provider.clock()
        given = {name: value(now) if callable(value) else value for name, value in changed.items()}
        claims = provider.claims(granted) | given
        return provider.signed({name: value for name, value in claims.items() if value is not ...})

    return forge


def _signed(make: Callable[[dict[str, Any], str, Any], str]) -> Forge:
    """Give a token with good claims, signed otherwise: `make` takes claims, kid and the provider's key."""

    def forge(provider: Forger, granted: Granted) -> str:
        kid, key = list(provider.keys.items())[-1]
        claims = {
            name: int(value.timestamp()) if hasattr(value, "timestamp") else value
            for name, value in provider.claims(granted).items()
        }
        return make(claims, kid, key)

    return forge


def _by_hand(header: Any, claims: Any, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _hmac(claims: dict[str, Any], kid: str, secret: bytes) -> str:
    """Sign by hand: the library does not sign with what looks like a public key."""
    text = _by_hand({"alg": "HS256", "kid": kid}, claims).rsplit(".", 1)[0]
    signature = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{text}.{signature}"


def _public(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


OTHER = rsa.generate_private_key(65537, 2048)
FORGERIES: dict[str, tuple[Forge, str]] = {
    "another nonce": (_claims(nonce="x" * 43), "NONCE"),
    "no nonce": (_claims(nonce=...), "MISSING_REQUIRED_CLAIM"),
    "another audience": (_claims(aud="autre-client"), "INVALID_AUDIENCE"),
    "two audiences, not said who asked": (_claims(aud=[CLIENT_ID, "autre"]), "AUTHORIZED_PARTY"),
    "asked by another client": (_claims(azp="autre"), "AUTHORIZED_PARTY"),
    "another issuer": (_claims(iss="https://evil.example"), "INVALID_ISSUER"),
    "no issuer": (_claims(iss=...), "MISSING_REQUIRED_CLAIM"),
    "expired": (_claims(exp=lambda now: now - timedelta(seconds=61)), "EXPIRED"),
    "never expires": (_claims(exp=...), "MISSING_REQUIRED_CLAIM"),
    "expiry no number": (_claims(exp=True), "EXPIRED"),
    "issued long ago": (_claims(iat=lambda now: now - timedelta(hours=1)), "ISSUED_AT"),
    "issued in the future": (_claims(iat=lambda now: now + timedelta(minutes=5)), "ISSUED_AT"),
    "no subject": (_claims(sub=...), "MISSING_REQUIRED_CLAIM"),
    "an empty subject": (_claims(sub=""), "SUBJECT"),
    "a subject without end": (_claims(sub="x" * 256), "SUBJECT"),
    "no signature": (_signed(lambda c, kid, key: _by_hand({"alg": "none", "kid": kid}, c)), "ALGORITHM"),
    "HS256 with the client's secret": (_signed(lambda c, kid, key: _hmac(c, kid, CLIENT_SECRET.encode())), "ALGORITHM"),
    "HS256 with the public key": (_signed(lambda c, kid, key: _hmac(c, kid, _public(key))), "ALGORITHM"),
    "RS512": (_signed(lambda c, kid, key: jwt.encode(c, key, "RS512", headers={"kid": kid})), "ALGORITHM"),
    "another key under its kid": (
        _signed(lambda c, kid, key: jwt.encode(c, OTHER, "RS256", headers={"kid": kid})), "INVALID_SIGNATURE",
    ),
    "a key that is not published": (
        _signed(lambda c, kid, key: jwt.encode(c, OTHER, "RS256", headers={"kid": "x"})), "KEY_UNKNOWN",
    ),
    "no kid": (_signed(lambda c, kid, key: jwt.encode(c, key, "RS256")), "ALGORITHM"),
    "its own key in the header": (
        _signed(lambda c, kid, key: jwt.encode(c, OTHER, "RS256", headers={"kid": "x", "jwk": {"kty": "RSA"}})),
        "KEY_UNKNOWN",
    ),
    "claims changed after signing": (
        _signed(lambda c, kid, key: _tampered(jwt.encode(c, key, "RS256", headers={"kid": kid}))), "INVALID_SIGNATURE",
    ),
    "no token": (lambda provider, granted: "x", "TOKEN_MALFORMED"),
    "claims that are a list": (
        lambda provider, granted: _by_hand({"alg": "RS256", "kid": next(iter(provider.keys))}, []), "INVALID_SIGNATURE",
    ),
}  # fmt: skip


def _tampered(token: str) -> str:
    header, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "sacha-martin"}
    return ".".join([header, base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode(), signature])


async def test_id_tokens_that_are_not_the_providers_for_this_sign_in_are_refused(town: Town) -> None:
    await town.linked()
    told = {}
    for name, (forge, _) in FORGERIES.items():
        town.provider.forge = forge
        await town.refused("PROVIDER_REFUSED", await town.way())
        entry = await town.house.connection.fetchrow(
            "select data::text, e::text as whole from audit_entry e where act = 'provider_refused' "
            "order by number desc limit 1"
        )
        assert entry is not None and "camille" not in entry["whole"]
        told[name] = json.loads(entry["data"])["code"]
    assert told == {name: code for name, (_, code) in FORGERIES.items()}
    town.provider.forge = None
    await town.house.do(FINISH, **(await town.way()).values)


async def test_a_new_key_of_the_provider_is_found_at_once_and_a_withdrawn_one_counts_no_more(town: Town) -> None:
    await town.linked()
    old_kid, old = next(iter(town.provider.keys.items()))
    asked = town.provider.asked
    assert asked.count("/jwks") == 1
    for curve in (False, True):
        town.provider.rotate(curve=curve)
        await town.house.do(FINISH, **(await town.way()).values)
    assert asked.count("/jwks") == 3 and asked.count("/.well-known/openid-configuration") == 1
    town.provider.rotate(keep=False)
    await town.house.do(FINISH, **(await town.way()).values)
    town.provider.forge = _signed(lambda c, kid, key: jwt.encode(c, old, "RS256", headers={"kid": old_kid}))
    before = asked.count("/jwks")
    await town.refused("PROVIDER_REFUSED", await town.way())
    assert asked.count("/jwks") == before + 1, "one look for an unknown key, not more"


async def test_description_and_keys_are_asked_for_again_after_an_hour(town: Town) -> None:
    await town.linked()
    await town.house.do(FINISH, **(await town.way()).values)
    asked = town.provider.asked
    assert (asked.count("/jwks"), asked.count("/.well-known/openid-configuration")) == (1, 1)
    town.house.clock.ahead += timedelta(hours=1, seconds=1)
    await town.house.do(FINISH, **(await town.way()).values)
    assert (asked.count("/jwks"), asked.count("/.well-known/openid-configuration")) == (2, 2)


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
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
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


async def test_a_level_of_assurance_that_is_asked_for_is_checked(city: Database, provider: Forger) -> None:
    async with town_on(city.dsn, provider, acr_values="eidas2 eidas3") as town:
        way = await town.way()
        await town.refused("PROVIDER_REFUSED", way)
        provider.forge = _claims(acr="eidas2")
        await town.refused("PROVIDER_NOT_LINKED", await town.way())


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
