"""ID tokens of an outside provider: only those made for this sign-in, by its keys, count."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.demo.identity import CLIENT_ID, CLIENT_SECRET, Granted
from tests.conftest import Database
from tests.town import FINISH, Forge, Forger, Town, town_on


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


async def test_a_level_of_assurance_that_is_asked_for_is_checked(city: Database, provider: Forger) -> None:
    async with town_on(city.dsn, provider, acr_values="eidas2 eidas3") as town:
        way = await town.way()
        await town.refused("PROVIDER_REFUSED", way)
        provider.forge = _claims(acr="eidas2")
        await town.refused("PROVIDER_NOT_LINKED", await town.way())
