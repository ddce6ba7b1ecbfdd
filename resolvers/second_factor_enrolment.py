"""Agents' second factors: enrolling, removing, recovery codes."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db import second_factor as stored
from resolvers import activation_codes, passkeys, second_factor
from resolvers.context import Context
from resolvers.passkeys import PasskeyRefused
from resolvers.reauthentication import confirm_password
from resolvers.second_factor import NONCE_BYTES, Step, Wrong

ENROL_TOTP, ADD_PASSKEY = "ENROL_TOTP", "ADD_PASSKEY"
RECOVERY_CODES = 10
MOST_FACTORS = 10
LONGEST_NAME = 60
NAMES = {second_factor.TOTP: "Application", second_factor.PASSKEY: "Passkey"}
"""What a factor is called whose agent gave it no name."""


async def begin_totp(context: Context, password: str) -> Step:
    """Give the secret of a new authenticator app. Raises Refusal: see `confirm_password`; TOO_MANY_FACTORS."""
    await confirm_password(context, password)
    async with context.transaction() as tx:
        await _room(tx, context)
        return await second_factor.ask_enrolment(tx, context, context.viewer.agent, ENROL_TOTP)


async def begin_passkey(context: Context, password: str) -> Step:
    """Give what a page needs to make a passkey. Raises Refusal as `begin_totp` does."""
    await confirm_password(context, password)
    await passkeys.ready()
    agent_id, nonce = context.viewer.agent, secrets.token_bytes(NONCE_BYTES)
    async with context.transaction() as tx:
        factors = await _room(tx, context)
        held = await stored.hold_agent(tx, agent_id)
        assert held is not None, "a disabled agent has no session"
        token, ends = await second_factor.challenged(tx, context, agent_id, ADD_PASSKEY, nonce=nonce)
    known = [factor.credential_id for factor in factors if factor.credential_id is not None]
    site = passkeys.site_of(context.process.settings)
    options = passkeys.registration_options(site, agent_id.bytes, held[0], known, nonce)
    return Step(token, ends, (second_factor.PASSKEY,), passkey_options=options)


async def _room(tx: Any, context: Context) -> list[stored.Factor]:
    factors = await stored.of_agent(tx, context.viewer.agent)
    if len(factors) >= MOST_FACTORS:
        raise context.refusal("TOO_MANY_FACTORS")
    return factors


async def confirm_totp(context: Context, token: str, code: str, name: str) -> tuple[UUID, list[str] | None]:
    """Let a new app count, once a code of it has come back; give its id, and recovery codes when it is the first.

    Raises Refusal: CHALLENGE_NOT_VALID, SECOND_FACTOR_REFUSED.
    """
    made = await _added(context, token, ENROL_TOTP, code, name)
    if made is None:
        raise context.refusal("SECOND_FACTOR_REFUSED", ["code"])
    return made


async def add_passkey(context: Context, token: str, answer: Any, name: str) -> tuple[UUID, list[str] | None]:
    """Add the passkey that an authenticator made. Gives and raises as `confirm_totp` does."""
    await passkeys.ready()
    made = await _added(context, token, ADD_PASSKEY, answer, name)
    if made is None:
        raise context.refusal("SECOND_FACTOR_REFUSED", ["passkey"])
    return made


async def _added(
    context: Context, token: str, purpose: str, answer: Any, name: str
) -> tuple[UUID, list[str] | None] | None:
    """Do what an enrolment does; None when the answer is wrong, so that it is counted."""
    now, agent_id = context.process.clock(), context.viewer.agent
    challenge_id, asked = second_factor.named(context, token, purpose)
    if asked != agent_id:
        raise context.refusal("CHALLENGE_NOT_VALID", ["challenge"])
    async with context.transaction() as tx:
        await stored.hold_agent(tx, agent_id)
        most = second_factor.MOST_FAILURES
        challenge = await stored.hold_challenge(tx, challenge_id, agent_id, purpose, now, most)
        if challenge is None:
            raise context.refusal("CHALLENGE_NOT_VALID", ["challenge"])
        await _room(tx, context)
        enrol = enrol_totp if purpose == ENROL_TOTP else _enrol_passkey
        try:
            made = await enrol(tx, context, challenge, answer, name)
        except Wrong as wrong:
            await stored.fail_challenge(tx, challenge.id)
            await context.record(tx, "second_factor_refused", family=None, subject=agent_id, code=wrong.code)
            return None
        await stored.end_challenge(tx, challenge.id, now)
    return made


async def enrol_totp(
    tx: Any, context: Context, challenge: stored.Challenge, code: str, name: str
) -> tuple[UUID, list[str] | None]:
    """Write the app whose secret the challenge holds; the agent is held. Raises Wrong."""
    now = context.process.clock()
    assert challenge.sealed_secret is not None, "written with the challenge"
    step = second_factor.enrolled_step(context.process.keys, challenge.sealed_secret, code, now)
    shown = _named(name, second_factor.TOTP)
    factor_id = await stored.insert_totp(tx, challenge.agent_id, shown, challenge.sealed_secret, step, now)
    return factor_id, await _enrolled(tx, context, challenge.agent_id, second_factor.TOTP, now)


async def _enrol_passkey(
    tx: Any, context: Context, challenge: stored.Challenge, answer: Any, name: str
) -> tuple[UUID, list[str] | None]:
    now, site = context.process.clock(), passkeys.site_of(context.process.settings)
    try:
        made = passkeys.registered(site, answer, challenge.nonce)
        shown = _named(name, second_factor.PASSKEY)
        async with tx.transaction():
            factor_id = await stored.insert_passkey(
                tx, challenge.agent_id, shown, made.credential_id, made.public_key, made.sign_count, now
            )
    except PasskeyRefused as error:
        raise Wrong(error.code) from error
    except asyncpg.UniqueViolationError as error:
        raise Wrong("PASSKEY_KNOWN") from error
    return factor_id, await _enrolled(tx, context, challenge.agent_id, second_factor.PASSKEY, now)


def _named(name: str, method: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME] or NAMES[method]


async def _enrolled(tx: Any, context: Context, agent_id: UUID, method: str, now: datetime) -> list[str] | None:
    await context.record(tx, "second_factor_enrolled", family=None, subject=agent_id, method=method)
    if await stored.has_recovery_codes(tx, agent_id):
        return None
    return await _fresh_codes(tx, context, agent_id, now)


async def _fresh_codes(tx: Any, context: Context, agent_id: UUID, now: datetime) -> list[str]:
    codes = [activation_codes.new_code() for _ in range(RECOVERY_CODES)]
    digests = [second_factor.recovery_digest(context.process.keys, agent_id, code) for code in codes]
    await stored.replace_recovery_codes(tx, agent_id, digests, now)
    return codes


async def renew_recovery_codes(context: Context, password: str) -> list[str]:
    """Give ten fresh recovery codes; the old ones no longer count.

    Raises Refusal: see `confirm_password`; NO_SECOND_FACTOR.
    """
    await confirm_password(context, password)
    agent_id, now = context.viewer.agent, context.process.clock()
    async with context.transaction() as tx:
        if not await stored.of_agent(tx, agent_id):
            raise context.refusal("NO_SECOND_FACTOR")
        codes = await _fresh_codes(tx, context, agent_id, now)
        await context.record(tx, "recovery_codes_renewed", family=None, subject=agent_id)
    return codes


async def remove(context: Context, factor_id: UUID, password: str) -> None:
    """Remove a factor of one's own; with the last one the recovery codes go.

    Raises Refusal: NOT_FOUND, LAST_SECOND_FACTOR where one is required; see also `confirm_password`.
    """
    agent_id = context.viewer.agent
    async with context.look() as tx:
        await _others(tx, context, factor_id)
    await confirm_password(context, password)
    async with context.transaction() as tx:
        await stored.hold_agent(tx, agent_id)
        others = await _others(tx, context, factor_id)
        if not others and second_factor.is_required(context.process.settings):
            raise context.refusal("LAST_SECOND_FACTOR", ["factor"])
        if others:
            await stored.remove(tx, agent_id, factor_id)
        else:
            await stored.remove_all(tx, agent_id)
        await context.record(tx, "second_factor_removed", family=None, subject=agent_id)


async def _others(tx: Any, context: Context, factor_id: UUID) -> list[stored.Factor]:
    """Give the viewer's factors but one, which must be among them; raises Refusal NOT_FOUND."""
    factors = await stored.of_agent(tx, context.viewer.agent)
    others = [factor for factor in factors if factor.id != factor_id]
    if len(others) == len(factors):
        raise context.refusal("NOT_FOUND", ["factor"])
    return others
