"""`import families`: what is loaded, what is refused, and how each fault is named."""

import csv
import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.keys import Keys
from gateway.demo.city import write_register
from resolvers import activation_codes
from resolvers.imports import MESSAGES, ImportResult
from resolvers.imports_csv import CsvFile, ImportRefused
from resolvers.imports_families import COLUMNS, OPTIONAL_COLUMNS, import_families

HEADER = ",".join(COLUMNS)
WHOLE_HEADER = ",".join((*COLUMNS, *OPTIONAL_COLUMNS[:4]))
KEYS = Keys(b"k" * 32)
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
MARTIN = "400001,,Famille Martin,,ABCDE-23456,2027-01-31,ADULT,Anne,Martin,1985-04-02,"
MARTIN_CHILD = "400001,,,,,,CHILD,Zoé,Martin,2018-09-30,École des Pins"
PETIT = "400002,ASSOCIATION,Chorale Petit,en,,,ADULT,Paul,Petit,,"


async def run(database: Any, file: Path, **options: Any) -> ImportResult:
    """Import a file as the command does."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database.dsn, server_settings={"role": "kiosque_api"})

    return await import_families(connect, KEYS, lambda: NOW, file, **options)


async def rows(database: Any, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Read as the superuser."""
    connection = await asyncpg.connect(database.dsn)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


def written(folder: Path, *lines: str | bytes, header: str | bytes = HEADER) -> Path:
    """Write a register."""
    file = folder / "families.csv"
    texts = (line if isinstance(line, bytes) else line.encode() for line in (header, *lines))
    file.write_bytes(b"\n".join(texts) + b"\n")
    return file


def reported(result: ImportResult) -> list[tuple[int, str, str]]:
    """Give line, column and code of each fault in the report."""
    with result.report.open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert all(row["message"] for row in found)
    return [(int(row["line"]), row["column"], row["code"]) for row in found]


def refused(error: ImportRefused) -> list[tuple[int, str, str]]:
    """Give line, column and code of what made a file unreadable."""
    return [dataclasses.astuple(fault) for fault in error.faults]


async def test_a_family_may_come_without_its_members(database: Any, tmp_path: Path) -> None:
    result = await run(database, written(tmp_path, "400009,,Famille Seule,,,,,,,,", MARTIN))
    assert (result.complete, result.lines, reported(result)) == (True, 2, [])
    counts = (
        "select number, (select count(*) from member m where m.family_id = f.id) as members from family f order by 1"
    )
    assert [tuple(row) for row in await rows(database, counts)] == [("400001", 1), ("400009", 0)]


async def test_families_members_and_codes_are_loaded(database: Any, tmp_path: Path) -> None:
    result = await run(database, written(tmp_path, MARTIN, MARTIN_CHILD, PETIT))

    assert (result.complete, result.lines, result.codes_issued) == (True, 3, 1)
    families = await rows(database, "select number, profile, name, language, activated_at from family order by number")
    assert [tuple(row) for row in families] == [
        ("400001", "INDIVIDUAL", "Famille Martin", "fr", None),
        ("400002", "ASSOCIATION", "Chorale Petit", "en", None),
    ]
    members = await rows(database, "select role, first_name, birth_date, school from member order by first_name")
    assert [tuple(row) for row in members] == [
        ("ADULT", "Anne", date(1985, 4, 2), None),
        ("ADULT", "Paul", None, None),
        ("CHILD", "Zoé", date(2018, 9, 30), "École des Pins"),
    ]


async def test_an_imported_code_is_verified_by_its_digest_and_ends_with_its_day_in_paris(
    database: Any, tmp_path: Path
) -> None:
    await run(database, written(tmp_path, MARTIN))

    [code] = await rows(database, "select code_hmac, expires_at, used_at from activation_code")
    assert code["code_hmac"] == activation_codes.digest(KEYS, "400001", "abcde 23456")
    assert code["code_hmac"] != activation_codes.digest(KEYS, "400002", "abcde 23456")
    assert (code["expires_at"], code["used_at"]) == (datetime(2027, 1, 31, 23, tzinfo=UTC), None)


