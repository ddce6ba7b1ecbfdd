"""eopayment in threads of its own: it blocks on the network, imports for seconds, writes secrets into debug logs."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from resolvers.banks import BankUnavailable, NotAMessage

T = TypeVar("T")

TALKATIVE = ("eopayment", "zeep", "requests", "urllib3")
"""Loggers that tell keys, addresses and messages below INFO."""


class Threads:
    """A few threads that talk to banks; whoever waits for one waits `timeout` seconds at the most."""

    def __init__(self, timeout: float, size: int = 4) -> None:
        self.timeout = timeout
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="bank")
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.INFO)

    def close(self) -> None:
        """Let the threads end; one that a bank holds up is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def read(self, work: Callable[[], T]) -> T:
        """Read a message; whatever its reader dislikes about it is NotAMessage, but for an absent bank.

        Raises NotAMessage, BankUnavailable.
        """
        return await self._done(work, NotAMessage)

    async def ask(self, work: Callable[[], T]) -> T:
        """Ask a bank. Raises BankUnavailable, also for what cannot be understood of its answer."""
        return await self._done(work, BankUnavailable)

    async def _done(self, work: Callable[[], T], otherwise: type[Exception]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            async with asyncio.timeout(self.timeout):
                return await running
        except TimeoutError as error:
            raise BankUnavailable("no answer in time") from error
        except (BankUnavailable, NotAMessage):
            raise
        except Exception as error:
            # Libraries raise what they like, with card data in the text: only the kind goes on.
            raise otherwise(type(error).__name__) from None


def backend(kind: str, options: dict[str, Any]) -> Any:
    """Make a backend of eopayment; imported at first use, since zeep alone takes two seconds."""
    eopayment = importlib.import_module("eopayment")
    quiet = logging.getLogger("eopayment.quiet")
    quiet.setLevel(logging.INFO)
    return eopayment.Payment(kind, options, logger=quiet)
