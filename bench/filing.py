"""Submissions and documents: until the acknowledgement is in the mail server, many at once, and one large upload.

Gateway, dispatcher and mail catcher are processes of their own; each submission is a draft of a family of its own.
"""

import argparse
import asyncio
import multiprocessing
import os
import time
from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import msgspec

from bench.city import Login, cluster, sign_in_families
from bench.deliveries import catch, dispatcher
from bench.programs import Program, own
from bench.tables import table
from db.ids import uuid7

CITY = 2_000
START = """mutation ($key: String!, $answers: JSON!) { startProcedure(kind: "cantine", idempotencyKey: $key,
    answers: $answers) { problems { code path } procedure { id } } }"""
SUBMIT = """mutation ($procedure: ID!) { submitProcedure(procedure: $procedure, attests: true) {
    problems { code } procedure { reference } } }"""
PIECE = os.urandom(65_536)
SETTLED = """select count(*) as sent, count(distinct (n.procedure_id, d.address)) as once,
        count(distinct n.procedure_id) as procedures
    from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
    where n.type = 'procedure_submitted' and n.procedure_id = any($1) and d.channel = 'EMAIL' and d.status = 'SENT'"""
WRITTEN = """select count(*) from procedure p
    join procedure_event e on e.family_id = p.family_id and e.procedure_id = p.id
    where p.id = any($1) and p.status = 'SUBMITTED' and p.event_count = 1"""
SENT_AT = """select min(d.sent_at) from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
    where n.procedure_id = $1 and n.type = 'procedure_submitted' and d.channel = 'EMAIL' and d.status = 'SENT'"""
BY_MAIL = "delete from channel_preference"
"""Every family is told by the channel of who chose none: e-mail."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line takes."""
    parser.add_argument("--single", type=int, default=100, help="submissions one after another")
    parser.add_argument("--at-once", type=int, default=200, help="submissions at the same time")
    parser.add_argument("--mebibytes", type=int, default=50, help="size of the upload")


