"""The second factor of agents at sign-in: what is asked, and whether the answer is right.

ASVS 5.0 6.3.3 (more than one factor for staff), 6.5.1 (codes work once), 6.5.5 (they live for a short time), 6.6.3
(guesses are limited).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import second_factor as stored
from db.keys import Keys, LinkRefused
from db.settings import Settings
from resolvers import activation_codes, passkeys, totp
from resolvers.context import Context
from resolvers.passkeys import Passkey, PasskeyRefused

TOTP, PASSKEY, RECOVERY_CODE = "TOTP", "PASSKEY", "RECOVERY_CODE"
SIGN_IN = "SIGN_IN"
SECRET = "totp-secret"  # noqa: S105
TOKEN = "second-factor"  # noqa: S105
MOST_FAILURES = 5
NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a client must answer before the agent is signed in, or before a factor counts."""

    challenge: str
    expires_at: datetime
    methods: tuple[str, ...]
    passkey_options: dict[str, Any] | None = None
    enrolment: Enrolment | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client answers: six digits of an app or a recovery code, or what a passkey signed."""

    code: str | None = None
    passkey: Any = None


class Wrong(Exception):
    """An answer is wrong; `code` says why, for the audit log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_required(settings: Settings) -> bool:
    """Tell whether agents cannot sign in by password alone."""
    chosen = settings.agents.second_factor
    return settings.server.production if chosen == "default" else chosen == "required"


async def needed(tx: Any, context: Context, agent_id: UUID, *, shared_computer: bool) -> Step | None:
    """Give what an agent whose password was right must show too; None when the password is enough.

    An agent without a factor where one is required is given the secret of an authenticator app: its first code enrols
    it.
    """
    factors = await stored.of_agent(tx, agent_id)
    if factors:
        return await _asked(tx, context, agent_id, factors, shared_computer=shared_computer)
    if not is_required(context.process.settings):
        return None
    return await ask_enrolment(tx, context, agent_id, SIGN_IN, shared_computer=shared_computer)


async def _asked(
    tx: Any, context: Context, agent_id: UUID, factors: list[stored.Factor], *, shared_computer: bool
) -> Step:
    nonce = secrets.token_bytes(NONCE_BYTES)
    token, ends = await challenged(tx, context, agent_id, SIGN_IN, nonce=nonce, shared_computer=shared_computer)
    known = [factor.credential_id for factor in factors if factor.credential_id is not None]
    options = None
    if known:
        await passkeys.ready()
        options = passkeys.sign_in_options(passkeys.site_of(context.process.settings), known, nonce)
    codes = await stored.has_recovery_codes(tx, agent_id)
    methods = {factor.method for factor in factors} | ({RECOVERY_CODE} if codes else set())
    return Step(token, ends, tuple(each for each in (TOTP, PASSKEY, RECOVERY_CODE) if each in methods), options)


async def ask_enrolment(
    tx: Any, context: Context, agent_id: UUID, purpose: str, *, shared_computer: bool = False
) -> Step:
    """Give the secret of a new authenticator app, which counts once a code of it has come back."""
    held = await stored.hold_agent(tx, agent_id)
    assert held is not None, "the agent has just proven its password"
    secret = totp.new_secret()
    sealed = context.process.keys.seal(SECRET, secret.encode())
    token, ends = await challenged(
        tx, context, agent_id, purpose, nonce=b"", sealed_secret=sealed, shared_computer=shared_computer
    )
    enrolment = Enrolment(secret, totp.uri(secret, held[0], context.process.settings.city.name))
    return Step(token, ends, (TOTP,), enrolment=enrolment)


