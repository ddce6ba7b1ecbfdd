"""Room for messages in flight: so many of a channel, and of those so many to addresses that belong together."""

import asyncio
from collections import Counter, deque

from notifications.channels import Channel, Grouped


class Room:
    """Places that are handed on from one to the next: to those that go first, then to the others, by turns."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, *, first: bool) -> None:
        """Wait for a place."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._first if first else self._others
        queue.append(turn)
        try:
            await turn
        except BaseException:
            # Cancelled; a place may have been handed over just before.
            if turn in queue:
                queue.remove(turn)
            elif not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Hand a place on."""
        for queue in (self._first, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class Slots:
    """The room of one channel."""

    def __init__(self, channel: Channel) -> None:
        self._all = Room(channel.limit)
        self._groups: dict[str, Room] = {}
        self._users: Counter[str] = Counter()
        self._channel = channel if isinstance(channel, Grouped) else None

    async def take(self, address: str, *, first: bool = True) -> None:
        """Wait for room: before that of the channel for that of the group, so that whoever waits there takes none from
        others. What goes `first` waits for no more than one message that is under way.
        """
        if self._channel is None:
            await self._all.take(first=first)
            return
        group = self._channel.group(address)
        self._users[group] += 1
        try:
            room = self._groups.setdefault(group, Room(self._channel.group_limit))
            await room.take(first=first)
            try:
                await self._all.take(first=first)
            except BaseException:
                room.give_back()
                raise
        except BaseException:
            self._leave(group)
            raise

    def give_back(self, address: str) -> None:
        """Make room for others."""
        self._all.give_back()
        if self._channel is not None:
            group = self._channel.group(address)
            self._groups[group].give_back()
            self._leave(group)

    def _leave(self, group: str) -> None:
        """Forget a group that nobody uses."""
        self._users[group] -= 1
        if not self._users[group]:
            del self._users[group], self._groups[group]
