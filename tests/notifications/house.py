"""A small city to be told things, for the tests of the dispatcher."""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from db import outbox
from db.clock import Clock, utc_now
from db.ids import uuid7
from db.outbox import Told
from db.settings import Secrets, Settings
from db.settings_base import Section
from db.settings_channels import Mail, Outbox, Push, Quiet
from gateway.demo.smtp import Catcher
from notifications.channels import Channels
from notifications.dispatcher import Dispatcher, open_pool
from notifications.registry import channels_of

ROOT = Path(__file__).parents[2]
MASTER_KEY = base64.b64encode(bytes(32)).decode()


def make_settings(
    port: int,
    *,
    timeout: float = 5.0,
    connections: int = 4,
    others: Mapping[str, Section] | None = None,
    **outbox_settings: Any,
) -> Settings:
    """Give settings that send to a local port; retries come at once unless told otherwise. Nothing is quiet unless
    `others` (sections by name) say so.
    """
    quick = {"retry_base": 0.05, "retry_cap": 0.2, "lease": 10.0, "poll": 0.1, **outbox_settings}
    return Settings(
        mail=Mail(
            port=port, starttls="never", timeout=timeout, connections=connections, sender="kiosque@ville.example"
        ),
        outbox=Outbox(**quick),
        secrets=Secrets(master_key=MASTER_KEY),
        **{"quiet": Quiet(starts="00:00", ends="00:00"), "push": Push(timeout=0.2), **(others or {})},  # type: ignore[arg-type]
    )


@dataclass
class Family:
    """A family of a test."""

    id: UUID
    number: str
    subject: UUID = field(default_factory=uuid7)
    """What most news in a test is about."""


class House:
    """A database with families, and ways to tell them and to look at what came of it."""

    def __init__(self, dsn: str, pool: asyncpg.Pool) -> None:
        self.dsn = dsn
        self.pool = pool

    async def make_family(
        self, *emails: str, channels: tuple[str, ...] = ("EMAIL", "IN_APP"), name: str = "Martin"
    ) -> Family:
        """Make a family with verified addresses, told on `channels`."""
        now = utc_now()
        family = Family(uuid7(), str(100_000 + await self.pool.fetchval("select count(*) from family")))
        await self.pool.execute(
            "insert into family (id, number, name, created_at) values ($1, $2, $3, $4)",
            family.id, family.number, name, now,
        )  # fmt: skip
        await self.pool.execute(
            "insert into channel_preference (family_id, topic, channels, updated_at) values ($1, $2, $3, $4)",
            family.id, "CITY_INFORMATION", list(channels), now,
        )  # fmt: skip
        for email in emails:
            await self.pool.execute(
                "insert into address (family_id, id, channel, value, verified_at, created_at)"
                " values ($1, $2, 'EMAIL', $3, $4, $4)",
                family.id, uuid7(), email, now,
            )  # fmt: skip
        return family

    async def add_address(
        self, family: Family, channel: str, value: str, target: Mapping[str, Any] | None = None
    ) -> None:
        """Give a family a verified address of any channel."""
        await self.pool.execute(
            "insert into address (family_id, id, channel, value, target, verified_at, created_at)"
            " values ($1, $2, $3, $4, $5, $6, $6)",
            family.id, uuid7(), channel, value, target and msgspec.json.encode(target).decode(), utc_now(),
        )  # fmt: skip

    async def tell(self, family: Family, subject: UUID | None = None, *, type: str = "test", **data: Any) -> int:
        """Tell a family something, as a mutation would; gives the number in its stream."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await outbox.tell(connection, told(family, subject, type, data))

    async def deliveries(self, family: Family) -> list[asyncpg.Record]:
        """Give what was sent to a family, in the order of the news."""
        rows: list[asyncpg.Record] = await self.pool.fetch(
            "select * from delivery where family_id = $1 order by news_seq, created_at, channel", family.id
        )
        return rows

    async def statuses(self, family: Family) -> list[tuple[str, str]]:
        """Give channel and status of each delivery."""
        return [(row["channel"], row["status"]) for row in await self.deliveries(family)]

    async def until(self, reached: Callable[[], Any], seconds: float = 60.0) -> None:
        """Wait until `await reached()` is true; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not await reached():
                await asyncio.sleep(0.02)

    async def quiet(self, seconds: float = 60.0) -> None:
        """Wait until nothing waits and all lanes are given back."""

        async def nothing_waits() -> bool:
            return not await self.pool.fetchval(
                "select exists (select from delivery where status = 'PENDING')"
                " or exists (select from lane where leased or due_at is not null)"
            )

        await self.until(nothing_waits, seconds)


def told(family: Family, subject: UUID | None, type: str, data: dict[str, Any]) -> Told:
    """Give one thing to tell about the family's usual subject or another one."""
    return Told(family.id, "CITY_INFORMATION", type, subject or family.subject, data, utc_now())


@asynccontextmanager
async def dispatching(
    house: House,
    settings: Settings,
    channels: Channels | None = None,
    *,
    ahead: timedelta = timedelta(0),
    clock: Clock | None = None,
) -> AsyncIterator[Dispatcher]:
    """Run a dispatcher in this process, its clock `ahead` of the others, or another one."""
    stop = asyncio.Event()
    ours = channels or channels_of(settings, utc_now)
    pool = await open_pool(house.dsn, settings)
    dispatcher = Dispatcher(settings, house.dsn, pool, ours, clock or (lambda: utc_now() + ahead))
    running = asyncio.create_task(dispatcher.run(stop))
    try:
        yield dispatcher
    finally:
        stop.set()
        await running
        pool.terminate()
        for channel in ours.values():
            await channel.close()


async def start_program(
    house: House, catcher: Catcher, crash_at: str = "", **variables: str
) -> asyncio.subprocess.Process:
    """Start `python -m notifications` with short leases."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")},
        "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY,
        "KIOSQUE_MAIL__PORT": str(catcher.port),
        "KIOSQUE_MAIL__STARTTLS": "never",
        "KIOSQUE_MAIL__TIMEOUT": "0.7",
        "KIOSQUE_MAIL__SENDER": "kiosque@ville.example",
        "KIOSQUE_PUSH__TIMEOUT": "0.3",
        "KIOSQUE_OUTBOX__LEASE": "1.5",
        "KIOSQUE_OUTBOX__POLL": "0.1",
        "KIOSQUE_OUTBOX__RETRY_BASE": "0.05",
        "KIOSQUE_OUTBOX__CRASHES": "1000",
        **({"KIOSQUE_CRASH_AT": crash_at} if crash_at else {}),
        **variables,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifications", "--database", house.dsn, "--parent-stdin",
        cwd=ROOT, env=environment, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
