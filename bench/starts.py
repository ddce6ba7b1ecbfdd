"""From the command to the first `/ready`: `python -m bench starts`.

`warm` starts on the data folder of a start before; `first` on an empty one: cluster, migrations, demonstration city.
With `--clone` also a first start in a fresh clone, which brings the packages from wherever pip is told to look.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.programs import ROOT, free_port
from bench.tables import table

PATIENCE = 300.0
LEFT_OUT = shutil.ignore_patterns(".venv", ".tools", ".git", "data", ".*_cache", "__pycache__")


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that the database's own user can pass through."""
    with tempfile.TemporaryDirectory(prefix="kiosque-starts-", dir="/var/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def start(tree: Path, data: Path) -> float:
    """Start the portal, wait for `/ready`, stop it; give the seconds until it was ready."""
    port, began = free_port(), time.perf_counter()
    environment = {**os.environ, "KIOSQUE_DEMO__SMTP_PORT": "0"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "run.py", "serve", "--data", str(data), "--port", str(port)]
    # The interpreter of a virtual environment would make `run.py` build upon it; a newcomer has the system's.
    command[0] = getattr(sys, "_base_executable", sys.executable)
    child = subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not _ready(port):
            if child.poll() is not None:
                raise RuntimeError(f"the portal ended with {child.returncode}")
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError("the portal does not become ready")
            time.sleep(0.01)
        return time.perf_counter() - began
    finally:
        child.terminate()
        child.wait(30)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def measure(rounds: int, clone: bool) -> list[list[str]]:
    """Give the rows of the table."""
    rows, first, warm = [], [], []
    for _ in range(rounds):
        with folder() as place:
            first.append(start(ROOT, place / "data"))
            warm.append(start(ROOT, place / "data"))
    rows.append(["first, packages there", *_figures(first)])
    rows.append(["warm", *_figures(warm)])
    if clone:
        with folder() as place:
            tree = Path(shutil.copytree(ROOT, place / "clone", ignore=LEFT_OUT))
            rows.append(["first, in a fresh clone", *_figures([start(tree, place / "data")])])
    return rows


def _figures(seconds: list[float]) -> list[str]:
    return [f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f}–{max(seconds):.2f}", str(len(seconds))]


async def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    rows = await asyncio.to_thread(measure, arguments.rounds, arguments.clone)
    print(table(["start", "s to /ready", "range", "rounds"], rows))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clone", action="store_true", help="also in a fresh clone; needs a package mirror")
