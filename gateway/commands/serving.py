"""Commands that start programs: the portal and its dispatcher."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of

if TYPE_CHECKING:
    from gateway.serve import Started


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

    settings = settings_of(
        config,
        server__host=host,
        server__port=port,
        server__production=production,
        data__folder=data,
        database__url=database,
        demo__enabled=demo,
    )
    configure(pretty=sys.stderr.isatty())
    run(Serving(settings, Options(dispatch, config), _tell).run())


def _tell(started: "Started") -> None:
    """Say where everything is, and with which credentials."""
    console.print(f"\n[bold green]Kiosque is ready[/] at [bold]{started.url}/graphql[/] (Ctrl-C stops it)")
    city = started.city
    if city is not None:
        console.print(f"  Messages sent    {started.url}/demo/   (mail catcher on port {started.mail_port})")
        if started.provider is not None:
            console.print(f"  Other sign-in    {started.provider} (a provider to link accounts to)")
        if started.banks is not None:
            console.print(f"  Paying by card   {started.url}/demo/pay   (banks on {started.banks})")
        console.print(
            f"  A family         {city.family.number} or {city.family.email}, password {city.family.password}"
        )
        for waiting in city.activations[:1]:
            console.print(f"  To be activated  {waiting.number} with code {waiting.activation_code}")
        for agent in city.agents:
            console.print(f"  Agent            {agent.email}, password {agent.password} ({', '.join(agent.roles)})")
        console.print(f"  Partner          {city.partner.client_id}, secret {city.partner.client_secret}")
    console.print()


def dispatch(database: Database = None, config: Config = None) -> None:
    """Send notifications: a worker of its own, as many as wanted."""
    from notifications.__main__ import main

    sys.argv[1:] = ["--database", database] if database else []
    sys.argv += ["--config", str(config)] if config else []
    main()
