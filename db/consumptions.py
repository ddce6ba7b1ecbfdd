"""Consumptions as stored: loaded from registers in batches, corrected one by one (R29)."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from asyncpg import Connection

from db.imports import BATCH_TIMEOUT_MS


@dataclass(frozen=True, slots=True)
class ConsumptionRow:
    """A line of a register: who used what on which day, and how many units of it. `id` is used if it proves new."""

    line: int
    family_number: str
    first_name: str
    last_name: str
    birth_date: date | None
    tariff: str
    day: date
    quantity: int
    id: UUID


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one batch did; `kept` are lines that an agent had corrected by hand."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0

    def plus(self, other: "Loaded") -> "Loaded":
        """Add up two batches."""
        return Loaded(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.kept + other.kept,
        )


PREPARE = (
    """create temp table if not exists import_consumption (line integer, family_number text, first_name text,
        last_name text, birth_date date, tariff text, day date, quantity integer, id uuid) on commit delete rows""",
    """create temp table if not exists import_found (line integer, family_id uuid, day date, member_id uuid,
        tariff_id uuid, service_id uuid, quantity integer, id uuid, before integer, source text, before_id uuid)
        on commit delete rows""",
    "create temp table if not exists import_line (what uuid primary key) on commit preserve rows",
)

AS_SYSTEM = """
    select set_config('kiosque.system', 'on', true), set_config('statement_timeout', $1, true),
        pg_advisory_xact_lock(hashtext('kiosque import consumptions'))
"""

# Each child stands on many lines, each tariff on most of them: they are looked for once.
FAULTS = """
    with who as materialized (
        select w.*, f.id as family_id, m.ids from (
            select distinct family_number, first_name, last_name, birth_date from import_consumption
        ) w left join lateral (select id from family where number = w.family_number offset 0) f on true
        left join lateral (
            select array_agg(m.id) as ids from member m
            where m.family_id = f.id and m.first_name = w.first_name and m.last_name = w.last_name
                and (w.birth_date is null or m.birth_date = w.birth_date)
        ) m on true
    ), what as materialized (
        select w.tariff, t.id, t.service_id from (select distinct tariff from import_consumption) w
        left join tariff t on t.code = w.tariff
    ), met as (
        select s.line, s.day, s.quantity, s.id, who.family_id, who.ids, what.id as tariff_id, what.service_id
        from import_consumption s
        join who on (who.family_number, who.first_name, who.last_name) = (s.family_number, s.first_name, s.last_name)
            and who.birth_date is not distinct from s.birth_date
        join what on what.tariff = s.tariff
    ), found as (
        insert into import_found (line, family_id, day, member_id, tariff_id, service_id, quantity, id)
        select line, family_id, day, ids[1], tariff_id, service_id, quantity, id from met
        where family_id is not null and cardinality(ids) = 1 and tariff_id is not null
    )
    select line, case when family_id is null then 'FAMILY_UNKNOWN' when ids is null then 'MEMBER_UNKNOWN'
            when cardinality(ids) > 1 then 'MEMBER_AMBIGUOUS' else 'TARIFF_UNKNOWN' end as code
    from met where family_id is null or ids is null or cardinality(ids) > 1 or tariff_id is null order by line
"""

# Names in a file may be written with and without a birth date: the line that was read before is what counts here.
REPEATED = """
    with numbered as (
        select line, md5(concat_ws(' ', family_id, day, member_id, tariff_id))::uuid as what,
            row_number() over (partition by family_id, day, member_id, tariff_id order by line) as place
        from import_found
    ), added as (
        insert into import_line select what from numbered where place = 1 on conflict do nothing returning what
    )
    select line from numbered n where n.place > 1 or not exists (select from added a where a.what = n.what)
    order by line
"""

# Row by row, because nobody has counted these tables in the middle of an import.
COMPARE = """
    update import_found s set before = c.quantity, source = c.source, before_id = c.id
    from import_found f cross join lateral (
        select quantity, source, id from consumption k where k.family_id = f.family_id and k.day = f.day
            and k.member_id = f.member_id and k.tariff_id = f.tariff_id offset 0
    ) c
    where s.line = f.line
"""

ADD = """
    insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source, recorded_at,
        changed_at)
    select family_id, day, member_id, tariff_id, id, service_id, quantity, 'IMPORT', $1, $1 from import_found
    where before_id is null order by family_id, day, member_id, tariff_id
"""

CHANGED = "before_id is not null and s.source = 'IMPORT' and before <> s.quantity"
NOTE = f"""
    insert into consumption_change (family_id, consumption_id, id, service_id, from_quantity, to_quantity, source,
        changed_at)
    select family_id, before_id, id, service_id, before, quantity, 'IMPORT', $1 from import_found s where {CHANGED}
