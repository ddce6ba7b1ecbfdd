"""The DataLoaders of the usual way: one SELECT a list of keys, rows as plain objects."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
from strawberry.dataloader import DataLoader

from resolvers.viewer import Viewer

Row = asyncpg.Record

MEMBERS = """select family_id, id, role, first_name, last_name, birth_date, school from member
    where family_id = any($1) order by family_id, id"""
PROCEDURE = """family_id, id, reference, kind_id, service_id, member_id, assigned_agent_id, status,
    submitted_at, updated_at,
    case when clock_paused_at is null then implied_decision_on else (
        select implied_after_answer(procedure.implied_decision_on, k.silence_means, k.decision_months,
            (procedure.clock_paused_at at time zone 'Europe/Paris')::date, (now() at time zone 'Europe/Paris')::date)
        from procedure_kind k where k.id = procedure.kind_id) end as implied_decision_on"""
OF_FAMILY = f"select {PROCEDURE} from procedure where family_id = $1 order by id desc limit $2"
OF_SERVICES = f"""select {PROCEDURE} from procedure where service_id = any($1) and status = any($2)
    order by id desc limit $3"""
DEADLINE = """case when clock_paused_at is null and implied_decision_on is not null
    then implied_decision_on else '9999-12-31'::date end"""
WORK_LIST = f"""select {PROCEDURE}, {DEADLINE} as deadline from procedure where service_id = any($1)
    and status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY') order by {DEADLINE}, id limit $2"""
EVENTS = """select e.* from unnest($1::uuid[], $2::uuid[]) k(family_id, id) cross join lateral (
        select family_id, procedure_id, id, number, to_status, actor, message, occurred_at from procedure_event
        where family_id = k.family_id and procedure_id = k.id order by id limit $3) e"""
INBOX = """select family_id, id, seq, type, data, occurred_at, read_at from news
    where family_id = $1 order by seq desc limit $2"""
DELIVERIES = """select d.* from unnest($1::uuid[], $2::bigint[]) k(family_id, seq) cross join lateral (
        select family_id, news_seq, id, channel, address, status, sent_at from delivery
        where family_id = k.family_id and news_seq = k.seq order by id desc limit $3) d"""
KIND = "id, code, version, service_id, title_fr, title_en, summary_fr, summary_en, form, decision_months, silence_means"
KINDS = f"select {KIND} from procedure_kind where id = any($1)"
ON_OFFER = f"select {KIND} from procedure_kind where superseded_at is null order by id limit $1"
SERVICES = "select id, code, name_fr, name_en, phone, email, hours_fr, hours_en from service where id = any($1)"
FAMILIES = "select id, number, name from family where id = any($1)"
COLLEAGUES = """select id, name from agent where id = any($1) and services && $2::uuid[] and 'AGENT' = any(roles)
    and disabled_at is null"""
MEMBER = """select m.family_id, m.id, m.role, m.first_name, m.last_name, m.birth_date, m.school
    from unnest($1::uuid[], $2::uuid[]) k(family_id, id) join member m on m.family_id = k.family_id and m.id = k.id"""
UNREAD = """select m.family_id, m.procedure_id, count(*) as n
    from unnest($1::uuid[], $2::uuid[]) k(family_id, id) join procedure_message m
        on m.family_id = k.family_id and m.procedure_id = k.id and m.author = 'FAMILY' and m.read_at is null
    group by m.family_id, m.procedure_id"""
BALANCE = """select ((select coalesce(sum(total_cents), 0) from invoice where family_id = $1 and cancelled_at is null)
    - (select coalesce(sum(cents), 0) from payment where family_id = $1 and undone_at is null)
    + (select coalesce(sum(cents), 0) from refund where family_id = $1))::integer as cents"""
INVOICES = """select i.family_id, i.id, i.number, i.period, i.due_on, i.total_cents, invoice_status(i.total_cents,
        s.cents, i.cancelled_at, i.due_on, (now() at time zone 'Europe/Paris')::date) as status
    from (select * from invoice where family_id = $1 order by id desc limit $2) i cross join lateral (
        select coalesce(sum(a.cents), 0) as cents from allocation a
        where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null) s order by i.id desc"""
LINES = """select l.* from unnest($1::uuid[], $2::uuid[]) k(family_id, id) cross join lateral (
        select family_id, invoice_id, id, position, label_fr, label_en, quantity, unit_cents, cents from invoice_line
        where family_id = k.family_id and invoice_id = k.id order by position limit $3) l"""
PAGE = """select v.page_id, v.slug, v.title_fr, v.title_en, v.summary_fr, v.summary_en, v.html_fr, v.html_en,
        coalesce(v.visible_from, v.created_at) as published_at, v.category_id
    from page g join page_version v on v.page_id = g.id
    where g.slug = $1 and v.visible_from <= now() and (v.visible_until is null or v.visible_until > now())"""
CATEGORIES = "select id, code, title_fr, title_en from page_category where id = any($1)"
PLACES_OF_PAGE = """select p.id, p.code, p.name_fr, p.name_en, p.address, p.access_fr, p.access_en, p.phone,
        coalesce((select s.closes_at > now() from opening_span s
            where s.place_id = p.id and s.opens_at <= now() order by s.opens_at desc limit 1), false) as is_open,
        (select min(s.opens_at) from opening_span s where s.place_id = p.id and s.opens_at > now()) as next_opening
    from page_place l join place p on p.id = l.place_id
    where l.page_id = $1 and p.archived_at is null order by p.id limit $2"""
