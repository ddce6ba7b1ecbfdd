"""Runs tests against a mutant: in a fork of a process that has everything ready, so that a trial takes seconds."""

import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.conftest import LENT, Cluster
from tests.mutations.mutant import Mutant, Verdict

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds after which a run that hangs counts as one that failed."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:benchmark", "--no-header", "-m", "not long")


@dataclass(slots=True, eq=False)
class Watcher:
    """Notes the tests of a run that failed, and how long each took."""

    failed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of a test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that does not even import."""
        if report.failed:
            self.failed.append(report.nodeid)


def tried(cluster: Cluster, mutant: Mutant, tests: Sequence[str]) -> Verdict:
    """Run tests until one notices the mutant."""
    started = time.perf_counter()

    def run() -> Any:
        mutant.apply()
        structlog.reset_defaults()  # what is logged in a fork disturbs nobody, and some tests look at it
        LENT.cluster = replace(cluster, spoiling=mutant.spoiling)
        watcher = Watcher()
        code = pytest.main([*OPTIONS, "-x", *tests], plugins=[watcher])
        if code is pytest.ExitCode.INTERNAL_ERROR:
            raise RuntimeError("the run itself failed")
        return watcher.failed[0] if watcher.failed else None

    found = apart(run)
    return Verdict(mutant, found, time.perf_counter() - started, f"{len(tests)} tests ran")


def apart(work: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Do something in a fork of this process and give its result; what it prints is thrown away unless it breaks."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if not child:
            _as_child(work, writing, said.fileno())
        os.close(writing)
        with os.fdopen(reading) as results:
            ready, _, _ = select.select([results], [], [], patience)
            text = results.read() if ready else ""
        if not ready:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not ready:
            return "it hung"
        if not text:
            said.seek(0)
            raise RuntimeError(said.read()[-4000:])
        return json.loads(text)


def _as_child(work: Callable[[], Any], writing: int, said: int) -> None:
    """Work, tell and end, whatever happens: nothing of the parent's ending must run twice."""
    code = 1
    try:
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.chdir(ROOT)
        result = work()
        os.write(writing, json.dumps(result).encode())
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
