"""What the transports share: how a request becomes an operation, and the limits of live connections."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from db.clock import Clock, utc_now
from gateway.cookies import Jar
from gateway.documents import Documents, Operation, cost_of
from gateway.errors import RequestRefused
from gateway.execution import Answer, Executor, within
from gateway.registry import source_of
from gateway.requests import Gate, GraphQLRequest, not_allowed, operation_of
from gateway.sockets import Sockets
from gateway.throttling import Throttle

if TYPE_CHECKING:
    from resolvers.context import Context

FAULT_POINTS = 5
"""What a document costs that is read and found wrong."""

MakeContext = Callable[[web.Request, str | None], Awaitable["Context"]]
"""Gives the context of a request and its `Authorization`; raises RequestRefused (UNAUTHENTICATED)."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Limits of WebSockets and event streams; times in seconds."""

    init_seconds: float = 5.0
    """From the opening of a socket to its `connection_init`."""

    heartbeat_seconds: float = 25.0
    """A silent client is pinged after this time, and given up half as long after that."""

    comment_seconds: float = 12.0
    """Between the comments that keep an event stream open."""

    closing_seconds: float = 2.0
    """How long a client may take to answer the closing of its socket."""

    frame_bytes: int = 65_536
    operations: int = 20
    """Live subscriptions on one socket; as many queries run at once, more wait."""

    queue: int = 64
    """Results a slow client may fall behind before it is cut off and resumes by its cursor."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The GraphQL endpoint of one process."""

    documents: Documents
    executor: Executor
    make_context: MakeContext
    gate: Gate = field(default_factory=Gate)
    sockets: Sockets = field(default_factory=Sockets)
    jar: Jar = field(default_factory=Jar)
    live: LiveLimits = field(default_factory=LiveLimits)
    clock: Clock = utc_now
    deadline_seconds: float = 5.0
    development: bool = False
    """Serves GraphiQL."""
    public_seconds: int = 0
    """How long caches may keep what is the same for everybody, asked by GET; 0: not at all."""
    throttle: Throttle | None = None
    """Counts what each client's operations cost."""

    async def operation(self, asked: GraphQLRequest, context: "Context", *, by_get: bool = False) -> Operation:
        """Give the operation that a viewer asks for and count what it costs.

        Raises RequestRefused and DatabaseUnavailable.
        """
        source = await source_of(asked, self.gate, context.viewer, by_get)
        try:
            operation = operation_of(self.documents, source, asked)
        except RequestRefused:
            await self.spend(context, FAULT_POINTS)
            raise
        if by_get and operation.kind != "query":
            raise not_allowed("POST")
        await self.spend(context, cost_of(operation, asked.variables or {}))
        return operation

    async def spend(self, context: "Context", points: int) -> None:
        """Count points of a viewer; raises RequestRefused (THROTTLED)."""
        if self.throttle is not None:
            await self.throttle.spend(context.viewer, context.client, points)

    async def answer(self, operation: Operation, asked: GraphQLRequest, context: "Context") -> Answer:
        """Run a query or mutation within the deadline; raises RequestRefused."""
        work = self.executor.execute(operation, asked.variables or {}, context)
        return await within(self.deadline_seconds, work, context.request_id)
