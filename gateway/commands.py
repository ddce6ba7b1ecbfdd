"""The commands of the portal. Heavy modules are imported by the command that needs them."""

import asyncio
import os
import runpy
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from db.settings import Settings
    from gateway.serve import Started

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Kiosque: a city's family portal."
)
imports = typer.Typer(no_args_is_help=True, help="Load files of the city's other systems.")
app.add_typer(imports, name="import")
audit = typer.Typer(no_args_is_help=True, help="The audit log.")
app.add_typer(audit, name="audit")
keys = typer.Typer(no_args_is_help=True, help="Keys that sign access tokens.")
app.add_typer(keys, name="keys")
documents = typer.Typer(no_args_is_help=True, help="The documents that clients may send; see docs/documents.md.")
app.add_typer(documents, name="documents")
jobs = typer.Typer(no_args_is_help=True, help="Work that is done later or by the clock.")
app.add_typer(jobs, name="jobs")
console = Console(highlight=False, soft_wrap=True)
"""Long lines stay whole: a terminal breaks them itself, and whoever reads a pipe wants what was said."""

Config = Annotated[Path | None, typer.Option(help="Settings file (TOML).", exists=True, dir_okay=False)]
Database = Annotated[str | None, typer.Option(metavar="URL", help="PostgreSQL to use; none: the embedded one.")]
DataFolder = Annotated[
    Path | None, typer.Option(help="Folder of the embedded database and of documents; ./data unless set.")
]


def _stop(sentence: object) -> NoReturn:
    """End with a sentence instead of a traceback."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Cannot go on.[/] {sentence}")
    raise SystemExit(1)


def _settings(config: Path | None, **given: object) -> "Settings":
    from db.configuration import SettingsError, read

    try:
        return read(config, os.environ, {name.replace("__", "."): value for name, value in given.items()})
    except SettingsError as error:
        _stop(error)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is a wheel for it; expected troubles end with a sentence."""
    from asyncpg import PostgresError

    from db.configuration import SettingsError
    from db.embedded import EmbeddedServerError
    from db.migrate import MigrationError
    from gateway.serve import CannotServe

    try:
        import uvloop
    except ImportError:
        run = asyncio.run
    else:
        run = uvloop.run
    try:
        run(work)
    except (CannotServe, EmbeddedServerError, MigrationError, SettingsError, PostgresError, OSError) as error:
        _stop(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless set.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8000 unless set, 0 for any.")] = None,
    data: DataFolder = None,
    database: Database = None,
    demo: Annotated[
        bool | None, typer.Option("--demo/--empty", help="Load the demonstration city into an empty database.")
    ] = None,
    production: Annotated[
        bool | None, typer.Option("--production", help="Refuse what only development may do.")
    ] = None,
    dispatch: Annotated[
        bool, typer.Option("--dispatch/--no-dispatch", help="Start a dispatcher beside the gateway.")
    ] = True,
    config: Config = None,
) -> None:
    """Start the portal: database, gateway, dispatcher and, in the demonstration, its peers."""
    from gateway.logs import configure
    from gateway.serve import Options, Serving

    settings = _settings(
        config,
        server__host=host,
        server__port=port,
        server__production=production,
        data__folder=data,
        database__url=database,
        demo__enabled=demo,
    )
    configure(pretty=sys.stderr.isatty())
    _run(Serving(settings, Options(dispatch, config), _tell).run())


def _tell(started: "Started") -> None:
    """Say where everything is, and with which credentials."""
    console.print(f"\n[bold green]Kiosque is ready[/] at [bold]{started.url}/graphql[/] (Ctrl-C stops it)")
    city = started.city
    if city is not None:
        console.print(f"  Messages sent    {started.url}/demo/   (mail catcher on port {started.mail_port})")
        if started.provider is not None:
            console.print(f"  Other sign-in    {started.provider} (a provider to link accounts to)")
        console.print(
            f"  A family         {city.family.number} or {city.family.email}, password {city.family.password}"
        )
        for waiting in city.activations[:1]:
            console.print(f"  To be activated  {waiting.number} with code {waiting.activation_code}")
        for agent in city.agents:
            console.print(f"  Agent            {agent.email}, password {agent.password} ({', '.join(agent.roles)})")
    console.print()


@app.command()
def dispatch(database: Database = None, config: Config = None) -> None:
    """Send notifications: a worker of its own, as many as wanted."""
    from notifications.__main__ import main

    sys.argv[1:] = ["--database", database] if database else []
    sys.argv += ["--config", str(config)] if config else []
    main()


