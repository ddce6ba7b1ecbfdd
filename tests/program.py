"""The portal as its operators run it: programs of their own, which are killed, stopped and started again."""

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import psutil

from db.clock import utc_now
from db.embedded import EmbeddedServer
from db.migrate import migrate
from gateway.demo.city import load_city
from gateway.demo.smtp import Catcher
from tests.house import KEYS, MASTER_KEY, House, MovableClock, settings_for

ROOT = Path(__file__).parents[1]
SENDER_DOMAIN = "ville.example"
STARTING = 60.0
"""Seconds that a start may take on a machine that does much else."""


class Program:
    """One program of the product; it may be started again and again."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._running.pid

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "started before"
        return self._process

    async def start(self, crash_at: str = "") -> None:
        """Start it; with `crash_at` (`step:n`) it ends itself by SIGKILL when it reaches that step of `db.steps`."""
        crash = {"KIOSQUE_CRASH_AT": crash_at} if crash_at else {}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", *self._arguments,
                cwd=ROOT, env={**self._environment, "PYTHONPATH": str(ROOT), **crash},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip

    async def ready(self) -> str:
        """Wait until a gateway says where it serves; give the address."""
        output = self._running.stdout
        assert output is not None, "opened by `start`"
        async with asyncio.timeout(STARTING):
            while line := (await output.readline()).decode():
                if found := re.search(r"ready at (http://\S+)/graphql", line):
                    return found[1]
        raise AssertionError(f"it ended instead:\n{self.said()}")

    def said(self) -> str:
        """Give what it wrote to its standard error, at all its starts."""
        return self._log.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended takes no more."""
        with suppress(ProcessLookupError):
            self._running.send_signal(number)

    async def ended(self, seconds: float = STARTING) -> int:
        """Wait until it ends; give its exit status, negative for a signal."""
        return await asyncio.wait_for(self._running.wait(), seconds)

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.runs:
            self.send(signal.SIGKILL)
            await self.ended()


def free_port() -> int:
    """Give a port that nobody listens on, so that a program keeps its address over its starts.

    Not one of those that the system gives to whoever asks for any: another would have it while the program restarts.
    """
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def environment(catcher: Catcher | None = None, **settings: object) -> dict[str, str]:
    """Give the environment of a program: ours, without settings of whoever runs the tests, and `section__name=value`.

    Leases and retries are short so that what a killed dispatcher held comes back soon. No message is put aside for the
    crashes around it, since here every crash is ours; and nobody has to sign in again during a long run.
    """
    given = {
        "secrets__master_key": MASTER_KEY,
        "tokens__access_seconds": 7_200,
        "tokens__agent_idle_seconds": 7_200,
        "outbox__lease": 1,
        "outbox__poll": 0.1,
        "outbox__retry_base": 0.05,
        "outbox__retry_cap": 0.5,
        "outbox__crashes": 100_000,
        "mail__timeout": 0.7,
        "push__enabled": "false",
        "mail__starttls": "never",
        "mail__sender": f"kiosque@{SENDER_DOMAIN}",
        **({"mail__host": catcher.host, "mail__port": catcher.port} if catcher else {}),
        **settings,
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")}
    return ours | {f"KIOSQUE_{name.upper()}": str(value) for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal of separate programs and those who use it."""

    house: House
    gateway: Program
    dispatcher: Program


@asynccontextmanager
async def apart(dsn: str, folder: Path, **settings: object) -> AsyncIterator[Portal]:
    """Run a gateway and a dispatcher on a database, each as a program; what they log goes into `folder`."""
    async with caught() as catcher:
        port = free_port()
        variables = environment(catcher, **{"server__port": port, "data__folder": folder / "data", **settings})
        gateway = Program(["gateway", "serve", "--database", dsn, "--no-dispatch"], variables, folder / "gateway.log")
        dispatcher = Program(
            ["notifications", "--database", dsn, "--parent-stdin"], variables, folder / "dispatcher.log"
        )
        try:
            await dispatcher.start()
            await gateway.start()
            async with lived_in(await gateway.ready(), dsn, catcher) as house:
                yield Portal(house, gateway, dispatcher)
        except BaseException:
            print(gateway.said(), dispatcher.said())
            raise
        finally:
            await gateway.kill()
            await dispatcher.kill()


@dataclass(frozen=True, slots=True)
class Whole:
    """A portal as one command, with the database and the dispatcher that it starts itself."""

    house: House
    serve: Program
    server: EmbeddedServer
    """Where the database is; not in charge of it."""

    def postmaster(self) -> int:
        """Give the process number of the database server, as it notes it itself."""
        return int((self.server.cluster.data / "postmaster.pid").read_text().split()[0])

    async def dispatcher(self) -> psutil.Process:
        """Wait for the dispatcher that runs beside the gateway."""
        async with asyncio.timeout(STARTING):
            while True:
                for child in psutil.Process(self.serve.pid).children():
                    if "notifications" in child.cmdline():
                        return child
                await asyncio.sleep(0.02)


@asynccontextmanager
async def whole(**settings: object) -> AsyncIterator[Whole]:
    """Run `serve` on a data folder that holds a small city."""
    async with data_folder() as (folder, server), caught() as catcher:
        variables = environment(catcher, **{"server__port": free_port(), **settings})
        serve = Program(["gateway", "serve", "--data", str(server.folder), "--empty"], variables, folder / "serve.log")
        try:
            await serve.start()
            async with lived_in(await serve.ready(), server.dsn, catcher) as house:
                yield Whole(house, serve, server)
        except BaseException:
            print(serve.said())
            raise
        finally:
            if serve.runs:
                serve.send(signal.SIGTERM)
                await serve.ended()


@asynccontextmanager
async def data_folder() -> AsyncIterator[tuple[Path, EmbeddedServer]]:
    """Give a folder with a data folder in which a small city lies; its server is stopped, now and in the end."""
    with tempfile.TemporaryDirectory(prefix="kiosque-") as path:
        Path(path).chmod(0o711)  # the server's user passes through when we are root
        server = EmbeddedServer(Path(path, "data"), durable=False)
        try:
            await migrate(await server.start())
            connection = await asyncpg.connect(server.dsn, timeout=10)
            await load_city(connection, KEYS, utc_now, families=10)
            await connection.close()
            await server.stop()
            yield Path(path), server
        finally:
            await _end_left_behind(server)


async def _end_left_behind(server: EmbeddedServer) -> None:
    """End the database server of a portal that was killed."""
    await server.start()
    await server.stop()


@asynccontextmanager
async def caught() -> AsyncIterator[Catcher]:
    """Run a mail server that keeps everything."""
    catcher = Catcher(keep=1_000_000)
    await catcher.start()
    try:
        yield catcher
    finally:
        await catcher.stop()


@asynccontextmanager
async def lived_in(url: str, dsn: str, catcher: Catcher) -> AsyncIterator[House]:
    """Give those who use a portal that runs at an address, on a database."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            yield House(url, dsn, settings_for(dsn, catcher), MovableClock(), catcher, http, connection)
    finally:
        connection.terminate()
