"""Structured logs: one JSON object a line (or text for people at a terminal), without queries, variables or personal
data.
"""

import logging
import sys

import structlog


def configure(*, pretty: bool) -> None:
    """Set up logging for the process; `pretty` is for a person who watches."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if pretty else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # Libraries whose messages repeat what clients or relays sent.
    for name in ("aiohttp.access", "aiohttp.server", "aiohttp.websocket", "mail.log", "asyncpg"):
        logging.getLogger(name).setLevel(logging.ERROR)
