"""Global ids and cursors: PostgreSQL makes them, this module takes them apart and believes nothing.

An id is base64 of one byte for the type and the UUIDs of its key (family first, so that one shard can answer); a key
of other values follows as a JSON array of texts and lists of texts. A cursor is base64 of a JSON array: what it belongs
to, then the values of the order's columns.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from resolvers.reading.mapping import Mapping, Order, Stored

LONGEST_CURSOR = 1000
LONGEST_ID = 8000
"""A list of a hundred services, by their codes, has room in it."""
Part = UUID | date | int | str | list[str] | None
"""What a key may consist of."""


class NotOurs(ValueError):
    """An id or a cursor was not made here, or for something else."""


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A global id taken apart."""

    type_name: str
    key: tuple[UUID, ...] = ()
    named: str | None = None
    """The key as a JSON object of its columns, where it is more than UUIDs."""


def id_sql(stored: Stored) -> str:
    """Give the SQL expression that makes the global id of a row `{t}`."""
    if stored.types:
        values = ", ".join(
            f"json_build_array(variadic {{t}}.{name})" if _is_list(stored, name) else f"{{t}}.{name}::text"
            for name in stored.key
        )
        parts = f"convert_to(json_build_array({values})::text, 'UTF8')"
        return f"translate(encode('\\x{stored.tag:02x}'::bytea || {parts}, 'base64'), E'\\n', '')"
    parts = " || ".join(f"uuid_send({{t}}.{column})" for column in stored.key)
    return f"encode('\\x{stored.tag:02x}'::bytea || {parts}, 'base64')"


def make_id(mapping: Mapping, type_name: str, *key: Part) -> str:
    """Make the same id in Python, for a row just written."""
    stored = mapping.tables[type_name]
    if stored.types:
        texts = [part if isinstance(part, list | None) else str(part) for part in key]
        raw = json.dumps(texts, ensure_ascii=False).encode()
    else:
        raw = b"".join(part.bytes for part in key if isinstance(part, UUID))
    return base64.b64encode(bytes([stored.tag]) + raw).decode()


def _is_list(stored: Stored, name: str) -> bool:
    return stored.types.get(name, "").endswith("[]")


def read_id(mapping: Mapping, text: str) -> GlobalId:
    """Take a global id apart; raises NotOurs."""
    if len(text) > LONGEST_ID:
        raise NotOurs("not an id of this portal")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotOurs("not an id of this portal") from error
    type_name = mapping.by_tag.get(raw[0]) if raw else None
    if type_name is None:
        raise NotOurs("not an id of this portal")
    stored = mapping.tables[type_name]
    if stored.types:
        parts = _parts(stored, raw[1:])
        if make_id(mapping, type_name, *parts) != text:
            raise NotOurs("not as this portal writes its ids")
        return GlobalId(type_name, named=json.dumps(dict(zip(stored.key, parts, strict=True))))
    if len(raw) != 1 + 16 * len(stored.key):
        raise NotOurs("not an id of this portal")
    return GlobalId(type_name, tuple(UUID(bytes=raw[n : n + 16]) for n in range(1, len(raw), 16)))


def _parts(stored: Stored, raw: bytes) -> list[str | list[str] | None]:
    """Give the values of a key that is more than UUIDs; raises NotOurs."""
    try:
        values = msgspec.json.decode(raw, type=list[str | list[str] | None])
    except (ValueError, msgspec.DecodeError) as error:
        raise NotOurs("not an id of this portal") from error
    if len(values) != len(stored.key):
        raise NotOurs("not an id of this portal")
    return [_part(stored, name, value) for name, value in zip(stored.key, values, strict=True)]


def _part(stored: Stored, name: str, value: str | list[str] | None) -> str | list[str] | None:
    if value is None:
        return None
    if isinstance(value, list) is not _is_list(stored, name):
        raise NotOurs("not an id of this portal")
    if isinstance(value, list):
        return [_checked(each, "text") for each in value]
    return _checked(value, stored.types.get(name, "uuid"))


def cursor_sql(type_name: str, order: Order) -> str:
    """Give the SQL expression that makes the cursor of a row `{o}`."""
    columns = ", ".join(f"({column})::text" for column, _ in order.columns)
    array = f"json_build_array('{type_name}{order.name}', {columns})"
    return f"translate(encode(convert_to({array}::text, 'UTF8'), 'base64'), E'\\n', '')"


def read_cursor(type_name: str, order: Order, text: str) -> list[str]:
    """Give the values of a cursor, one a column, as text; raises NotOurs."""
    if len(text) > LONGEST_CURSOR:
        raise NotOurs("not a cursor of this list")
    try:
        values = msgspec.json.decode(base64.b64decode(text, validate=True), type=list[str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise NotOurs("not a cursor of this list") from error
    if len(values) != 1 + len(order.columns) or values[0] != type_name + order.name:
        raise NotOurs("not a cursor of this list")
    return [_checked(value, sql_type) for value, (_, sql_type) in zip(values[1:], order.columns, strict=True)]


def _checked(value: str, sql_type: str) -> str:
    """Refuse what PostgreSQL could not read as the column's type."""
    try:
        if sql_type == "uuid":
            return str(UUID(value))
        if sql_type in ("integer", "bigint"):
            number = int(value)
            limit = 2**31 if sql_type == "integer" else 2**63
            if not -limit <= number < limit:
                raise ValueError(sql_type)
            return str(number)
        if sql_type == "date":
            return date.fromisoformat(value).isoformat()
        if sql_type == "timestamptz":
            return datetime.fromisoformat(value).isoformat()
    except ValueError as error:
        raise NotOurs("not a cursor of this list") from error
    if "\0" in value:
        raise NotOurs("not a cursor of this list")
    return value
