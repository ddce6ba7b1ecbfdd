"""Runs operations: reads in one SQL statement where they can be planned, everything else through graphql-core."""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import structlog
from graphql import ExecutionResult, FragmentDefinitionNode, GraphQLError, execute
from graphql.execution import get_argument_values, get_variable_values

from db.news import NewsRow
from db.pool import DatabaseUnavailable
from gateway.asked import every_access, root_names
from gateway.city import City, StatusStream, refuse_in_maintenance
from gateway.documents import Operation, cost_of
from gateway.errors import RequestRefused, formatted_all, is_unavailable, unavailable
from gateway.execution import Answer, Closing, Listener
from gateway.live import Live, Stream
from resolvers.context import Context
from resolvers.problems import Refusal
from resolvers.reading.arguments import BadArgument
from resolvers.reading.selection import Document, fields_of
from schema import Built
from schema.access import Access, access_of
from schema.declare import FEED, Feed
from schema.feeds import followed

log = structlog.get_logger(__name__)

KNOWN = 2000
OTHER = "other"
NAMES_COUNTED = 200


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known of an operation after it was seen once."""

    fragments: dict[str, FragmentDefinitionNode]
    roots: tuple[Access, ...]
    """Of every root field that it can select."""
    every: tuple[Access, ...]
    """Of every field, root or not, that declares one."""


class PortalExecutor:
    """The executor of the portal's schema."""

    def __init__(self, built: Built, live: Live, city: City) -> None:
        self._schema = built.graphql
        self._live = live
        self._city = city
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self.lanes: Counter[tuple[str, str]] = Counter()
        """Operations by lane (`planned` or `walked`) and name, for /metrics."""

    async def execute(self, operation: Operation, variables: dict[str, Any], context: Context) -> Answer:
        """Run a query or a mutation and say what it cost, in points; raises RequestRefused."""
        cost = cost_of(operation, variables)
        coerced = self._coerced(operation, variables, context)
        data = None
        if operation.kind == "mutation":
            refuse_in_maintenance(context, self._known(operation).roots)
        if operation.kind == "query":
            data = await self._planned(operation, coerced, context)
        if data is not None:
            self._count("planned", operation)
            return Answer(b'{"data":%b,"extensions":{"cost":%d}}' % (data, cost), True)
        self._count("walked", operation)
        body = await self._walk(operation, variables, context, None) | {"extensions": {"cost": cost}}
        return Answer(msgspec.json.encode(body), body["data"] is not None)

    async def subscribe(
        self, operation: Operation, variables: dict[str, Any], context: Context, listener: Listener
    ) -> Closing:
        """Start a stream: what was missed is replayed, then it is live. Raises RequestRefused."""
        coerced = self._coerced(operation, variables, context)
        ready = self._known(operation)
        root = self._schema.subscription_type
        assert root is not None, "the document is valid"
        selected = fields_of(Document(self._schema, ready.fragments, coerced), root, [operation.node.selection_set])[0]
        definition = root.fields[selected.name]
        feed = feed_of(definition)
        try:
            for access in ready.every:
                access.permit(context.viewer)
            if feed is None:
                return await self._follow_status(operation, variables, coerced, context, listener)
            arguments = get_argument_values(definition, selected.nodes[0], coerced)
            follow = await followed(context, feed, arguments)
        except GraphQLError as error:
            raise _not_valid([error], context) from error
        except Refusal as refused:
            raise RequestRefused(refused.code, refused.message) from refused
        except DatabaseUnavailable as error:
            raise unavailable() from error

        async def render(row: NewsRow) -> bytes:
            return await self._event(operation, variables, coerced, context, row)

        group = (operation.key, msgspec.json.encode(variables), *context.viewer.sharing)
        return self._live.follow(Stream(follow, group, render, listener))

    async def _follow_status(
        self, operation: Operation, variables: dict[str, Any], coerced: Any, context: Context, listener: Listener
    ) -> Closing:
        """Start a stream of what is the same for everybody but for the language."""

        async def render() -> bytes:
            return await self._event(operation, variables, coerced, context, None)

        viewer = context.viewer
        group = (operation.key, msgspec.json.encode(variables), viewer.kind, viewer.language)
        return await self._city.follow(StatusStream(group, render, listener))

    async def _event(
        self, operation: Operation, variables: dict[str, Any], coerced: Any, context: Context, row: NewsRow | None
    ) -> bytes:
        """Give the answer for one event of a stream; `row` is the item of news that it tells."""
        ready = self._known(operation)
        reader = context.process.reader
        data = await reader.whole(operation.key, operation.node, ready.fragments, coerced, context.viewer, row)
        if data is not None:
            if data.endswith(b"null}"):  # the one root field: its item is out of the viewer's sight by now
                raise RequestRefused("NOT_FOUND", "What this stream tells is no longer yours to see.")
            return b'{"data":' + data + b"}"
        return msgspec.json.encode(await self._walk(operation, variables, context, row))

    def _coerced(self, operation: Operation, variables: dict[str, Any], context: Context) -> Any:
        definitions = operation.node.variable_definitions or ()
        coerced = get_variable_values(self._schema, definitions, variables, max_errors=10, hide_suggestions=True)
        if isinstance(coerced, list):
            raise _not_valid(coerced, context)
        return coerced

    async def _planned(self, operation: Operation, coerced: Any, context: Context) -> bytes | None:
        """Give the data of a query in one statement, or None when graphql-core must walk it."""
        ready = self._known(operation)
        try:
            for access in ready.every:
                access.permit(context.viewer)
            reader = context.process.reader
            return await reader.whole(operation.key, operation.node, ready.fragments, coerced, context.viewer)
        except (Refusal, BadArgument, GraphQLError):
            return None  # the walk gives each field its own error
        except asyncpg.QueryCanceledError as error:
            raise RequestRefused(
                "TOO_COSTLY", "The request takes too long. Ask for less at once.", status=503
            ) from error
        except DatabaseUnavailable as error:
            raise unavailable() from error
        except asyncpg.PostgresError as error:
            log.warning("read_walked", kind=type(error).__name__, id=context.request_id)
            return None  # the walk reads field by field, and gives the specification's errors

    async def _walk(
        self, operation: Operation, variables: dict[str, Any], context: Context, source: Any
    ) -> dict[str, Any]:
        result = execute(
            self._schema,
            operation.document.node,
            root_value=source,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name,
            hide_suggestions=True,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            nothing = all(value is None for value in (result.data or {}).values())
            # An event without its content must not count as heard: the client resumes before it.
            if (nothing or source is not None) and any(map(is_unavailable, result.errors)):
                raise unavailable()
            body["errors"] = formatted_all(result.errors, context.request_id)
        return body

    def _known(self, operation: Operation) -> Ready:
        ready = self._ready.get(operation.key)
        if ready is None:
            ready = self._ready[operation.key] = self._look_at(operation)
            if len(self._ready) > KNOWN:
                self._ready.popitem(last=False)
        return ready

    def _look_at(self, operation: Operation) -> Ready:
        fragments = {
            node.name.value: node
            for node in operation.document.node.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        root = self._schema.get_root_type(operation.node.operation)
        assert root is not None, "the document is valid"
        names = root_names(operation.node.selection_set, fragments)
        roots = tuple(access_of(root.fields[name]) for name in names if name in root.fields)
        return Ready(fragments, roots, every_access(self._schema, [operation.node, *fragments.values()]))

    def _count(self, lane: str, operation: Operation) -> None:
        name = operation.name or "anonymous"
        if (lane, name) not in self.lanes and len(self.lanes) >= NAMES_COUNTED:
            name = OTHER
        self.lanes[lane, name] += 1


def feed_of(definition: Any) -> Feed | None:
    """Give the declaration of a subscription's root field; None for what is announced to everybody."""
    feed: Feed | None = definition.extensions["strawberry-definition"].metadata[FEED]
    return feed


def _not_valid(errors: list[GraphQLError], context: Context) -> RequestRefused:
    described = formatted_all(errors, context.request_id, "BAD_USER_INPUT")
    return RequestRefused("BAD_USER_INPUT", "The variables are not valid.", errors=described)
