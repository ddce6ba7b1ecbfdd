"""Information pages: their categories, versions, and what they are linked with."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a page in one language: Markdown, and what was made of it."""

    title: str
    summary: str
    body: str
    html: str
    plain: str


async def category_by_code(tx: Any, code: str) -> UUID | None:
    """Give the id of a category."""
    found: UUID | None = await tx.fetchval("select id from page_category where code = $1", code)
    return found


SAVE_CATEGORY = """
    insert into page_category (id, code, parent_id, title_fr, title_en, position) values ($1, $2, $3, $4, $5, $6)
    on conflict (code) do update set parent_id = $3, title_fr = $4, title_en = $5, position = $6
    returning id
"""
ABOVE = """
    with recursive above as (
        select id, parent_id from page_category where id = $1
        union select c.id, c.parent_id from page_category c join above a on c.id = a.parent_id
    )
    select exists (select from above where id = $2)
"""


async def save_category(
    tx: Any, category_id: UUID, code: str, parent_id: UUID | None, title: tuple[str, str], position: int
) -> UUID:
    """Write a category, new or known by its code; give its id."""
    kept: UUID = await tx.fetchval(SAVE_CATEGORY, category_id, code, parent_id, *title, position)
    return kept


async def is_below(tx: Any, category_id: UUID, other_id: UUID) -> bool:
    """Tell whether a category is another one or stands below it."""
    found: bool = await tx.fetchval(ABOVE, category_id, other_id)
    return found


HOLD = """
    insert into page (id, slug, category_id, created_at) values ($1, $2, $3, $4)
    on conflict (slug) do update set category_id = $3 returning id
"""
INSERT_VERSION = """
    insert into page_version (id, page_id, number, category_id, slug, title_fr, summary_fr, body_fr, html_fr, plain_fr,
        title_en, summary_en, body_en, html_en, plain_en, edited_by, created_at)
    select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
    from page_version where page_id = $2
"""


async def hold(tx: Any, page_id: UUID, slug: str, category_id: UUID, at: datetime) -> UUID:
    """Find a page by its slug or make it; it is held until the transaction ends. Give its id."""
    kept: UUID = await tx.fetchval(HOLD, page_id, slug, category_id, at)
    return kept


async def insert_version(
    tx: Any,
    version_id: UUID,
    page_id: UUID,
    category_id: UUID,
    slug: str,
    french: Text,
    english: Text,
    agent_id: UUID,
    at: datetime,
) -> None:
    """Write the next version of a page that is held; nobody but editors sees it until it is published."""
    texts = [
        part for text in (french, english) for part in (text.title, text.summary, text.body, text.html, text.plain)
    ]
    await tx.execute(INSERT_VERSION, version_id, page_id, category_id, slug, *texts, agent_id, at)


async def hold_by_slug(tx: Any, slug: str) -> UUID | None:
    """Give the id of a page and hold it until the transaction ends."""
    found: UUID | None = await tx.fetchval("select id from page where slug = $1 for update", slug)
    return found


VERSION = """
    select id from page_version where page_id = $1 and number = coalesce($2, (
        select max(number) from page_version where page_id = $1))
"""
# What is visible or scheduled at that moment or later gives way; a version that would have had no time left is a draft
# again.
GIVE_WAY = """
    update page_version set
        visible_from = case when visible_from < $2 then visible_from end,
        visible_until = case when visible_from < $2 then least(visible_until, $2) end
    where page_id = $1 and visible_from is not null and (visible_until is null or visible_until > $2)
"""
LEARN = """
    insert into page_word (word)
    select distinct w.word from page_version v, regexp_split_to_table(lower(concat_ws(' ',
        v.title_fr, v.summary_fr, v.plain_fr, v.title_en, v.summary_en, v.plain_en)), '[^[:alnum:]]+') w(word)
    where v.id = any ($1) and length(w.word) between 2 and 50 order by 1
    on conflict do nothing
"""
SHOW = "update page_version set visible_from = $2, visible_until = $3 where id = $1"


async def version(tx: Any, page_id: UUID, number: int | None) -> UUID | None:
    """Give the id of a version of a page, the newest when no number is given."""
    found: UUID | None = await tx.fetchval(VERSION, page_id, number)
    return found