"""
CHANGE = f"""
    update consumption c set quantity = s.quantity, service_id = s.service_id, changed_at = $1
    from import_found s
    where c.family_id = s.family_id and c.day = s.day and c.member_id = s.member_id and c.tariff_id = s.tariff_id
        and {CHANGED}
"""
COUNT = f"""
    select count(*) filter (where before_id is null)::int, count(*) filter (where {CHANGED})::int,
        count(*) filter (where before = quantity)::int,
        count(*) filter (where source = 'AGENT' and before <> quantity)::int
    from import_found s
"""


async def prepare(connection: Connection) -> None:
    """Make the temporary tables of an import; they last as long as the connection."""
    for statement in PREPARE:
        await connection.execute(statement)


async def load(
    connection: Connection, rows: Iterable[ConsumptionRow], now: datetime, *, faulty: bool
) -> tuple[Loaded, list[tuple[int, str]]]:
    """Merge one batch, all or nothing; give what it did, and its faults as (line, code): with one, nothing is loaded.

    Consumptions are known by family, day, member and tariff. Lines that an agent corrected keep his word. A batch that
    is `faulty` already is only looked through. `now` (UTC) is when they are recorded or changed.
    """
    columns = [column.name for column in fields(ConsumptionRow)]
    async with connection.transaction():
        await connection.execute(AS_SYSTEM, str(BATCH_TIMEOUT_MS))
        take = attrgetter(*columns)
        await connection.copy_records_to_table("import_consumption", columns=columns, records=map(take, rows))
        await connection.execute("analyze import_consumption")
        faults = [(row["line"], row["code"]) for row in await connection.fetch(FAULTS)]
        faults += [(row["line"], "CONSUMPTION_TWICE") for row in await connection.fetch(REPEATED)]
        if faults or faulty:
            return Loaded(), faults
        await connection.execute("analyze import_found")
        await connection.execute(COMPARE)
        await connection.execute(ADD, now)
        await connection.execute(NOTE, now)
        await connection.execute(CHANGE, now)
        [counts] = await connection.fetch(COUNT)
    return Loaded(*counts.values()), []


@dataclass(frozen=True, slots=True)
class Known:
    """A consumption whose row is held."""

    id: UUID
    quantity: int


HOLD = """
    select id, quantity from consumption where family_id = $1 and day = $2 and member_id = $3 and tariff_id = $4
    for update
"""


async def hold(tx: Any, family_id: UUID, day: date, member_id: UUID, tariff_id: UUID) -> Known | None:
    """Give what is recorded of a member, day and tariff, and hold it."""
    row = await tx.fetchrow(HOLD, family_id, day, member_id, tariff_id)
    return Known(*row.values()) if row else None


INSERT = """
    insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source, recorded_at,
        changed_at)
    values ($1, $2, $3, $4, $5, $6, 0, 'AGENT', $7, $7)
    on conflict (family_id, day, member_id, tariff_id) do nothing
"""


async def insert(
    tx: Any, family_id: UUID, day: date, member_id: UUID, tariff_id: UUID, new_id: UUID, service_id: UUID, at: datetime
) -> None:
    """Write a consumption of nothing, for an agent to correct; one that is there already stays."""
    await tx.execute(INSERT, family_id, day, member_id, tariff_id, new_id, service_id, at)


CORRECT = """
    with noted as (
        insert into consumption_change (family_id, consumption_id, id, service_id, from_quantity, to_quantity, source,
            agent_id, reason, changed_at)
        select family_id, id, $3, service_id, quantity, $4, 'AGENT', $5, $6, $7 from consumption
        where family_id = $1 and id = $2
    )
    update consumption set quantity = $4, source = 'AGENT', changed_at = $7 where family_id = $1 and id = $2
"""


async def correct(
    tx: Any,
    family_id: UUID,
    consumption_id: UUID,
    change_id: UUID,
    quantity: int,
    agent_id: UUID,
    reason: str,
    at: datetime,
) -> None:
    """Write what an agent says was used, and why."""
    await tx.execute(CORRECT, family_id, consumption_id, change_id, quantity, agent_id, reason, at)


TARIFF = "select id, service_id from tariff where code = $1"
MEMBER_IS_THERE = "select exists (select from member where family_id = $1 and id = $2)"


async def tariff_of(tx: Any, code: str) -> tuple[UUID, UUID] | None:
    """Give id and service of a tariff by its code."""
    row = await tx.fetchrow(TARIFF, code)
    return (row["id"], row["service_id"]) if row else None


async def member_is_there(tx: Any, family_id: UUID, member_id: UUID) -> bool:
    """Tell whether a family has, or had, such a member."""
    found: bool = await tx.fetchval(MEMBER_IS_THERE, family_id, member_id)
    return found