SPANS = """select s.* from unnest($1::uuid[]) k(id) cross join lateral (
        select place_id, opens_at, closes_at from opening_span
        where place_id = k.id and closes_at > $2 and opens_at < $3 order by opens_at limit $4) s"""
KINDS_OF_PAGE = f"""select {KIND} from procedure_kind where superseded_at is null
    and code in (select kind_code from page_kind where page_id = $1) order by id limit $2"""

Pair = tuple[UUID, Any]


class Data:
    """What one request needs of the database; Strawberry's context."""

    def __init__(self, pool: asyncpg.Pool, viewer: Viewer) -> None:
        self.pool = pool
        self.viewer = viewer
        self._events: dict[int, DataLoader[Pair, list[Row]]] = {}
        self._deliveries: dict[int, DataLoader[Pair, list[Row]]] = {}
        self._lines: dict[int, DataLoader[Pair, list[Row]]] = {}
        self._spans: dict[tuple[Any, ...], DataLoader[UUID, list[Row]]] = {}

    async def rows(self, sql: str, *values: Any) -> list[Row]:
        """Read rows."""
        found: list[Row] = await self.pool.fetch(sql, *values)
        return found

    async def row(self, sql: str, *values: Any) -> Row | None:
        """Read one row."""
        return await self.pool.fetchrow(sql, *values)

    @cached_property
    def members(self) -> DataLoader[UUID, list[Row]]:
        """Members by family."""

        async def load(keys: Sequence[UUID]) -> list[list[Row]]:
            return _many(await self.rows(MEMBERS, keys), keys, lambda row: row["family_id"])

        return DataLoader(load)

    @cached_property
    def kinds(self) -> DataLoader[UUID, Row]:
        """Kinds by id."""
        return self._by_id(KINDS)

    @cached_property
    def services(self) -> DataLoader[UUID, Row]:
        """Services by id."""
        return self._by_id(SERVICES)

    def events(self, first: int) -> DataLoader[Pair, list[Row]]:
        """Events by family and procedure."""
        if first not in self._events:
            self._events[first] = self._by_pair(EVENTS, first, "procedure_id")
        return self._events[first]

    def deliveries(self, first: int) -> DataLoader[Pair, list[Row]]:
        """Deliveries by family and number of the item of news."""
        if first not in self._deliveries:
            self._deliveries[first] = self._by_pair(DELIVERIES, first, "news_seq")
        return self._deliveries[first]

    def lines(self, first: int) -> DataLoader[Pair, list[Row]]:
        """Lines by family and invoice."""
        if first not in self._lines:
            self._lines[first] = self._by_pair(LINES, first, "invoice_id")
        return self._lines[first]

    def spans(self, since: datetime, until: datetime, first: int) -> DataLoader[UUID, list[Row]]:
        """Opening hours by place."""
        asked = since, until, first

        async def load(keys: Sequence[UUID]) -> list[list[Row]]:
            return _many(await self.rows(SPANS, keys, *asked), keys, lambda row: row["place_id"])

        if asked not in self._spans:
            self._spans[asked] = DataLoader(load)
        return self._spans[asked]

    @cached_property
    def families(self) -> DataLoader[UUID, Row]:
        """Families by id."""
        return self._by_id(FAMILIES)

    @cached_property
    def categories(self) -> DataLoader[UUID, Row]:
        """Categories of pages by id."""
        return self._by_id(CATEGORIES)

    @cached_property
    def colleagues(self) -> DataLoader[UUID, Row | None]:
        """Agents of the viewer's services by id."""

        async def load(keys: list[UUID]) -> list[Row | None]:
            rows = await self.rows(COLLEAGUES, keys, list(self.viewer.services))
            found = {row["id"]: row for row in rows}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def member(self) -> DataLoader[Pair, Row]:
        """Members by family and id."""

        async def load(keys: list[Pair]) -> list[Row]:
            rows = await self.rows(MEMBER, [key[0] for key in keys], [key[1] for key in keys])
            found = {(row["family_id"], row["id"]): row for row in rows}
            return [found[key] for key in keys]

        return DataLoader(load)

    @cached_property
    def unread(self) -> DataLoader[Pair, int]:
        """How many messages of the family nobody has read, by family and procedure."""

        async def load(keys: list[Pair]) -> list[int]:
            rows = await self.rows(UNREAD, [key[0] for key in keys], [key[1] for key in keys])
            found = {(row["family_id"], row["procedure_id"]): row["n"] for row in rows}
            return [found.get(key, 0) for key in keys]

        return DataLoader(load)

    def _by_id(self, sql: str) -> DataLoader[UUID, Row]:
        async def load(keys: list[UUID]) -> list[Row]:
            found = {row["id"]: row for row in await self.rows(sql, keys)}
            return [found[key] for key in keys]

        return DataLoader(load)

    def _by_pair(self, sql: str, first: int, second: str) -> DataLoader[Pair, list[Row]]:
        async def load(keys: Sequence[Pair]) -> list[list[Row]]:
            rows = await self.rows(sql, [key[0] for key in keys], [key[1] for key in keys], first)
            return _many(rows, keys, lambda row: (row["family_id"], row[second]))

        return DataLoader(load)


def _many(rows: list[Row], keys: Sequence[Any], key_of: Any) -> list[list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[key_of(row)].append(row)
    return [found[key] for key in keys]
