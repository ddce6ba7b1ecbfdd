"""The commands of the portal. Heavy modules are imported by the command that needs them."""

import typer

from gateway.commands import audit, billing, documents, keys, ledger, registers, serving, source, treasury, upkeep


def _group(name: str, help: str) -> typer.Typer:
    made = typer.Typer(no_args_is_help=True, help=help)
    app.add_typer(made, name=name)
    return made


app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Kiosque: a city's family portal."
)
app.command()(serving.serve)
app.command()(serving.dispatch)
app.command()(upkeep.migrate)
app.command()(upkeep.schema)
app.command()(upkeep.check)
app.command()(upkeep.bounces)
app.command()(upkeep.letters)
app.command()(billing.bill)
app.command()(treasury.debit)
app.command()(treasury.docket)
app.command("register")(registers.write_register)
app.command(hidden=True)(upkeep.snapshot)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(source.bench)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(source.mutations)
app.command()(source.conformance)

of_import = _group("import", "Load files of the city's other systems.")
of_import.command("families")(registers.import_families)
of_import.command("consumptions")(registers.import_consumptions)
of_import.command("tariffs")(registers.import_tariffs)

of_audit = _group("audit", "The audit log.")
of_audit.command()(audit.verify)
of_audit.command()(audit.export)

of_ledger = _group("ledger", "What families owe and pay.")
of_ledger.command()(ledger.verify)

of_keys = _group("keys", "Keys that sign access tokens.")
of_keys.command("list")(keys.show)
of_keys.command()(keys.rotate)

of_documents = _group("documents", "The documents that clients may send; see docs/documents.md.")
of_documents.command()(documents.extract)
of_documents.command()(documents.register)
of_documents.command("list")(documents.show)
of_documents.command()(documents.retire)

of_jobs = _group("jobs", "Work that is done later or by the clock.")
of_jobs.command("run")(upkeep.run_jobs)
