"""Row-level security, weakened: each policy dropped and opened, each table without its wall, or without FORCE."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from tests.attacks.walls import DRAWN, Ground
from tests.mutations.mutant import Mutant

NOTICING = "tests/attacks/test_walls.py::test_the_walls_stand_as_they_are_drawn"

OF_PARTNERS = ("tests/test_partners.py", "tests/test_partner_feed.py")
ENDING = "tests/test_row_security.py::test_a_family_ends_only_what_is_its_own_and_open"
PAYING = (ENDING, "tests/test_card_payments.py")
SENDING = ("tests/test_filing.py", "tests/test_messages_of_procedures.py")

IN_USE = {
    "address": ("tests/test_letters.py",),
    "audit_entry": ("tests/test_audit.py",),
    "card_attempt": PAYING,
    "card_attempt_invoice": PAYING,
    "debit": (ENDING, "tests/test_mandates.py", "tests/test_debit.py"),
    "document": SENDING,
    "procedure_document": SENDING,
    **dict.fromkeys(("family", "procedure", "procedure_event", "procedure_feed", "session"), OF_PARTNERS),
    **dict.fromkeys(("procedure_count", "procedure_count_change"), ("tests/test_statistics.py", *OF_PARTNERS)),
    **dict.fromkeys(("revenue_count", "revenue_count_change"), ("tests/test_revenue.py",)),
    "news": (
        "tests/test_daily_message.py",
        "tests/test_procedures.py",
        "tests/test_families.py",
        "tests/test_broadcast.py",
    ),
    "quotient_familial": ("tests/test_quotient.py", "tests/test_erasure.py", "tests/test_data_choices.py"),
}
"""Tests of what some policies let happen and the drawing of the walls cannot show: a row of this very transaction."""

POLICIES = """
    select c.relname as name, p.polname as policy, 
        coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') <> 'true' as reads,
        coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') <> 'true' as writes
    from pg_policy p join pg_class c on c.oid = p.polrelid order by 1, 2
"""


async def mutants(ground: Ground) -> list[Mutant]:
    """Give a mutant for each policy and each wall that the database has."""
    found = []
    for table in await ground.walled():
        found.append(_mutant(f"{table} without its wall", f"alter table {table} disable row level security"))
        found.append(_mutant(f"{table} without FORCE", f"alter table {table} no force row level security"))
    for row in await ground.connection.fetch(POLICIES):
        table, policy = row["name"], row["policy"]
        found.append(_mutant(f"{table}.{policy} dropped", f"drop policy {policy} on {table}"))
        if row["reads"]:
            found.append(_mutant(f"{table}.{policy} using (true)", f"alter policy {policy} on {table} using (true)"))
        if row["writes"]:
            opened = f"alter policy {policy} on {table} with check (true)"
            found.append(_mutant(f"{table}.{policy} with check (true)", opened))
    return found


def _mutant(name: str, spoiling: str) -> Mutant:
    table = name.replace(" ", ".").split(".")[0]
    return Mutant("policy", name, spoiling=spoiling, tests=IN_USE.get(table, ("tests/test_row_security.py",)))


def table_of(mutant: Mutant) -> str:
    """Give the table that a mutant spoils."""
    return mutant.name.replace(" ", ".").split(".")[0]


async def noticed(ground: Ground, mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Draw the walls of each spoilt table, as `NOTICING` does for all; gives the test's name where they differ."""
    drawn = DRAWN.read_text(encoding="utf-8").splitlines()
    for mutant in mutants:
        table = table_of(mutant)
        transaction = ground.connection.transaction()
        await transaction.start()
        try:
            await ground.connection.execute(mutant.spoiling)
            same = await _as_drawn(ground, table, [line for line in drawn if line.split()[0] == table])
        finally:
            await transaction.rollback()
        yield mutant, None if same else NOTICING


async def _as_drawn(ground: Ground, table: str, drawn: list[str]) -> bool:
    """Tell whether a table is walled as it is drawn; the first other line is enough."""
    async with aclosing(ground.lines(table)) as lines:
        told = iter(drawn)
        async for line in lines:
            if line != next(told, None):
                return False
    return True
