"""`import consumptions` and their correction: what is loaded, refused, kept, and how each fault is named."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.ids import uuid7
from resolvers.imports import MESSAGES
from resolvers.imports_consumptions import COLUMNS, OPTIONAL_COLUMNS, ConsumptionsImported, import_consumptions
from resolvers.imports_csv import ImportRefused

HEADER = ";".join((*COLUMNS, *OPTIONAL_COLUMNS))
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
ZOE = "400001;Zoé;Martin;repas;2026-10-05;1;2018-09-30"


async def execute(database: Any, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Arrange and look as the superuser."""
    connection = await asyncpg.connect(database.dsn)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


@pytest.fixture
async def town(database: Any) -> Any:
    """Give a database with a family of twins, another one, and two tariffs."""
    first, second, service = uuid7(), uuid7(), uuid7()
    await execute(
        database,
        """insert into service (id, code, name_fr, name_en, address, phone, email, hours_fr, hours_en)
           values ($1, 'cantine', 'Cantine', 'Canteen', '', '', '', '', '')""",
        service,
    )
    for family, number in ((first, "400001"), (second, "400002")):
        await execute(
            database, "insert into family (id, number, name, created_at) values ($1, $2, 'F', $3)", family, number, NOW
        )
    for family, name, birth in (
        (first, "Zoé", date(2018, 9, 30)),
        (first, "Paul", date(2020, 1, 1)),
        (first, "Paul", date(2015, 1, 1)),
        (second, "Zoé", None),
    ):
        await execute(
            database,
            "insert into member (family_id, id, role, first_name, last_name, birth_date, created_at) "
            "values ($1, $2, 'CHILD', $3, 'Martin', $4, $5)",
            family,
            uuid7(),
            name,
            birth,
            NOW,
        )
    for code in ("repas", "soir"):
        await execute(
            database,
            "insert into tariff (id, code, service_id, label_fr, label_en, unit_fr, unit_en, created_at) "
            "values ($1, $2, $3, $2, $2, '', '', $4)",
            uuid7(),
            code,
            service,
            NOW,
        )
    return database


