"""`python -m notifications`: a dispatcher in a process of its own."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import structlog

from db.configuration import SettingsError, load
from db.settings import Settings
from notifications.dispatcher import run


def main() -> None:
    """Dispatch until SIGTERM, SIGINT or, with `--parent-stdin`, the end of the standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m notifications", description="Sends the news that families wait for."
    )
    parser.add_argument("--config", type=Path, help="TOML file with settings")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL; default: the setting database.url")
    parser.add_argument("--parent-stdin", action="store_true", help="stop when the standard input ends")
    arguments = parser.parse_args()
    _log_as_json()
    try:
        settings = load(arguments.config, os.environ, {"database.url": arguments.database})
        if settings.database.url is None:
            raise SettingsError("No database: give --database or the setting database.url.")
        _run(_dispatch(settings, settings.database.url, parent_stdin=arguments.parent_stdin))
    except SettingsError as error:
        sys.exit(str(error))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is a wheel for it."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def _log_as_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def _dispatch(settings: Settings, dsn: str, *, parent_stdin: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watching = asyncio.create_task(_until_orphaned(stop)) if parent_stdin else None
    await run(settings, dsn, stop)
    if watching:
        watching.cancel()


async def _until_orphaned(stop: asyncio.Event) -> None:
    """Stop when the standard input ends: whoever started us holds its other end, and is gone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass
    stop.set()


if __name__ == "__main__":
    main()
