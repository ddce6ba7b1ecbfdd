"""How schema modules declare fields: what each is in the database, its arguments, who may call it.

`column`, `computed`, `embedded`, `one`, `aggregate`, `page`, `by_id` declare reads; `mutation` declares a command. All
need a description, which goes to the SDL.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case

from resolvers.problems import Refusal
from resolvers.reading import mapping
from schema.access import METADATA as ACCESS
from schema.access import Access
from schema.tags import Tag

FEED = "feed"


@dataclass(frozen=True, slots=True)
class Feed:
    """A live stream: the types of news that it carries, all when empty."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkFeed:
    """A live stream of changes in the work list of an agent."""


@dataclass(frozen=True, slots=True)
class InboxFeed:
    """A live stream of the inbox as it stands."""


@dataclass(frozen=True, slots=True)
class PartnerFeed:
    """The live stream of steps of procedures, for partners."""


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of a read: its Python type, what it says in the SDL, and the SQL type of its value.

    `filters`, on a connection, is the condition that it adds when given; `ranks` the order that it then brings.
    """

    type: Any
    description: str
    cast: str = "text"
    filters: str | None = None
    ranks: mapping.Order | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders that a list can be asked for: an enum, and the order of each of its values."""

    type: Any
    by_name: Mapping[str, mapping.Order]


PAGE_ARGUMENTS = {
    "first": Arg(
        int | None, "How many rows at the most, from the beginning or after a cursor: 0 to 100; 20 unless given."
    ),
    "after": Arg(str | None, "A cursor: rows behind it."),
    "last": Arg(int | None, "How many rows at the most, from the end or before a cursor: 0 to 100."),
    "before": Arg(str | None, "A cursor: rows ahead of it."),
}


def column(
    description: str, sql: str | None = None, *, deprecated: str | None = None, may: Access | None = None, **args: Arg
) -> Any:
    """Declare a value of the row; `sql` defaults to the column of the field's own name, and may name arguments."""
    return _field(description, mapping.Column(sql, _casts(args)), may=may, deprecated=deprecated, arguments=args)


def embedded(description: str, *, values: dict[str, str] | None = None, may: Access | None = None) -> Any:
    """Declare an object made of columns of the same row, or of `values`: see `mapping.Embedded`."""
    return _field(description, mapping.Embedded(values or {}), may=may)


def announced(description: str, *, may: Access) -> Any:
    """Declare a live stream of what is the same for everybody: an object without a row, given at once and when it
    changes.
    """
    field = embedded(description, may=may)
    field.metadata = {**field.metadata, FEED: None}
    return field


def one(
    description: str,
    on: str,
    *,
    may: Access | None = None,
    casts: dict[str, str] | None = None,
    kept_by: str = "",
    **args: Arg,
) -> Any:
    """Declare at most one row of another table, found by the condition `on`; for `kept_by` see `mapping.One`."""
    all_casts = {**_casts(args), **(casts or {})}
    return _field(description, mapping.One(on, all_casts, kept_by), may=may, arguments=args)


def page(
    description: str,
    on: str,
    order: mapping.Order,
    *,
    may: Access | None = None,
    orders: Orders | None = None,
    apart: Mapping[str, str] | None = None,
    **args: Arg,
) -> Any:
    """Declare a Relay connection over the rows found by `on`; for `apart` see `mapping.Page`."""
    filters = {to_camel_case(name): arg.filters for name, arg in args.items() if arg.filters}
    named = {"order_by": Arg(orders.type | None, "In which order.")} if orders else {}
    ranked = {to_camel_case(name): arg.ranks for name, arg in args.items() if arg.ranks}
    by_name = orders.by_name if orders else {}
    reading = mapping.Page(on, order, filters, _casts(args), by_name, apart or {}, ranked)
    return _field(description, reading, may=may, arguments={**args, **named, **PAGE_ARGUMENTS})


def report(description: str, source: str, order: mapping.Order, *, may: Access, **args: Arg) -> Any:
    """Declare a Relay connection over the rows that a function of the database gives; see `mapping.Page.source`."""
    reading = mapping.Page("true", order, casts=_casts(args), source=source)
    return _field(description, reading, may=may, arguments={**args, **PAGE_ARGUMENTS})


def _casts(args: Mapping[str, Arg]) -> dict[str, str]:
    """Give the SQL types of arguments by their names in GraphQL; templates use these too: `:arg_familyNumber`."""
    return {to_camel_case(name): arg.cast for name, arg in args.items()}


def aggregate(description: str, target: str, expression: str, on: str) -> Any:
    """Declare a value over the rows of a type that meet `on`, e.g. `count(*)`."""
    return _field(description, mapping.Aggregate(target, expression, on))


def computed(description: str, make: Callable[..., Any], *inputs: str, may: Access | None = None, **args: Arg) -> Any:
    """Declare a value that Python makes of columns (templates giving text) of the row; see `mapping.Computed`."""
    return _field(description, mapping.Computed(inputs, make, _casts(args)), may=may, arguments=args)


def by_id(description: str, *, may: Access, many: bool = False, **args: Arg) -> Any:
    """Declare `node` or `nodes`."""
    return _field(description, mapping.NodeById(many), may=may, arguments=args)


AFTER = Arg(str | None, "A cursor: what came after it is replayed first, then the stream is live.")


