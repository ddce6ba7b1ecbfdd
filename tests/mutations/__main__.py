"""Takes each protection away, one by one, and asks which test notices: `python -m tests.mutations`.

Policies, predicates and declarations of access are tried with the very functions of the tests that should notice, many
a second. A refusal in the code is tried by the tests that reach its line, in a fork each. What noticed a mutant is kept
in `noticed.json`, so that the next run begins with that test; `--short` tries all that is declared and a sample of what
is written, by what is kept. The same code gives the same sample: of two runs of one checkout, both pass or none.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

import gateway.app  # noqa: F401 - what tests import is imported before the forks
import notifications.dispatcher  # noqa: F401
from tests.attacks.test_doors import built
from tests.attacks.walls import ground
from tests.conftest import Cluster, running
from tests.mutations import accesses, policies, predicates, refusals
from tests.mutations.mutant import Mutant, Verdict
from tests.mutations.reach import Reach, measured
from tests.mutations.trial import ROOT, tried
from tests.test_isolation import town_of
from tests.test_row_security import without_walls

KEPT = Path(__file__).with_name("noticed.json")
DECLARED, WRITTEN = ("policy", "predicate", "access"), ("refusal", "gate", "guard")
IN_PLACE = "tried in place"
SAMPLE = 10
MOST_TESTS = 40
"""Tests that a mutant is tried with, at the most: those that reach its line, the quickest first."""

console = Console(width=160)


@dataclass(slots=True)
class Run:
    """One run of this program."""

    cluster: Cluster
    kinds: Sequence[str]
    only: str
    short: int
    """How many refusals are tried; 0: all."""
    kept: dict[str, str]
    """What noticed which mutant the last time."""
    tests: Sequence[str] = ()
    """Tests to try what is written with, instead of those that reach its line."""

    async def declared(self) -> list[Verdict]:
        """Try what is declared, kind by kind."""
        verdicts: list[Verdict] = []
        for kind in DECLARED:
            if kind in self.kinds:
                verdicts += await getattr(self, f"_{kind}")()
        return verdicts

    async def _policy(self) -> list[Verdict]:
        async with ground(self.cluster) as made:
            return await _timed(policies.noticed(made, self._chosen(await policies.mutants(made))))

    async def _predicate(self) -> list[Verdict]:
        async with without_walls(self.cluster) as made:
            return await _timed(predicates.noticed(made, self._chosen(predicates.mutants())))

    async def _access(self) -> list[Verdict]:
        async with (
            built(self.cluster) as open_city,
            built(self.cluster, "FOR_ALL") as closed,
            built(self.cluster, "AGENTS_WORK") as half_closed,
        ):
            streets = open_city, closed, half_closed
            found = await _timed(accesses.noticed(streets, self._chosen(accesses.mutants())))
        async with town_of(self.cluster) as town:
            on_rows = self._chosen(await accesses.mutants_on_rows(town))
            return found + await _timed(accesses.noticed_on_rows(town, on_rows))

    def _chosen(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        return [mutant for mutant in mutants if self.only in mutant.name]

    def written(self) -> Iterator[Verdict]:
        """Try what is written in the code, by the test that noticed it before, else by those that reach its line."""
        mutants = [mutant for kind in WRITTEN if kind in self.kinds for mutant in self._chosen(refusals.mutants(kind))]
        if self.short:
            known = [mutant for mutant in mutants if mutant.name in self.kept]
            mutants = random.sample(known, min(self.short, len(known)))
        left = []
        for mutant in mutants:
            verdict = self._by_kept(mutant)
            if verdict is None or (verdict.noticed_by is None and not self.short):
                left.append(mutant)
            else:
                yield verdict
        if left and self.tests:
            yield from (tried(self.cluster, mutant, self.tests) for mutant in left)
        elif left:
            yield from self._by_reach(left, measured(self.cluster))

    def _by_kept(self, mutant: Mutant) -> Verdict | None:
        test = self.kept.get(mutant.name)
        if test is None or not Path(test.partition("::")[0]).exists():
            return None
        return tried(self.cluster, mutant, [test])

    def _by_reach(self, mutants: Sequence[Mutant], reach: Reach) -> Iterator[Verdict]:
        for mutant in mutants:
            assert mutant.line is not None, "it was found in a file"
            tests = reach.of(mutant.line)[:MOST_TESTS]
            if tests:
                yield tried(self.cluster, mutant, tests)
            else:
                yield Verdict(mutant, None, 0.0, "no test reaches it")

    def again(self, verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
        """Give survivors among what is declared to the tests of their kind, in a fork each."""
        for verdict in verdicts:
            if verdict.noticed_by is None and verdict.mutant.tests:
                again = self._by_kept(verdict.mutant)
                if again is None or again.noticed_by is None:
                    again = tried(self.cluster, verdict.mutant, verdict.mutant.tests)
                yield again
            else:
                yield verdict


async def _timed(found: Any) -> list[Verdict]:
    verdicts, before = [], time.perf_counter()
    async for mutant, test in found:
        now = time.perf_counter()
        verdicts.append(Verdict(mutant, test, now - before, IN_PLACE))
        before = now
    return verdicts


def shown(verdicts: Sequence[Verdict], *, every: bool) -> None:
    """Print what came of each mutant, and the sums."""
    table = Table("kind", "mutant", "noticed by", "s", box=None)
    for verdict in verdicts:
        if every or verdict.noticed_by is None:
            by = (verdict.noticed_by or f"[bold red]SURVIVES[/] ({verdict.why})").removeprefix("tests/")
            table.add_row(verdict.mutant.kind, verdict.mutant.name, by, f"{verdict.seconds:.1f}")
    console.print(table)
    for kind in (*DECLARED, *WRITTEN):
        of_kind = [verdict for verdict in verdicts if verdict.mutant.kind == kind]
        dead = [verdict for verdict in of_kind if verdict.noticed_by is not None]
        if of_kind:
            seconds = sum(verdict.seconds for verdict in of_kind)
            console.print(f"{kind:10} {len(dead)} of {len(of_kind)} noticed, {seconds:.0f} s")


@cache
def written_names() -> frozenset[str]:
    """Give the names of all mutants of what is written in the code."""
    return frozenset(mutant.name for kind in WRITTEN for mutant in refusals.mutants(kind))


def keep(kept: dict[str, str], verdicts: Sequence[Verdict]) -> None:
    """Write down which test noticed what, where tests were run to find it."""
    tried_by_tests = [v for v in verdicts if v.why != IN_PLACE]
    found = {v.mutant.name: v.noticed_by for v in tried_by_tests if v.noticed_by and "::" in v.noticed_by}
    alive = {v.mutant.name for v in verdicts if v.noticed_by is None}
    gone = {name for name in kept if name.startswith(("resolvers/", "gateway/", "schema/", "db/"))} - written_names()
    now = {name: test for name, test in (kept | found).items() if name not in alive | gone}
    KEPT.write_text(json.dumps(now, indent=0, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def seed_of_code() -> int:
    """Give a number that every change of the code changes: another sample each time, the same for everybody."""
    folders = ("db", "gateway", "resolvers", "schema")
    files = sorted(file for folder in folders for file in ROOT.glob(f"{folder}/**/*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files))


def main(arguments: Sequence[str]) -> int:
    """Run; 1 when a mutant lives."""
    parser = argparse.ArgumentParser(prog="tests.mutations", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kinds", default=",".join((*DECLARED, *WRITTEN)), help="kinds of mutants, with commas")
    parser.add_argument("--only", default="", help="mutants whose names hold this")
    parser.add_argument("--tests", nargs="+", default=(), help="try refusals with these, not with all that reach them")
    parser.add_argument("--short", action="store_true", help=f"all that is declared, and {SAMPLE} refusals")
    parser.add_argument("--seed", type=int, default=None, help="chooses another sample, or the same again")
    parser.add_argument("--all", action="store_true", help="list also the mutants that were noticed")
    given = parser.parse_args(arguments)
    seed = seed_of_code() if given.seed is None else given.seed
    random.seed(seed)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # they fail on purpose
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        cluster: Cluster = runner.run(stack.enter_async_context(running()))
        try:
            run = Run(cluster, given.kinds.split(","), given.only, SAMPLE if given.short else 0, kept, given.tests)
            verdicts = list(run.again(runner.run(run.declared())))
            if not given.short:
                keep(kept, verdicts)
            for verdict in run.written():
                verdicts.append(verdict)
                console.print(f"{verdict.mutant.name}: {verdict.noticed_by or verdict.why}", style="dim")
                if not given.short:
                    keep(kept, verdicts)  # now: all of them take an hour, and what was found is not looked for again
        finally:
            runner.run(stack.aclose())
    shown(verdicts, every=given.all)
    if given.short:
        console.print(f"sample chosen by --seed {seed}")
    return 1 if any(verdict.noticed_by is None for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
