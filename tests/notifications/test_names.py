"""Names that others chose: looked up in few threads, each name in one, and never waited for long."""

import asyncio
import socket
from collections import Counter
from threading import Event
from typing import Any

import pytest

from notifications.names import LONG, Names, NotInTime

HERE = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
HERE_TOO = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))


class Servers:
    """Name servers of which those for `slow` names answer once they are let."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.gate = Event()

    def __call__(self, host: str, *_: Any, **__: Any) -> list[Any]:
        """Answer as `socket.getaddrinfo` does."""
        self.asked[host] += 1
        if host.startswith("slow"):
            self.gate.wait(10)
        if host.startswith("none"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [*HERE, HERE_TOO]


async def addresses(names: Names, host: str, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[str]:
    """Give what a name leads to."""
    return [each["host"] for each in await names.resolve(host, 443, family)]


async def test_a_name_is_asked_for_once_however_many_want_it_and_anew_afterwards() -> None:
    servers = Servers()
    names = Names(5.0, look_up=servers)
    wanted = [asyncio.create_task(addresses(names, "slow.example")) for _ in range(5)]
    await asyncio.sleep(0.05)
    servers.gate.set()
    assert await asyncio.gather(*wanted) == [["192.0.2.1", "2001:db8::1"]] * 5 and servers.asked["slow.example"] == 1
    assert (
        await addresses(names, "slow.example", socket.AF_INET) == ["192.0.2.1"] and servers.asked["slow.example"] == 2
    )


async def test_one_that_hangs_has_one_thread_and_its_time_and_takes_no_others() -> None:
    servers = Servers()
    names = Names(0.5, at_once=2, look_up=servers)
    for _ in range(4):
        with pytest.raises(NotInTime):
            await names.resolve("slow.example")
        assert await addresses(names, "quick.example") == ["192.0.2.1", "2001:db8::1"]
    servers.gate.set()
    assert servers.asked["slow.example"] == 1


async def test_more_than_there_is_room_for_end_in_time_without_a_thread_and_all_room_comes_back() -> None:
    servers = Servers()
    names = Names(0.1, at_once=3, look_up=servers)
    ends = await asyncio.gather(*(names.resolve(f"slow{n}.example") for n in range(9)), return_exceptions=True)
    assert [type(end) for end in ends] == [NotInTime] * 9 and servers.asked.total() == 3
    servers.gate.set()
    names._seconds = 10.0
    for n in range(9):
        assert await addresses(names, f"slow{n}.example") == ["192.0.2.1", "2001:db8::1"]


async def test_those_that_take_long_give_their_places_on_and_then_share_others() -> None:
    servers = Servers()
    names = Names(3.0, at_once=2, look_up=servers)
    slow = [f"slow{n}.example" for n in range(8)]
    new = [asyncio.create_task(names.resolve(each)) for each in slow]
    await asyncio.sleep(0)
    assert await addresses(names, "quick.example", socket.AF_INET) == ["192.0.2.1"], "in turn, after a second"
    assert servers.asked.total() == 9
    await asyncio.sleep(LONG)
    servers.gate.set()
    await asyncio.gather(*new)
    servers.gate.clear()
    known = [asyncio.create_task(names.resolve(each)) for each in slow]
    await asyncio.sleep(0)
    assert await addresses(names, "quick.example", socket.AF_INET) == ["192.0.2.1"]
    assert servers.asked.total() == 12, "of those that took long only two"
    servers.gate.set()
    await asyncio.gather(*known)
    await names.resolve(slow[0])
    assert slow[0] not in names._long, "it is quick again"


async def test_what_has_no_address_or_is_no_name_is_said_so() -> None:
    with pytest.raises(socket.gaierror):
        await Names(5.0, look_up=Servers()).resolve("none.example")
    with pytest.raises(socket.gaierror):
        await Names(5.0).resolve("a" * 64 + ".example")
