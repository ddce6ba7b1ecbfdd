"""The commands `ledger`."""

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def verify(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Prove that the books add up: every invoice, payment, credit and closed day; status 1 when one does not."""
    from gateway.ledger import verified

    run(verified(settings_of(config, database__url=database, data__folder=data), console))