@pytest.mark.parametrize("delimiter", [";", ","])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
async def test_either_delimiter_quotes_and_byte_order_mark_are_read(
    database: Any, tmp_path: Path, delimiter: str, mark: bytes, line_end: str
) -> None:
    file = tmp_path / "families.csv"
    line = '"400001";;"Martin ""; "", Petit";;;;ADULT;Anne;Martin;02/04/1985;'.replace(";", delimiter)
    text = line_end.join([HEADER.replace(",", delimiter), line, delimiter * 10, ""])
    file.write_bytes(mark + text.encode())

    result = await run(database, file)

    assert result.complete
    [family] = await rows(database, "select f.name, m.birth_date from family f join member m on m.family_id = f.id")
    assert tuple(family) == (f'Martin "{delimiter} ", Petit', date(1985, 4, 2))


async def test_a_second_run_changes_nothing_and_a_used_code_stays_used(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, MARTIN, MARTIN_CHILD, PETIT)
    await run(database, file)
    await rows(database, "update activation_code set used_at = now()")
    before = await rows(database, "select * from family natural join (select * from member) m order by 1, 2")

    result = await run(database, file)

    assert (result.families.unchanged, result.families.added, result.families.changed) == (2, 0, 0)
    assert (result.members.unchanged, result.members.added, result.members.changed) == (3, 0, 0)
    assert result.codes_issued == 0
    assert await rows(database, "select * from family natural join (select * from member) m order by 1, 2") == before
    [code] = await rows(database, "select used_at is not null as used from activation_code")
    assert code["used"]


async def test_changed_lines_change_rows_and_a_new_code_ends_the_one_before(database: Any, tmp_path: Path) -> None:
    await run(database, written(tmp_path, MARTIN, MARTIN_CHILD, PETIT))
    moved = MARTIN_CHILD.replace("des Pins", "du Moulin")
    renamed = MARTIN.replace("ABCDE-23456", "ZZZZZ-99999").replace("Famille Martin", "Famille Martin-Roy")

    result = await run(database, written(tmp_path, renamed, moved, "400002,,Chorale Petit,,,,ADULT,Paul,Petit,,"))

    assert (result.families.changed, result.members.changed, result.codes_issued) == (1, 1, 1)
    families = await rows(database, "select name, profile, language from family order by number")
    assert [tuple(row) for row in families] == [
        ("Famille Martin-Roy", "INDIVIDUAL", "fr"),
        ("Chorale Petit", "ASSOCIATION", "en"),
    ]
    [valid] = await rows(database, "select code_hmac from activation_code where expires_at > $1", NOW)
    assert valid["code_hmac"] == activation_codes.digest(KEYS, "400001", "ZZZZZ99999")


