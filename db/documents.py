"""Registered documents: GraphQL that clients may call by its SHA-256."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Registered:
    """One document of one client."""

    hash: str
    """SHA-256 of the text in UTF-8, in lower-case hexadecimal."""
    client: str
    document: str
    operations: tuple[str, ...]
    created_at: datetime
    retired_at: datetime | None


OF_PARTNER = "partner."
"""How the names of clients begin that are partners registering for themselves."""


def client_of(partner_id: UUID) -> str:
    """Give the name under which a partner registers for itself."""
    return f"{OF_PARTNER}{partner_id.hex}"


def is_for(client: str, partner_id: UUID | None) -> bool:
    """Tell whether a viewer, a partner or another, may call what a client registered."""
    return not client.startswith(OF_PARTNER) or (partner_id is not None and client == client_of(partner_id))


async def clients(connection: Any) -> dict[str, frozenset[str]]:
    """Give the clients of all documents that count, by hash."""
    rows = await connection.fetch(
        "select hash, array_agg(client) as clients from registered_document where retired_at is null group by hash"
    )
    return {row["hash"]: frozenset(row["clients"]) for row in rows}


async def text(connection: Any, digest: str) -> str | None:
    """Give the text of a document that counts."""
    statement = "select document from registered_document where hash = $1 and retired_at is null limit 1"
    found: str | None = await connection.fetchval(statement, digest)
    return found


async def of_client(connection: Any, client: str | None) -> list[Registered]:
    """Give the documents of one client, or of all, retired ones included, oldest first."""
    rows = await connection.fetch(
        "select hash, client, document, operations, created_at, retired_at from registered_document "
        "where client = $1 or $1 is null order by client, created_at, operations, hash",
        client,
    )
    return [Registered(row[0], row[1], row[2], tuple(row[3]), row["created_at"], row["retired_at"]) for row in rows]


# `xmax` is 0 in a row that was inserted, so that one statement tells new ones from those brought back.
REGISTER = """
    insert into registered_document (hash, client, document, operations, created_at) values ($1, $2, $3, $4, $5)
    on conflict (hash, client) do update set retired_at = null where registered_document.retired_at is not null
    returning xmax = 0
"""


async def register(tx: Any, digest: str, client: str, document: str, operations: Sequence[str], at: datetime) -> str:
    """Write a document, or bring a retired one back; gives `new`, `brought back` or `known`."""
    inserted = await tx.fetchval(REGISTER, digest, client, document, list(operations), at)
    return {True: "new", False: "brought back", None: "known"}[inserted]


async def count(tx: Any, client: str) -> int:
    """Give how many documents of a client count."""
    statement = "select count(*) from registered_document where client = $1 and retired_at is null"
    found: int = await tx.fetchval(statement, client)
    return found


RETIRE = """
    update registered_document set retired_at = $3
    where retired_at is null and ($1::text is null or client = $1) and hash = any ($2::text[])
    returning hash
"""


async def retire(tx: Any, client: str | None, digests: Sequence[str], at: datetime) -> int:
    """Let documents count no longer, for one client or (None) for all; gives how many there were."""
    return len(await tx.fetch(RETIRE, client, list(digests), at))