async def run(arguments: argparse.Namespace) -> None:
    """Measure all three."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("filing", CITY)
        logins = await sign_in_families(dsn, max(arguments.single, arguments.at_once))
        size = arguments.mebibytes * 2**20
        limits = {"documents__file_bytes": str(2 * size), "documents__family_bytes": str(4 * size)}
        ours, theirs = multiprocessing.Pipe()
        catcher = multiprocessing.get_context("spawn").Process(target=catch, args=(theirs,), daemon=True)
        catcher.start()
        port = await asyncio.to_thread(ours.recv)
        with dispatcher(dsn, port):
            async with own(dsn, **limits) as program, aiohttp.ClientSession(connector=_many()) as http:
                connection = await asyncpg.connect(dsn, timeout=10)
                rows = await _submissions(http, program, connection, logins, arguments)
                rows += [await _upload(http, program, logins[0], size)]
                await connection.close()
        catcher.terminate()
        print(table(["figure", "measured"], rows))


def _many() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0)


async def _submissions(
    http: aiohttp.ClientSession,
    program: Program,
    connection: asyncpg.Connection,
    logins: Sequence[Login],
    arguments: argparse.Namespace,
) -> list[list[str]]:
    answers = msgspec.json.decode(
        await connection.fetchval(
            "select p.answers::text from procedure p join procedure_kind k on k.id = p.kind_id "
            "where k.code = 'cantine' and k.superseded_at is null and p.submitted_at is not null limit 1"
        )
    )
    await connection.execute(BY_MAIL)
    drafts = [await _draft(http, program, login, answers) for login in logins[: arguments.single]]
    took = []
    for login, draft in zip(logins, drafts, strict=False):
        began = time.time()
        await _ask(http, program, login, SUBMIT, procedure=draft)
        took.append(await _mailed(connection, draft) - began)
    singly = sorted(1000 * each for each in took)
    more = [await _draft(http, program, login, answers) for login in logins[: arguments.at_once]]
    began = time.perf_counter()
    each = await asyncio.gather(
        *(_timed(http, program, login, draft) for login, draft in zip(logins, more, strict=False))
    )
    answered = time.perf_counter() - began
    keys = [_key(draft) for draft in more]
    async with asyncio.timeout(60):
        await _all_told(connection, keys)
    mailed = time.perf_counter() - began
    await asyncio.sleep(1)
    sent, once, procedures = await _told(connection, keys)
    written = await connection.fetchval(WRITTEN, keys)
    receipts = await connection.fetchval("select count(*) from acknowledgement where procedure_id = any($1)", keys)
    assert sent == once and procedures == written == receipts == len(more), (sent, once, procedures, written, receipts)
    again = sum(times for _, times in each)
    counted = f"{written} submitted, {receipts} receipts, {sent} mails"
    return [
        [f"submit → acknowledgement at the mail server, {len(singly)} one by one", _spread(singly)],
        [
            f"{len(more)} submissions at once, until answered",
            f"{_spread(sorted(took for took, _ in each))}; all in {answered:.2f} s, asked again {again} times",
        ],
        ["the same, until the last mail", f"{mailed:.2f} s; {counted}"],
    ]


async def _all_told(connection: asyncpg.Connection, keys: Sequence[UUID]) -> None:
    """Wait until the mail server has taken as many acknowledgements as there are procedures."""
    while True:
        if (await _told(connection, keys))[2] >= len(keys):
            return
        await asyncio.sleep(0.02)


async def _told(connection: asyncpg.Connection, keys: Sequence[UUID]) -> tuple[int, int, int]:
    """Give how many acknowledgements were sent, to how many addresses, and of how many procedures."""
    [row] = await connection.fetch(SETTLED, keys)
    return row["sent"], row["once"], row["procedures"]


def _spread(milliseconds: Sequence[float]) -> str:
    last = len(milliseconds) - 1
    p50, p99 = milliseconds[len(milliseconds) // 2], milliseconds[min(int(len(milliseconds) * 0.99), last)]
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {milliseconds[-1]:.0f} ms"


async def _draft(http: aiohttp.ClientSession, program: Program, login: Login, answers: Any) -> str:
    made = await _ask(http, program, login, START, key=str(uuid7()), answers=answers)
    identity: str = made["startProcedure"]["procedure"]["id"]
    return identity


async def _timed(http: aiohttp.ClientSession, program: Program, login: Login, draft: str) -> tuple[float, int]:
    """Submit until it is answered: a client that is told to try again does. Give milliseconds and how often it did."""
    began, again = time.perf_counter(), 0
    while not await _accepted(http, program, login, draft):
        again += 1
    return 1000 * (time.perf_counter() - began), again


async def _accepted(http: aiohttp.ClientSession, program: Program, login: Login, draft: str) -> bool:
    body = await _answer(http, program, login, SUBMIT, procedure=draft)
    busy = bool(body.get("errors")) and body["errors"][0]["message"].endswith("Try again.")
    assert busy or not body["data"]["submitProcedure"]["problems"], body
    return not busy


async def _ask(http: aiohttp.ClientSession, program: Program, login: Login, query: str, **variables: Any) -> Any:
    body = await _answer(http, program, login, query, **variables)
    assert "errors" not in body and not next(iter(body["data"].values()))["problems"], body
    return body["data"]


async def _answer(http: aiohttp.ClientSession, program: Program, login: Login, query: str, **variables: Any) -> Any:
    async with http.post(
        f"http://127.0.0.1:{program.port}/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {login.token}"},
    ) as answer:
        return await answer.json(content_type=None)


async def _mailed(connection: asyncpg.Connection, draft: str) -> float:
    """Wait until the mail server has taken the acknowledgement; give when, in seconds of the clock."""
    async with asyncio.timeout(30):
        while True:
            sent = await connection.fetchval(SENT_AT, _key(draft))
            if sent is not None:
                moment: float = sent.timestamp()
                return moment
            await asyncio.sleep(0.005)


def _key(identity: str) -> UUID:
    return UUID(bytes=b64decode(identity)[17:])


async def _upload(http: aiohttp.ClientSession, program: Program, login: Login, size: int) -> list[str]:
    """Send one file in pieces; give its time and by how much the gateway's memory grew meanwhile."""
    before = program.process.memory_info().rss
    peak, done = before, asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, program.process.memory_info().rss)
            await asyncio.sleep(0.005)

    async def pieces() -> Any:
        yield b"%PDF-1.7\n"
        for _ in range(size // len(PIECE)):
            yield PIECE
        yield b"\n%%EOF\n"

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {login.token}", "Content-Type": "application/pdf"}
    url = f"http://127.0.0.1:{program.port}/documents"
    async with http.post(url, data=pieces(), headers=headers) as answer:
        assert answer.status == 201, await answer.text()
    took = time.perf_counter() - began
    done.set()
    await watching
    speed, grown = size / 2**20 / took, (peak - before) / 2**20
    return [f"upload of {size // 2**20} MiB", f"{took:.2f} s, {speed:.0f} MiB/s, memory + {grown:.1f} MiB"]
