"""Which tests reach which line: one run of the tests, under `coverage`, with a context for each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import coverage
import pytest

from tests.conftest import LENT, Cluster
from tests.mutations.trial import OPTIONS, ROOT, Watcher, apart

PATIENCE = 3600.0
ELSEWHERE = {
    "test_broadcast.py", "test_crash.py", "test_demo_city.py", "test_embedded.py", "test_enumeration.py",
    "test_flood.py", "test_fuzz.py", "test_generated.py", "test_guesses.py", "test_jobs.py", "test_logs.py",
    "test_migrate.py", "test_packaging.py",
    "test_restart.py", "test_shutdown.py", "test_start.py", "test_story.py", "test_traces.py",
}  # fmt: skip
"""Tests of programs of their own, whose lines this process does not see, and long searches that notice nothing else."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which tests reach which line, and how long each takes."""

    tests: Mapping[tuple[str, int], Sequence[str]]
    seconds: Mapping[str, float]

    def of(self, line: tuple[str, int]) -> list[str]:
        """Give the tests that reach a line, the quickest first."""
        return sorted(self.tests.get(line, ()), key=lambda test: self.seconds.get(test, 0.0))


def measured(cluster: Cluster) -> Reach:
    """Run the tests once."""
    found = apart(lambda: _run(cluster), PATIENCE)
    tests = {(path, line): names for path, line, names in found["lines"]}
    return Reach(tests, found["seconds"])


def _run(cluster: Cluster) -> Any:
    LENT.cluster = cluster
    measuring = coverage.Coverage(data_file=None, source=["resolvers", "gateway", "schema", "db"], messages=False)
    measuring.start()
    watcher = Watcher()
    code = pytest.main([*OPTIONS, *files()], plugins=[watcher, Contexts(measuring)])
    measuring.stop()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests did not run: {code}")
    lines = []
    data = measuring.get_data()
    for path in data.measured_files():
        reached: dict[int, set[str]] = defaultdict(set)
        for line, contexts in data.contexts_by_lineno(path).items():
            reached[line] |= {name for name in contexts if name and name not in watcher.failed}
        relative = path.removeprefix(f"{ROOT}/")
        lines += [(relative, line, sorted(names)) for line, names in reached.items() if names]
    return {"lines": lines, "seconds": watcher.seconds, "failed": watcher.failed}


def files() -> list[str]:
    """Give the test files that this process can look into."""
    found = sorted(ROOT.glob("tests/**/test_*.py"))
    return [str(path.relative_to(ROOT)) for path in found if path.name not in ELSEWHERE]


class Contexts:
    """Names each test to the measuring."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self._measuring = measuring

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """What runs from here on is this test's."""
        self._measuring.switch_context(item.nodeid)
        return (yield)
