"""The inbox on every device: what one reads, the others show as read."""

import asyncio
from typing import Any

import pytest

from db.ids import uuid7
from db.outbox import Told, tell
from tests.house import House, Made
from tests.live import Socket

FOLLOW = """subscription { inboxChanged { id family { unreadCount
    inbox(first: 5) { edges { node { id type readAt } } } } } }"""
MARK = "mutation ($items: [ID!]!) { markRead(items: $items) { problems { code } } }"


async def told(house: House, family: Made, count: int = 1) -> None:
    """Tell a family so many things at once."""
    async with house.connection.transaction():
        for _ in range(count):
            now = house.clock()
            await tell(house.connection, Told(family.id, "PAYMENT", "test", uuid7(), {}, now, inbox_only=True))


async def until(socket: Socket, unread: int) -> list[dict[str, Any]]:
    """Wait until the badge shows a number; give the items."""
    while True:
        family = (await socket.next("i"))["inboxChanged"]["family"]
        if family["unreadCount"] == unread:
            return [each["node"] for each in family["inbox"]["edges"]]


async def test_a_badge_comes_at_once_and_follows_what_any_device_reads(house: House) -> None:
    family, token = await house.member()
    other = await house.sign_in(family.email)
    query = "{ viewer { family { unreadCount } } }"
    before = (await house.ask(query, token)).data["viewer"]["family"]["unreadCount"]
    await told(house, family)
    async with Socket(house, token) as phone, Socket(house, other) as computer:
        for socket in (phone, computer):
            await socket.subscribe("i", FOLLOW)
            await until(socket, before + 1)
        await told(house, family, 2)
        items = await until(phone, before + 3)
        await until(computer, before + 3)
        await house.do(MARK, token, items=[items[0]["id"], items[1]["id"]])
        for socket in (phone, computer):
            shown = await until(socket, before + 1)
            assert [each["readAt"] is None for each in shown][:3] == [False, False, True]


async def test_nobody_hears_of_a_foreign_inbox(house: House) -> None:
    family, token = await house.member()
    other, stranger = await house.member()
    await told(house, family)
    async with Socket(house, stranger) as socket:
        await socket.subscribe("i", FOLLOW)
        assert await until(socket, 0) == []
        await told(house, other)
        assert len(await until(socket, 1)) == 1
        await told(house, family)
        items = (await house.ask("{ viewer { family { inbox(first: 2) { edges { node { id } } } } } }", token)).data
        ids = [each["node"]["id"] for each in items["viewer"]["family"]["inbox"]["edges"]]
        assert await house.problems(MARK, stranger, items=ids) in ([], ["NOT_FOUND"])
        await house.do(MARK, token, items=ids)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await socket.message("i")


async def test_agents_and_strangers_follow_no_inbox(house: House) -> None:
    for token in (await house.agent(), None):
        async with Socket(house, token) as socket:
            await socket.subscribe("i", FOLLOW)
            assert (await socket.message("i"))["type"] == "error"
