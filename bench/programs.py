"""Servers under measurement: started as processes of their own, and what they cost the processor."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.city import CACHE, MASTER_KEY

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """A server that answers."""

    name: str
    port: int
    process: psutil.Process
    path: str = "/graphql"

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it has used so far."""
        return busy(self.process)


@asynccontextmanager
async def started(
    name: str, module: str, *arguments: str, path: str = "/graphql", settings: dict[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run `python -m module … --port N` until the block ends; it must answer `/live`."""
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY,
        "KIOSQUE_DATA__FOLDER": str(CACHE / "work"),
        "KIOSQUE_JOBS__ENABLED": "false",
        **(settings or {}),
    }
    command = [sys.executable, "-m", module, *arguments, "--port", str(port)]
    child = await asyncio.to_thread(subprocess.Popen, command, env=environment, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        await _answers(child, port)
        yield Program(name, port, psutil.Process(child.pid), path)
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait, PATIENCE)


def own(dsn: str, **settings: str) -> contextlib.AbstractAsyncContextManager[Program]:
    """Run the portal's gateway on a database; settings are given as `section__name`."""
    given = {f"KIOSQUE_{name.upper()}": value for name, value in settings.items()}
    arguments = ("serve", "--database", dsn, "--no-dispatch", "--empty")
    return started("own", "gateway", *arguments, settings=given)


def busy(process: psutil.Process) -> float:
    """Give the seconds of processor time of a process."""
    times = process.cpu_times()
    return times.user + times.system


def busy_tree(process: psutil.Process) -> float:
    """Give the seconds of processor time of a process and all it has started, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def free_port() -> int:
    """Give a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(child: "subprocess.Popen[bytes]", port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(_alive, port):
            if child.poll() is not None:
                raise RuntimeError(f"{child.args!r} ended with {child.returncode}")
            await asyncio.sleep(0.02)


def _alive(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