LINE_FAULTS: list[tuple[str | bytes, str, str]] = [
    ("12,,Dupont,,,,ADULT,A,B,,", "family_number", "NOT_A_FAMILY_NUMBER"),
    ("40000a,,Dupont,,,,ADULT,A,B,,", "family_number", "NOT_A_FAMILY_NUMBER"),
    (",,Dupont,,,,ADULT,A,B,,", "family_number", "REQUIRED"),
    ("400009,HOUSEHOLD,Dupont,,,,ADULT,A,B,,", "profile", "UNKNOWN_VALUE"),
    ("400009,,,,,,ADULT,A,B,,", "name", "REQUIRED"),
    (f"400009,,{'x' * 201},,,,ADULT,A,B,,", "name", "TOO_LONG"),
    (f"400009,,{'x' * 1_001},,,,ADULT,A,B,,", "name", "FIELD_TOO_LONG"),
    ("400009,,Dupont,de,,,ADULT,A,B,,", "language", "UNKNOWN_VALUE"),
    ("400009,,Dupont,,ABCDE,,ADULT,A,B,,", "activation_code", "NOT_AN_ACTIVATION_CODE"),
    ("400009,,Dupont,,ABCDE-2345U,,ADULT,A,B,,", "activation_code", "NOT_AN_ACTIVATION_CODE"),
    ("400009,,Dupont,,ABCDE-23456,2026-11-09,ADULT,A,B,,", "activation_expires_on", "CODE_EXPIRED"),
    ("400009,,Dupont,,ABCDE-23456,9999-12-31,ADULT,A,B,,", "activation_expires_on", "DATE_TOO_FAR"),
    ("400009,,Dupont,,,soon,ADULT,A,B,,", "activation_expires_on", "NOT_A_DATE"),
    ("400009,,Dupont,,,,PARENT,A,B,,", "member_role", "UNKNOWN_VALUE"),
    ("400009,,Dupont,,,,,A,B,,", "member_role", "REQUIRED"),
    ("400009,,Dupont,,,,ADULT,,B,,", "first_name", "REQUIRED"),
    ("400009,,Dupont,,,,ADULT,A,,,", "last_name", "REQUIRED"),
    ("400009,,Dupont,,,,ADULT,A,B,2019-02-30,", "birth_date", "NOT_A_DATE"),
    ("400009,,Dupont,,,,ADULT,A,B,2019-W01-1,", "birth_date", "NOT_A_DATE"),
    ("400009,,Dupont,,,,CHILD,A,B,2026-11-11,", "birth_date", "DATE_IN_FUTURE"),
    ("400009,,Dupont,,,,ADULT,A,B,1899-12-31,", "birth_date", "DATE_TOO_OLD"),
    (f"400009,,Dupont,,,,CHILD,A,B,,{'x' * 201}", "school", "TOO_LONG"),
    ("400009,,Dupont,,,,ADULT,A\0,B,,", "first_name", "NUL_CHARACTER"),
    ("400009,,Dupont,,,,ADULT,A,B\u202e,,", "last_name", "CONTROL_CHARACTER"),
    ("400009,,Dupont,,,,ADULT,A\rA,B,,", "first_name", "CONTROL_CHARACTER"),
    (b"400009,,Dupont,,,,ADULT,Ren\xe9,B,,", "first_name", "NOT_UTF8"),
    (b"400009,,Dupont,,,,ADULT,A,B\xed\xa0\x80,,", "last_name", "LONE_SURROGATE"),
    ('400009,,Dupont,,,,ADULT,A,"B,,', "last_name", "QUOTE_NOT_CLOSED"),
    ('400009,,Dupont,,,,ADULT,"A"A,B,,', "first_name", "BAD_QUOTES"),
    ("400009,,Dupont,,,,ADULT,A,B", "birth_date", "NUMBER_OF_COLUMNS"),
    ("400009,,Dupont,,,,ADULT,A,B,,,more", "12", "NUMBER_OF_COLUMNS"),
    (f"400009,,Dupont,,,,ADULT,A,B,,{'x' * 70_000}", "", "LINE_TOO_LONG"),
]


@pytest.mark.parametrize(("line", "column", "code"), LINE_FAULTS, ids=lambda value: str(value)[:40].replace("\0", "0"))
async def test_a_bad_line_is_named_by_line_and_column_and_its_batch_is_not_kept(
    database: Any, tmp_path: Path, line: str | bytes, column: str, code: str
) -> None:
    result = await run(database, written(tmp_path, MARTIN, MARTIN_CHILD, line, PETIT))

    assert (3 + 1, column, code) in reported(result)
    assert (result.complete, result.batches_loaded, result.batches_refused) == (False, 0, 1)
    assert {place for place, _, _ in reported(result)} == {4}
    assert await rows(database, "select from family") == []


RELATIVE_FAULTS = [
    ((MARTIN, MARTIN_CHILD.replace("400001,,", "400001,,Autre")), (3, "name", "FAMILY_DIFFERS")),
    ((MARTIN, PETIT, MARTIN_CHILD), (4, "family_number", "FAMILY_NOT_ADJACENT")),
    ((MARTIN, MARTIN_CHILD, MARTIN_CHILD), (4, "first_name", "MEMBER_TWICE")),
]


@pytest.mark.parametrize(("lines", "fault"), RELATIVE_FAULTS, ids=lambda value: str(value[-1])[:30])
async def test_lines_that_contradict_each_other_are_named(
    database: Any, tmp_path: Path, lines: tuple[str, ...], fault: tuple[int, str, str]
) -> None:
    result = await run(database, written(tmp_path, *lines))

    assert fault in reported(result)
    assert await rows(database, "select from family") == []


async def test_more_members_than_a_family_can_have_are_refused(database: Any, tmp_path: Path) -> None:
    lines = [MARTIN.replace("Anne", f"Anne{number}") for number in range(101)]

    result = await run(database, written(tmp_path, *lines))

    assert reported(result) == [(102, "family_number", "TOO_MANY_MEMBERS")]


async def test_a_family_that_comes_back_in_a_later_batch_is_named(database: Any, tmp_path: Path) -> None:
    result = await run(database, written(tmp_path, MARTIN, PETIT, MARTIN_CHILD), batch_families=1)

    assert (4, "family_number", "FAMILY_NOT_ADJACENT") in reported(result)
    assert (result.batches_loaded, result.batches_refused) == (2, 1)


