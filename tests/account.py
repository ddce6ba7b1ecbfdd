"""What agents were told, what is stored and what reached the mail server: it must be the same."""

import asyncio
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from gateway.demo.smtp import Catcher
from tests.load import Case, Load
from tests.program import SENDER_DOMAIN


@dataclass(frozen=True, slots=True)
class Account:
    """What came of everything."""

    moves: int
    messages: int
    """Different ones that reached the mail server."""
    lost: int
    repeated: int
    """Messages that came once more under the same Message-ID."""
    inversions: int
    """Messages whose first arrival was before that of an older one about the same procedure to the same address."""


WAITING = """select (select count(*) from delivery where status = 'PENDING')
    + (select count(*) from lane where leased or due_at is not null)"""


async def quiet(load: Load, seconds: float = 60.0) -> None:
    """Wait until no message waits and no lane is in a dispatcher's hands.

    What hundreds of kills left behind takes its time: raises TimeoutError when for so many seconds there was never less
    left than before. What is only taken up and put down again is no progress.
    """
    loop, least = asyncio.get_running_loop(), math.inf
    async with asyncio.timeout(seconds) as patience:
        while left := await load.pool.fetchval(WAITING):
            if left < least:
                least = left
                patience.reschedule(loop.time() + seconds)
            await asyncio.sleep(0.1)


async def account(load: Load) -> Account:
    """Compare what agents were told with what is stored and with what reached the mail server, once all is quiet."""
    await quiet(load)
    for case in load.cases:
        await _check_history(load, case)
    for family in load.families:
        await _check_stream(load, family.id)
    return await _messages(load, load.house.catcher)


async def _check_history(load: Load, case: Case) -> None:
    """Every acknowledged move is there once, in its place, with its news; nothing else is."""
    rows = await load.pool.fetch(
        """select e.number, e.to_status, e.message, p.status, p.event_count,
                (select count(*) from news n where n.family_id = e.family_id and n.procedure_id = e.procedure_id
                    and n.procedure_event_number = e.number) as news
           from procedure_event e join procedure p on p.family_id = e.family_id and p.id = e.procedure_id
           where e.family_id = $1 and e.procedure_id = $2 order by e.number""",
        case.family.id,
        case.id,
    )
    assert [(row["to_status"], row["message"]) for row in rows] == case.moves
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["news"] for row in rows} == {1}
    assert (rows[-1]["status"], rows[-1]["event_count"]) == (case.status, len(rows))


async def _check_stream(load: Load, family_id: UUID) -> None:
    """The family's stream has no gap, and each item was sent somewhere."""
    rows = await load.pool.fetch(
        """select n.seq, f.news_seq, exists (
                select from delivery d where d.family_id = n.family_id and d.news_seq = n.seq) as sent
           from news n join family f on f.id = n.family_id where f.id = $1 order by n.seq""",
        family_id,
    )
    assert [row["seq"] for row in rows] == list(range(1, rows[0]["news_seq"] + 1))
    assert all(row["sent"] for row in rows)


async def _messages(load: Load, catcher: Catcher) -> Account:
    """Count what reached the mail server, by Message-ID, and compare its order with that of the news."""
    rows = await load.pool.fetch(
        """select id, subject_id, address, news_seq, status from delivery
           where family_id = any($1) and channel = 'EMAIL'""",
        [family.id for family in load.families],
    )
    ordered = {f"<{row['id']}@{SENDER_DOMAIN}>": row for row in rows}
    ours = {row["address"] for row in rows}
    arrivals = Counter[str]()
    of_lane: dict[tuple[UUID, str], list[int]] = defaultdict(list)
    for caught in catcher.messages:
        if caught.recipient in ours:
            name = str(caught.message["Message-ID"])
            arrivals[name] += 1
            if arrivals[name] == 1:
                row = ordered[name]  # a message that nobody ordered fails here
                assert row["address"] == caught.recipient
                of_lane[row["subject_id"], row["address"]].append(row["news_seq"])
    assert {row["status"] for row in rows} == {"SENT"}
    return Account(
        moves=load.moves,
        messages=len(arrivals),
        lost=len(ordered.keys() - arrivals.keys()),
        repeated=arrivals.total() - len(arrivals),
        inversions=sum(later < earlier for seqs in of_lane.values() for earlier, later in pairwise(seqs)),
    )
