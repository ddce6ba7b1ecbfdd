"""A small GraphQL service behind the real door: own schema, an executor on graphql-core, a server on a real port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec
from aiohttp import ClientSession, TCPConnector, web
from graphql import ExecutionResult, GraphQLSchema, build_schema, execute, get_variable_values

from db.clock import utc_now
from gateway.connections import Site
from gateway.documents import Documents, Operation
from gateway.endpoint import Endpoint, LiveLimits
from gateway.errors import RequestRefused, formatted_all
from gateway.execution import Answer, Closing, Listener
from gateway.http import attach
from gateway.limits import Limits
from gateway.requests import Gate
from gateway.sockets import Sockets
from resolvers.cookies import Cookies
from resolvers.problems import Refusal
from resolvers.viewer import Kind, Viewer
from tests.protocol.sdl import SDL

SECRET = "hunter2"


@dataclass(frozen=True)
class Caller:
    """What the tests need of a context."""

    viewer: Viewer
    request_id: str
    cookies: Cookies = field(default_factory=Cookies)


def token(account: int = 1, session: int = 1, seconds: float = 600) -> str:
    """Make a token that the house believes: who, in which session, for how long."""
    return f"{account}/{session}/{seconds}"


async def make_context(_: web.Request, authorization: str | None) -> Any:
    """Read a token of `token()`; no token is anonymous."""
    if authorization is None:
        return Caller(Viewer(Kind.ANONYMOUS), uuid4().hex)
    try:
        account, session, seconds = authorization.removeprefix("Bearer ").split("/")
        until = utc_now() + timedelta(seconds=float(seconds))
        viewer = Viewer(
            Kind.FAMILY, session_id=UUID(int=int(session)), expires_at=until, account_id=UUID(int=int(account))
        )
    except ValueError:
        raise RequestRefused("UNAUTHENTICATED", "The token is not valid.") from None
    return Caller(viewer, uuid4().hex)


async def slow(_: Any, __: Any, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


def boom(*_: Any) -> str:
    raise RuntimeError(SECRET)


def forbidden(*_: Any) -> str:
    raise Refusal("FORBIDDEN", "This is not open to you.")


def page_of_messages(house: "House") -> Any:
    def resolve(_: Any, __: Any, first: int | None = None, after: str | None = None, **___: Any) -> Any:
        start = int(after) + 1 if after else 0
        nodes = house.messages[start : start + (first or 20)]
        edges = [{"cursor": str(start + at), "node": node} for at, node in enumerate(nodes)]
        return {
            "edges": edges,
            "pageInfo": {
                "hasNextPage": start + len(nodes) < len(house.messages),
                "hasPreviousPage": start > 0,
                "startCursor": edges[0]["cursor"] if edges else None,
                "endCursor": edges[-1]["cursor"] if edges else None,
            },
        }

    return resolve


@dataclass
class House:
    """The service: an executor and its live subscriptions."""

    messages: list[dict[str, str]] = field(
        default_factory=lambda: [{"id": str(n), "body": f"message {n}", "channel": "SMS"} for n in range(12)]
    )
    listeners: dict[Listener, tuple[Operation, Any]] = field(default_factory=dict)
    executed: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema: GraphQLSchema = build_schema(SDL)
        query = self._fields("Query")
        query["echo"].resolve = lambda _, __, text: text
        query["large"].resolve = lambda _, __, size: "x" * size
        query["me"].resolve = lambda _, info: str(info.context.viewer.account_id or "nobody")
        query["boom"].resolve = boom
        query["forbidden"].resolve = forbidden
        query["slow"].resolve = slow
        query["messages"].resolve = page_of_messages(self)
        query["message"].resolve = lambda _, __, id: next((m for m in self.messages if m["id"] == id), None)
        self._fields("Mutation")["sendMessage"].resolve = self._send

    def _fields(self, name: str) -> dict[str, Any]:
        return cast(dict[str, Any], cast(Any, self.schema.type_map[name]).fields)

    def _send(self, _: Any, __: Any, input: dict[str, str]) -> dict[str, Any]:
        message = {"id": str(len(self.messages)), **input}
        self.messages.append(message)
        self.publish(message)
        return {"message": message, "problems": []}

    def publish(self, message: dict[str, str]) -> None:
        """Push a message to everybody who listens."""
        for listener, (operation, context) in list(self.listeners.items()):
            result = execute(
                self.schema, operation.document.node, {"messageSent": message}, context, None, operation.name
            )
            assert isinstance(result, ExecutionResult)
            listener.push(msgspec.json.encode({"data": result.data}))

    async def execute(self, operation: Operation, variables: dict[str, Any], context: Any) -> Answer:
        self.executed.append(operation.name)
        result = execute(self.schema, operation.document.node, None, context, variables, operation.name)
        if not isinstance(result, ExecutionResult):
            result = await cast(Any, result)
        assert isinstance(result, ExecutionResult)
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = formatted_all(result.errors, context.request_id)
        has_data = result.data is not None or any(error.path for error in result.errors or ())
        if not has_data:
            del body["data"]
        return Answer(msgspec.json.encode(body), has_data)

    async def subscribe(
        self, operation: Operation, variables: dict[str, Any], context: Any, listener: Listener
    ) -> Closing:
        values = get_variable_values(self.schema, list(operation.node.variable_definitions or ()), variables)
        if isinstance(values, list):
            errors = formatted_all(values, context.request_id)
            raise RequestRefused("BAD_USER_INPUT", "The variables are not valid.", errors=errors)
        field_node = cast(Any, operation.node.selection_set.selections[0])
        if field_node.name.value == "fails":
            raise RuntimeError(SECRET)
        if field_node.name.value == "count":
            arguments = {argument.name.value: int(argument.value.value) for argument in field_node.arguments}
            return Closing(_Counting(listener, **arguments).close)
        self.listeners[listener] = operation, context
        return Closing(partial(self._forget, listener))

    def _forget(self, listener: Listener) -> None:
        self.listeners.pop(listener, None)


class _Counting:
    """Counts for one listener."""

    def __init__(self, listener: Listener, to: int, delayMs: int = 0) -> None:
        self._task = asyncio.create_task(self._count(listener, to, delayMs))

    async def _count(self, listener: Listener, to: int, delay: int) -> None:
        for number in range(1, to + 1):
            listener.push(b'{"data":{"count":%d}}' % number)
            await asyncio.sleep(delay / 1000)
        listener.end()

    def close(self) -> None:
        if asyncio.current_task() is not self._task:
            self._task.cancel()


@dataclass
class Served:
    """A running house and a client of it."""

    house: House
    endpoint: Endpoint
    client: ClientSession
    runner: web.AppRunner
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def post(self, query: str, variables: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        """Send a query as most clients do; gives status and body."""
        headers = {"Accept": "application/graphql-response+json", **more.pop("headers", {})}
        body = {"query": query, "variables": variables, **more}
        async with self.client.post(self.url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def served(
    *,
    live: LiveLimits | None = None,
    gate: Gate | None = None,
    an_account: int = 5,
    deadline: float = 5.0,
    development: bool = True,
    port: int = 0,
    header_seconds: float = 10.0,
) -> AsyncIterator[Served]:
    """Run a house on a free port."""
    house = House()
    endpoint = Endpoint(
        documents=Documents(house.schema, Limits()),
        executor=house,
        make_context=make_context,
        gate=gate or Gate(free_get=development),
        sockets=Sockets(an_account),
        live=live or LiveLimits(),
        deadline_seconds=deadline,
        development=development,
    )
    app = web.Application()
    attach(app, endpoint)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = Site(runner, "127.0.0.1", port, header_seconds=header_seconds)
    await site.start()
    async with ClientSession(connector=TCPConnector(limit=0)) as client:
        try:
            yield Served(house, endpoint, client, runner, site.port)
        finally:
            await runner.cleanup()


@asynccontextmanager
async def raw(running: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a plain connection, for what no HTTP client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
