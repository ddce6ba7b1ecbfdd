"""Access tokens of partners: OAuth 2 client credentials (RFC 6749, section 4.4) by secret or by signed assertion (RFC
7523).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import msgspec

from db import audit, sessions, throttle
from db import partners as stored
from db.ids import uuid7
from db.partners import Partner
from resolvers import attempts
from resolvers.context import Process
from resolvers.partners import digest
from resolvers.viewer import SYSTEM_SIGHT, Kind

ALGORITHMS = ("EdDSA", "ES256", "ES384", "PS256", "RS256")
LONGEST_ASSERTION = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
PURPOSE = "throttle"


class TokenError(Exception):
    """A refusal by its code of RFC 6749, section 5.2."""

    def __init__(self, code: str, description: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a client says it is, and what proves it: a secret or an assertion."""

    client_id: UUID
    secret: str | None = None
    assertion: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token."""

    access_token: str
    seconds: int
    scope: str


def scope_name(stored_name: str) -> str:
    """Give how OAuth names a scope: `PROCEDURES_READ` is `procedures:read`."""
    return stored_name.lower().replace("_", ":")


async def grant(process: Process, claim: Claim, scope: str | None, client: str, within: Any) -> Granted:
    """Give a token for a client's proof; `within(networks)` tells whether it calls from one of some networks.

    Guesses are counted by client and by network address. Raises TokenError.
    """
    now = process.clock()
    partner = await _proven(process, claim, client, now)
    if partner.networks and not within(tuple(partner.networks)):
        raise TokenError("unauthorized_client", "This client calls from the networks that were agreed on only.")
    scopes = _scopes(partner, scope)
    ends = min(now + timedelta(seconds=process.settings.partners.token_seconds), partner.expires_at)
    session_id = uuid7(now)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await _count_token(process, tx, partner, now)
        await sessions.insert(
            tx,
            session_id,
            family_id=None,
            account_id=None,
            agent_id=None,
            device="API",
            shared_computer=False,
            at=now,
            expires_at=ends,
            partner_id=partner.id,
            scopes=scopes,
        )
        await audit.record(tx, audit.Act("signed_in", Kind.PARTNER.value, now, partner.id, None, session_id))
    token, expires_at = process.tokens.issue(session_id, partner.id, now, ends, life=ends - now)
    return Granted(token, int((expires_at - now).total_seconds()), " ".join(map(scope_name, scopes)))


async def _count_token(process: Process, tx: Any, partner: Partner, now: datetime) -> None:
    """Count tokens in an hour: one that is asked for at each request is a fault of the client's."""
    subject = process.keys.digest(PURPOSE, f"partner-token/{partner.id}/{now:%Y-%m-%dT%H}")
    if (await throttle.hold(tx, subject, now.date())).today >= process.settings.partners.tokens_an_hour:
        wait = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - now
        raise TokenError("slow_down", "Keep a token until it expires.", retry_after=wait)
    await throttle.fail(tx, subject, None)


async def _proven(process: Process, claim: Claim, client: str, now: datetime) -> Partner:
    """Give the partner that a proof is of. Counted as a failure before it is looked at, and taken back."""
    keys = process.keys
    by_address = keys.digest(PURPOSE, f"partner-from/{client}/{now:%Y-%m-%dT%H}")
    # By both, so that a stranger who guesses does not lock the partner out.
    own = keys.digest(PURPOSE, f"partner/{claim.client_id}/{client}")
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        if (await throttle.hold(tx, by_address, now.date())).today >= process.settings.limits.sign_ins_per_address:
            raise TokenError("slow_down", "Too many attempts from this address.", retry_after=timedelta(hours=1))
        added = await attempts.add(tx, own, now)
        if isinstance(added, timedelta):
            raise _Waiting(added)
        await throttle.fail(tx, by_address, None)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        partner = await stored.working(tx, claim.client_id, now)
        if partner is None or not await _proves(process, tx, partner, claim, now):
            raise TokenError("invalid_client", "The client is unknown, or what proves it is not valid.")
        await throttle.succeed(tx, own)
        await throttle.succeed(tx, by_address)
    return partner


class _Waiting(TokenError):
    """Too many attempts of this client from this address."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("slow_down", "Too many attempts.", retry_after=wait)


async def _proves(process: Process, tx: Any, partner: Partner, claim: Claim, now: datetime) -> bool:
    if claim.secret is not None:
        given = digest(process.keys, partner.id, claim.secret)
        return any([hmac.compare_digest(given, known) for known in await stored.secrets(tx, partner.id, now)])
    if claim.assertion is None or partner.jwks is None:
        return False
    try:
        claims = read_assertion(claim.assertion, partner, audiences(process.settings.server.url), now)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return False
    ends = datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY
    return await stored.use_assertion(tx, partner.id, process.keys.digest("assertion", claims["jti"]), ends)


def audiences(url: str) -> list[str]:
    """Give what an assertion may name as its audience: the token endpoint or the portal."""
    return [f"{url}/oauth/token", url]


def read_assertion(text: str, partner: Partner, audience: list[str], now: datetime) -> Mapping[str, Any]:
    """Give the claims of an assertion that a partner signed for us, and lately (RFC 7523, section 3).

    Raises jwt.PyJWTError, ValueError, TypeError or KeyError for any other.
    """
    header = jwt.get_unverified_header(text)
    if header.get("alg") not in ALGORITHMS or "crit" in header:
        raise ValueError("algorithm")
    assert partner.jwks is not None, "the caller has looked"
    keys = [key for key in msgspec.json.decode(partner.jwks)["keys"] if key.get("kid") == header.get("kid")]
    if len(keys) != 1:
        raise ValueError("key")
    claims: dict[str, Any] = jwt.decode(
        text,
        jwt.PyJWK(keys[0], header["alg"]).key,
        algorithms=[header["alg"]],
        audience=audience,
        issuer=str(partner.id),
        options={"require": ["iss", "sub", "aud", "exp", "jti"], "verify_exp": False, "verify_iat": False,
            "verify_nbf": False},
    )  # fmt: skip
    moment = now.timestamp()
    ends, begins = claims["exp"], claims.get("nbf", claims.get("iat", moment))
    in_time = moment - LEEWAY.total_seconds() < ends <= moment + (LONGEST_ASSERTION + LEEWAY).total_seconds()
    if claims["sub"] != str(partner.id) or not in_time or begins > moment + LEEWAY.total_seconds():
        raise ValueError("subject or time")
    if not isinstance(claims["jti"], str) or not 0 < len(claims["jti"]) <= 200:
        raise ValueError("jti")
    return claims


def _scopes(partner: Partner, asked: str | None) -> list[str]:
    """Give what is granted: all that the partner has, or what it asks for of it."""
    if not asked:
        return list(partner.scopes)
    wanted = set(asked.split(" "))
    granted = [each for each in partner.scopes if scope_name(each) in wanted]
    if len(granted) != len(wanted):
        raise TokenError("invalid_scope", "The client has not been given this scope.")
    return granted
