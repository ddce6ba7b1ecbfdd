"""Tariffs as stored: what has a price, and its prices by quotient and period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an editor says of a tariff; texts in French and English."""

    code: str
    label: tuple[str, str]
    unit: tuple[str, str]
    position: int
    cesu: str | None = None
    """Whether CESU pay for it: NEVER, UNDER_6, ALWAYS; none: as it was, NEVER for a new one."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in cents, for quotients from `quotient_from` to below `quotient_until` (euros a month; none: without
    end).
    """

    quotient_from: int
    quotient_until: int | None
    cents: int


SAVE = """
    insert into tariff (id, code, service_id, label_fr, label_en, unit_fr, unit_en, position, cesu, created_at)
    select $1, $2, s.id, $4, $5, $6, $7, $8, coalesce($9, 'NEVER'), $10 from service s where s.code = $3
    on conflict (code) do update set service_id = excluded.service_id, label_fr = $4, label_en = $5, unit_fr = $6,
        unit_en = $7, position = $8, cesu = coalesce($9, tariff.cesu)
    returning id
"""


async def save(tx: Any, new_id: UUID, service_code: str, given: Tariff, at: datetime) -> UUID | None:
    """Write a tariff, new or known by its code; give its id, None when there is no such service."""
    found: UUID | None = await tx.fetchval(
        SAVE, new_id, given.code, service_code, *given.label, *given.unit, given.position, given.cesu, at
    )
    return found


# Prices that begin on that day or later are replaced; those before end the day before.
REMOVE = "delete from tariff_price where tariff_id = $1 and valid_from >= $2"
END = """
    update tariff_price set valid_until = $2::date - 1
    where tariff_id = $1 and valid_from < $2 and (valid_until is null or valid_until >= $2)
"""
INSERT = """
    insert into tariff_price (id, tariff_id, quotient_from, quotient_until, cents, valid_from, valid_until)
    values ($1, $2, $3, $4, $5, $6, $7)
"""


async def replace_prices(
    tx: Any, tariff_id: UUID, prices: Sequence[tuple[UUID, Price]], valid_from: date, valid_until: date | None
) -> None:
    """Write the prices that hold from a day on; what held before ends the day before."""
    await tx.execute(REMOVE, tariff_id, valid_from)
    await tx.execute(END, tariff_id, valid_from)
    await tx.executemany(
        INSERT,
        [
            (new_id, tariff_id, price.quotient_from, price.quotient_until, price.cents, valid_from, valid_until)
            for new_id, price in prices
        ],
    )


PRICES_ON = """
    select quotient_from, quotient_until, cents from tariff_price
    where tariff_id = (select t.id from tariff t where t.code = $1) and valid_from <= $2
        and (valid_until is null or valid_until >= $2)
    order by quotient_from
"""


async def prices_on(tx: Any, code: str, day: date) -> list[Price]:
    """Give the prices of a tariff that hold on a day, by quotient; none where it has none that day."""
    return [Price(*row.values()) for row in await tx.fetch(PRICES_ON, code, day)]
