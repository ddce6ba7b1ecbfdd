"""Administration of city staff: who works here, with which rights, and how one gets in."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db import agents as stored
from db import second_factor as factors
from db import sessions
from db.ids import uuid7
from db.keys import LinkRefused
from resolvers import attempts, password_policy, password_words
from resolvers.accounts import checked_email
from resolvers.context import Context

ADMIN = "ADMIN"
LINK = "agent-password"
LINK_PAGE = "/agents/password"
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent shall be."""

    email: str
    name: str
    roles: Collection[str]
    services: Collection[UUID]


async def create(context: Context, wanted: Wanted) -> tuple[UUID, str]:
    """Write a new agent; give its id and the address at which the agent sets a password, once.

    Agents have no stream of news: the administrator hands the address over. Raises Refusal as `change` does.
    """
    wanted, now = _checked(context, wanted), context.process.clock()
    agent_id = uuid7(now)
    # A password that nobody knows: signing in takes as long, and is refused, as with any wrong one.
    nobody_knows = await attempts.hashed(context, secrets.token_urlsafe())
    async with context.transaction() as tx:
        await _check_services(tx, context, wanted)
        try:
            await stored.insert(
                tx,
                agent_id,
                email=wanted.email,
                name=wanted.name,
                password_hash=nobody_knows,
                roles=sorted(wanted.roles),
                services=sorted(wanted.services),
                at=now,
            )
        except asyncpg.UniqueViolationError as error:
            raise context.refusal("EMAIL_TAKEN", ["email"]) from error
        await _record(tx, context, "agent_saved", agent_id, created=True, roles=sorted(wanted.roles))
    return agent_id, _link(context, agent_id, nobody_knows)


async def change(context: Context, agent_id: UUID, wanted: Wanted) -> None:
    """Change an agent; when its rights or its address change, its sessions end.

    Raises Refusal: NOT_FOUND, EMAIL_NOT_VALID, EMAIL_TAKEN, BAD_USER_INPUT, LAST_ADMIN.
    """
    wanted, now = _checked(context, wanted), context.process.clock()
    async with context.transaction() as tx:
        before = await _held(tx, context, agent_id)
        await _check_services(tx, context, wanted)
        if ADMIN not in wanted.roles:
            await _check_admins(tx, context, before)
        roles, services = sorted(wanted.roles), sorted(wanted.services)
        try:
            await stored.change(tx, agent_id, email=wanted.email, name=wanted.name, roles=roles, services=services)
        except asyncpg.UniqueViolationError as error:
            raise context.refusal("EMAIL_TAKEN", ["email"]) from error
        if (before.email, before.roles, before.services) != (wanted.email, frozenset(roles), frozenset(services)):
            # An open stream goes on with the rights it began with: only its end is sure.
            await sessions.end_all(tx, agent_id, None, now, "AGENT_CHANGED")
        await _record(tx, context, "agent_saved", agent_id, created=False, roles=roles)
    context.process.sessions.forget_all()


async def disable(context: Context, agent_id: UUID) -> None:
    """Let an agent in no more; its sessions end at once. Raises Refusal: NOT_FOUND, LAST_ADMIN."""
    now = context.process.clock()
    async with context.transaction() as tx:
        before = await _held(tx, context, agent_id)
        await _check_admins(tx, context, before)
        if before.disabled_at is None:
            await stored.disable(tx, agent_id, now)
            await sessions.end_all(tx, agent_id, None, now, "AGENT_DISABLED")
            await _record(tx, context, "agent_disabled", agent_id)
    context.process.sessions.forget_all()


async def enable(context: Context, agent_id: UUID) -> None:
    """Let a disabled agent in again, with the rights and the password it had. Raises Refusal NOT_FOUND."""
    async with context.transaction() as tx:
        before = await _held(tx, context, agent_id)
        if before.disabled_at is not None:
            await stored.disable(tx, agent_id, None)
            await _record(tx, context, "agent_enabled", agent_id)


