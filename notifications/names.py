"""Looks up names that others chose, so that a name server that hangs holds up nobody else.

The event loop's own look-ups share a few threads with the mail relay's name and everything else. Here each name has
one thread at the most. One that takes long gives its place on, and from then on shares other places with those like it.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

AT_ONCE = 32
"""Names that are looked up at once; as many more that are known to take long."""

LONG = 0.25
"""Seconds after which a look-up gives its place on."""

MOST = 512
"""Threads in all: names that nobody knew to take long wait in them, all at once when a large name server is away."""

REMEMBERED = 4096

LookUp = Callable[..., list[Any]]
Found = list[Any] | OSError


class NotInTime(OSError):
    """A name server did not answer, or too many others did not."""


class Names(AbstractResolver):
    """Looks names up in threads of its own, which end with the process whatever they wait for."""

    def __init__(self, seconds: float, at_once: int = AT_ONCE, look_up: LookUp | None = None) -> None:
        """`seconds` bound a look-up with its wait for a place; `look_up` takes what `socket.getaddrinfo` takes."""
        self._seconds = seconds
        self._quick, self._slow = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        self._long: dict[str, None] = {}
        """Names whose last look-up took long, oldest first."""

        self._look_up = look_up
        self._under_way: dict[str, asyncio.Future[Found]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give all addresses of a name. Raises NotInTime, and socket.gaierror for a name that has none."""
        try:
            async with asyncio.timeout(self._seconds):
                # Whoever asks for a name that is being looked up waits for the same answer.
                found = await asyncio.shield(self._under_way.get(host) or await self._begun(host))
        except TimeoutError as error:
            raise NotInTime("its name was not looked up in time") from error
        if isinstance(found, OSError):
            raise found
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        """Nothing is waited for."""

    async def _begun(self, host: str) -> asyncio.Future[Found]:
        place = self._slow if host in self._long else self._quick
        await place.acquire()
        other = self._under_way.get(host)  # begun while we waited
        if other or len(self._under_way) >= MOST:
            place.release()
            if other:
                return other
            raise NotInTime("too many names are looked up")
        return self._start(host, place)

    def _start(self, host: str, place: asyncio.Semaphore) -> asyncio.Future[Found]:
        loop = asyncio.get_running_loop()
        began, given_on = loop.time(), False
        answer: asyncio.Future[Found] = loop.create_future()
        self._under_way[host] = answer

        def give_on() -> None:
            nonlocal given_on
            given_on = True
            self._remember(host)
            place.release()

        timer = loop.call_later(LONG, give_on) if place is self._quick else None

        def end(found: Found) -> None:
            del self._under_way[host]
            if loop.time() - began < LONG:
                self._long.pop(host, None)
            if not given_on:
                if timer:
                    timer.cancel()
                place.release()
            answer.set_result(found)

        def ask() -> None:
            found = self._found(host)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(end, found)

        Thread(target=ask, name=f"name-{host}", daemon=True).start()
        return answer

    def _found(self, host: str) -> Found:
        look_up = self._look_up or socket.getaddrinfo
        try:
            return look_up(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        except OSError as error:
            return error
        except UnicodeError as error:  # no name at all, such as one with a label that is too long
            return socket.gaierror(socket.EAI_NONAME, str(error))

    def _remember(self, host: str) -> None:
        self._long[host] = None
        if len(self._long) > REMEMBERED:
            del self._long[next(iter(self._long))]
