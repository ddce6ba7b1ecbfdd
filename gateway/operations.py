"""The operations that run on one socket, by the client's ids.

A query has a task while it runs; a subscription has one only until it is live. At most so many run at once: a query
beyond that waits, and with it the reading of the socket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from gateway.endpoint import Endpoint
from gateway.errors import Formatted, RequestRefused, refused_by
from gateway.execution import Closing, within
from gateway.requests import GraphQLRequest


class Errors(msgspec.Struct):
    """The list of errors in a finished answer."""

    errors: msgspec.Raw = msgspec.Raw(b"[]")


class Running:
    """One operation; the listener of its subscription."""

    def __init__(self, operations: "Operations", key: str) -> None:
        self._operations = operations
        self.key = key
        self._id = msgspec.json.encode(key)
        self.closing: Closing | None = None
        self.live = False

    def push(self, body: bytes) -> None:
        """Send one result."""
        if self._operations.has(self):
            self._operations.send(b'{"id":' + self._id + b',"type":"next","payload":' + body + b"}")

    def end(self, error: bytes | None = None) -> None:
        """Tell the client that no more will come."""
        if not self._operations.has(self):
            return
        self._operations.drop(self)
        if error is None:
            self._operations.send(b'{"id":' + self._id + b',"type":"complete"}')
        else:
            self._operations.send(b'{"id":' + self._id + b',"type":"error","payload":' + error + b"}")

    def refuse(self, errors: list[Formatted]) -> None:
        """Tell the client that the operation failed as a whole."""
        self.end(msgspec.json.encode(errors))


class Operations:
    """All operations of one socket."""

    def __init__(
        self, endpoint: Endpoint, make_context: Callable[[], Awaitable[Any]], send: Callable[[bytes], None]
    ) -> None:
        self._endpoint = endpoint
        self._make_context = make_context
        self.send = send
        self._running: dict[str, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(endpoint.live.operations)

    def __contains__(self, key: str) -> bool:
        return key in self._running

    def has(self, running: Running) -> bool:
        """Tell whether an operation is still wanted."""
        return self._running.get(running.key) is running

    async def start(self, key: str, asked: GraphQLRequest) -> None:
        """Begin an operation; waits for a turn when as many as allowed are running."""
        running = self._running[key] = Running(self, key)
        await self._turns.acquire()
        if not self.has(running):
            self._turns.release()
            return
        task = asyncio.create_task(self._run(running, asked))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def leave(self, key: str) -> None:
        """The client wants no more of an operation; an unknown one has just ended."""
        running = self._running.get(key)
        if running is not None:
            self.drop(running)

    def drop(self, running: Running) -> None:
        """Forget an operation and leave its subscription."""
        self._running.pop(running.key, None)
        if running.closing is not None:
            running.closing.close()

    def close(self) -> None:
        """Leave everything; the connection has ended."""
        for running in list(self._running.values()):
            self.drop(running)
        for task in self._tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._turns.release()

    async def _run(self, running: Running, asked: GraphQLRequest) -> None:
        request_id = ""
        try:
            context = await self._make_context()
            request_id = context.request_id
            operation = await self._endpoint.operation(asked, context)
            if operation.kind == "subscription":
                self._count_live()
                running.live = True
                work = self._endpoint.executor.subscribe(operation, asked.variables or {}, context, running)
                running.closing = await within(self._endpoint.deadline_seconds, work, request_id)
                if not self.has(running):
                    running.closing.close()
                return
            answer = await self._endpoint.answer(operation, asked, context)
            if answer.has_data:
                running.push(answer.body)
                running.end()
            else:
                running.end(bytes(msgspec.json.decode(answer.body, type=Errors).errors))
        except Exception as failure:
            running.refuse(refused_by(failure, request_id).errors)

    def _count_live(self) -> None:
        most = self._endpoint.live.operations
        if sum(running.live for running in self._running.values()) >= most:
            raise RequestRefused("THROTTLED", f"At most {most} subscriptions may be live on one socket.")
