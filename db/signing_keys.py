"""Keys that sign access tokens, sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Sealed:
    """A key as it is stored."""

    kid: str
    private_key: bytes
    created_at: datetime
    retires_at: datetime | None


IN_USE = """
    select kid, sealed_private_key, created_at, retired_at from signing_key
    where retired_at is null or retired_at > $1 order by created_at desc, kid desc
"""
INSERT = "insert into signing_key (kid, sealed_private_key, created_at) values ($1, $2, $3)"
INSERT_FIRST = """
    insert into signing_key (kid, sealed_private_key, created_at)
    select $1, $2, $3 where not exists (select from signing_key where retired_at is null)
"""
ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('kiosque.signing_key'))"


async def in_use(tx: Any, now: datetime) -> list[Sealed]:
    """Give the keys whose signatures count, newest first."""
    return [Sealed(*row.values()) for row in await tx.fetch(IN_USE, now)]


async def insert_first(tx: Any, kid: str, sealed: bytes, at: datetime) -> None:
    """Write the portal's first key; another node's is kept."""
    await tx.execute(ONE_AT_A_TIME)
    await tx.execute(INSERT_FIRST, kid, sealed, at)


async def insert(tx: Any, kid: str, sealed: bytes, at: datetime) -> None:
    """Write a key that signs from now on."""
    await tx.execute(INSERT, kid, sealed, at)


async def retire(tx: Any, until: datetime) -> int:
    """Let no key sign any more, and let their signatures count until a moment at the latest; give how many keys that
    concerns.
    """
    await tx.execute(ONE_AT_A_TIME)
    told: str = await tx.execute(
        "update signing_key set retired_at = least(retired_at, $1) where retired_at is null or retired_at > $1", until
    )
    return int(told.split()[-1])
