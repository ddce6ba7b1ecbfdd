"""Every channel against its peer, in each way in which a provider can behave: nothing is lost, little comes twice."""

import signal
from collections.abc import AsyncIterator

import pytest

from db.settings import Settings
from gateway.demo.peer import Kind
from gateway.demo.smtp import Catcher
from tests.notifications.house import House, dispatching, make_settings
from tests.notifications.peers import Peered, peered
from tests.notifications.test_crashes import program

CHANNELS = ("ovh", "http", "smpp", "web_push", "mobile_push")


@pytest.fixture(params=CHANNELS)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Peered]:
    """Give one channel with its peer."""
    async with peered(request.param) as made:
        yield made


def settings_of(way: Peered) -> Settings:
    """Give settings for one channel."""
    return make_settings(9, others=way.sections)


async def test_a_provider_that_accepts_gets_each_message_once_in_order(house: House, way: Peered) -> None:
    family = await way.family(house)
    for _ in range(5):
        await house.tell(family)
    async with dispatching(house, settings_of(way)):
        await house.quiet()
    deliveries = await house.deliveries(family)
    assert [row["status"] for row in deliveries] == ["SENT"] * 5
    assert [got.reference for got in way.peer.to(way.to)] == [str(row["id"]) for row in deliveries]


async def test_after_a_temporary_fault_the_message_arrives_once(house: House, way: Peered) -> None:
    family = await way.family(house)
    way.temporarily(2)
    await house.tell(family)
    async with dispatching(house, settings_of(way)):
        await house.quiet()
    [delivery] = await house.deliveries(family)
    assert (delivery["status"], delivery["attempts"]) == ("SENT", 3)
    assert len(way.peer.to(way.to)) == 1


async def test_after_a_permanent_fault_the_address_is_retired_and_the_next_channel_tells(
    house: House, way: Peered
) -> None:
    family = await way.family(house)
    way.permanently()
    for _ in range(3):
        await house.tell(family)
    async with dispatching(house, settings_of(way)):
        await house.quiet()
    assert sorted(await house.statuses(family)) == sorted([(way.channel, "FAILED"), ("IN_APP", "DELIVERED")] * 3)
    assert await house.pool.fetchval("select retired_at is not null from address")
    assert not way.peer.to(way.to)


@pytest.mark.parametrize("kind", ["hang", "drop", "garbage"])
async def test_when_nobody_knows_whether_it_was_taken_it_goes_out_again_under_the_same_id(
    house: House, way: Peered, kind: Kind
) -> None:
    family = await way.family(house)
    way.treat(kind)
    await house.tell(family)
    async with dispatching(house, settings_of(way)):
        await house.quiet()
    [delivery] = await house.deliveries(family)
    assert (delivery["status"], delivery["attempts"]) == ("SENT", 2)
    came = [got.reference for got in way.peer.to(way.to)]
    assert set(came) == {str(delivery["id"])} and len(came) <= 2


@pytest.mark.parametrize("step", ["claimed:1", "before_send:1", "before_send:4", "sent:1", "sent:3", "recorded:2"])
async def test_a_dispatcher_killed_at_any_step_loses_nothing(
    house: House, way: Peered, catcher: Catcher, step: str
) -> None:
    family = await way.family(house)
    for _ in range(5):
        await house.tell(family)
    never_quiet = {"KIOSQUE_QUIET__STARTS": "00:00", "KIOSQUE_QUIET__ENDS": "00:00"}
    variables = {**way.variables, **never_quiet, "KIOSQUE_OUTBOX__LEASE": "4"}
    async with program(house, catcher, f"dispatch.{step}", **variables) as process:
        assert await process.wait() == -signal.SIGKILL
    async with program(house, catcher, **variables):
        await house.quiet()
    deliveries = await house.deliveries(family)
    assert {row["status"] for row in deliveries} == {"SENT"}
    came = [got.reference for got in way.peer.to(way.to)]
    places = {str(row["id"]): row["news_seq"] for row in deliveries}
    assert set(came) == set(places) and len(came) - len(set(came)) <= 1
    assert [places[each] for each in came] == sorted(places[each] for each in came)