@jobs.command("run")
def run_jobs(
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; may be repeated.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Do the jobs that are due now and end: for installations whose clock is cron (`jobs.enabled = false`)."""
    from gateway.jobs import due_jobs_done
    from gateway.logs import configure

    settings = _settings(config, database__url=database, data__folder=data)
    configure(pretty=sys.stderr.isatty())
    _run(due_jobs_done(settings, kind or (), console.print))


@jobs.callback()
def _jobs() -> None:
    """Keep `run` a word of its own, though it is the only one."""


@app.command()
def migrate(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Bring the database up to date."""
    from gateway.jobs import migrated

    settings = _settings(config, database__url=database, data__folder=data)
    _run(
        migrated(
            settings, lambda names: console.print("\n".join(names) or "Nothing to do: the database is up to date.")
        )
    )


@app.command()
def schema() -> None:
    """Print the schema in SDL."""
    from schema import build

    sys.stdout.write(build().sdl)


@app.command()
def check(database: Database = None, config: Config = None) -> None:
    """Check settings, database and mail relay: one line each."""
    from gateway.jobs import checked

    settings = _settings(config, database__url=database)
    _run(checked(settings, console))


@app.command()
def register(
    file: Annotated[Path, typer.Argument(help="CSV file to write.")],
    families: Annotated[int, typer.Option(help="How many families.", min=1)] = 25,
) -> None:
    """Write a register of made-up families with activation codes, to try `import families`."""
    from db.clock import utc_now
    from gateway.demo.city import write_register

    write_register(file, utc_now, families=families)
    console.print(f"Wrote {families} families to {file}.")


@app.command(hidden=True)
def snapshot() -> None:
    """Write db/schema.sql anew from the migrations (for those who change them)."""
    from gateway.jobs import snapshot_written

    _run(snapshot_written())


@imports.command("families")
def import_families(
    file: Annotated[Path, typer.Argument(help="CSV file; see docs/import.md.", exists=True, dir_okay=False)],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Load a register of families; faults are named by line and column in a report beside the file."""
    from gateway.jobs import families_imported

    settings = _settings(config, database__url=database, data__folder=data)
    _run(families_imported(settings, file, console))


@audit.command("verify")
def verify_audit(
    file: Annotated[
        Path | None, typer.Option(help="An exported log, instead of the database.", exists=True, dir_okay=False)
    ] = None,
    head: Annotated[str | None, typer.Option(help="A hash printed before, which must still be in the chain.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Prove that nobody changed the audit log; names the first broken link."""
    from gateway.audit import verified

    settings = _settings(config, database__url=database, data__folder=data)
    _run(verified(settings, file, head, console))


@audit.command("export")
def export_audit(
    file: Annotated[Path, typer.Argument(help="File to write: one entry a line, in JSON.")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Write the audit log to a file, to keep it elsewhere and to verify it there."""
    from gateway.audit import exported

    settings = _settings(config, database__url=database, data__folder=data)
    _run(exported(settings, file, console))


Client = Annotated[str | None, typer.Option(metavar="NAME", help="web, mobile, or the name of a partner.")]
Manifest = Annotated[Path, typer.Argument(help="List of documents, Apollo's or Relay's.", exists=True, dir_okay=False)]


@documents.command("extract")
def extract_documents(
    folders: Annotated[list[Path], typer.Argument(help="Source folders of a client.", exists=True)],
    out: Annotated[Path, typer.Option(help="List to write.", dir_okay=False)] = Path("manifest.json"),
    typename: Annotated[bool, typer.Option(help="Add __typename as caches of clients do.")] = False,
    config: Config = None,
) -> None:
    """Find the operations in the sources of a client and check them against the schema."""
    from gateway.registering import extract

    extract(_settings(config), folders, out, typename, console)


@documents.command("register")
def register_documents(
    manifest: Manifest,
    client: Annotated[str, typer.Option(metavar="NAME", help="web, mobile, or the name of a partner.")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Let the documents of a list be called; again changes nothing."""
    from gateway.registering import register

    _run(register(_settings(config, database__url=database, data__folder=data), manifest, client, console))


@documents.command("list")
def list_documents(
    client: Client = None, database: Database = None, data: DataFolder = None, config: Config = None
) -> None:
    """List what is registered."""
    from gateway.registering import show

    _run(show(_settings(config, database__url=database, data__folder=data), client, console))


@documents.command("retire")
def retire_documents(
    digest: Annotated[str | None, typer.Argument(metavar="HASH", help="One document.")] = None,
    client: Client = None,
    not_in: Annotated[
        Path | None, typer.Option(help="Retire what this list of the client does not hold.", exists=True)
    ] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Let documents be called no longer: one by its hash, or those of a client that its list no longer holds."""
    from gateway.registering import retire

    if (digest is None) == (client is None or not_in is None):
        _stop("Name a hash, or a client with --not-in.")
    settings = _settings(config, database__url=database, data__folder=data)
    _run(retire(settings, digest, client, not_in, console))


@keys.command("list")
def list_keys(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Show the keys that count."""
    from gateway.keys import listed

    _run(listed(_settings(config, database__url=database, data__folder=data), console))


@keys.command("rotate")
def rotate_keys(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Refuse at once every token that was signed before.")
    ] = False,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Make a new key; running nodes sign with it at once, the one before verifies until its tokens have ended."""
    from gateway.keys import rotated

    _run(rotated(_settings(config, database__url=database, data__folder=data), console, compromised=compromised))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Measure: reads, live, deliveries, starts or delays; see bench/README.md."""
    _run_module("bench", context.args)


@app.command()
def conformance(folder: Annotated[str | None, typer.Argument(help="Folder of the suites.")] = None) -> None:
    """Run the outside suites against a portal of its own, when they are there."""
    _run_module("tests.conformance", [folder] if folder else [])


def _run_module(name: str, arguments: list[str]) -> None:
    """Run a module of the source tree that is not part of the installed program."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.argv[1:] = arguments
    runpy.run_module(name, run_name="__main__", alter_sys=True)