HEADER_FAULTS: list[tuple[str | bytes, tuple[int, str, str]]] = [
    (HEADER.replace(",school", ""), (1, "school", "COLUMN_MISSING")),
    (HEADER + ",colour", (1, "colour", "COLUMN_UNKNOWN")),
    (HEADER + ",school", (1, "school", "COLUMN_REPEATED")),
    (HEADER.replace(",", "\t"), (1, "", "DELIMITER_UNKNOWN")),
    (HEADER.encode("utf-16"), (1, "", "NOT_UTF8")),
    (HEADER.encode() + b"\xe9", (1, "", "NOT_UTF8")),
    ("\0" + HEADER, (1, "", "NUL_CHARACTER")),
]


@pytest.mark.parametrize(("header", "fault"), HEADER_FAULTS, ids=lambda value: str(value)[-40:].replace("\0", "0"))
async def test_a_faulty_header_refuses_the_file(
    database: Any, tmp_path: Path, header: str | bytes, fault: tuple[int, str, str]
) -> None:
    with pytest.raises(ImportRefused) as caught:
        await run(database, written(tmp_path, MARTIN, header=header))

    assert fault in refused(caught.value)
    assert fault[2] in (tmp_path / "families.report.csv").read_text(encoding="utf-8-sig")
    assert await rows(database, "select from family") == []


async def test_an_empty_or_absent_file_is_refused(database: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(ImportRefused, match="FILE_EMPTY"):
        await run(database, empty)
    with pytest.raises(ImportRefused, match="FILE_UNREADABLE"):
        await run(database, tmp_path / "absent.csv")


async def test_good_batches_are_kept_and_a_second_run_continues(database: Any, tmp_path: Path) -> None:
    lines = [f"50000{number},,Famille {number},,,,ADULT,Anne,Martin,," for number in range(6)]
    broken = [*lines]
    broken[3] = broken[3].replace("ADULT", "ADLUT")

    first = await run(database, written(tmp_path, *broken), batch_families=2)

    assert reported(first) == [(5, "member_role", "UNKNOWN_VALUE")]
    assert (first.batches_loaded, first.batches_refused) == (2, 1)
    kept = await rows(database, "select number from family order by number")
    assert [row["number"] for row in kept] == ["500000", "500001", "500004", "500005"]

    second = await run(database, written(tmp_path, *lines), batch_families=2)

    assert second.complete
    assert (second.families.added, second.families.unchanged) == (2, 4)
    assert (second.members.added, second.members.unchanged) == (2, 4)
    assert reported(second) == []


async def test_an_import_cut_short_is_continued_by_the_next_run(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, *(f"50000{number},,Famille {number},,,,ADULT,Anne,Martin,," for number in range(4)))

    class CutShort(Exception):
        pass

    def cut(bytes_read: int, bytes_total: int, lines: int) -> None:
        raise CutShort

    with pytest.raises(CutShort):
        await run(database, file, batch_families=1, progress=cut)
    assert len(await rows(database, "select from family")) == 1

    result = await run(database, file, batch_families=1)

    assert (result.complete, result.families.added, result.families.unchanged) == (True, 3, 1)


async def test_progress_reaches_the_end_of_the_file(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, MARTIN, MARTIN_CHILD, PETIT)
    heard: list[tuple[int, int, int]] = []

    await run(database, file, batch_families=1, progress=lambda *now: heard.append(now))

    assert [lines for _, _, lines in heard] == [3, 3]
    assert heard[-1][:2] == (file.stat().st_size, file.stat().st_size)


@settings(max_examples=300)
@given(st.lists(st.one_of(st.binary(max_size=60), st.text('",;ab1\0\r\n\ufeff\u2028é/-', max_size=60)), max_size=6))
def test_whatever_stands_in_a_file_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str | bytes]
) -> None:
    file = written(tmp_path_factory.getbasetemp(), *lines)
    with CsvFile(file, COLUMNS) as opened:
        for line in opened:
            assert line.faults or len(line.cells) == len(COLUMNS)
            assert all(fault.code in MESSAGES and fault.line == line.number for fault in line.faults)


BAKER = "400011,PROFESSIONAL,Boulangerie Petit,,,,ADULT,Paul,Petit,,,732 829 320 00074,,,Paul@Petit.example"
CHOIR = "400012,ASSOCIATION,Chorale,,,,ADULT,Anne,Martin,,,,w751234567,,"
ALSATIANS = "400013,association,Harmonie,,,,ADULT,Léa,Muller,,,,,94/123,"