async def run(database: Any, file: Path, **options: Any) -> ConsumptionsImported:
    """Import a file as the command does."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database.dsn, server_settings={"role": "kiosque_api"})

    return await import_consumptions(connect, lambda: NOW, file, **options)


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    """Write a register."""
    file = folder / "consumptions.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return file


def reported(result: ConsumptionsImported) -> list[tuple[int, str, str]]:
    """Give line, column and code of each fault in the report."""
    with result.report.open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert all(row["message"] for row in found)
    return [(int(row["line"]), row["column"], row["code"]) for row in found]


async def kept(database: Any) -> list[tuple[Any, ...]]:
    """Give what is recorded: family number, first name, birth date, day, tariff, units, source."""
    rows = await execute(
        database,
        """select f.number, m.first_name, m.birth_date, c.day, t.code, c.quantity, c.source from consumption c
           join family f on f.id = c.family_id join member m on m.family_id = c.family_id and m.id = c.member_id
           join tariff t on t.id = c.tariff_id order by 1, 2, 3, 4, 5""",
    )
    return [tuple(row) for row in rows]


async def test_consumptions_of_known_members_are_loaded(town: Any, tmp_path: Path) -> None:
    paul = "400001;Paul;Martin;soir;05/10/2026;2;2020-01-01"
    result = await run(town, written(tmp_path, ZOE, paul, "400002;Zoé;Martin;repas;2026-10-05;0;"))

    done = result.consumptions
    assert (result.complete, result.lines, done.added, done.changed, done.unchanged) == (True, 3, 3, 0, 0)
    assert await kept(town) == [
        ("400001", "Paul", date(2020, 1, 1), date(2026, 10, 5), "soir", 2, "IMPORT"),
        ("400001", "Zoé", date(2018, 9, 30), date(2026, 10, 5), "repas", 1, "IMPORT"),
        ("400002", "Zoé", None, date(2026, 10, 5), "repas", 0, "IMPORT"),
    ]


async def test_a_second_run_doubles_nothing_and_a_changed_line_leaves_its_trace(town: Any, tmp_path: Path) -> None:
    await run(town, written(tmp_path, ZOE))
    again = await run(town, written(tmp_path, ZOE))
    assert (again.consumptions.added, again.consumptions.unchanged) == (0, 1)

    changed = await run(town, written(tmp_path, ZOE.replace(";1;", ";3;")))

    assert changed.consumptions.changed == 1
    assert [row[5] for row in await kept(town)] == [3]
    changes = await execute(town, "select from_quantity, to_quantity, source, agent_id from consumption_change")
    assert [tuple(row) for row in changes] == [(1, 3, "IMPORT", None)]


async def test_what_an_agent_corrected_is_not_overwritten(town: Any, tmp_path: Path) -> None:
    await run(town, written(tmp_path, ZOE))
    await execute(town, "update consumption set quantity = 0, source = 'AGENT'")

    result = await run(town, written(tmp_path, ZOE))

    assert (result.consumptions.kept, result.complete) == (1, True)
    assert [row[5:] for row in await kept(town)] == [(0, "AGENT")]


FAULTY = [
    ("400009;Zoé;Martin;repas;2026-10-05;1;", "family_number", "FAMILY_UNKNOWN"),
    ("4000;Zoé;Martin;repas;2026-10-05;1;", "family_number", "NOT_A_FAMILY_NUMBER"),
    (";Zoé;Martin;repas;2026-10-05;1;", "family_number", "REQUIRED"),
    ("400001;Zoe;Martin;repas;2026-10-05;1;", "first_name", "MEMBER_UNKNOWN"),
    ("400001;Zoé;Martin;repas;2026-10-05;1;2019-09-30", "first_name", "MEMBER_UNKNOWN"),
    ("400001;;Martin;repas;2026-10-05;1;", "first_name", "REQUIRED"),
    ("400001;Paul;Martin;repas;2026-10-05;1;", "birth_date", "MEMBER_AMBIGUOUS"),
    ("400001;Zoé;Martin;gouter;2026-10-05;1;", "tariff", "TARIFF_UNKNOWN"),
    ("400001;Zoé;Martin;repas;2026-13-05;1;", "day", "NOT_A_DATE"),
    ("400001;Zoé;Martin;repas;2026-11-11;1;", "day", "DATE_IN_FUTURE"),
    ("400001;Zoé;Martin;repas;1999-12-31;1;", "day", "DAY_TOO_OLD"),
    ("400001;Zoé;Martin;repas;;1;", "day", "REQUIRED"),
    ("400001;Zoé;Martin;repas;2026-10-05;1001;", "quantity", "NOT_A_QUANTITY"),
    ("400001;Zoé;Martin;repas;2026-10-05;-1;", "quantity", "NOT_A_QUANTITY"),
    ("400001;Zoé;Martin;repas;2026-10-05;1,5;", "quantity", "NOT_A_QUANTITY"),
    ("400001;Zoé;Martin;repas;2026-10-05;;", "quantity", "REQUIRED"),
    (ZOE, "", "CONSUMPTION_TWICE"),
]


@pytest.mark.parametrize(("line", "column", "code"), FAULTY)
async def test_a_faulty_line_is_named_and_its_batch_left_out_whole(
    town: Any, tmp_path: Path, line: str, column: str, code: str
) -> None:
    result = await run(town, written(tmp_path, ZOE, line))

    assert reported(result) == [(3, column, code)]
    assert (result.faults, result.batches_refused, result.batches_loaded) == (1, 1, 0)
    assert await kept(town) == []
    assert code in MESSAGES


async def test_other_batches_are_kept_and_a_line_repeated_in_a_later_batch_is_found(town: Any, tmp_path: Path) -> None:
    lines = (ZOE, ZOE.replace("-05", "-06"), ZOE.replace("2018-09-30", ""), ZOE.replace("-05", "-07"))

    result = await run(town, written(tmp_path, *lines), batch_lines=2)

    assert reported(result) == [(4, "", "CONSUMPTION_TWICE")]
    assert (result.batches_loaded, result.batches_refused) == (1, 1)
    assert [row[3].day for row in await kept(town)] == [5, 6]


async def test_the_mended_file_run_again_adds_what_was_missing(town: Any, tmp_path: Path) -> None:
    wrong = ZOE.replace("-05", "-07").replace("repas", "repos")
    await run(town, written(tmp_path, ZOE, wrong), batch_lines=1)

    result = await run(town, written(tmp_path, ZOE, wrong.replace("repos", "repas")), batch_lines=1)

    assert (result.consumptions.added, result.consumptions.unchanged, result.complete) == (1, 1, True)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (HEADER.replace("quantity;", ""), "COLUMN_MISSING"),
        (HEADER + ";colour", "COLUMN_UNKNOWN"),
        (HEADER + ";day", "COLUMN_REPEATED"),
        ("", "DELIMITER_UNKNOWN"),
    ],
)
async def test_a_file_with_a_faulty_header_is_refused_whole(town: Any, tmp_path: Path, header: str, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        await run(town, written(tmp_path, ZOE, header=header))
    assert [fault.code for fault in refused.value.faults] == [code]
    assert await kept(town) == []


async def test_progress_is_told_and_a_second_file_waits_for_no_memory(town: Any, tmp_path: Path) -> None:
    days = [ZOE.replace("10-05", f"{month:02d}-{day:02d}") for month in range(1, 11) for day in range(1, 29)]
    told: list[tuple[int, int, int]] = []

    await run(town, written(tmp_path, *days), batch_lines=50, progress=lambda *values: told.append(values))

    assert [lines for _, _, lines in told] == [50, 100, 150, 200, 250, 280]
    assert told[-1][0] == told[-1][1]