async def challenged(
    tx: Any,
    context: Context,
    agent_id: UUID,
    purpose: str,
    *,
    nonce: bytes,
    sealed_secret: bytes | None = None,
    shared_computer: bool = False,
) -> tuple[str, datetime]:
    """Write a challenge; give its signed token and when it ends (UTC)."""
    now = context.process.clock()
    expires_at = now + timedelta(seconds=context.process.settings.agents.challenge_seconds)
    challenge_id = await stored.insert_challenge(
        tx,
        agent_id,
        purpose,
        nonce=nonce,
        sealed_secret=sealed_secret,
        shared_computer=shared_computer,
        at=now,
        expires_at=expires_at,
    )
    claims = {"challenge": str(challenge_id), "agent": str(agent_id)}
    return context.process.keys.link_token(f"{TOKEN}/{purpose}", claims, expires_at), expires_at


def named(context: Context, token: str, purpose: str) -> tuple[UUID, UUID]:
    """Give the challenge and the agent of a token; raises Refusal CHALLENGE_NOT_VALID."""
    try:
        claims = context.process.keys.read_link(f"{TOKEN}/{purpose}", token, context.process.clock())
        return UUID(claims["challenge"]), UUID(claims["agent"])
    except (LinkRefused, KeyError, ValueError) as error:
        raise context.refusal("CHALLENGE_NOT_VALID", ["challenge"]) from error


def enrolled_step(keys: Keys, sealed: bytes, code: str, now: datetime) -> int:
    """Give the time step of the first code of a new app; raises Wrong."""
    step = totp.step_of(keys.unseal(SECRET, sealed).decode(), digits(code), now, after=-1)
    if step is None:
        raise Wrong("WRONG_CODE")
    return step


async def prove(
    tx: Any, context: Context, challenge: stored.Challenge, factors: list[stored.Factor], answer: Answer
) -> str:
    """Check an answer against an agent's factors and spend it; give the method. Raises Wrong."""
    if answer.passkey is not None:
        await _prove_passkey(tx, context, challenge, factors, answer.passkey)
        return PASSKEY
    code = digits(answer.code or "")
    if len(code) == totp.DIGITS and code.isdigit():
        await _prove_totp(tx, context, factors, code)
        return TOTP
    await _prove_recovery_code(tx, context, challenge.agent_id, answer.code or "")
    return RECOVERY_CODE


def digits(code: str) -> str:
    """Give a code without the blanks that apps show in it."""
    return "".join(code.split())


async def _prove_totp(tx: Any, context: Context, factors: list[stored.Factor], code: str) -> None:
    now, keys = context.process.clock(), context.process.keys
    for factor in factors:
        if factor.sealed_secret is None or factor.last_step is None:
            continue
        secret = keys.unseal(SECRET, factor.sealed_secret).decode()
        step = totp.step_of(secret, code, now, factor.last_step)
        if step is not None:
            return await stored.use_totp(tx, factor.id, step, now)
    raise Wrong("WRONG_CODE")


async def _prove_passkey(
    tx: Any, context: Context, challenge: stored.Challenge, factors: list[stored.Factor], answer: Any
) -> None:
    site, now = passkeys.site_of(context.process.settings), context.process.clock()
    try:
        credential_id = passkeys.credential_of(answer)
        for factor in factors:
            if factor.credential_id == credential_id and factor.public_key is not None:
                kept = Passkey(credential_id, factor.public_key, factor.sign_count or 0)
                count = passkeys.signed(site, answer, challenge.nonce, kept)
                return await stored.use_passkey(tx, factor.id, count, now)
    except PasskeyRefused as error:
        raise Wrong(error.code) from error
    raise Wrong("PASSKEY_OF_NOBODY")


async def _prove_recovery_code(tx: Any, context: Context, agent_id: UUID, code: str) -> None:
    try:
        digest = recovery_digest(context.process.keys, agent_id, code)
    except ValueError as error:
        raise Wrong("WRONG_CODE") from error
    if not await stored.use_recovery_code(tx, agent_id, digest, context.process.clock()):
        raise Wrong("WRONG_CODE")


def recovery_digest(keys: Keys, agent_id: UUID, code: str) -> bytes:
    """Give what is stored of a recovery code; raises ValueError for what is none."""
    return keys.digest("recovery-code", f"{agent_id}:{activation_codes.normalised(code)}")