async def test_identifiers_and_contacts_of_a_full_register_are_loaded(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, BAKER, CHOIR, ALSATIANS, header=WHOLE_HEADER)
    result = await run(database, file)
    assert (reported(result), result.families.added) == ([], 3)
    found = await rows(database, "select siret, rna, registry_number from family order by number")
    assert [tuple(row) for row in found] == [
        ("73282932000074", None, None),
        (None, "W751234567", None),
        (None, None, "94/123"),
    ]
    contacts = "select value, source, verified_at, account_id, retired_reason from address order by created_at, id"
    first = await rows(database, contacts)
    assert [tuple(row) for row in first] == [("paul@petit.example", "CITY", None, None, None)]
    again = await run(database, file)
    assert (again.families.unchanged, again.families.changed) == (3, 0)
    assert await rows(database, contacts) == first


async def test_a_new_contact_takes_the_place_of_the_old_one_but_not_of_the_familys_own(
    database: Any, tmp_path: Path
) -> None:
    await run(database, written(tmp_path, BAKER, header=WHOLE_HEADER))
    await rows(
        database,
        """insert into address (family_id, id, channel, value, verified_at, created_at)
           select id, gen_random_uuid(), 'EMAIL', 'own@petit.example', now(), now() from family""",
    )
    moved = BAKER.replace("Paul@Petit.example", "neu@petit.example")
    for line, retired in ((moved, "paul@petit.example"), (BAKER, "neu@petit.example")):
        await run(database, written(tmp_path, line, header=WHOLE_HEADER))
        found = await rows(database, "select value from address where retired_reason = 'REPLACED'")
        assert [row["value"] for row in found] == [retired]
    assert await rows(database, "select from address where value = 'own@petit.example' and retired_at is null")
    same = BAKER.replace("Paul@Petit.example", "own@petit.example")
    await run(database, written(tmp_path, same, header=WHOLE_HEADER))
    [own] = await rows(database, "select source, verified_at from address where value = 'own@petit.example'")
    assert own["source"] == "FAMILY" and own["verified_at"] is not None


async def test_a_file_without_the_optional_columns_leaves_identifiers_as_they_are(
    database: Any, tmp_path: Path
) -> None:
    await run(database, written(tmp_path, BAKER, CHOIR, header=WHOLE_HEADER))
    plain = "400011,,Boulangerie Petit et fils,,,,ADULT,Paul,Petit,,"
    result = await run(database, written(tmp_path, plain))
    assert (result.families.changed, result.members.unchanged) == (1, 1)
    [baker] = await rows(database, "select name, siret from family where number = '400011'")
    assert tuple(baker) == ("Boulangerie Petit et fils", "73282932000074")
    await run(database, written(tmp_path, "400011,INDIVIDUAL,Petit,,,,ADULT,Paul,Petit,,"))
    [baker] = await rows(database, "select profile, siret from family where number = '400011'")
    assert tuple(baker) == ("INDIVIDUAL", None), "a household has no identifier"


async def test_where_letters_go_is_kept_unless_the_family_said_otherwise(database: Any, tmp_path: Path) -> None:
    header = f"{HEADER},postal_address"

    async def loaded(place: str) -> list[tuple[Any, ...]]:
        result = await run(database, written(tmp_path, f"{MARTIN},{place}", header=header))
        assert reported(result) == []
        found = await rows(
            database,
            "select value, source, verified_at is not null, retired_reason from address where channel = 'POST'"
            " order by created_at, id",
        )
        return [tuple(row) for row in found]

    first = ("12 rue des Lilas\n33000 BORDEAUX", "CITY", True)
    second = ("3 place Haute\n33600 SAINT-AUBIN", "CITY", True)
    assert await loaded("12  rue des Lilas | 33000 BORDEAUX") == [(*first, None)]
    assert await loaded("12 rue des Lilas|33000 BORDEAUX") == [(*first, None)]
    assert await loaded("") == [(*first, None)]
    assert set(await loaded("3 place Haute|33600 SAINT-AUBIN")) == {(*first, "REPLACED"), (*second, None)}
    assert set(await loaded("12 rue des Lilas|33000 BORDEAUX")) == {(*first, None), (*second, "REPLACED")}
    await rows(database, "update address set source = 'FAMILY' where retired_at is null returning id")
    assert await loaded("3 place Haute|33600 SAINT-AUBIN") == [(first[0], "FAMILY", True, None), (*second, "REPLACED")]


