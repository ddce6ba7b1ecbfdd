"""The DataLoaders of the usual way: one SELECT a list of keys, rows as plain objects."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
from strawberry.dataloader import DataLoader

from resolvers.viewer import Viewer

Row = asyncpg.Record

MEMBERS = """select family_id, id, role, first_name, last_name, birth_date, school from member
    where family_id = any($1) order by family_id, id"""
PROCEDURE = """family_id, id, reference, kind_id, service_id, status, submitted_at, implied_decision_on, updated_at"""
OF_FAMILY = f"select {PROCEDURE} from procedure where family_id = $1 order by id desc limit $2"
OF_SERVICES = f"""select {PROCEDURE} from procedure where service_id = any($1) and status = any($2)
    order by id desc limit $3"""
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

Pair = tuple[UUID, Any]


class Data:
    """What one request needs of the database; Strawberry's context."""

    def __init__(self, pool: asyncpg.Pool, viewer: Viewer) -> None:
        self.pool = pool
        self.viewer = viewer
        self._events: dict[int, DataLoader[Pair, list[Row]]] = {}
        self._deliveries: dict[int, DataLoader[Pair, list[Row]]] = {}

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
