"""Arguments of reads, checked and taken apart: page sizes, cursors, global ids."""

from collections.abc import Mapping as MappingType
from typing import Any

from resolvers.reading.identity import NotOurs, read_cursor, read_id
from resolvers.reading.mapping import Mapping, Order
from resolvers.reading.parameters import Prepare

MOST_ROWS = 100
DEFAULT_ROWS = 20
MOST_UUIDS = 3
ID_PARTS = (
    ("tag", "integer"),
    *((f"key_{n}", "uuid") for n in range(MOST_UUIDS)),
    ("named", "json"),
)
"""What an id is taken apart into: its type, the UUIDs of its key, or a key that is more than UUIDs."""


class BadArgument(Exception):
    """An argument of a read is refused; a client sees code and message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = "BAD_USER_INPUT"
        self.message = message


def page(type_name: str, order: Order) -> Prepare:
    """Prepare `first after last before`: gives `limit` and, per cursor, `after_0`, `after_1` …

    Raises BadArgument.
    """

    def prepare(given: dict[str, Any]) -> MappingType[str, Any]:
        prepared = dict(given)
        prepared["limit"] = _limit(given.get("first"), given.get("last"))
        if given.get("last") is not None and given.get("after") is not None:
            raise BadArgument("`after` goes with `first`, `before` with `last`")
        if given.get("last") is None and given.get("before") is not None:
            raise BadArgument("`before` needs `last`")
        for side in ("after", "before"):
            if given.get(side) is not None:
                for n, value in enumerate(_cursor(type_name, order, side, given[side])):
                    prepared[f"{side}_{n}"] = value
        return prepared

    return prepare


def one_id(mapping: Mapping) -> Prepare:
    """Prepare `id`; an id that is none of ours finds nothing."""

    def prepare(given: dict[str, Any]) -> MappingType[str, Any]:
        return {name: part for (name, _), part in zip(ID_PARTS, _parts(mapping, given["id"]), strict=True)}

    return prepare


def ids(mapping: Mapping) -> Prepare:
    """Prepare `ids`: lists of equal length, one a part. Raises BadArgument for more than 100."""

    def prepare(given: dict[str, Any]) -> MappingType[str, Any]:
        if len(given["ids"]) > MOST_ROWS:
            raise BadArgument(f"`ids` takes at most {MOST_ROWS}")
        parts = [_parts(mapping, text) for text in given["ids"]]
        return {name: [part[n] for part in parts] for n, (name, _) in enumerate(ID_PARTS)}

    return prepare


def _parts(mapping: Mapping, text: str) -> tuple[Any, ...]:
    try:
        found = read_id(mapping, text)
    except NotOurs:
        return (None,) * len(ID_PARTS)
    return (mapping.tables[found.type_name].tag, *(*found.key, *(None,) * MOST_UUIDS)[:MOST_UUIDS], found.named)


def _limit(first: int | None, last: int | None) -> int:
    if first is not None and last is not None:
        raise BadArgument("give `first` or `last`, not both")
    limit = first if first is not None else last if last is not None else DEFAULT_ROWS
    if not 0 <= limit <= MOST_ROWS:
        raise BadArgument(f"`first` and `last` take 0 to {MOST_ROWS}")
    return limit


def _cursor(type_name: str, order: Order, side: str, text: str) -> list[str]:
    try:
        return read_cursor(type_name, order, text)
    except NotOurs as error:
        raise BadArgument(f"`{side}` is not a cursor of this list") from error
