"""Webhooks of partners: signed, in order, tried again, replayed, given up with notice, and never sent inside."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from db.outside import UrlRefused, checked_url, is_outside
from notifications.post import Post, Refused
from notifications.webhooks import pause
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import ACCEPT, TAKE, House, opened
from tests.receiver import Received, receiving, verified
from tests.test_partner_feed import numbered
from tests.test_partners import admin, made, partner, token

REGISTER = """mutation ($url: String!) { registerWebhook(url: $url) {
    problems { code path } secret webhook { id url disabledAt } } }"""
TEST = "mutation ($id: ID!) { testWebhook(webhook: $id) { problems { code path } ordered } }"
REPLAY = """mutation ($id: ID!, $delivery: ID, $since: DateTime) {
    replayWebhook(webhook: $id, delivery: $delivery, since: $since) { problems { code path } ordered } }"""
DISABLE = "mutation ($id: ID!) { disableWebhook(webhook: $id) { problems { code } webhook { disabledBecause } } }"
ENABLE = "mutation ($id: ID!) { enableWebhook(webhook: $id) { problems { code } webhook { disabledAt } } }"
JOURNAL = """{ webhooks(first: 1) { edges { node { id url disabledBecause deliveries(first: 10) { edges { node {
    id messageId type body status attempts replay
    tries(first: 10) { edges { node { number statusCode problem answer } } } } } } } } } }"""
HANGING = """
    with new as (
        insert into webhook (partner_id, id, url, sealed_secret, created_at, due_at)
        select partner_id, gen_random_uuid(), $1, sealed_secret, created_at, now() - interval '1 minute'
        from webhook, generate_series(1, 20) returning *
    )
    insert into webhook_delivery (partner_id, webhook_id, id, message_id, type, body, next_try_at, created_at)
    select partner_id, id, gen_random_uuid(), 'msg_' || id, 'test', '{}', due_at, now() from new
"""
LOCAL = {"private_networks": ["127.0.0.0/8"], "retry_seconds": [0.05] * 4, "poll": 0.05, "timeout": 3.0}


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal that may write to this machine and tries again soon, to whose webhooks all its past is old."""
    async with opened(city.dsn, webhooks=LOCAL) as running:
        await numbered(running)
        yield running


async def registered(house: House, access: str, url: str) -> tuple[str, str]:
    """Register an address; give its id and its secret."""
    payload = await house.do(REGISTER, access, url=url)
    return payload["webhook"]["id"], payload["secret"]


async def journal(house: House, access: str) -> list[dict[str, Any]]:
    """Give the deliveries of the newest webhook, oldest first."""
    [edge, *_] = (await house.ask(JOURNAL, access)).data["webhooks"]["edges"]
    return [each["node"] for each in reversed(edge["node"]["deliveries"]["edges"])]


async def until_status(house: House, access: str, status: str, seconds: float = 15) -> list[dict[str, Any]]:
    """Wait until every delivery stands so."""
    async with asyncio.timeout(seconds):
        while True:
            rows = await journal(house, access)
            if rows and {row["status"] for row in rows} == {status}:
                return rows
            await asyncio.sleep(0.05)


async def test_each_step_is_told_signed_and_in_order(house: House) -> None:
    access, agent = await partner(house), await house.agent()
    _, family = await house.member()
    async with receiving() as receiver:
        _, secret = await registered(house, access, receiver.url)
        procedure = await house.submitted(family)
        await house.do(TAKE, agent, procedure=procedure)
        await house.do(ACCEPT, agent, procedure=procedure)
        requests = await receiver.until(3)
        assert all(verified(secret, each.headers, each.body) for each in requests)
        assert not verified(secret, requests[0].headers, requests[0].body + b" ")
        told = [each.message for each in requests]
        assert [each["data"]["toStatus"] for each in told] == ["SUBMITTED", "IN_REVIEW", "ACCEPTED"]
        assert {each["type"] for each in told} == {"procedure.moved"}
        assert "Bienvenue" not in str(told), "what an agent says to a family is not told to partners"
        rows = await until_status(house, access, "DELIVERED")
        assert [row["body"].encode() for row in rows] == [each.body for each in requests]
        assert [row["messageId"] for row in rows] == [each.headers["webhook-id"] for each in requests]


