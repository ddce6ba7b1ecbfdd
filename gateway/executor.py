"""Runs operations: reads in one SQL statement where they can be planned, everything else through graphql-core."""

from collections import Counter, OrderedDict
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import structlog
from graphql import ExecutionResult, FragmentDefinitionNode, GraphQLError, execute
from graphql.execution import get_argument_values

from db.feed import FeedRow
from db.news import NewsRow
from db.pool import DatabaseUnavailable
from gateway.asked import every_access, every_field, root_names
from gateway.city import City, StatusStream, refuse_in_maintenance
from gateway.documents import Operation, cost_of
from gateway.errors import TOO_SLOW, RequestRefused, formatted_all, is_unavailable, unavailable
from gateway.execution import Answer, Closing, Listener
from gateway.live import Live, Standing, Stream
from gateway.partner_feed import FeedStream
from gateway.partner_feed import PartnerFeed as PartnerHub
from gateway.work import Change, Work, WorkStream
from resolvers.context import Context
from resolvers.problems import Refusal
from resolvers.reading.arguments import BadArgument
from resolvers.reading.selection import Document, fields_of
from resolvers.reading.sharing import shared_fields
from resolvers.reading.variables import Variables
from resolvers.streams import Follow
from schema import Built
from schema.access import Access, access_of
from schema.declare import FEED, Feed, InboxFeed, PartnerFeed, WorkFeed
from schema.feeds import followed
from schema.procedure_feed import place_of

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
    shared: bool
    """Whether everybody may ask it and gets the same."""
    variables: Variables
    """How its variables are read."""


class PortalExecutor:
    """The executor of the portal's schema."""

    def __init__(
        self, built: Built, constants: Set[str], live: Live, city: City, work: Work, partner_feed: PartnerHub
    ) -> None:
        self._schema = built.graphql
        self._shared = shared_fields(built.mapping, constants)
        self._live = live
        self._city = city
        self._work = work
        self._partner_feed = partner_feed
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
            answered = b'{"data":%b,"extensions":{"cost":%d}}' % (data, cost)
            return Answer(answered, True, self._known(operation).shared)
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
            if isinstance(feed, WorkFeed):
                return self._follow_work(operation, variables, coerced, context, listener, selected.key)
            if isinstance(feed, InboxFeed):
                return self._follow_inbox(operation, variables, coerced, context, listener)
            arguments = get_argument_values(definition, selected.nodes[0], coerced)
            if isinstance(feed, PartnerFeed):
                return await self._follow_feed(operation, variables, coerced, context, listener, arguments)
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

    def _follow_inbox(
        self, operation: Operation, variables: dict[str, Any], coerced: Any, context: Context, listener: Listener
    ) -> Closing:
        """Start a stream of how a family's inbox stands."""

        async def render(family: Standing) -> bytes:
            return await self._event(operation, variables, coerced, context, family)

        viewer = context.viewer
        group = (operation.key, msgspec.json.encode(variables), *viewer.sharing)
        nothing = Follow(context, viewer.family, None, frozenset(), frozenset(), 0)
        return self._live.follow_inbox(Stream(nothing, group, render, listener, inbox=True))

    async def _follow_feed(
        self,
        operation: Operation,
        variables: dict[str, Any],
        coerced: Any,
        context: Context,
        listener: Listener,
        arguments: dict[str, Any],
    ) -> Closing:
        """Start a stream of a partner's feed."""
        end = await self._partner_feed.end()
        position = place_of(context, arguments.get("after"), end)

        async def render(row: FeedRow) -> bytes:
            return await self._event(operation, variables, coerced, context, row)

        group = (operation.key, msgspec.json.encode(variables), *context.viewer.sharing)
        return self._partner_feed.follow(FeedStream(context, group, render, listener, position))

    def _follow_work(
        self,
        operation: Operation,
        variables: dict[str, Any],
        coerced: Any,
        context: Context,
        listener: Listener,
        key: str,
    ) -> Closing:
        """Start a stream of an agent's work list."""

        async def render(change: Change) -> bytes | None:
            try:
                return await self._event(operation, variables, coerced, context, change)
            except RequestRefused as refused:
                if refused.code == "NOT_FOUND":
                    return None
                raise

        group = (operation.key, msgspec.json.encode(variables), *context.viewer.sharing)
        return self._work.follow(WorkStream(context, key, group, render, listener))

    async def _event(
        self,
        operation: Operation,
        variables: dict[str, Any],
        coerced: Any,
        context: Context,
        row: NewsRow | Standing | Change | FeedRow | None,
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
        coerced = self._known(operation).variables.coerced(variables)
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
            raise RequestRefused("TOO_COSTLY", TOO_SLOW, status=503) from error
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
        nodes = [operation.node, *fragments.values()]
        every = every_access(self._schema, nodes)
        shared = all(access.is_public for access in every) and every_field(self._schema, nodes) <= self._shared
        return Ready(fragments, roots, every, shared, Variables.of(self._schema, operation.node))

    def _count(self, lane: str, operation: Operation) -> None:
        name = operation.name or "anonymous"
        if (lane, name) not in self.lanes and len(self.lanes) >= NAMES_COUNTED:
            name = OTHER
        self.lanes[lane, name] += 1


def feed_of(definition: Any) -> Feed | WorkFeed | InboxFeed | PartnerFeed | None:
    """Give the declaration of a subscription's root field; None for what is announced to everybody."""
    feed: Feed | WorkFeed | InboxFeed | PartnerFeed | None = definition.extensions["strawberry-definition"].metadata[
        FEED
    ]
    return feed


def _not_valid(errors: list[GraphQLError], context: Context) -> RequestRefused:
    described = formatted_all(errors, context.request_id, "BAD_USER_INPUT")
    return RequestRefused("BAD_USER_INPUT", "The variables are not valid.", errors=described)