async def show(
    tx: Any, page_id: UUID, version_id: UUID, visible_from: datetime, visible_until: datetime | None
) -> None:
    """Let a version of a page that is held be seen from a moment on, in the place of the one before."""
    await tx.execute(GIVE_WAY, page_id, visible_from)
    await tx.execute(SHOW, version_id, visible_from, visible_until)
    await learn(tx, [version_id])
    await tx.execute("update page set archived_at = null where id = $1", page_id)


async def learn(tx: Any, version_ids: Sequence[UUID]) -> None:
    """Remember the words of versions, so that searches find them in spite of slips."""
    await tx.execute(LEARN, list(version_ids))


async def archive(tx: Any, page_id: UUID, at: datetime) -> None:
    """Show a page that is held no longer."""
    await tx.execute(GIVE_WAY, page_id, at)
    await tx.execute("update page set archived_at = coalesce(archived_at, $2) where id = $1", page_id, at)


async def link_places(tx: Any, page_id: UUID, codes: Sequence[str]) -> list[str]:
    """Link a page that is held with these places only, in order; give the codes that are none's."""
    await tx.execute("delete from page_place where page_id = $1", page_id)
    rows = await tx.fetch(
        """with wanted as (select * from unnest($2::text[]) with ordinality w(code, n)), linked as (
               insert into page_place (page_id, place_id, position)
               select $1, p.id, w.n from wanted w join place p on p.code = w.code and p.archived_at is null
               on conflict do nothing
           )
           select w.code from wanted w where not exists (
               select from place p where p.code = w.code and p.archived_at is null)""",
        page_id,
        list(codes),
    )
    return [row["code"] for row in rows]


async def link_kinds(tx: Any, page_id: UUID, links: Sequence[tuple[str, str]]) -> list[str]:
    """Link a page that is held with these kinds of procedure (code, phase) only; give the codes that are none's."""
    await tx.execute("delete from page_kind where page_id = $1", page_id)
    rows = await tx.fetch(
        """with wanted as (select * from unnest($2::text[], $3::text[]) with ordinality w(code, phase, n)), linked as (
               insert into page_kind (page_id, kind_code, phase, position)
               select $1, w.code, w.phase, w.n from wanted w
               where exists (select from procedure_kind k where k.code = w.code)
               on conflict do nothing
           )
           select w.code from wanted w where not exists (select from procedure_kind k where k.code = w.code)""",
        page_id,
        [code for code, _ in links],
        [phase for _, phase in links],
    )
    return [row["code"] for row in rows]


async def link_tariffs(tx: Any, page_id: UUID, codes: Sequence[str]) -> list[str]:
    """Link a page that is held with these tariffs only, in order; give the codes that are none's."""
    await tx.execute("delete from page_tariff where page_id = $1", page_id)
    rows = await tx.fetch(
        """with wanted as (select * from unnest($2::text[]) with ordinality w(code, n)), linked as (
               insert into page_tariff (page_id, tariff_id, position)
               select $1, t.id, w.n from wanted w join tariff t on t.code = w.code on conflict do nothing
           )
           select w.code from wanted w where not exists (select from tariff t where t.code = w.code)""",
        page_id,
        list(codes),
    )
    return [row["code"] for row in rows]


async def address_to(tx: Any, page_id: UUID, audiences: Sequence[tuple[int, int, bool | None]]) -> None:
    """Say for whom a page that is held is: ages in years from, to below, and whether at school; nobody else."""
    await tx.execute("delete from page_audience where page_id = $1", page_id)
    await tx.executemany(
        "insert into page_audience (page_id, age_from, age_until, at_school) values ($1, $2, $3, $4) "
        "on conflict do nothing",
        [(page_id, *audience) for audience in audiences],
    )


async def help_with_invoices(tx: Any, page_id: UUID, moments: Set[str]) -> None:
    """Say which open invoices a page that is held helps with: DUE_SOON, OVERDUE; no others."""
    await tx.execute("delete from page_invoice where page_id = $1", page_id)
    await tx.execute(
        "insert into page_invoice (page_id, moment) select $1, unnest($2::text[])", page_id, sorted(moments)
    )
