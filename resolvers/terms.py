"""Terms of use: their versions, which are never changed, and who accepted them (R3–R5)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from db import broadcast
from db import terms as stored
from db.ids import uuid7
from resolvers import announcements
from resolvers.context import Context

LONGEST = 200_000
"""Characters of a text; a page of it is 3,000."""


async def publish(context: Context, body_fr: str, body_en: str, effective_at: datetime | None) -> UUID:
    """Publish the next version and tell every family (R5); it is in force from `effective_at` (UTC) on, or at once.

    It replaces also versions that are announced and not in force yet. Raises Refusal BAD_USER_INPUT for an empty text
    and for a moment that has passed.
    """
    now = context.process.clock()
    for name, text in (("bodyFr", body_fr), ("bodyEn", body_en)):
        if not text.strip() or len(text) > LONGEST:
            raise context.refusal("BAD_USER_INPUT", [name])
    if effective_at is not None and effective_at < now:
        raise context.refusal("BAD_USER_INPUT", ["effectiveAt"])
    async with context.transaction() as tx:
        published = await stored.publish(tx, uuid7(now), effective_at or now, body_fr, body_en, now)
        news = announcements.terms_published(published.version, effective_at or now)
        await broadcast.announce(tx, "TERMS", "terms_published", news, now)
        await context.record(tx, "terms_published", family=None, subject=published.id, version=published.version)
    return published.id


async def accept(context: Context, version: int) -> None:
    """Record that the account accepts the terms in force, or announced ones (R3, R4); raises Refusal TERMS_CHANGED."""
    async with context.transaction() as tx:
        await record_acceptance(tx, context, context.viewer.family, context.viewer.account, version, "EXPLICIT")
    context.process.sessions.forget_all()


async def record_acceptance(
    tx: Any, context: Context, family_id: UUID, account_id: UUID, version: int, manner: str
) -> None:
    """Write an acceptance with the text's hash, time and manner (R4); raises Refusal TERMS_CHANGED."""
    now = context.process.clock()
    digest = await stored.acceptable(tx, version, now)
    if digest is None:
        raise context.refusal("TERMS_CHANGED", ["version"])
    if await stored.accept(tx, family_id, account_id, version, digest, manner, now):
        await context.record(tx, "terms_accepted", family=family_id, subject=account_id, version=version, manner=manner)
