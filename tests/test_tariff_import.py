"""`import tariffs`: a file stands or falls as a whole, and a second run changes nothing."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.ids import uuid7
from resolvers.imports import MESSAGES
from resolvers.imports_tariffs import COLUMNS, OPTIONAL_COLUMNS, TariffsImported, import_tariffs

HEADER = ";".join((*COLUMNS, *OPTIONAL_COLUMNS))
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
LOW = "repas;cantine;Repas;Meal;0;1,10;2026-01-01;le repas;a meal;never;600;"
HIGH = "repas;;;;600;3.55;2026-01-01;;;;;"
NEXT = "repas;;;;0;2;2026-09-01;;;;;2027-08-31"


async def rows(database: Any, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Arrange and look as the superuser."""
    connection = await asyncpg.connect(database.dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()


@pytest.fixture
async def town(database: Any) -> Any:
    """Give a database with a service."""
    await rows(
        database,
        """insert into service (id, code, name_fr, name_en, address, phone, email, hours_fr, hours_en)
           values ($1, 'cantine', 'Cantine', 'Canteen', '', '', '', '', '')""",
        uuid7(),
    )
    return database


async def run(database: Any, folder: Path, *lines: str) -> TariffsImported:
    """Import a file of these lines as the command does."""
    file = folder / "tariffs.csv"
    file.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database.dsn, server_settings={"role": "kiosque_api"})

    return await import_tariffs(connect, lambda: NOW, file)


PRICES = """
    select t.code, t.label_en, t.cesu, p.quotient_from, p.quotient_until, p.cents, p.valid_from::text,
        p.valid_until::text
    from tariff_price p join tariff t on t.id = p.tariff_id order by p.valid_from, p.quotient_from
"""


async def test_prices_of_two_periods_are_loaded_and_a_second_run_changes_nothing(town: Any, tmp_path: Path) -> None:
    first = await run(town, tmp_path, LOW, HIGH, NEXT)

    assert (first.faults, first.tariffs, first.prices) == (0, 1, 3)
    expected = [
        ("repas", "Meal", "NEVER", 0, 600, 110, "2026-01-01", "2026-08-31"),
        ("repas", "Meal", "NEVER", 600, None, 355, "2026-01-01", "2026-08-31"),
        ("repas", "Meal", "NEVER", 0, None, 200, "2026-09-01", "2027-08-31"),
    ]
    assert await rows(town, PRICES) == expected
    await run(town, tmp_path, LOW, HIGH, NEXT)
    assert await rows(town, PRICES) == expected


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        (LOW.replace(";600;", ";500;"), "quotient_from", "BRACKETS_HAVE_GAPS"),
        (LOW.replace("cantine", "bibliotheque"), "service", "SERVICE_UNKNOWN"),
        (LOW.replace("1,10", "1,105"), "price", "NOT_A_PRICE"),
        (LOW.replace("1,10", "-1"), "price", "NOT_A_PRICE"),
        (LOW.replace("1,10", "gratuit"), "price", "NOT_A_PRICE"),
        (LOW.replace("repas;cantine", "Repas!;cantine"), "tariff", "NOT_A_CODE"),
        (LOW.replace(";600;", ";beaucoup;"), "quotient_until", "NOT_A_QUOTIENT"),
        (LOW.replace("2026-01-01", "1999-01-01"), "valid_from", "DAY_TOO_OLD"),
        (LOW.replace("2026-01-01", ""), "valid_from", "REQUIRED"),
        (LOW.replace("never", "sometimes"), "cesu", "UNKNOWN_VALUE"),
        (LOW + "2025-12-31", "valid_until", "ENDS_BEFORE_IT_BEGINS"),
    ],
)
async def test_a_faulty_line_leaves_the_whole_file_out(
    town: Any, tmp_path: Path, line: str, column: str, code: str
) -> None:
    result = await run(town, tmp_path, line, HIGH.replace("repas", line.split(";")[0]))

    with result.report.open(encoding="utf-8-sig", newline="") as stream:
        found = [(row["column"], row["code"]) for row in csv.DictReader(stream)]
    assert (column, code) in found and result.faults == len(found)
    assert await rows(town, "select from tariff") == []
    assert code in MESSAGES


async def test_lines_of_a_tariff_that_contradict_each_other_are_named(town: Any, tmp_path: Path) -> None:
    result = await run(town, tmp_path, LOW, HIGH.replace("repas;;;", "repas;;;Lunch"))

    assert (result.faults, result.tariffs) == (1, 0)
    assert await rows(town, "select from tariff") == []
