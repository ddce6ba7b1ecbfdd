"""Dockets: unpaid invoices that the public accountant collects."""

from datetime import date, datetime

import strawberry

from schema.access import TILL
from schema.declare import column, page, stored
from schema.money import Money, money
from schema.relay import NEWEST_FIRST, Connection, Node
from schema.tags import Tag


def _url(ending: str) -> str:
    return f"case when {{t}}.filed_at is not null then '/dockets/' || {{t}}.id || '.{ending}' end"


@stored("docket", {"AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}, tag=Tag.DOCKET, key=("id",))
@strawberry.type(description="Unpaid invoices that were handed over to the public accountant at once.")
class Docket(Node):
    """A docket."""

    year: int = column("Year of its number.")
    number: int = column("1, 2, 3 … within the year.")
    made_on: date = column("Day on which the invoices were handed over.")
    count: int = column("Invoices in it.", "{t}.invoices")
    total: Money = money("What was owed.", "{t}.cents")
    filed_at: datetime | None = column("When its files were made.")
    csv_sha256: str | None = column("SHA-256 of the list, in hexadecimal.", "encode({t}.csv_hash, 'hex')")
    xml_sha256: str | None = column("SHA-256 of the PES file, in hexadecimal.", "encode({t}.xml_hash, 'hex')")
    csv_url: str | None = column(
        "Where to fetch the list with the same `Authorization`, on the address of this API.", _url("csv")
    )
    xml_url: str | None = column(
        "Where to fetch the PES v2 file with the same `Authorization`, on the address of this API.", _url("xml")
    )


@strawberry.type
class CollectionQueries:
    """Root fields about collection."""

    dockets: Connection[Docket] = page(
        "Dockets for the public accountant, newest first.", "true", NEWEST_FIRST, may=TILL
    )
