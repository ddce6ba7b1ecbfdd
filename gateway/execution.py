"""What stands behind the door: the executor, as every transport sees it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gateway.documents import Operation
from gateway.errors import RequestRefused, refused_by

if TYPE_CHECKING:
    from resolvers.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished answer."""

    body: bytes
    """Finished JSON object {"data":…,"errors":…,"extensions":…}."""

    has_data: bool
    """False when the whole request failed (no `data` entry, or request error)."""

    shared: bool = False
    """True when it is the same for everybody who asks in this language, and nothing failed."""


class Listener(Protocol):
    """One live subscription of one client; called from the event loop, never blocks, never raises."""

    def push(self, body: bytes) -> None:
        """Send one execution result (finished JSON object)."""

    def end(self, error: bytes | None = None) -> None:
        """Tell that no more will come: complete, or failed with the JSON list of errors."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The way to leave a subscription."""

    close: Callable[[], None]
    """Forgets the listener: the client has gone."""


class Executor(Protocol):
    """Runs operations that were parsed, limited and validated."""

    async def execute(self, operation: Operation, variables: dict[str, Any], context: "Context") -> Answer:
        """Run a query or a mutation; raises RequestRefused when nothing of it may run."""

    async def subscribe(
        self, operation: Operation, variables: dict[str, Any], context: "Context", listener: Listener
    ) -> Closing:
        """Start a subscription; raises RequestRefused when it may not start."""


async def within(seconds: float, work: Awaitable[T], request_id: str) -> T:
    """Wait for an executor's work, at most so long; whatever goes wrong leaves as RequestRefused."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        message = f"The request took longer than {seconds:g} seconds."
        raise RequestRefused("TOO_COSTLY", message, status=503) from None
    except Exception as failure:
        raise refused_by(failure, request_id) from None
