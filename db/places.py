"""Places and when they are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """What an editor says of a place; texts in French and English."""

    code: str
    name: tuple[str, str]
    address: str
    latitude: float
    longitude: float
    access: tuple[str, str]
    accessibility: Sequence[str]
    phone: str
    email: str
    open_on_public_holidays: bool


SAVE = """
    insert into place (id, code, name_fr, name_en, address, latitude, longitude, access_fr, access_en, accessibility,
        phone, email, open_on_public_holidays, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (code) do update set name_fr = $3, name_en = $4, address = $5, latitude = $6, longitude = $7,
        access_fr = $8, access_en = $9, accessibility = $10, phone = $11, email = $12, open_on_public_holidays = $13,
        archived_at = null
    returning id
"""


async def save(tx: Any, place_id: UUID, place: Place, at: datetime) -> UUID:
    """Write a place, new or known by its code; give its id. Holds the place until the transaction ends."""
    kept: UUID = await tx.fetchval(
        SAVE,
        place_id,
        place.code,
        *place.name,
        place.address,
        place.latitude,
        place.longitude,
        *place.access,
        list(place.accessibility),
        place.phone,
        place.email,
        place.open_on_public_holidays,
        at,
    )
    return kept


async def archive(tx: Any, code: str, at: datetime) -> UUID | None:
    """Take a place out of all lists; give its id, or None."""
    statement = "update place set archived_at = coalesce(archived_at, $2) where code = $1 returning id"
    found: UUID | None = await tx.fetchval(statement, code, at)
    return found


RuleRow = tuple[UUID, int, time, time, str, date | None, date | None]
"""Id, ISO weekday, opens, closes, season, first and last day."""

DayRow = tuple[UUID, date, date, time | None, time | None, str, str]
"""Id, first day, last day, opens, closes, reason in French and in English."""


async def replace_rules(tx: Any, place_id: UUID, rows: Sequence[RuleRow]) -> None:
    """Put weekly hours in the place of those before."""
    await tx.execute("delete from opening_rule where place_id = $1", place_id)
    await tx.executemany(
        "insert into opening_rule (place_id, id, weekday, opens, closes, season, valid_from, valid_until) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(place_id, *row) for row in rows],
    )


async def replace_exceptional_days(tx: Any, place_id: UUID, rows: Sequence[DayRow]) -> None:
    """Put exceptional days in the place of those before."""
    await tx.execute("delete from exceptional_day where place_id = $1", place_id)
    await tx.executemany(
        "insert into exceptional_day (place_id, id, first_day, last_day, opens, closes, reason_fr, reason_en) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(place_id, *row) for row in rows],
    )


async def hold_all(tx: Any) -> list[tuple[UUID, bool]]:
    """Give all places that are in use, with whether they open on public holidays, held until the transaction ends."""
    rows = await tx.fetch(
        "select id, open_on_public_holidays from place where archived_at is null order by id for no key update"
    )
    return [(row["id"], row["open_on_public_holidays"]) for row in rows]


async def rules(tx: Any, place_id: UUID) -> list[tuple[int, time, time, str, date | None, date | None]]:
    """Give the weekly hours of a place."""
    statement = (
        """select weekday, opens, closes, season, valid_from, valid_until from opening_rule where place_id = $1"""
    )
    return [tuple(row.values()) for row in await tx.fetch(statement, place_id)]


async def exceptional_days(tx: Any, place_id: UUID) -> list[tuple[date, date, time | None, time | None]]:
    """Give the exceptional days of a place, in the order in which they were listed."""
    statement = "select first_day, last_day, opens, closes from exceptional_day where place_id = $1 order by id"
    return [tuple(row.values()) for row in await tx.fetch(statement, place_id)]


async def replace_spans(tx: Any, place_id: UUID, spans: Sequence[tuple[datetime, datetime]]) -> None:
    """Write anew when a place is open."""
    await tx.execute("delete from opening_span where place_id = $1", place_id)
    await tx.execute(
        "insert into opening_span (place_id, opens_at, closes_at) "
        "select $1, s.opens_at, s.closes_at from unnest($2::timestamptz[], $3::timestamptz[]) s(opens_at, closes_at)",
        place_id,
        [opens for opens, _ in spans],
        [closes for _, closes in spans],
    )
