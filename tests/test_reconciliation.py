"""The bank's journal against the ledger after a month with troubles: not a cent differs."""

import pytest

from tests.conftest import Database
from tests.month import month_on


@pytest.mark.parametrize(
    ("payments", "faults"), [(90, 0.6), pytest.param(10_000, 0.05, marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_a_month_of_payments_with_troubles_comes_out_to_the_cent(
    city: Database, payments: int, faults: float
) -> None:
    found = await month_on(city.dsn, payments, faults, seed=7)
    assert found.difference == 0
    assert (found.unknown_to_us, found.unknown_to_bank, found.differing) == (0, 0, 0)
    assert (found.credits_without_task, found.live) == (0, 0)
    assert found.bank_payments == found.ledger_payments > payments // 3
