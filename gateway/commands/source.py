"""Commands of the source tree, which is not part of the installed program."""

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer


def bench(context: typer.Context) -> None:
    """Measure: reads, live, deliveries, starts, delays or flood; see bench/README.md."""
    _run_module("bench", context.args)


def conformance(folder: Annotated[str | None, typer.Argument(help="Folder of the suites.")] = None) -> None:
    """Run the outside suites against a portal of its own, when they are there."""
    _run_module("tests.conformance", [folder] if folder else [])


def mutations(context: typer.Context) -> None:
    """Take each protection away and ask which test notices; see docs/security/tests.md."""
    _run_module("tests.mutations", context.args)


def _run_module(name: str, arguments: list[str]) -> None:
    """Run a module of the source tree that is not part of the installed program."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.argv[1:] = arguments
    runpy.run_module(name, run_name="__main__", alter_sys=True)