async def test_a_failing_receiver_gets_the_same_message_again_before_any_other(house: House) -> None:
    access, agent = await partner(house), await house.agent()
    _, family = await house.member()
    answers = [web.Response(status=status, text="non") for status in (500, 404, 429)]
    async with receiving(lambda _: answers.pop(0) if answers else None) as receiver:
        await registered(house, access, receiver.url)
        procedure = await house.submitted(family)
        await house.do(TAKE, agent, procedure=procedure)
        requests = await receiver.until(5)
        ids = [each.headers["webhook-id"] for each in requests]
        assert ids[0] == ids[1] == ids[2] == ids[3] != ids[4]
        first, second = await until_status(house, access, "DELIVERED")
        assert (first["attempts"], second["attempts"]) == (4, 1)
        tries = [edge["node"] for edge in first["tries"]["edges"]]
        assert [each["statusCode"] for each in tries] == [500, 404, 429, 204] and tries[0]["answer"] == "non"


async def test_after_its_last_attempt_a_webhook_is_disabled_with_notice_and_goes_on_when_mended(house: House) -> None:
    access, agent = await partner(house), await house.agent()
    _, family = await house.member()
    broken = True
    async with receiving(lambda _: web.Response(status=500) if broken else None) as receiver:
        identity, secret = await registered(house, access, receiver.url)
        procedure = await house.submitted(family)
        await receiver.until(5)
        text = await house.mail_to("api@observatoire.example", "désactivé")
        assert receiver.url in text
        tasks = "{ partnerTasks(done: false) { edges { node { kind partner { name } } } } }"
        found = (await house.ask(tasks, await admin(house))).data["partnerTasks"]["edges"]
        assert [edge["node"]["kind"] for edge in found] == ["WEBHOOK_DISABLED"]
        assert await house.problems(TEST, access, id=identity) == ["WEBHOOK_DISABLED"]
        await house.do(TAKE, agent, procedure=procedure)
        await numbered(house)
        await asyncio.sleep(0.4)
        assert len(receiver.received) == 5, "nothing more is sent"
        broken = False
        await house.do(ENABLE, access, id=identity)
        [failed] = await journal(house, access)
        assert failed["status"] == "FAILED"
        assert (await house.do(REPLAY, access, id=identity, delivery=failed["id"]))["ordered"] == 1
        requests = await receiver.until(6)
        assert requests[5].headers["webhook-id"] == requests[0].headers["webhook-id"]
        assert requests[5].body == requests[0].body and verified(secret, requests[5].headers, requests[5].body)


async def test_a_receiver_that_is_gone_is_disabled_at_once(house: House) -> None:
    access = await partner(house)
    async with receiving(lambda _: web.Response(status=410)) as receiver:
        identity, _ = await registered(house, access, receiver.url)
        await house.do(TEST, access, id=identity)
        async with asyncio.timeout(10):
            while not (found := (await house.ask(JOURNAL, access)).data["webhooks"]["edges"])[0]["node"][
                "disabledBecause"
            ]:
                await asyncio.sleep(0.05)
        assert found[0]["node"]["disabledBecause"] == "GONE" and len(receiver.received) == 1


