"""`python -m bench reads|live|deliveries|starts|delays|flood`: see README.md."""

import argparse
import asyncio
import sys

from bench import delays, flood, live, reads, starts
from bench.city import cluster
from bench.programs import ROOT


async def deliveries(arguments: argparse.Namespace) -> None:
    """Give the benchmark of the dispatcher an empty database."""
    async with cluster() as postgres:
        dsn = await postgres.empty("deliveries")
        command = (sys.executable, "-m", "bench.deliveries", "--database", dsn, "--count", str(arguments.count))
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        if await child.wait():
            raise SystemExit(child.returncode)


def main(arguments: list[str]) -> None:
    """Run one benchmark; what follows its name is its own."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the portal.")
    choices = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name, module in {"reads": reads, "live": live, "starts": starts, "delays": delays, "flood": flood}.items():
        choice = choices.add_parser(name, help=(module.__doc__ or "").partition("\n")[0])
        module.add_arguments(choice)
        choice.set_defaults(run=module.run)
    choice = choices.add_parser("deliveries", help="How fast the dispatcher sends.")
    choice.add_argument("--count", type=int, default=4000)
    choice.set_defaults(run=deliveries)
    given = parser.parse_args(arguments)
    asyncio.run(given.run(given))


if __name__ == "__main__":
    main(sys.argv[1:])
