"""Receipts, what their absence means, and which of two providers goes first."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from db import receipts
from db.clock import utc_now
from db.ids import uuid7
from db.settings_channels import Outbox, Sms
from gateway.demo.phones import Phones
from gateway.demo.smsc import Smsc
from notifications.channels.pace import Pace
from notifications.lanes import margin
from notifications.registry import channels_of
from tests.notifications.house import Family, House, dispatching, make_settings
from tests.notifications.peers import PHONE, over_smpp, sms_sections

NUMBERS = itertools.count(10)


class Time:
    """A clock that a test moves."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    """A catcher of text messages that sends no receipts by itself."""
    peer = Phones(keep=10_000)
    await peer.start()
    yield peer
    await peer.stop()


async def reached_by_phone(house: House, *channels: str) -> Family:
    """Make a family with a phone of its own."""
    family = await house.make_family(channels=channels or ("SMS", "IN_APP"))
    await house.add_address(family, "SMS", f"+336123456{next(NUMBERS)}")
    return family


async def receipt(house: House, row: Any, state: str = "DELIVERED", at: datetime | None = None) -> None:
    """Write a receipt as the gateway does."""
    insert = "insert into sms_receipt (provider, reference, state, received_at) values ($1, $2, $3, $4)"
    await house.pool.execute(insert, row["provider"], row["reference"], state, at or utc_now())


async def until_status(house: House, family: Family, *statuses: str) -> list[Any]:
    """Wait until the deliveries of a family have these statuses."""

    async def reached() -> bool:
        return [row["status"] for row in await house.deliveries(family)] == list(statuses)

    await house.until(reached)
    return await house.deliveries(family)


async def test_a_message_arrives_when_its_receipt_says_so_even_before_it_was_written(
    house: House, phones: Phones
) -> None:
    family = await reached_by_phone(house)
    await house.tell(family)
    async with dispatching(house, make_settings(9, others=sms_sections(phones, "ovh"))):
        [row] = await until_status(house, family, "SENT")
        assert row["receipt_due_at"] - row["sent_at"] == timedelta(hours=1)
        await receipt(house, row)
        [row] = await until_status(house, family, "DELIVERED")
        assert row["arrived_at"] is not None and row["receipt_due_at"] is None
        # One that is there before its delivery waits for it.
        await receipt(house, {"provider": "ovh", "reference": "400002"})
        await house.tell(family)
        await until_status(house, family, "DELIVERED", "DELIVERED")
    assert await house.pool.fetchval("select count(*) from sms_receipt") == 0


async def test_without_a_receipt_in_time_the_next_channel_tells_and_a_late_one_is_still_shown(
    house: House, phones: Phones
) -> None:
    family, clock = await reached_by_phone(house), Time()
    await house.tell(family)
    async with dispatching(house, make_settings(9, others=sms_sections(phones, "http")), clock=clock):
        [row] = await until_status(house, family, "SENT")
        clock.ahead = timedelta(minutes=61)
        rows = await until_status(house, family, "FAILED", "DELIVERED")
        assert [each["channel"] for each in rows] == ["SMS", "IN_APP"] and rows[0]["problem"] == "NO_RECEIPT"
        await receipt(house, row, at=clock())
        await until_status(house, family, "DELIVERED", "DELIVERED")
    assert len(phones.messages) == 1


async def test_a_receipt_of_failure_tells_by_the_next_channel_once(house: House, phones: Phones) -> None:
    family = await reached_by_phone(house)
    await house.tell(family)
    async with dispatching(house, make_settings(9, others=sms_sections(phones, "http"))):
        [row] = await until_status(house, family, "SENT")
        await receipt(house, row, "FAILED")
        await until_status(house, family, "FAILED", "DELIVERED")
        await receipt(house, row, "FAILED")
        await asyncio.sleep(1.2)
        await until_status(house, family, "FAILED", "DELIVERED")


async def judged(house: House) -> None:
    """Wait until the dispatcher that was just started has judged the providers: it is counted right after."""
    await house.pool.execute("delete from sms_sender")
    await house.until(lambda: house.pool.fetchval("select exists (select from sms_sender)"))


async def sent_by_ovh(house: House, families: list[Family], arrived: int) -> None:
    """Write that OVHcloud took a message for each family and that so many arrived."""

    async def sent() -> bool:
        return bool(
            await house.pool.fetchval("select count(*) = $1 from delivery where status = 'SENT'", len(families))
        )

    await house.until(sent)
    for family in families[:arrived]:
        [row] = await house.deliveries(family)
        await receipt(house, row)
    arrivals = "select count(*) from delivery where status = 'DELIVERED'"
    await house.until(lambda: house.pool.fetchval(f"{arrivals} having count(*) = {arrived}"))


@pytest.mark.parametrize(("arrived", "next_by"), [(17, "http"), (18, "ovh")])
async def test_a_provider_with_fifteen_percent_of_slow_messages_goes_last_on_all_nodes_within_thirty_seconds(
    house: House, phones: Phones, arrived: int, next_by: str
) -> None:
    families, clock = [await reached_by_phone(house) for _ in range(20)], Time()
    settings = make_settings(9, others=sms_sections(phones, "ovh", "http"))
    async with dispatching(house, settings, clock=clock):
        for family in families:
            await house.tell(family)
        await sent_by_ovh(house, families, arrived)
        assert {got.provider for got in phones.messages} == {"ovh"}
        slow_at = time.monotonic()
        clock.ahead = timedelta(seconds=301)
        if next_by == "http":
            await house.until(lambda: house.pool.fetchval("select true from sms_provider where name = 'ovh'"))
            # Simulated and real seconds run alike from here.
            assert time.monotonic() - slow_at <= 30
        await asyncio.sleep(1.5)
        await house.tell(families[0], uuid7())
        await phones.wait_for(lambda: len(phones.messages) == 21)
    assert phones.messages[-1].provider == next_by
    clock.ahead = timedelta(seconds=310)
    async with dispatching(house, settings, clock=clock):
        await judged(house)
        await house.tell(families[1], uuid7())
        await phones.wait_for(lambda: len(phones.messages) == 22)
    assert phones.messages[-1].provider == next_by
    clock.ahead = timedelta(seconds=301 + 1810)
    async with dispatching(house, settings, clock=clock):
        await judged(house)
        await house.tell(families[2], uuid7())
        await phones.wait_for(lambda: len(phones.messages) == 23)
    assert phones.messages[-1].provider == "ovh", "after its time it goes first again"


async def test_when_a_provider_is_away_the_other_takes_the_message_in_the_same_attempt(
    house: House, phones: Phones
) -> None:
    family = await reached_by_phone(house)
    other = Phones()
    await other.start()
    sections = sms_sections(other, "ovh", "http") | {"sms_http": sms_sections(phones)["sms_http"]}
    await other.stop()
    await house.tell(family)
    async with dispatching(house, make_settings(9, others=sections)):
        [row] = await until_status(house, family, "SENT")
    assert (row["attempts"], row["provider"]) == (1, "http")


async def test_after_silence_the_other_provider_is_asked_under_the_same_id(house: House, phones: Phones) -> None:
    family = await reached_by_phone(house)
    [number] = await house.pool.fetch("select value from address where family_id = $1", family.id)
    phones.treat(number["value"], "drop", times=1)
    await house.tell(family)
    async with dispatching(house, make_settings(9, others=sms_sections(phones, "ovh", "http"))):
        [row] = await until_status(house, family, "SENT")
    assert [(got.provider, got.reference) for got in phones.messages] == [
        ("ovh", str(row["id"])),
        ("http", str(row["id"])),
    ]


async def test_receipts_and_stops_come_back_over_smpp(house: House) -> None:
    peer = Smsc(receipts=True)
    await peer.start()
    way = over_smpp(peer)
    family = await way.family(house)
    await house.tell(family, uuid7())
    async with dispatching(house, make_settings(9, others=way.sections)):
        await until_status(house, family, "DELIVERED")
        peer.send_text(PHONE, "STOP svp")
        await house.until(lambda: house.pool.fetchval("select retired_reason = 'STOPPED' from address"))
        await house.tell(family, uuid7())
        rows = await house.deliveries(family)
        await until_status(house, family, "DELIVERED", "DELIVERED")
    assert len(rows) == 2 and len(peer.messages) == 1
    assert await house.pool.fetchval("select count(*) from audit_entry where act = 'phone_stopped'") == 1
    await peer.stop()


async def test_a_long_text_goes_out_whole_over_smpp(house: House) -> None:
    peer = Smsc()
    await peer.start()
    way = over_smpp(peer)
    family = await way.family(house)
    await house.tell(
        family,
        type="maintenance_started",
        starts_at="2026-12-01T20:00:00+00:00",
        ends_at=None,
        notice_fr="x",
        notice_en="x",
    )
    async with dispatching(house, make_settings(9, others=way.sections)):
        [row] = await until_status(house, family, "SENT")
    [got] = peer.messages
    assert got.reference == str(row["id"]) and got.text.endswith("/demo/") and row["segments"] >= 1
    await peer.stop()


def test_turns_come_at_even_distances_and_are_not_taken_when_too_far() -> None:
    pace = Pace(10)
    assert [round(pace.take(0.0, 0.25), 3) for _ in range(5)] == [0.0, 0.1, 0.2, 0.3, 0.3]
    assert pace.take(0.2, 0.25) == pytest.approx(0.1)
    assert pace.take(100.0, 0.25) == 0.0


def test_turns_are_shared_with_other_nodes() -> None:
    pace = Pace(10, nodes=4)
    assert [round(pace.take(0.0, 1.0), 3) for _ in range(2)] == [0.0, 0.4]
    pace.share(1)
    assert [round(pace.take(0.8, 1.0), 3) for _ in range(2)] == [0.0, 0.1]


async def test_dispatchers_count_each_other_and_forget_the_dead(house: House) -> None:
    nodes = [uuid7() for _ in range(3)]
    assert [await receipts.senders(house.pool, node) for node in nodes] == [1, 2, 3]
    assert await receipts.senders(house.pool, nodes[0]) == 3
    await house.pool.execute("update sms_sender set seen_at = now() - interval '6 seconds' where node = $1", nodes[2])
    assert await receipts.senders(house.pool, nodes[0]) == 2
    await house.pool.execute("update sms_sender set seen_at = now() - interval '2 minutes' where node = $1", nodes[1])
    assert await receipts.senders(house.pool, nodes[0]) == 1
    assert await house.pool.fetchval("select count(*) from sms_sender") == 2


async def test_a_dispatcher_that_sends_text_messages_is_counted(house: House, phones: Phones) -> None:
    async with dispatching(house, make_settings(9, others=sms_sections(phones, "http"))):
        await house.until(lambda: house.pool.fetchval("select exists (select from sms_sender)"))


def test_three_providers_together_take_less_than_a_lease(phones: Phones) -> None:
    sections = {**sms_sections(phones, "ovh", "http", "smpp"), **over_smpp(Smsc()).sections}
    sections["sms"] = Sms(providers=("ovh", "http", "smpp"))
    slow = {name: msgspec.structs.replace(sections[name], timeout=8.0) for name in ("ovh", "sms_http", "smpp")}
    channel = channels_of(make_settings(9, others={**sections, **slow}), utc_now)["SMS"]
    assert channel.patience == 20 < Outbox().lease - margin(Outbox().lease)
