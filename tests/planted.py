"""Numbers of cards and accounts that are planted, and where one might find them again: in whatever writing.

A mark is looked for as it is, grouped, as hexadecimal and as base64; it has eight characters at least, so that bytes
which are sealed or drawn at random do not hold one by chance. Numbers that were not planted are told by their check
digit, in columns of text only, for the same reason.
"""

import base64
import io
import re
from collections.abc import Iterable, Mapping

import asyncpg
from stdnum import luhn

FEWEST = 8
GLUE = ("", " ", "-", ".", "\N{NO-BREAK SPACE}", "+", "%20")
TABLES = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1
"""
WORDS = """
    select table_name, column_name from information_schema.columns c join pg_class t on t.relname = c.table_name
    where table_schema = 'public' and relkind = 'r' and column_name <> all('{siret,siren}')
        and (data_type in ('text', 'character varying', 'json', 'jsonb') or data_type = 'ARRAY' and udt_name = '_text')
    order by 1, 2
"""
NUMBER = re.compile(r"(?<![0-9A-Za-z])\d(?:[ .\-\u00a0\u202f]?\d){12,18}(?![0-9A-Za-z])")
ISSUED = re.compile(r"4|5[1-5]|3[47]|6|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
"""How numbers of cards begin; days and references of ours begin with their year."""
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def writings(mark: str) -> set[str]:
    """Give all writings of a mark that are looked for."""
    bare = re.sub(r"[ .\-]", "", mark)
    assert len(bare) >= FEWEST, f"{mark}: too short, bytes drawn at random would hold it"
    grouped = re.findall(r".{1,4}", bare)
    plain = {mark, bare, *(glue.join(grouped) for glue in GLUE)}
    coded = {each.encode().hex() for each in plain}
    return plain | coded | {each.upper() for each in coded} | {code for each in plain for code in _base64(each)}


def _base64(text: str) -> Iterable[str]:
    """Give how a text looks in base64, wherever in the bytes it begins, without what its neighbours decide."""
    for ahead in range(3):
        bits = (ahead + len(text.encode())) * 8
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            code = encode(b"\0" * ahead + text.encode()).decode()
            yield code[-(-ahead * 8 // 6) : bits // 6]


def found(marks: Iterable[str], written: str) -> set[str]:
    """Give the marks of which a text holds any writing."""
    return {mark for mark in marks if any(each in written for each in writings(mark))}


async def dump(connection: asyncpg.Connection) -> Mapping[str, str]:
    """Give every table as a dump of the database holds it."""
    tables = {}
    for (name,) in await connection.fetch(TABLES):
        into = io.BytesIO()
        await connection.copy_from_table(name, output=into)
        tables[name] = into.getvalue().decode()
    return tables


async def kept(connection: asyncpg.Connection, marks: Iterable[str]) -> dict[str, set[str]]:
    """Give the marks that the database holds, by table; empty when it holds none."""
    return {table: held for table, rows in (await dump(connection)).items() if (held := found(marks, rows))}


def cards_in(text: str) -> list[str]:
    """Give what may be numbers of cards in a text, whether or not anybody planted them."""
    bare = (re.sub(r"\D", "", match[0]) for match in NUMBER.finditer(UUID.sub("", text)))
    return [number for number in bare if ISSUED.match(number) and luhn.is_valid(number)]


async def cards(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Give what may be numbers of cards in columns of text, by column; empty when there are none."""
    suspect = {}
    for table, column in await connection.fetch(WORDS):
        values = await connection.fetch(f'select "{column}"::text from "{table}" where "{column}" is not null')
        if numbers := [number for (value,) in values for number in cards_in(value)]:
            suspect[f"{table}.{column}"] = numbers
    return suspect
