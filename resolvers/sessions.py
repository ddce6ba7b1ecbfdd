"""Sessions: how they begin, rotating refresh tokens, sign-out; and who a session's viewer is."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import audit
from db import sessions as stored
from db.ids import uuid7
from db.keys import Keys
from db.settings import Tokens as TokenSettings
from resolvers import closure, devices
from resolvers.context import Context
from resolvers.cookies import Role
from resolvers.viewer import Kind, Viewer

REUSE_GRACE = timedelta(seconds=10)
SIGNED_OUT = "SIGNED_OUT"
EVERYWHERE = "SIGNED_OUT_EVERYWHERE"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client holds after a sign-in or a refresh; without its tokens once they were put into cookies."""

    access_token: str | None
    expires_at: datetime
    """When the access token ends."""
    refresh_token: str | None
    session_id: UUID
    refresh_ends: datetime | None = None
    """When the refresh token ends unless it is used before; none on a shared computer."""
    device_token: str | None = None
    """For the device to keep; none when it is not to be remembered."""


def viewer_of(state: stored.State, expires_at: datetime) -> Viewer:
    """Give the viewer that a live session stands for; `expires_at` is the end of the access token."""
    kind = Kind.FAMILY if state.family_id else Kind.PARTNER if state.partner_id else Kind.AGENT
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
        state.partner_id,
        frozenset(state.scopes),
        tuple(state.networks),
    )


async def open_session(
    tx: Any,
    context: Context,
    *,
    family_id: UUID | None,
    account_id: UUID | None,
    agent_id: UUID | None,
    now: datetime,
    shared_computer: bool,
    device_token: str | None = None,
) -> Grant:
    """Open the session of an account or of an agent who has proven everything that it must; `tx` sees all rows.

    The one place where sessions begin: after a password, a second factor or another provider's word. A family is told
    of a device that is new to the account; the device's token is the cookie's unless given. Raises Refusal:
    ACCOUNT_TERMINATED (R22), ACCOUNT_LOCKED for a login whose unauthorised use was reported (R20).
    """
    settings = context.process.settings.tokens
    holder = account_id or agent_id
    assert holder is not None, "a session is somebody's"
    if family_id is not None and account_id is not None:
        await closure.refuse_who_left(tx, context, family_id, account_id)
    ends = _ends(settings, now, as_agent=agent_id is not None, shared_computer=shared_computer)
    session_id = uuid7(now)
    await stored.insert(
        tx,
        session_id,
        family_id=family_id,
        account_id=account_id,
        agent_id=agent_id,
        device=context.device,
        shared_computer=shared_computer,
        at=now,
        expires_at=ends.at_the_latest,
        idle_ends_at=ends.unused,
    )
    refresh = None if shared_computer else base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    if refresh is not None:
        await stored.insert_refresh(tx, _digest(refresh), session_id, now)
    actor = Kind.AGENT if agent_id else Kind.FAMILY
    await audit.record(tx, audit.Act("signed_in", actor.value, now, holder, family_id, session_id))
    kept = None
    if family_id is not None and account_id is not None:
        device = devices.Device(family_id, account_id, context.device)
        given = device_token or context.cookies.brought.get(Role.DEVICE)
        kept = await devices.signed_in(tx, context, device, given, now, remember=not shared_computer)
    # Without a refresh token the access token is the session, and lasts as long.
    life = timedelta(seconds=settings.shared_computer_seconds) if shared_computer else None
    token, token_ends = context.process.tokens.issue(session_id, holder, now, ends.unused, life=life)
    return Grant(token, token_ends, refresh, session_id, None if shared_computer else ends.unused, kept)


@dataclass(frozen=True, slots=True)
class _Ends:
    """When a session ends: whatever happens, and unless it is refreshed before."""

    at_the_latest: datetime
    unused: datetime


def _ends(settings: TokenSettings, now: datetime, *, as_agent: bool, shared_computer: bool) -> _Ends:
    if shared_computer:
        at_the_latest = now + timedelta(seconds=settings.shared_computer_seconds)
    elif as_agent:
        at_the_latest = now + timedelta(seconds=settings.agent_absolute_seconds)
    else:
        at_the_latest = now + timedelta(days=settings.refresh_absolute_days)
    return _Ends(at_the_latest, _unused_until(settings, now, at_the_latest, as_agent=as_agent))


def _unused_until(settings: TokenSettings, now: datetime, at_the_latest: datetime, *, as_agent: bool) -> datetime:
    idle = timedelta(seconds=settings.agent_idle_seconds) if as_agent else timedelta(days=settings.refresh_idle_days)
    return min(now + idle, at_the_latest)


def check_cookies(context: Context) -> None:
    """Raise BAD_USER_INPUT where an answer cannot set cookies: on a socket or in a stream of events."""
    if not context.cookies.writable:
        raise context.refusal("BAD_USER_INPUT", ["transport"])


def kept_in_cookies(context: Context, grant: Grant) -> Grant:
    """Put the tokens of a grant into cookies that no script can read; give it without them.

    On a shared computer the cookie goes when the browser is closed, and nothing stays of who sat there before.
    """
    cookies, now = context.cookies, context.process.clock()
    assert grant.access_token is not None, "this grant was put into cookies before"
    if grant.refresh_token is None or grant.refresh_ends is None:
        cookies.put(Role.ACCESS, grant.access_token, None)
        cookies.drop(Role.REFRESH)
    else:
        cookies.put(Role.ACCESS, grant.access_token, grant.expires_at - now)
        cookies.put(Role.REFRESH, grant.refresh_token, grant.refresh_ends - now)
    if grant.device_token is not None:
        cookies.put(Role.DEVICE, grant.device_token, timedelta(days=context.process.settings.tokens.device_days))
    return replace(grant, access_token=None, refresh_token=None, device_token=None)


