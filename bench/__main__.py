"""`python -m bench reads|live|deliveries|starts|delays`: see README.md."""

import argparse
import asyncio
import importlib
import sys

BENCHMARKS = {
    "reads": "The four reads beside stock Strawberry and hand-written SQL.",
    "live": "Thousands of idle sockets, and news for them.",
    "starts": "From the command to `/ready`.",
    "delays": "From a commit to the socket and to the mail server, and the smallest query.",
    "deliveries": "How fast the dispatcher sends.",
}


def main(arguments: list[str]) -> None:
    """Run one benchmark; what follows its name is its own."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the portal.")
    choices = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name, about in BENCHMARKS.items():
        choice = choices.add_parser(name, help=about, description=about)
        module = importlib.import_module(f"bench.{name}")
        module.add_arguments(choice)
        choice.set_defaults(run=module.run)
    given = parser.parse_args(arguments)
    asyncio.run(given.run(given))


if __name__ == "__main__":
    main(sys.argv[1:])