def feed(
    description: str, *, may: Access, takes: tuple[str, ...], types: tuple[str, ...] = (), topic_type: Any = None
) -> Any:
    """Declare a live stream over the news of a family, of these types (all unless given)."""
    arguments = {
        "procedure": Arg(strawberry.ID | None, "Id of the one procedure to follow."),
        "topics": Arg(list[topic_type] | None if topic_type else None, "Only these topics; all unless given."),
        "payment": Arg(strawberry.ID, "Id of the card payment to follow."),
        "after": AFTER,
    }
    on = "{o}.family_id = :source_family_id and {o}.seq = :source_seq"
    reading = mapping.One(on, {"source_family_id": "uuid", "source_seq": "bigint"})
    field = _field(description, reading, may=may, arguments={name: arguments[name] for name in takes})
    field.metadata = {**field.metadata, FEED: Feed(types)}
    return field


def followed_work(description: str, *, may: Access) -> Any:
    """Declare a live stream of procedures that change in the work list of an agent."""
    on = "{o}.family_id = :source_family_id and {o}.id = :source_procedure_id"
    reading = mapping.One(on, {"source_family_id": "uuid", "source_procedure_id": "uuid"})
    field = _field(description, reading, may=may)
    field.metadata = {**field.metadata, FEED: WorkFeed()}
    return field


def followed_inbox(description: str, *, may: Access) -> Any:
    """Declare a live stream of the viewer's inbox."""
    reading = mapping.One("{o}.id = :source_family_id", {"source_family_id": "uuid"})
    field = _field(description, reading, may=may)
    field.metadata = {**field.metadata, FEED: InboxFeed()}
    return field


def written(description: str, on: str = "{o}.family_id = :source_family_id and {o}.id = :source_id") -> Any:
    """Declare, in a payload, the row that the mutation wrote: read by the planner from the payload's `family_id` and
    `id` unless `on` says otherwise.
    """
    return _field(description, mapping.One(on, {"source_family_id": "uuid", "source_id": "uuid"}), default=None)


def status_of(description: str) -> Any:
    """Declare, in a payload, an object without a row, as it is after the mutation."""
    return _field(description, mapping.Embedded(), default=None)


def stored(
    table: str,
    whose: Mapping[str, str],
    *,
    tag: Tag | None = None,
    key: tuple[str, ...] = ("family_id", "id"),
    types: Mapping[str, str] | None = None,
    again: str = "",
) -> Callable[[type], type]:
    """Declare the table of a type, and its tag when it is a node; see `resolvers.reading.mapping.Stored`."""

    def declare(cls: type) -> type:
        cls.__stored__ = mapping.Stored(table, whose, tag or 0, key, types or {}, again)  # type: ignore[attr-defined]
        return cls

    return declare


def _field(
    description: str,
    reading: mapping.Reading,
    *,
    may: Access | None = None,
    arguments: dict[str, Arg] | None = None,
    deprecated: str | None = None,
    default: Any = strawberry.UNSET,
) -> Any:
    metadata: dict[str, Any] = {mapping.METADATA: reading}
    if may is not None:
        metadata[ACCESS] = may
    more = {} if default is strawberry.UNSET else {"default": default}
    field = strawberry.field(
        description=description,
        metadata=metadata,
        directives=[may.directive] if may else [],
        deprecation_reason=deprecated,
        **more,
    )
    field.arguments = [_argument(name, arg) for name, arg in (arguments or {}).items()]
    return field


def _argument(name: str, arg: Arg) -> StrawberryArgument:
    return StrawberryArgument(name, None, StrawberryAnnotation(arg.type), description=arg.description)


@strawberry.type(description="Why a request was understood and refused.")
class Problem:
    """A refusal as data: see `resolvers.problems`."""

    code: str = strawberry.field(description="Stable code for programs, e.g. ALREADY_MOVED.")
    message: str = strawberry.field(description="A sentence for people, in the language of the account.")
    path: list[str] = strawberry.field(
        description="The faulty input: argument names, or a JSON pointer into an answer."
    )
    retry_after: int | None = strawberry.field(
        default=None, description="With THROTTLED: seconds after which the same request may be granted."
    )


@strawberry.type(description="What every mutation gives.")
class Payload:
    """Base of all payloads; `family_id` and `id` name the row that was written."""

    problems: list[Problem] = strawberry.field(
        default_factory=list, description="Why nothing was done; empty when the request was carried out."
    )
    family_id: strawberry.Private[Any] = None
    id: strawberry.Private[Any] = None


def problems_of(refused: Refusal) -> list[Problem]:
    """Give a refusal, and those that came with it, as data."""
    return [_problem(each) for each in (refused, *refused.also)]


def _problem(refused: Refusal) -> Problem:
    return Problem(code=refused.code, message=refused.message, path=refused.path, retry_after=refused.retry_after)


def mutation(*, may: Access, description: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a command; a refusal that it raises becomes `problems` of its payload."""

    def declare(command: Callable[..., Any]) -> Any:
        payload = get_type_hints(command)["return"]

        @functools.wraps(command)
        async def carried_out(*args: Any, **kwargs: Any) -> Any:
            try:
                return await command(*args, **kwargs)
            except Refusal as refused:
                family_id, row_id = refused.row or (None, None)
                return payload(problems=problems_of(refused), family_id=family_id, id=row_id)

        return strawberry.mutation(
            resolver=carried_out, description=description, metadata={ACCESS: may}, directives=[may.directive_of_command]
        )

    return declare
