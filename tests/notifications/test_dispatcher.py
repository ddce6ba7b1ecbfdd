"""The way of news, from the commit to the mail server."""

import asyncio
from datetime import timedelta

from dirty_equals import IsNow

from db.ids import uuid7
from gateway.demo.smtp import Catcher
from notifications.channels import Channels, Delivery, Receipt
from notifications.channels.in_app import InApp
from tests.notifications.house import House, dispatching, make_settings


async def test_news_reaches_the_mail_server_and_the_family_sees_the_proof(house: House, catcher: Catcher) -> None:
    family = await house.make_family("martin@exemple.fr")
    async with dispatching(house, make_settings(catcher.port)):
        await house.tell(family)
        await house.quiet()
    [delivery] = await house.deliveries(family)
    [caught] = catcher.to("martin@exemple.fr")
    assert (delivery["status"], delivery["attempts"]) == ("SENT", 1)
    assert delivery["receipt"] == "2.0.0 OK, caught"
    assert delivery["sent_at"] == IsNow(tz="UTC", delta=60)
    assert caught.message["Message-ID"] == f"<{delivery['id']}@ville.example>"


async def test_what_is_told_about_one_subject_arrives_in_order(house: House, catcher: Catcher) -> None:
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(5)]
    async with dispatching(house, make_settings(catcher.port)):
        for _ in range(12):
            await asyncio.gather(*(house.tell(family) for family in families))
        await house.quiet()
    for n, family in enumerate(families):
        sent = [caught.message["Message-ID"] for caught in catcher.to(f"f{n}@exemple.fr")]
        assert sent == [f"<{row['id']}@ville.example>" for row in await house.deliveries(family)]


async def test_a_message_that_must_wait_holds_back_those_behind_it(house: House, catcher: Catcher) -> None:
    family = await house.make_family("martin@exemple.fr")
    catcher.busy("martin@exemple.fr", times=3)
    async with dispatching(house, make_settings(catcher.port)):
        for _ in range(4):
            await house.tell(family)
        await house.quiet()
    deliveries = await house.deliveries(family)
    assert [row["attempts"] for row in deliveries] == [4, 1, 1, 1]
    assert [caught.message["Message-ID"] for caught in catcher.messages] == [
        f"<{row['id']}@ville.example>" for row in deliveries
    ]


async def test_a_dead_address_is_retired_and_the_next_channel_tells_the_family(house: House, catcher: Catcher) -> None:
    family = await house.make_family("gone@exemple.fr")
    catcher.refuse("gone@exemple.fr", "550 5.1.1 <gone@exemple.fr> no such user")
    for _ in range(3):
        await house.tell(family)
    async with dispatching(house, make_settings(catcher.port)):
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "FAILED"), ("IN_APP", "DELIVERED")] * 3
    problems = [row["problem"] for row in await house.deliveries(family) if row["channel"] == "EMAIL"]
    assert problems == ["550 5.1.1 <…> no such user", "ADDRESS_RETIRED", "ADDRESS_RETIRED"]
    [address] = await house.pool.fetch("select retired_at, retired_reason from address")
    assert address["retired_at"] == IsNow(tz="UTC", delta=60)
    assert address["retired_reason"] == "550 5.1.1 <…> no such user"


async def test_another_subject_of_a_retired_address_is_not_even_tried(house: House, catcher: Catcher) -> None:
    family = await house.make_family("gone@exemple.fr")
    await house.tell(family, uuid7())
    await house.pool.execute("update address set retired_at = now(), retired_reason = 'known'")
    async with dispatching(house, make_settings(catcher.port)):
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "FAILED"), ("IN_APP", "DELIVERED")]
    assert await house.pool.fetchval("select retired_reason from address") == "known"


async def test_the_second_address_of_the_next_channel_is_told_too(house: House, catcher: Catcher) -> None:
    family = await house.make_family("a@exemple.fr", "b@exemple.fr", channels=("SMS", "EMAIL"))
    await house.tell(family)
    await house.pool.execute("delete from lane")
    await house.pool.execute(
        "update delivery set channel = 'SMS', address = '+33600000000', next_channels = '{POST,EMAIL,IN_APP}',"
        " created_at = now() - interval '73 hours' where address = 'a@exemple.fr'"
    )
    await house.pool.execute("delete from delivery where address = 'b@exemple.fr'")
    await house.pool.execute(
        "insert into lane (family_id, subject_id, channel, address, due_at)"
        " select family_id, subject_id, channel, address, now() from delivery"
    )
    async with dispatching(house, make_settings(catcher.port)) as dispatcher:
        await dispatcher._give_up()
        await house.quiet()
    assert {caught.recipient for caught in catcher.messages} == {"a@exemple.fr", "b@exemple.fr"}
    assert sorted(await house.statuses(family)) == [("EMAIL", "SENT"), ("EMAIL", "SENT"), ("SMS", "FAILED")]
    kept = [row["next_channels"] for row in await house.deliveries(family) if row["channel"] == "EMAIL"]
    assert kept == [["IN_APP"], ["IN_APP"]]


