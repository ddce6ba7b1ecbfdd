"""Information pages: saved as versions, published for a time, archived."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import pages as stored
from db.ids import uuid7
from resolvers import markdown
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Words:
    """What an editor wrote in one language; `body` is Markdown."""

    title: str
    summary: str
    body: str

    def text(self) -> stored.Text:
        """Give it with what is made of it."""
        return stored.Text(self.title, self.summary, self.body, markdown.html(self.body), markdown.plain(self.body))


@dataclass(frozen=True, slots=True)
class Links:
    """What a page is linked with."""

    places: Sequence[str]
    """Codes."""

    kinds: Sequence[tuple[str, str]]
    """Codes of kinds of procedure, with the phase: BEFORE or AFTER."""

    tariffs: Sequence[str]
    """Codes."""

    audiences: Sequence[tuple[int, int, bool | None]]
    """For whom it is: ages in years from, to below, and whether at school."""

    invoices: Set[str]
    """Which open invoices it helps with: DUE_SOON, OVERDUE."""


async def save_category(context: Context, code: str, parent: str | None, title: tuple[str, str], position: int) -> UUID:
    """Write a category of the tree; raises Refusal NOT_FOUND for the parent, BAD_USER_INPUT for a circle."""
    async with context.transaction() as tx:
        parent_id = None
        if parent is not None:
            parent_id = await stored.category_by_code(tx, parent)
            if parent_id is None:
                raise context.refusal("NOT_FOUND", ["parent"])
        known = await stored.category_by_code(tx, code)
        if known is not None and parent_id is not None and await stored.is_below(tx, parent_id, known):
            raise context.refusal("BAD_USER_INPUT", ["parent"])
        return await stored.save_category(tx, uuid7(context.process.clock()), code, parent_id, title, position)


async def save(
    context: Context,
    slug: str,
    category: str,
    french: Words,
    english: Words,
    links: Links,
) -> UUID:
    """Write the next version of a page, new or known by its slug; it is a draft until it is published. Give the
    version's id.

    Raises Refusal NOT_FOUND for a category, place, kind or tariff that there is not.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        category_id = await stored.category_by_code(tx, category)
        if category_id is None:
            raise context.refusal("NOT_FOUND", ["category"])
        page_id = await stored.hold(tx, uuid7(now), slug, category_id, now)
        version_id = uuid7(now)
        texts = french.text(), english.text()
        await stored.insert_version(
            tx, version_id, page_id, category_id, slug, *texts, agent_id=context.viewer.agent, at=now
        )
        if await stored.link_places(tx, page_id, links.places):
            raise context.refusal("NOT_FOUND", ["places"])
        if await stored.link_kinds(tx, page_id, links.kinds):
            raise context.refusal("NOT_FOUND", ["kinds"])
        if await stored.link_tariffs(tx, page_id, links.tariffs):
            raise context.refusal("NOT_FOUND", ["tariffs"])
        await stored.address_to(tx, page_id, links.audiences)
        await stored.help_with_invoices(tx, page_id, links.invoices)
        await context.record(tx, "page_saved", family=None, subject=page_id)
    return version_id


async def publish(
    context: Context, slug: str, number: int | None, visible_from: datetime | None, visible_until: datetime | None
) -> UUID:
    """Let a version of a page, the newest unless numbered, be seen from a moment on (now unless given), in the place of
    the one before. Give the version's id.

    Raises Refusal: NOT_FOUND, BAD_USER_INPUT for a time that ends before it begins or begins in the past.
    """
    now = context.process.clock()
    begins = visible_from or now
    if begins < now:
        raise context.refusal("BAD_USER_INPUT", ["visibleFrom"])
    if visible_until is not None and visible_until <= begins:
        raise context.refusal("BAD_USER_INPUT", ["visibleUntil"])
    async with context.transaction() as tx:
        page_id = await stored.hold_by_slug(tx, slug)
        version_id = await stored.version(tx, page_id, number) if page_id else None
        if page_id is None or version_id is None:
            raise context.refusal("NOT_FOUND", ["slug" if page_id is None else "version"])
        await stored.show(tx, page_id, version_id, begins, visible_until)
        await context.record(tx, "page_published", family=None, subject=page_id)
    return version_id


async def archive(context: Context, slug: str) -> None:
    """Show a page no longer; its versions stay. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    async with context.transaction() as tx:
        page_id = await stored.hold_by_slug(tx, slug)
        if page_id is None:
            raise context.refusal("NOT_FOUND", ["slug"])
        await stored.archive(tx, page_id, now)
        await context.record(tx, "page_archived", family=None, subject=page_id)