async def test_a_test_call_and_a_replay_of_all_keep_their_ids_and_order(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:
        identity, _ = await registered(house, access, receiver.url)
        for _ in range(3):
            await house.do(TEST, access, id=identity)
        await receiver.until(3)
        await until_status(house, access, "DELIVERED")
        since = (house.clock() - timedelta(hours=1)).isoformat()
        assert (await house.do(REPLAY, access, id=identity, since=since))["ordered"] == 3
        requests = await receiver.until(6)
        ids = [each.headers["webhook-id"] for each in requests]
        assert ids[:3] == ids[3:] and len(set(ids)) == 3
        assert [each.body for each in requests[:3]] == [each.body for each in requests[3:]]
        assert await house.problems(REPLAY, access, id=identity) == ["BAD_USER_INPUT"]


async def test_redirects_slow_answers_and_large_ones_do_not_count_or_are_cut(house: House) -> None:
    access = await partner(house)
    asked: list[str] = []

    async def answer(received: Received) -> web.StreamResponse:
        asked.append(received.headers["webhook-id"])
        if len(asked) == 1:
            return web.Response(status=307, headers={"Location": "/ailleurs"})
        if len(asked) == 2:
            await asyncio.sleep(5)
        return web.Response(body=b"x" * 3_000_000)

    async with receiving(answer) as receiver:
        identity, _ = await registered(house, access, receiver.url)
        await house.do(TEST, access, id=identity)
        [row] = await until_status(house, access, "DELIVERED")
        tries = [edge["node"] for edge in row["tries"]["edges"]]
        assert [each["problem"] for each in tries] == ["redirected", "no answer in time", None]
        assert len(tries[-1]["answer"]) <= 1000 and len(receiver.received) == 3


async def test_a_revoked_partner_is_told_nothing_more(house: House) -> None:
    identity, client, secret = await made(house)
    access = (await token(house, {}, (client, secret))).access
    _, family = await house.member()
    async with receiving() as receiver:
        await registered(house, access, receiver.url)
        await house.do(
            "mutation ($id: ID!) { revokePartner(partner: $id) { problems { code } } }", await admin(house), id=identity
        )
        await house.submitted(family)
        await numbered(house)
        await asyncio.sleep(0.5)
        assert receiver.received == []


async def test_a_webhook_is_the_partners_own(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:
        identity, _ = await registered(house, access, receiver.url)
        _, client, secret = await made(house)
        stranger = (await token(house, {}, (client, secret))).access
        before = await house.connection.fetch("select * from webhook")
        for command, more in ((TEST, {}), (DISABLE, {}), (ENABLE, {}), (REPLAY, {"since": house.clock().isoformat()})):
            assert await house.problems(command, stranger, id=identity, **more) == ["NOT_FOUND"]
        assert (await house.ask(JOURNAL, stranger)).data["webhooks"]["edges"] == []
        assert await house.connection.fetch("select * from webhook") == before and receiver.received == []
        assert (await house.ask(REGISTER, await house.agent(), url=receiver.url)).codes == ["FORBIDDEN"]
        stored = await house.connection.fetchval("select url || encode(sealed_secret, 'escape') from webhook")
        assert "whsec_" not in stored, "secrets are sealed where they lie"


async def test_a_partner_has_so_many_webhooks_and_no_more(house: House) -> None:
    access = await partner(house)
    for n in range(5):
        await registered(house, access, f"http://127.0.0.1:9/{n}")
    assert await house.problems(REGISTER, access, url="http://127.0.0.1:9/x") == ["TOO_MANY_WEBHOOKS"]
    assert await house.connection.fetchval("select count(*) from webhook") == 5


async def test_the_journal_is_forgotten_after_seven_days(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:
        identity, _ = await registered(house, access, receiver.url)
        await house.do(TEST, access, id=identity)
        await until_status(house, access, "DELIVERED")
        house.clock.ahead = timedelta(days=7, hours=1)
        await run_due(house, "watch_partner_expiry")
        assert await house.connection.fetchval("select count(*) from webhook_delivery") == 0
        assert await house.connection.fetchval("select count(*) from webhook_attempt") == 0


INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1",
    "2002:7f00:1::", "2002:0a00:0001::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2001:0:0:0:0:0:80ff:fffe", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_outside_however_it_is_written(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "2606:4700:4700::1111", "::ffff:9.9.9.9", "64:ff9b::909:909"])
def test_public_addresses_are_outside(address: str) -> None:
    assert is_outside(address)


REFUSED_URLS = [
    "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://127.0.0.1/", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://2130706433/",
    "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://user:secret@example.org/", "https://user@example.org/",
    "https://example.org/#x", "https:///x", "https://", "x", "https://example.org:0/", "https://exa mple.org/",
    "https://example.org\\@127.0.0.1/", "https://example.org/\r\nX: y", "https://éxample.org/", "https://127.0.0.1\t.nip.io/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_an_address_that_could_lead_inside_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked_url(url, https=True)


async def test_a_refused_address_is_not_registered(city: Database) -> None:
    async with opened(city.dsn, server={"port": 0, "production": True}, agents={"second_factor": "optional"}) as house:
        access = await partner(house)
        for url in ("http://example.org/", "https://127.0.0.1/", "https://user:x@example.org/"):
            assert await house.problems(REGISTER, access, url=url) == ["WEBHOOK_URL_REFUSED"]
        assert await house.connection.fetchval("select count(*) from webhook") == 0


class Rebinding(AbstractResolver):
    """A name server that answers first with one address, then with another."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the next answer."""
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


def post(resolver: AbstractResolver, *allowed: str) -> Post:
    """Make a sender that looks names up here."""
    return Post(allowed=allowed, https=False, seconds=5.0, answer_bytes=100, resolver=resolver)


async def test_a_name_that_leads_inside_gets_nothing(house: House) -> None:
    async with receiving() as receiver:
        for answers in (["127.0.0.1"], ["9.9.9.9", "127.0.0.1"], ["169.254.169.254"]):
            sender = post(Rebinding(answers))
            with pytest.raises(Refused):
                await sender.send(f"http://crochet.example:{receiver.port}/", b"{}", {})
            await sender.close()
        assert receiver.received == []


async def test_a_name_is_looked_up_once_and_connected_to_what_was_found() -> None:
    """The first answer is allowed; the second, which a second look-up would get, leads to a trap."""
    async with receiving() as receiver, receiving() as trap:
        resolver = Rebinding(["127.0.0.1"], ["127.0.0.2"])
        sender = post(resolver, "127.0.0.1/32")
        answer = await sender.send(f"http://crochet.example:{receiver.port}/", b"{}", {})
        assert answer.status == 204 and resolver.asked == 1
        assert receiver.received[0].headers["Host"] == f"crochet.example:{receiver.port}"
        with pytest.raises(Refused):  # bound anew: it leads elsewhere inside now
            await sender.send(f"http://crochet.example:{trap.port}/", b"{}", {})
        await sender.close()
        assert trap.received == []


def test_thirteen_retries_take_about_a_day() -> None:
    from db.settings import Webhooks

    waits = Webhooks().retry_seconds
    totals = [sum(pause(waits, number, None) for number in range(1, 14)) / 3600 for _ in range(200)]
    assert len(waits) == 13 and min(totals) > 17 and max(totals) < 27 and max(totals) - min(totals) > 0.5
    assert pause(waits, 1, 600) == 600 and pause(waits, 1, 1e9) == max(waits)


async def test_receivers_that_hang_do_not_hold_up_another_partners(city: Database) -> None:
    """Sixty addresses that never answer, ten places: half of them stay free for those that do."""
    async with opened(
        city.dsn, webhooks={**LOCAL, "at_once": 10, "timeout": 2.0, "retry_seconds": [0.05] * 200}
    ) as house:
        await numbered(house)
        access = await partner(house)

        async def hang(_: Received) -> None:
            await asyncio.sleep(30)

        async with receiving(lambda received: hang(received)) as slow, receiving() as quick:
            await registered(house, access, quick.url)
            await house.connection.execute(
                """insert into webhook (partner_id, id, url, sealed_secret, created_at, slow)
                   select partner_id, gen_random_uuid(), $1, sealed_secret, created_at, true
                   from webhook, generate_series(1, 60)""",
                slow.url,
            )
            _, family = await house.member()
            for _ in range(3):
                await house.submitted(family)
            async with asyncio.timeout(8):
                await quick.until(3)
            assert len(slow.received) <= 30, "they wait for their part of the places"


async def test_receivers_that_nobody_knew_as_slow_do_not_hold_up_another_partners_for_long(city: Database) -> None:
    """Twenty new addresses hang for ten seconds at ten places, ahead of one that answers: their places are given on."""
    async with opened(city.dsn, webhooks={**LOCAL, "at_once": 10, "timeout": 10.0}) as house:
        await numbered(house)
        access = await partner(house)

        async def hang(_: Received) -> None:
            await asyncio.sleep(30)

        async with receiving(lambda received: hang(received)) as slow, receiving() as quick:
            webhook, _ = await registered(house, access, quick.url)
            await house.connection.execute(HANGING, slow.url)
            await house.do(TEST, access, id=webhook)
            await quick.until(1, seconds=14)
            assert 10 <= len(slow.received) <= 20, "each hangs in its first attempt still"
