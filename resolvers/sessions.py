"""Sessions: sign-in, rotating refresh tokens, sign-out; and who a session's viewer is."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import accounts as stored_accounts
from db import audit, throttle
from db import sessions as stored
from db.ids import uuid7
from db.keys import Keys
from db.settings import Tokens as TokenSettings
from resolvers import accounts, attempts
from resolvers.context import Context
from resolvers.viewer import Kind, Viewer

REUSE_GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client holds after a sign-in or a refresh."""

    access_token: str
    expires_at: datetime
    refresh_token: str | None
    session_id: UUID


def viewer_of(state: stored.State, expires_at: datetime) -> Viewer:
    """Give the viewer that a live session stands for; `expires_at` is the end of the access token."""
    kind = Kind.FAMILY if state.family_id else Kind.AGENT
    return Viewer(
        kind,
        state.language,
        state.id,
        expires_at,
        state.family_id,
        state.account_id,
        state.terms_accepted,
        state.agent_id,
        frozenset(state.roles),
        tuple(state.services),
    )


async def sign_in(context: Context, identifier: str, password: str, *, as_agent: bool, shared_computer: bool) -> Grant:
    """Open a session by e-mail address or family number, and password (R18).

    Raises Refusal: BAD_CREDENTIALS for every wrong pair alike, THROTTLED, EMAIL_NOT_VERIFIED (the link is sent
    again), BUSY.
    """
    process, now = context.process, context.process.clock()
    identifier = identifier.strip().lower()
    subject = process.keys.digest("throttle", f"sign-in/{as_agent}/{identifier}")
    await attempts.count(context, subject, now)
    async with context.transaction(system=True) as tx:
        find = stored_accounts.credentials_of_agent if as_agent else stored_accounts.credentials_of_family
        found = await find(tx, identifier)
    if not await attempts.matches(context, found.password_hash if found else None, password):
        raise context.refusal("BAD_CREDENTIALS")
    assert found is not None, "nobody's password never matches"
    async with context.transaction(system=True) as tx:
        await throttle.succeed(tx, subject)
        if found.email_verified:
            account_id, agent_id = (None, found.id) if as_agent else (found.id, None)
            return await open_session(
                tx,
                context,
                family_id=found.family_id,
                account_id=account_id,
                agent_id=agent_id,
                now=now,
                shared_computer=shared_computer,
            )
        assert found.family_id is not None, "agents' addresses count as verified"
        await accounts.tell_verification(tx, context, found.family_id, found.id, found.email)
    raise context.refusal("EMAIL_NOT_VERIFIED")


async def open_session(
    tx: Any,
    context: Context,
    *,
    family_id: UUID | None,
    account_id: UUID | None,
    agent_id: UUID | None,
    now: datetime,
    shared_computer: bool,
) -> Grant:
    """Open the session of an account or of an agent who has proven everything that it must; `tx` sees all rows.

    The one place where sessions begin: after a password, a second factor or another provider's word.
    """
    settings = context.process.settings.tokens
    holder = account_id or agent_id
    assert holder is not None, "a session is somebody's"
    session_id = uuid7(now)
    expires_at = now + _lifetime(settings, as_agent=agent_id is not None, shared_computer=shared_computer)
    await stored.insert(
        tx,
        session_id,
        family_id=family_id,
        account_id=account_id,
        agent_id=agent_id,
        device=context.device,
        shared_computer=shared_computer,
        at=now,
        expires_at=expires_at,
    )
    refresh = None
    if not shared_computer:
        refresh = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        await stored.insert_refresh(tx, _digest(refresh), session_id, now)
    actor = Kind.AGENT if agent_id else Kind.FAMILY
    await audit.record(tx, audit.Act("signed_in", actor.value, now, holder, family_id, session_id))
    token, token_ends = context.process.tokens.issue(session_id, holder, now, expires_at)
    return Grant(token, token_ends, refresh, session_id)


def _lifetime(settings: TokenSettings, *, as_agent: bool, shared_computer: bool) -> timedelta:
    if shared_computer:
        return timedelta(seconds=settings.shared_computer_seconds)
    return (
        timedelta(seconds=settings.agent_absolute_seconds)
        if as_agent
        else timedelta(days=settings.refresh_absolute_days)
    )


async def refresh(context: Context, token: str) -> Grant:
    """Exchange a refresh token for its successor.

    A used token gives the same successor for 10 s (two tabs, a lost answer); later its return ends the session, because
    somebody else has it. Raises Refusal REFRESH_REFUSED.
    """
    grant = await _refreshed(context, token)
    if grant is None:
        raise context.refusal("REFRESH_REFUSED")
    return grant


async def _refreshed(context: Context, token: str) -> Grant | None:
    """Do what a refresh does; a refusal is a value, so that the end of a stolen session is committed."""
    process, now = context.process, context.process.clock()
    async with context.transaction(system=True) as tx:
        held = await stored.hold_refresh(tx, _digest(token))
        state = await stored.state(tx, held.session_id, now) if held else None
        if held is None or state is None:
            return None
        if held.used_at is not None and now - held.used_at > REUSE_GRACE:
            await stored.end(tx, held.session_id, now, "REFRESH_TOKEN_REUSED")
            return None
        idle = process.settings.tokens
        limit = timedelta(seconds=idle.agent_idle_seconds) if state.agent_id else timedelta(days=idle.refresh_idle_days)
        if now - state.used_at > limit:
            await stored.end(tx, held.session_id, now, "IDLE")
            return None
        successor = _successor(process.keys, token)
        if held.used_at is None:
            await stored.use_refresh(tx, _digest(token), held.session_id, now)
            await stored.insert_refresh(tx, _digest(successor), held.session_id, now)
        subject = state.account_id or state.agent_id
        assert subject is not None, "a check of the table guarantees it"
        access, ends = process.tokens.issue(held.session_id, subject, now, state.expires_at)
        return Grant(access, ends, successor, held.session_id)


def _digest(token: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def _successor(keys: Keys, token: str) -> str:
    """Derive the next token from this one with the portal's key, so that it can be given twice without being stored."""
    return base64.urlsafe_b64encode(keys.digest("refresh-successor", token)).decode()


async def sign_out(context: Context, *, everywhere: bool) -> None:
    """End this session, or all of the account; effective at once on HTTP and on open sockets (R21)."""
    viewer, now = context.viewer, context.process.clock()
    holder = viewer.account_id or viewer.agent_id
    assert holder is not None and viewer.session_id is not None, "the gate lets only signed-in viewers pass"
    async with context.transaction(system=True) as tx:
        if everywhere:
            await stored.end_all(tx, holder, viewer.family_id, now, "SIGNED_OUT_EVERYWHERE")
        else:
            await stored.end(tx, viewer.session_id, now, "SIGNED_OUT")
    context.process.sessions.forget_all()
