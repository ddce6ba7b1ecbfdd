"""Partners: an administrator makes them, changes them, renews their secrets, and lets them in no more."""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import asyncpg
import jwt

from db import agents, sessions
from db import partners as stored
from db.ids import uuid7
from db.jobs import Job
from db.keys import Keys
from db.partners import Partner
from resolvers import webhooks
from resolvers.accounts import checked_email
from resolvers.context import Context, Process
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

PURPOSE = "partner-secret"
SECRET_BEGINS = "kqs_"  # noqa: S105 - by which scanners of source code know a secret that was left there
LONGEST_NAME = 100
MOST_NETWORKS = 50
MOST_KEYS = 10
LEAST_RSA_BITS = 2048
PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
WATCH_EXPIRY = "watch_partner_expiry"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a partner shall be."""

    name: str
    contact_email: str
    language: str
    scopes: Collection[str]
    services: Collection[UUID]
    networks: Collection[str]
    expires_at: datetime | None
    jwks: str | None


async def create(context: Context, wanted: Wanted) -> tuple[UUID, str | None]:
    """Write a partner; give its id and its secret, which is shown once. One with keys of its own has no secret.

    Raises Refusal: BAD_USER_INPUT, EMAIL_NOT_VALID, NOT_FOUND (a service), JWKS_NOT_VALID, PARTNER_NAME_TAKEN.
    """
    now = context.process.clock()
    partner = _checked(context, uuid7(now), wanted, now)
    async with context.transaction() as tx:
        await _check_services(tx, context, partner)
        try:
            await stored.insert(tx, partner, context.viewer.agent, now)
        except asyncpg.UniqueViolationError as error:
            raise context.refusal("PARTNER_NAME_TAKEN", ["name"]) from error
        secret = None if partner.jwks else await _new_secret(tx, context, partner.id, now)
        await _record(tx, context, "partner_saved", partner.id, created=True, scopes=sorted(partner.scopes))
    return partner.id, secret


async def change(context: Context, partner_id: UUID, wanted: Wanted) -> None:
    """Change a partner; its tokens end, so that nothing goes on with the rights of before.

    Raises Refusal as `create`, and NOT_FOUND also for a partner that was revoked.
    """
    now = context.process.clock()
    partner = _checked(context, partner_id, wanted, now)
    async with context.transaction() as tx:
        await _held(tx, context, partner_id)
        await _check_services(tx, context, partner)
        try:
            await stored.change(tx, partner)
        except asyncpg.UniqueViolationError as error:
            raise context.refusal("PARTNER_NAME_TAKEN", ["name"]) from error
        await sessions.end_all_of_partner(tx, partner_id, now, "PARTNER_CHANGED")
        await _record(tx, context, "partner_saved", partner_id, created=False, scopes=sorted(partner.scopes))
    context.process.sessions.forget_all()


async def rotate_secret(context: Context, partner_id: UUID, overlap_hours: int) -> str:
    """Give a partner a new secret, shown once; those of before count so many hours longer. Raises Refusal NOT_FOUND,
    BAD_USER_INPUT.
    """
    now = context.process.clock()
    if not 0 <= overlap_hours <= context.process.settings.partners.overlap_hours_at_most:
        raise context.refusal("BAD_USER_INPUT", ["overlapHours"])
    async with context.transaction() as tx:
        await _held(tx, context, partner_id)
        await stored.end_secrets(tx, partner_id, now + timedelta(hours=overlap_hours))
        secret = await _new_secret(tx, context, partner_id, now)
        await _record(tx, context, "partner_secret_rotated", partner_id, overlap_hours=overlap_hours)
    return secret


async def revoke(context: Context, partner_id: UUID) -> None:
    """Let a partner in no more: its tokens and its live streams end within two seconds. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    async with context.transaction() as tx:
        if (await _found(tx, context, partner_id)).revoked_at is None:
            await stored.revoke(tx, partner_id, now)
            await stored.end_secrets(tx, partner_id, now)
            await sessions.end_all_of_partner(tx, partner_id, now, "PARTNER_REVOKED")
            await _record(tx, context, "partner_revoked", partner_id)
    context.process.sessions.forget_all()