async def test_after_three_days_of_vain_tries_the_next_channel_tells_the_family(house: House, catcher: Catcher) -> None:
    family = await house.make_family("full@exemple.fr")
    catcher.busy("full@exemple.fr", "452 4.2.2 mailbox full")
    await house.tell(family)
    async with dispatching(house, make_settings(catcher.port)) as dispatcher:
        await house.until(lambda: house.pool.fetchval("select attempts > 1 from delivery"))
        await dispatcher._give_up()
        assert await house.statuses(family) == [("EMAIL", "PENDING")]
    async with dispatching(house, make_settings(catcher.port), ahead=timedelta(hours=73)) as dispatcher:

        async def given_up() -> bool:
            await dispatcher._give_up()
            return len(await house.statuses(family)) == 2

        await house.until(given_up)
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "FAILED"), ("IN_APP", "DELIVERED")]
    assert await house.pool.fetchval("select retired_at from address") is None


async def test_a_message_that_makes_the_dispatcher_fail_is_put_aside(house: House, catcher: Catcher) -> None:
    family = await house.make_family("martin@exemple.fr")
    await house.tell(family, type="nobody_wrote_words_for_this")
    await house.tell(family)
    async with dispatching(house, make_settings(catcher.port)):
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "DEAD_LETTER"), ("IN_APP", "DELIVERED"), ("EMAIL", "SENT")]


async def test_a_relay_that_is_away_loses_nothing(house: House, catcher: Catcher) -> None:
    families = [await house.make_family(f"f{n}@exemple.fr", channels=("EMAIL",)) for n in range(8)]
    port = catcher.port
    await catcher.stop()
    for family in families:
        await house.tell(family)
    async with dispatching(house, make_settings(port)) as dispatcher:
        await house.until(lambda: house.pool.fetchval("select bool_and(attempts > 0) from delivery"))
        await catcher.start(port=port)
        await house.quiet(120)  # of slow machines the breaker may have opened, for 30 s
        await house.until(lambda: asyncio.sleep(0, dispatcher.stats.outcomes["EMAIL", "sent"] == 8))
    assert len(catcher.messages) == 8


async def test_the_breaker_spares_a_dead_relay_and_the_portal_goes_on(house: House, catcher: Catcher) -> None:
    mailed = [await house.make_family(f"f{n}@exemple.fr", channels=("EMAIL",)) for n in range(10)]
    family = await house.make_family(channels=("IN_APP",))
    port = catcher.port
    await catcher.stop()
    async with dispatching(house, make_settings(port)) as dispatcher:
        for each in mailed:
            await house.tell(each)
        await house.until(lambda: asyncio.sleep(0, dispatcher._desks["EMAIL"].breaker.open))
        tried = await house.pool.fetchval("select sum(attempts) from delivery")
        await asyncio.sleep(0.5)
        assert await house.pool.fetchval("select sum(attempts) from delivery") - tried <= 4
        await house.tell(family)
        await house.until(
            lambda: house.pool.fetchval("select status = 'DELIVERED' from delivery where channel = 'IN_APP'")
        )


async def test_a_relay_that_hangs_is_left_after_the_time_out(house: House, catcher: Catcher) -> None:
    slow = await house.make_family("slow@exemple.fr")
    quick = await house.make_family("quick@exemple.fr")
    catcher.hang("slow@exemple.fr", times=1)
    async with dispatching(house, make_settings(catcher.port, timeout=2.0)):
        await house.tell(slow)
        await house.tell(quick)
        await house.quiet()
    assert [row["attempts"] for row in await house.deliveries(slow)] == [2]
    assert [row["attempts"] for row in await house.deliveries(quick)] == [1]


