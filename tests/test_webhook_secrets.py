"""A webhook's secret is changed without a message that the receiver cannot verify."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from resolvers.partners import WATCH_EXPIRY
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import House, opened
from tests.receiver import Received, receiving, verified
from tests.test_partner_feed import numbered
from tests.test_partners import made, partner, token
from tests.test_webhooks import LOCAL, TEST, registered

ROTATE = """mutation ($id: ID!, $hours: Int!) { rotateWebhookSecret(webhook: $id, overlapHours: $hours) {
    problems { code path } secret webhook { oldSecretUntil } } }"""


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal that may write to this machine, to whose webhooks all its past is old."""
    async with opened(city.dsn, webhooks=LOCAL) as running:
        await numbered(running)
        yield running


def signatures(received: Received) -> int:
    """Count what a message carries."""
    return len(received.headers["webhook-signature"].split(" "))


async def test_both_secrets_sign_during_the_overlap_and_then_the_new_one_only(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:
        webhook, old = await registered(house, access, receiver.url)
        payload = await house.do(ROTATE, access, id=webhook, hours=2)
        new = payload["secret"]
        assert new != old and payload["webhook"]["oldSecretUntil"] is not None
        await house.do(TEST, access, id=webhook)
        [both] = await receiver.until(1)
        assert signatures(both) == 2
        assert verified(old, both.headers, both.body) and verified(new, both.headers, both.body)
        await house.connection.execute(
            "update webhook set old_secret_until = now()"
        )  # the dispatcher's clock is its own
        await house.do(TEST, access, id=webhook)
        last = (await receiver.until(2))[1]
        assert signatures(last) == 1
    await run_due(house, WATCH_EXPIRY)
    kept = "select count(*) from webhook where sealed_old_secret is not null or old_secret_until is not null"
    assert await house.connection.fetchval(kept) == 0


async def test_without_overlap_and_after_two_rotations_the_first_secret_counts_no_more(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:
        webhook, first = await registered(house, access, receiver.url)
        second = (await house.do(ROTATE, access, id=webhook, hours=1))["secret"]
        third = (await house.do(ROTATE, access, id=webhook, hours=1))["secret"]
        await house.do(TEST, access, id=webhook)
        [told] = await receiver.until(1)
        assert [verified(each, told.headers, told.body) for each in (first, second, third)] == [False, True, True]
        fourth = (await house.do(ROTATE, access, id=webhook, hours=0))["secret"]
        await house.do(TEST, access, id=webhook)
        told = (await receiver.until(2))[1]
        assert [verified(each, told.headers, told.body) for each in (second, third, fourth)] == [False, False, True]


async def test_a_rotation_counts_for_what_is_ordered_while_a_message_before_is_being_sent(house: House) -> None:
    access, answered = await partner(house), asyncio.Event()

    async def slowly(_: Received) -> None:
        await answered.wait()

    async with receiving(slowly) as receiver:
        webhook, old = await registered(house, access, receiver.url)
        await house.do(TEST, access, id=webhook)
        await receiver.until(1)
        new = (await house.do(ROTATE, access, id=webhook, hours=0))["secret"]
        await house.do(TEST, access, id=webhook)
        answered.set()
        before, after = await receiver.until(2)
        assert verified(old, before.headers, before.body)
        assert verified(new, after.headers, after.body) and not verified(old, after.headers, after.body)


async def test_a_rotation_for_too_long_or_by_another_partner_is_refused_without_effect(house: House) -> None:
    access = await partner(house)
    webhook, _ = await registered(house, access, "http://127.0.0.1:9/")
    before = await house.connection.fetch("select * from webhook")
    for hours in (-1, 169):
        assert await house.problems(ROTATE, access, id=webhook, hours=hours) == ["BAD_USER_INPUT"]
    _, client, secret = await made(house)
    other = (await token(house, {}, (client, secret))).access
    assert await house.problems(ROTATE, other, id=webhook, hours=1) == ["NOT_FOUND"]
    assert await house.connection.fetch("select * from webhook") == before