async def finish_task(context: Context, partner_id: UUID, task_id: UUID) -> None:
    """Mark a task about a partner as done; once more changes nothing. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    async with context.transaction() as tx:
        if not await stored.finish_task(tx, partner_id, task_id, context.viewer.agent, now):
            raise context.refusal("NOT_FOUND", ["task"])
        await _record(tx, context, "task_finished", task_id)


async def watch_expiry(process: Process, job: Job, progress: Progress) -> Result:
    """Tell partners that expire soon, and the administrators, once; forget what is over."""
    now, settings = process.clock(), process.settings.partners
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        found = await stored.expiring(tx, now, now + timedelta(days=settings.expiry_notice_days))
        for partner_id, name, expires_at in found:
            data = {"partner": name, "expires_at": expires_at.isoformat()}
            await stored.notify(tx, partner_id, "partner_expires", data, now)
            await stored.ask_staff(tx, partner_id, "PARTNER_EXPIRES", partner_id, now)
        await stored.sweep(tx, now, now - timedelta(days=90))
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            if not await webhooks.sweep(process, tx):
                break
    return {"told": len(found)}


def digest(keys: Keys, partner_id: UUID, secret: str) -> bytes:
    """Give what is stored of a secret."""
    return keys.digest(PURPOSE, f"{partner_id}/{secret}")


def read_jwks(text: str) -> list[dict[str, Any]]:
    """Give the keys of a JSON Web Key Set; raises ValueError for what is none of public keys that are strong enough.

    Source: RFC 7517, RFC 8725 section 3.5.
    """
    keys = json.loads(text)["keys"]
    if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
        raise ValueError("no keys")
    for key in keys:
        if not isinstance(key, dict) or PRIVATE_PARTS & set(key) or key.get("kty") not in ("RSA", "EC", "OKP"):
            raise ValueError("not a public key")
        read = jwt.PyJWK(key)
        if key["kty"] == "RSA" and read.key.key_size < LEAST_RSA_BITS:
            raise ValueError("a short key")
    return keys


def _checked(context: Context, partner_id: UUID, wanted: Wanted, now: datetime) -> Partner:
    settings = context.process.settings.partners
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise context.refusal("BAD_USER_INPUT", ["name"])
    if not wanted.scopes:
        raise context.refusal("BAD_USER_INPUT", ["scopes"])
    latest = now + timedelta(days=settings.longest_days)
    expires_at = wanted.expires_at or now + timedelta(days=settings.default_days)
    if not now < expires_at <= latest:
        raise context.refusal("BAD_USER_INPUT", ["expiresAt"])
    return Partner(
        partner_id,
        name,
        checked_email(context, wanted.contact_email),
        wanted.language,
        sorted(set(wanted.scopes)),
        sorted(set(wanted.services)),
        _networks(context, wanted.networks),
        _jwks(context, wanted.jwks),
        expires_at,
        None,
    )


def _networks(context: Context, texts: Collection[str]) -> list[str]:
    try:
        found = sorted({str(ip_network(text.strip())) for text in texts})
    except ValueError as error:
        raise context.refusal("BAD_USER_INPUT", ["networks"]) from error
    if len(found) > MOST_NETWORKS:
        raise context.refusal("BAD_USER_INPUT", ["networks"])
    return found


def _jwks(context: Context, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return stored.jwks_text(read_jwks(text))
    except (ValueError, TypeError, KeyError, jwt.PyJWTError) as error:
        raise context.refusal("JWKS_NOT_VALID", ["jwks"]) from error


async def _check_services(tx: Any, context: Context, partner: Partner) -> None:
    if not await agents.are_services(tx, partner.services):
        raise context.refusal("NOT_FOUND", ["services"])


async def _new_secret(tx: Any, context: Context, partner_id: UUID, now: datetime) -> str:
    secret = SECRET_BEGINS + secrets.token_urlsafe(32)
    await stored.insert_secret(tx, partner_id, digest(context.process.keys, partner_id, secret), secret[-4:], now)
    return secret


async def _found(tx: Any, context: Context, partner_id: UUID) -> Partner:
    partner = await stored.hold(tx, partner_id)
    if partner is None:
        raise context.refusal("NOT_FOUND", ["partner"])
    return partner


async def _held(tx: Any, context: Context, partner_id: UUID) -> Partner:
    """Hold a partner that was not revoked."""
    partner = await _found(tx, context, partner_id)
    if partner.revoked_at is not None:
        raise context.refusal("NOT_FOUND", ["partner"])
    return partner


async def _record(tx: Any, context: Context, act: str, subject: UUID, **data: Any) -> None:
    await context.record(tx, act, family=None, subject=subject, **data)