async def reset_second_factor(context: Context, agent_id: UUID) -> None:
    """Remove the factors of an agent who has lost them; its sessions end.

    Nobody does it for oneself: a stolen session of an administrator must not take its own factor away. Raises Refusal:
    NOT_FOUND, NOT_FOR_ONESELF.
    """
    now = context.process.clock()
    if agent_id == context.viewer.agent:
        raise context.refusal("NOT_FOR_ONESELF", ["agent"])
    async with context.transaction() as tx:
        await _held(tx, context, agent_id)
        removed = await factors.remove_all(tx, agent_id)
        await sessions.end_all(tx, agent_id, None, now, "SECOND_FACTOR_RESET")
        await _record(tx, context, "second_factor_reset", agent_id, removed=removed)
    context.process.sessions.forget_all()


async def password_link(context: Context, agent_id: UUID) -> str:
    """Give the address at which an agent sets a new password, once. Raises Refusal NOT_FOUND."""
    async with context.transaction() as tx:
        agent = await _held(tx, context, agent_id)
        await _record(tx, context, "agent_password_link_issued", agent_id)
    return _link(context, agent_id, agent.password_hash)


def _link(context: Context, agent_id: UUID, password_hash: str) -> str:
    """Make the address; it carries a digest of the present password's hash, so that it ends with that password."""
    process = context.process
    expires_at = process.clock() + timedelta(hours=process.settings.agents.password_link_hours)
    claims = {"agent": str(agent_id), "of": _of(context, password_hash)}
    token = process.keys.link_token(LINK, claims, expires_at)
    return f"{process.settings.server.url}{LINK_PAGE}?token={token}"


def _of(context: Context, password_hash: str) -> str:
    return context.process.keys.digest(LINK, password_hash).hex()


async def set_password(context: Context, token: str, password: str) -> None:
    """Set an agent's password with the token of a link; its sessions end, its second factor stays.

    Raises Refusal: LINK_NOT_VALID (forged, expired or used), BUSY, and those of `password_policy.refuse_faulty`.
    """
    now = context.process.clock()
    try:
        claims = context.process.keys.read_link(LINK, token, now)
        agent_id, of = UUID(claims["agent"]), str(claims["of"])
    except (LinkRefused, KeyError, ValueError) as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
    async with context.transaction(system=True) as tx:
        agent = await _of_link(tx, context, agent_id, of)
    personal = password_words.of_texts([agent.name, agent.email, context.process.settings.city.name])
    password_policy.refuse_faulty(context, password, personal)
    hashed = await attempts.hashed(context, password)
    async with context.transaction(system=True) as tx:
        await _of_link(tx, context, agent_id, of)  # of two at once, the second finds it used
        await stored.set_password(tx, agent_id, hashed)
        await factors.drop_challenges(tx, agent_id)  # asked after the old password
        await sessions.end_all(tx, agent_id, None, now, "PASSWORD_CHANGED")
        await _record(tx, context, "agent_password_set", agent_id)
    context.process.sessions.forget_all()


async def _of_link(tx: Any, context: Context, agent_id: UUID, of: str) -> stored.Agent:
    """Hold the agent of a link that still counts; raises Refusal LINK_NOT_VALID."""
    agent = await stored.hold(tx, agent_id)
    if agent is None or agent.disabled_at is not None or not hmac.compare_digest(of, _of(context, agent.password_hash)):
        raise context.refusal("LINK_NOT_VALID", ["token"])
    return agent


def _checked(context: Context, wanted: Wanted) -> Wanted:
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise context.refusal("BAD_USER_INPUT", ["name"])
    if not wanted.roles:
        raise context.refusal("BAD_USER_INPUT", ["roles"])
    return Wanted(checked_email(context, wanted.email), name, set(wanted.roles), set(wanted.services))


async def _check_services(tx: Any, context: Context, wanted: Wanted) -> None:
    if not await stored.are_services(tx, list(wanted.services)):
        raise context.refusal("NOT_FOUND", ["services"])


async def _held(tx: Any, context: Context, agent_id: UUID) -> stored.Agent:
    agent = await stored.hold(tx, agent_id)
    if agent is None:
        raise context.refusal("NOT_FOUND", ["agent"])
    return agent


async def _check_admins(tx: Any, context: Context, before: stored.Agent) -> None:
    """Keep at least one administrator; raises Refusal LAST_ADMIN."""
    if ADMIN in before.roles and not await stored.has_other_admin(tx, before.id):
        raise context.refusal("LAST_ADMIN", ["agent"])


async def _record(tx: Any, context: Context, act: str, agent_id: UUID, **data: Any) -> None:
    await context.record(tx, act, family=None, subject=agent_id, **data)
