"""Deliveries a second on each channel: `python -m bench.channels --database URL`.

URL leads to an empty, migrated database. The peers, which check every signature and decrypt every push message, are one
process, the dispatcher another.
"""

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

import asyncpg
import msgspec

from bench.deliveries import dispatcher, make_families, tell
from db.clock import utc_now
from db.ids import uuid7
from db.keys import Keys
from db.settings import Settings
from db.settings_channels import Push
from db.web_push import public_text, vapid_key
from gateway.demo.peers import Peers, variables

CHANNELS = {"ovh": "SMS", "http": "SMS", "smpp": "SMS", "web": "WEB_PUSH", "mobile": "MOBILE_PUSH"}
UNBOUNDED = 100_000.0
"""Messages a second: what is measured is the dispatcher, not the pace that a provider allows."""


def serve(pipe: Connection, count: int) -> None:
    """Be all peers; says their settings and the browsers' subscriptions, then answers with how much came."""

    async def run() -> None:
        peers = Peers()
        await peers.start()
        key = public_text(vapid_key(Push(), Keys(bytes(32))))
        browsers = [peers.push.subscribe(f"b{number}", key) for number in range(count)]
        pipe.send((variables(peers.settings(Settings())), browsers))
        while await asyncio.to_thread(pipe.recv):
            pipe.send([peer.count for peer in (peers.phones, peers.smsc, peers.push, peers.fcm)])

    asyncio.run(run())


async def reach(
    connection: asyncpg.Connection, families: list[Any], channel: str, browsers: list[dict[str, str]]
) -> None:
    """Give each family one address of a channel, and let it prefer that."""
    await connection.execute("delete from address")
    targets = {"WEB_PUSH": browsers, "MOBILE_PUSH": [{"token": f"app-{number:030}"} for number in range(len(families))]}
    now = utc_now()
    rows = []
    for number, family in enumerate(families):
        target = targets[channel][number] if channel in targets else None
        value = f"+336{number:08}" if channel == "SMS" else f"{number:032x}"
        rows.append((family, uuid7(), channel, value, target and msgspec.json.encode(target).decode(), now))
    insert = """insert into address (family_id, id, channel, value, target, verified_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $6)"""
    await connection.executemany(insert, rows)
    prefer = """insert into channel_preference (family_id, topic, channels, updated_at)
        values ($1, 'PROCEDURE_STATUS', $2, $3) on conflict (family_id, topic) do update set channels = $2"""
    await connection.executemany(prefer, [(family, [channel], now) for family in families])


async def measured(connection: asyncpg.Connection, families: list[Any], dsn: str, settings: dict[str, str]) -> float:
    """Give the deliveries a second while a backlog is worked off, from the first that was sent to the last."""
    started = utc_now()
    for family in families:
        await tell(connection, family)
    with dispatcher(dsn, 9, settings):
        waiting = True
        deadline = time.monotonic() + 120
        while waiting and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            waiting = await connection.fetchval("select exists (select from delivery where status = 'PENDING')")
    row = await connection.fetchrow(
        "select count(*) as n, min(sent_at) as first, max(sent_at) as last from delivery where sent_at > $1", started
    )
    assert row is not None and row["n"] == len(families), "not everything was sent"
    rate: float = (row["n"] - 1) / (row["last"] - row["first"]).total_seconds()
    return rate


async def measure(dsn: str, count: int) -> None:
    """Print a line for each channel."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, count), daemon=True)
    server.start()
    settings, browsers = ours.recv()
    never_quiet = {"KIOSQUE_QUIET__STARTS": "00:00", "KIOSQUE_QUIET__ENDS": "00:00"}
    paces = {f"KIOSQUE_{name}__RATE": str(UNBOUNDED) for name in ("OVH", "SMS_HTTP", "SMPP")}
    connection = await asyncpg.connect(dsn)
    families = await make_families(connection, count)
    for name, channel in CHANNELS.items():
        await reach(connection, families, channel, browsers)
        provider = {"KIOSQUE_SMS__PROVIDERS": name} if channel == "SMS" else {}
        rate = await measured(connection, families, dsn, {**settings, **never_quiet, **paces, **provider})
        print(f"deliveries/s by {channel.lower()} ({name}), {count} families waiting: {rate:.0f}", flush=True)
    await connection.close()
    ours.send(False)
    server.join(5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.database, arguments.count))
