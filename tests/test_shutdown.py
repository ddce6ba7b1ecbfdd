"""Programs told to stop, and programs killed: clients are sent away, nothing is lost, the next start works."""

import asyncio
import signal
from pathlib import Path

import aiohttp
import psutil

from gateway.demo.smtp import Catcher
from tests.account import account
from tests.conftest import Database
from tests.live import Socket
from tests.load import at_work
from tests.program import apart, whole

SOCKETS = 500
AN_ACCOUNT = 25
EXIT_SECONDS = 5.0
GOING_AWAY = 1001
NEWS = "subscription { news { cursor } }"
PATIENT = {"outbox__lease": 10, "mail__timeout": 5}
"""A dispatcher that is held up for a moment takes nothing for lost, so that what is repeated was repeated by a stop."""


async def readiness(url: str, seen: list[int]) -> None:
    """Ask `/ready` until nobody listens; note the statuses, each once in a row."""
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/ready") as answer:
                    seen += [answer.status] if seen[-1:] != [answer.status] else []
            except aiohttp.ClientError:
                return
            await asyncio.sleep(0.01)


async def test_told_to_stop_with_five_hundred_sockets_it_sends_all_away_and_ends(
    city: Database, tmp_path: Path
) -> None:
    async with apart(city.dsn, tmp_path, limits__sockets_per_account=AN_ACCOUNT) as portal:
        house, sockets, seen = portal.house, list[Socket](), list[int]()
        for _ in range(SOCKETS // AN_ACCOUNT):
            _, token = await house.member()
            sockets += [await Socket(house, token).__aenter__() for _ in range(AN_ACCOUNT)]
        for socket in sockets:
            await socket.subscribe("1", NEWS)
        ready = asyncio.create_task(readiness(house.url, seen))
        await asyncio.sleep(0.5)
        async with asyncio.timeout(10):
            while not seen:
                await asyncio.sleep(0.01)
        started = asyncio.get_running_loop().time()
        portal.gateway.send(signal.SIGTERM)
        assert await portal.gateway.ended(EXIT_SECONDS) == 0
        took = asyncio.get_running_loop().time() - started
        codes = [await socket.closed() for socket in sockets]
        await ready
        print(f"{len(sockets)} sockets, ended after {took:.2f} s; /ready said {seen}; codes {set(codes)}")
        assert codes == [GOING_AWAY] * SOCKETS
        assert seen == [200, 503]


async def sends(catcher: Catcher) -> None:
    """Wait until a dispatcher, just started, is at work."""
    before = catcher.count
    await catcher.wait_for(lambda: catcher.count > before)


async def test_a_dispatcher_told_to_stop_while_it_sends_loses_nothing(city: Database, tmp_path: Path) -> None:
    async with (
        apart(city.dsn, tmp_path, **PATIENT) as portal,
        at_work(portal.house, families=6, procedures=2) as load,
    ):
        catcher = portal.house.catcher
        for _ in range(5):
            await load.moved_on(20)
            await sends(catcher)
            portal.dispatcher.send(signal.SIGTERM)
            assert await portal.dispatcher.ended(EXIT_SECONDS + 1) == 0
            await portal.dispatcher.start()
        await load.finish()
        found = await account(load)
    print(f"5 stops: {found}")
    assert (found.lost, found.inversions, found.repeated) == (0, 0, 0)


async def test_a_killed_portal_takes_its_dispatcher_along_and_starts_again_at_once() -> None:
    async with whole(**PATIENT) as running:
        dispatcher, postmaster = await running.dispatcher(), running.postmaster()
        for _ in range(3):
            await running.serve.kill()
            await asyncio.to_thread(psutil.wait_procs, [dispatcher], EXIT_SECONDS)
            assert not dispatcher.is_running()
            started = asyncio.get_running_loop().time()
            await running.serve.start()
            assert await running.serve.ready() == running.house.url
            print(f"ready again after {asyncio.get_running_loop().time() - started:.1f} s")
            assert running.postmaster() == postmaster
            dispatcher = await running.dispatcher()
        async with at_work(running.house, families=2, procedures=1) as load:
            await load.moved_on(20)
            await load.finish()
            found = await account(load)
        assert (found.lost, found.repeated, found.inversions) == (0, 0, 0)
