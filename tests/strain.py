"""A plug-in for pytest that holds up the network by chance: `python3 run.py test -p tests.strain -n 4`.

Each socket of the process under test (database, mail server, clients) hears now and then up to half a second late, and
none of the others waits for it: what usually comes first comes second. A test that fails then has found a race, of its
own or of the portal. Programs of their own, and what runs on uvloop, are not held up.
"""

import random
from asyncio import selector_events
from typing import Any

SHARE = 0.015
"""Of all looks at a socket."""
SECONDS = (0.02, 0.5)


def pytest_configure() -> None:
    """Hold up every socket that is opened from now on."""
    transport: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    at_once = transport._read_ready

    def read_ready(self: Any) -> None:
        if random.random() >= SHARE or self.is_closing() or not self.is_reading():
            at_once(self)
            return
        self._loop._remove_reader(self._sock_fd)
        self._loop.call_later(random.uniform(*SECONDS), read_again, self)

    def read_again(self: Any) -> None:
        if not self.is_closing() and self.is_reading() and not self._eof:
            self._loop._add_reader(self._sock_fd, self._read_ready)

    transport._read_ready = read_ready