@pytest.mark.parametrize("place", ["12 rue des Lilas", "|".join("abcdefg"), "x" * 39 + "|33000 BORDEAUX"])
async def test_what_no_envelope_holds_is_named_and_not_loaded(database: Any, tmp_path: Path, place: str) -> None:
    result = await run(database, written(tmp_path, f"{MARTIN},{place}", header=f"{HEADER},postal_address"))
    assert reported(result) == [(2, "postal_address", "POSTAL_ADDRESS_NOT_VALID")]
    assert await rows(database, "select id from family") == []


IDENTIFIER_FAULTS = [
    (BAKER.replace("00074,", "00075,"), (2, "siret", "SIRET_NOT_VALID")),
    (CHOIR.replace("w7", "7"), (2, "rna", "RNA_NOT_VALID")),
    (ALSATIANS.replace("94/123", "94"), (2, "registry_number", "REGISTRY_NUMBER_NOT_VALID")),
    (BAKER.replace("PROFESSIONAL", "INDIVIDUAL"), (2, "siret", "IDENTIFIER_NOT_FOR_PROFILE")),
    (CHOIR.replace("ASSOCIATION", "PROFESSIONAL"), (2, "rna", "IDENTIFIER_NOT_FOR_PROFILE")),
    (CHOIR.replace("ASSOCIATION", ""), (2, "profile", "REQUIRED")),
    (BAKER.replace("Paul@", "Paul"), (2, "contact_email", "EMAIL_NOT_VALID")),
    (CHOIR.replace("ADULT", "CHILD"), (2, "member_role", "CHILD_NOT_ALLOWED")),
]


@pytest.mark.parametrize(("line", "fault"), IDENTIFIER_FAULTS, ids=lambda value: str(value)[-40:])
async def test_a_wrong_identifier_or_contact_is_named_and_nothing_of_it_is_loaded(
    database: Any, tmp_path: Path, line: str, fault: tuple[int, str, str]
) -> None:
    result = await run(database, written(tmp_path, line, header=WHOLE_HEADER))
    assert reported(result) == [fault]
    assert await rows(database, "select from family") == []


async def test_a_member_that_left_in_the_portal_stays_a_former_one(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, MARTIN, MARTIN_CHILD)
    await run(database, file)
    await rows(database, "update member set ended_at = now() where first_name = 'Zoé'")
    result = await run(database, file)
    assert (result.members.unchanged, result.members.added) == (2, 0)
    [child] = await rows(database, "select ended_at is not null as ended from member where first_name = 'Zoé'")
    assert child["ended"]


async def test_the_report_is_told_in_english_too_and_repeats_nothing_of_the_file(database: Any, tmp_path: Path) -> None:
    file = written(tmp_path, "400009,,Dupont,,,,ADULT,Secret,B,tomorrow,")

    result = await run(database, file, language="en")

    text = result.report.read_text(encoding="utf-8-sig")
    assert MESSAGES["NOT_A_DATE"][1] in text
    assert "Secret" not in text
    assert "tomorrow" not in text


async def test_the_register_of_the_demo_is_imported_and_its_codes_are_verified(database: Any, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    families = write_register(file, lambda: NOW, families=5)

    result = await run(database, file)

    assert (result.complete, result.families.added, result.codes_issued) == (True, 5, 5)
    for family in families:
        digest = activation_codes.digest(KEYS, family.number, family.activation_code)
        assert await rows(database, "select from activation_code where code_hmac = $1 and expires_at > $2", digest, NOW)


def test_a_new_code_has_ten_characters_in_two_groups() -> None:
    code = activation_codes.new_code()

    assert len(code) == 11
    assert code[5] == "-"
    assert activation_codes.shown(activation_codes.normalised(code)) == code
    assert code != activation_codes.new_code()


def test_a_code_is_read_as_people_type_it() -> None:
    assert activation_codes.normalised(" oiL23 — 4567z".replace("—", "\u2013")) == "011234567Z"
    for wrong in ("", "ABCDE-2345", "ABCDE-234567", "ABCDE-2345U", "ABCDE-2345É", "ABCDE-2345ß"):
        with pytest.raises(ValueError, match="ten letters"):
            activation_codes.normalised(wrong)