async def test_an_answer_lost_after_the_last_dot_repeats_the_same_message_id(house: House, catcher: Catcher) -> None:
    family = await house.make_family("martin@exemple.fr")
    catcher.drop("martin@exemple.fr", times=1)
    async with dispatching(house, make_settings(catcher.port)):
        await house.tell(family)
        await house.quiet()
    [first, second] = catcher.to("martin@exemple.fr")
    assert first.message["Message-ID"] == second.message["Message-ID"]


async def test_two_dispatchers_share_the_work_and_send_nothing_twice(house: House, catcher: Catcher) -> None:
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(30)]
    settings = make_settings(catcher.port, lanes=4)
    async with dispatching(house, settings) as one, dispatching(house, settings) as other:
        told = 0
        async with asyncio.timeout(30):
            while told < 90 or not all(each.stats.outcomes["EMAIL", "sent"] for each in (one, other)):
                await asyncio.gather(*(house.tell(family) for family in families))
                told += len(families)
        await house.quiet()
    ids = [caught.message["Message-ID"] for caught in catcher.messages]
    assert len(ids) == len(set(ids)) == told


class Slow:
    """A channel that takes its time."""

    limit = 4
    patience = 5.0
    interrupts = False

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = asyncio.Event()

    async def send(self, delivery: Delivery) -> Receipt:
        """Think, then acknowledge."""
        self.started.set()
        await asyncio.sleep(self.seconds)
        return Receipt("slow")

    async def close(self) -> None:
        """Nothing is open."""


async def test_news_written_while_its_lane_is_being_released_is_not_forgotten(house: House) -> None:
    family = await house.make_family("martin@exemple.fr")
    slow = Slow(1.0)
    async with dispatching(house, make_settings(1, poll=30.0), Channels({"EMAIL": slow, "IN_APP": InApp()})):
        await house.tell(family)
        await slow.started.wait()
        async with house.pool.acquire() as producer, producer.transaction():
            await producer.execute("select from lane where family_id = $1 for update", family.id)
            await asyncio.sleep(1.3)
            assert await house.statuses(family) == [("EMAIL", "PENDING")]
        slow.seconds = 0.1
        for _ in range(20):
            await house.tell(family)
            await asyncio.sleep(0.03)
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "SENT")] * 21


async def test_lanes_that_wait_for_a_slow_relay_do_not_count_as_crashed(house: House) -> None:
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(14)]
    slow = Slow(0.25)
    slow.limit, slow.patience = 1, 1.25
    async with dispatching(house, make_settings(1, lease=2.5), Channels({"EMAIL": slow, "IN_APP": InApp()})):
        for family in families:
            await house.tell(family)
        await house.quiet()
    rows = await house.pool.fetch("select status, attempts, crashes from delivery")
    assert [tuple(row) for row in rows] == [("SENT", 1, 0)] * 14


async def test_a_stopping_dispatcher_finishes_what_it_sends_and_gives_the_rest_back(house: House) -> None:
    family = await house.make_family("martin@exemple.fr")
    for _ in range(5):
        await house.tell(family)
    slow = Slow(0.3)
    async with dispatching(house, make_settings(1), Channels({"EMAIL": slow, "IN_APP": InApp()})):
        await slow.started.wait()
    assert await house.statuses(family) == [("EMAIL", "SENT")] + [("EMAIL", "PENDING")] * 4
    assert await house.pool.fetchval("select not leased and due_at <= now() from lane")


async def test_a_dispatcher_that_lost_its_lease_writes_nothing(house: House) -> None:
    family = await house.make_family("martin@exemple.fr")
    await house.tell(family)
    slow = Slow(1.5)
    async with dispatching(house, make_settings(1), Channels({"EMAIL": slow, "IN_APP": InApp()})) as dispatcher:
        await slow.started.wait()
        await house.pool.execute("update lane set lease = lease + 1")
        await house.until(lambda: asyncio.sleep(0, dispatcher.stats.outcomes["EMAIL", "lost"] == 1))
        assert await house.statuses(family) == [("EMAIL", "PENDING")]
        assert await house.pool.fetchval("select leased from lane")


async def test_a_restart_of_the_database_connections_is_survived(house: House, catcher: Catcher) -> None:
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(10)]
    async with dispatching(house, make_settings(catcher.port)):
        for n in range(5):
            for family in families:
                await house.tell(family)
            if n % 2:
                await house.pool.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'kiosque-dispatch' and datname = current_database()"
                )
        await house.quiet()
    assert len({caught.message["Message-ID"] for caught in catcher.messages}) == 50
