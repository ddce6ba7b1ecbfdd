"""Money: integer cents in the database, an object in the schema, and as people write it."""

from collections.abc import Mapping
from typing import Any

import strawberry

from resolvers.reading.mapping import Made
from schema.access import Access
from schema.declare import column, embedded


@strawberry.type(description="An amount of money.")
class Money:
    """Cents are counted, never fractions of a euro."""

    id: strawberry.ID = column("The amount itself, for caches.", "'EUR ' || {t}.cents")
    cents: int = column("Cents.")
    currency: str = column("EUR.", "'EUR'::text")
    formatted: str = column(
        "As people write it, in the language of the viewer: 1 234,50 € or €1,234.50.",
        "formatted_money({t}.cents, :language)",
    )


def money(description: str, cents: str, *, may: Access | None = None) -> Any:
    """Declare an amount: `cents` is the template of its cents; null where they are."""
    return embedded(description, may=may, values={"cents": cents})


def money_made(values: Mapping[str, Any]) -> Made:
    """Give an amount that Python made: `cents` and `formatted`."""
    return Made({"id": f"EUR {values['cents']}", "currency": "EUR", **values})
