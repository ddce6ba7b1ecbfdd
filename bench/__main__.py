"""`python -m bench NAME`, such as `reads`, `live`, `deliveries` or `notifications`: see README.md."""

import argparse
import asyncio
import sys

from bench import billing, delays, filing, flood, live, notifications, reads, search, starts, statistics, wave, webhooks
from bench.city import cluster
from bench.programs import ROOT

MODULES = {
    "reads": reads,
    "live": live,
    "starts": starts,
    "delays": delays,
    "flood": flood,
    "statistics": statistics,
    "filing": filing,
    "billing": billing,
    "notifications": notifications,
    "search": search,
    "wave": wave,
    "webhooks": webhooks,
}
"""What each benchmark is; all have `add_arguments` and `run`."""


async def deliveries(arguments: argparse.Namespace) -> None:
    """Give the benchmark of the dispatcher an empty database."""
    async with cluster() as postgres:
        dsn = await postgres.empty("deliveries")
        module = "bench.channels" if arguments.channels else "bench.deliveries"
        command = (sys.executable, "-m", module, "--database", dsn, "--count", str(arguments.count))
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        if await child.wait():
            raise SystemExit(child.returncode)


def main(arguments: list[str]) -> None:
    """Run one benchmark; what follows its name is its own."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the portal.")
    choices = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name, module in MODULES.items():
        choice = choices.add_parser(name, help=(module.__doc__ or "").partition("\n")[0])
        module.add_arguments(choice)
        choice.set_defaults(run=module.run)
    choice = choices.add_parser("deliveries", help="How fast the dispatcher sends.")
    choice.add_argument("--count", type=int, default=4000)
    choice.add_argument("--channels", action="store_true", help="Text and push messages instead of e-mail.")
    choice.set_defaults(run=deliveries)
    given = parser.parse_args(arguments)
    asyncio.run(given.run(given))


if __name__ == "__main__":
    main(sys.argv[1:])
