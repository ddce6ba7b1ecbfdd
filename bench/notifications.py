"""How many notifications of a bank a gateway handles: each books a payment; then all of them again, as duplicates."""

import argparse
import asyncio
import time
from datetime import timedelta
from uuid import UUID

import aiohttp
import asyncpg

from bench.city import cluster, sign_in_families
from bench.programs import Program, own
from bench.tables import table
from db import card_payments as stored
from db import money
from db.card_payments import NewAttempt
from db.clock import utc_now
from db.ids import uuid7
from db.pool import see_as
from gateway.demo.bank import TAKEN, Counter, Manners, Post
from gateway.demo.bank_systempay import KEY, SITE_ID, DemoSystempay, OrderAtBank, signed
from resolvers.card_payments import reference_of
from resolvers.viewer import SYSTEM_SIGHT

CITY = 200
CONNECTIONS = 16
CENTS = 4250


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how many."""
    parser.add_argument("--count", type=int, default=2000)


async def run(given: argparse.Namespace) -> None:
    """Measure and print."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("notifications", CITY)
        messages = await _ordered(dsn, given.count)
        settings = {"systempay__site_id": SITE_ID, "systempay__key": KEY}
        async with own(dsn, **settings) as program:
            rows = [await _sent(program, messages, name) for name in ("booked", "duplicates")]
        connection = await asyncpg.connect(dsn, timeout=10)
        booked = await connection.fetchval("select count(*) from payment where means = 'ONLINE_CARD'")
        await connection.close()
    assert booked == given.count, f"{booked} of {given.count} booked"
    print(table(["notifications", "a second", "p50 ms", "p99 ms", "server CPU ms"], rows))


async def _ordered(dsn: str, count: int) -> list[bytes]:
    """Let families start payments, behind the scenes; give the notifications that the bank would send."""
    logins = await sign_in_families(dsn, CITY)
    now, messages = utc_now(), []
    bank = DemoSystempay(utc_now, Counter(utc_now), Post(Manners()))
    connection = await asyncpg.connect(dsn, timeout=10)
    service = await connection.fetchval("select id from service limit 1")
    for number in range(count):
        family_id = logins[number % len(logins)].family_id
        assert family_id is not None, "families sign in"
        async with connection.transaction():
            await see_as(connection, SYSTEM_SIGHT)
            reference = await _attempt(connection, family_id, service)
        form = {"vads_order_id": reference, "vads_amount": str(CENTS), "vads_currency": "978"}
        form |= {"vads_site_id": SITE_ID, "vads_ctx_mode": "PRODUCTION", "vads_trans_date": f"{now:%Y%m%d%H%M%S}"}
        bank.orders[reference] = OrderAtBank(form | {"vads_trans_id": f"{number:06d}"}, now)
        messages.append(signed(bank.message(reference, TAKEN)).encode())
    await connection.close()
    return messages


async def _attempt(connection: asyncpg.Connection, family_id: UUID, service: UUID) -> str:
    now, attempt_id = utc_now(), uuid7()
    line = money.Line(service, {"fr": "Repas", "en": "Meals"}, 1, CENTS)
    day = now.date()
    wanted = money.NewInvoice(family_id, day.replace(day=1), day + timedelta(days=30), [line])
    [invoice] = await money.publish(connection, [wanted], now)
    found = await stored.owed(connection, family_id, [invoice.id])
    reference = reference_of(attempt_id)
    account = await connection.fetchval("select id from account where family_id = $1 limit 1", family_id)
    expires = now + timedelta(days=1)
    await stored.insert(
        connection, NewAttempt(family_id, attempt_id, reference, "systempay", account, now, expires, found)
    )
    attempt = await stored.lock(connection, family_id, attempt_id)
    assert attempt is not None, "written just now"
    await stored.redirect(connection, attempt, reference, "{}", now)
    return reference


async def _sent(program: Program, messages: list[bytes], name: str) -> list[str]:
    """Send all messages once over some connections; give a row of the table."""
    url = f"http://127.0.0.1:{program.port}/bank/systempay/notification"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    waiting, times = iter(messages), list[float]()

    async def line(http: aiohttp.ClientSession) -> None:
        for message in waiting:
            began = time.perf_counter()
            async with http.post(url, data=message, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
            times.append((time.perf_counter() - began) * 1000)

    began, busy = time.perf_counter(), program.cpu
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(line(http) for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    times.sort()
    cpu = (program.cpu - busy) * 1000 / len(messages)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return [name, f"{len(messages) / seconds:,.0f}", f"{p50:.1f}", f"{p99:.1f}", f"{cpu:.2f}"]