async def refresh(context: Context, token: str | None) -> Grant:
    """Exchange a refresh token for its successor; without one, that of the cookie, into cookies.

    A used token gives the same successor for 10 s (two tabs, a lost answer); later its return ends the session, because
    somebody else has it. Raises Refusal: REFRESH_REFUSED, BAD_USER_INPUT where cookies cannot be set.
    """
    if token is not None:
        grant = await _refreshed(context, token)
    else:
        check_cookies(context)
        grant = await _refreshed(context, context.cookies.brought.get(Role.REFRESH, ""))
        if grant is None:
            context.cookies.drop(Role.ACCESS, Role.REFRESH)
        else:
            grant = kept_in_cookies(context, grant)
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
        stolen = held.used_at is not None and now - held.used_at > REUSE_GRACE
        if stolen:
            await _end_stolen(tx, context, state, now)
        else:
            return await _succeeded(tx, context, token, held, state, now)
    process.sessions.forget(state.id)
    return None


async def _succeeded(
    tx: Any, context: Context, token: str, held: stored.RefreshToken, state: stored.State, now: datetime
) -> Grant:
    process = context.process
    settings, as_agent = process.settings.tokens, state.agent_id is not None
    successor = _successor(process.keys, token)
    unused = _unused_until(settings, held.used_at or now, state.expires_at, as_agent=as_agent)
    if held.used_at is None:
        await stored.use_refresh(tx, _digest(token), state.id, now, unused)
        await stored.insert_refresh(tx, _digest(successor), state.id, now)
    subject = state.account_id or state.agent_id
    assert subject is not None, "a check of the table guarantees it"
    access, ends = process.tokens.issue(state.id, subject, now, unused)
    return Grant(access, ends, successor, state.id, unused)


async def _end_stolen(tx: Any, context: Context, state: stored.State, now: datetime) -> None:
    """End a session whose refresh token came back after its use, and tell whose it is."""
    await stored.end(tx, state.id, now, "REFRESH_TOKEN_REUSED")
    await context.record(tx, "refresh_token_reused", family=state.family_id, subject=state.id)
    if state.family_id is not None and state.account_id is not None:
        device = devices.Device(state.family_id, state.account_id, state.device)
        await devices.tell_stolen(tx, device, now)


def _digest(token: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def _successor(keys: Keys, token: str) -> str:
    """Derive the next token from this one with the portal's key, so that it can be given twice without being stored."""
    return base64.urlsafe_b64encode(keys.digest("refresh-successor", token)).decode()


async def sign_out(context: Context) -> None:
    """End this session, on HTTP at the next request and on open sockets at once (R21).

    When the access token has ended the cookie of the refresh token says which session it is: who leaves a computer
    after an hour must not leave it signed in. Nobody's sign-out changes nothing.
    """
    viewer, now = context.viewer, context.process.clock()
    async with context.transaction(system=True) as tx:
        session_id, family_id = viewer.session_id, viewer.family_id
        if session_id is None:
            session_id, family_id = await _of_cookie(tx, context, now)
        if session_id is not None:
            await stored.end(tx, session_id, now, SIGNED_OUT)
            await context.record(tx, "session_ended", family=family_id, subject=session_id, code=SIGNED_OUT)
    if session_id is not None:
        context.process.sessions.forget(session_id)
    context.cookies.drop(*(role for role in (Role.ACCESS, Role.REFRESH) if role in context.cookies.brought))


async def _of_cookie(tx: Any, context: Context, now: datetime) -> tuple[UUID | None, UUID | None]:
    """Give the session of the refresh cookie, and its family."""
    held = await stored.hold_refresh(tx, _digest(context.cookies.brought.get(Role.REFRESH, "")))
    state = await stored.state(tx, held.session_id, now) if held else None
    return (state.id, state.family_id) if state else (None, None)


async def sign_out_of(context: Context, session_id: UUID) -> None:
    """End one session of the same account, as of a telephone that was lost (R21); raises Refusal NOT_FOUND."""
    viewer, now = context.viewer, context.process.clock()
    if session_id == viewer.session_id:
        return await sign_out(context)
    holder = viewer.account_id or viewer.agent_id
    async with context.transaction(system=True) as tx:
        if holder is None or not await stored.end_own(tx, session_id, holder, viewer.family_id, now, SIGNED_OUT):
            raise context.refusal("NOT_FOUND", ["session"])
        await context.record(tx, "session_ended", family=viewer.family_id, subject=session_id, code=SIGNED_OUT)
    context.process.sessions.forget(session_id)


async def sign_out_everywhere(context: Context) -> None:
    """End all sessions of the account (R21)."""
    viewer, now = context.viewer, context.process.clock()
    holder = viewer.account_id or viewer.agent_id
    assert holder is not None, "the gate lets only people who have signed in pass"
    async with context.transaction(system=True) as tx:
        ended = await stored.end_all(tx, holder, viewer.family_id, now, EVERYWHERE)
        await context.record(
            tx, "session_ended", family=viewer.family_id, subject=holder, code=EVERYWHERE, count=len(ended)
        )
    for session_id in ended:
        context.process.sessions.forget(session_id)
    context.cookies.drop(*(role for role in (Role.ACCESS, Role.REFRESH) if role in context.cookies.brought))
