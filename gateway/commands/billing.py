"""The command that bills a month."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def bill(
    month: Annotated[datetime, typer.Option(help="The month, e.g. 2026-10.", formats=["%Y-%m"])],
    service: Annotated[str | None, typer.Option(help="Code of the only service; none: all.")] = None,
    publish: Annotated[bool, typer.Option(help="Publish the drafts, whatever the checks show.")] = False,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Draft the invoices of a month and show what to look at; with --publish, publish them and tell the families."""
    from gateway.billing import month_billed

    settings = settings_of(config, database__url=database, data__folder=data)
    run(month_billed(settings, month.date(), service, publish, console))
