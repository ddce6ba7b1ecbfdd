"""Phones and devices of families, from the mutation to the phone and back."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from db.settings import Settings
from gateway.demo.peers import SECTIONS, Peers
from gateway.demo.phones import Phones
from resolvers.phone_numbers import normalised_phone
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import House, opened

PHONE, E164 = "06 12 34 56 78", "+33612345678"
ADDRESS = "problems { code message } address { id channel value label verifiedAt retiredAt retiredReason }"
ADD = f'mutation ($phone: PhoneNumber!) {{ addPhone(phone: $phone, label: "Maman") {{ {ADDRESS} }} }}'
VERIFY = f"mutation ($address: ID!, $code: String!) {{ verifyPhone(address: $address, code: $code) {{ {ADDRESS} }} }}"
REGISTER = (
    f"mutation ($web: WebPushSubscription, $token: String) {{ registerPush(web: $web, token: $token) {{ {ADDRESS} }} }}"
)
REMOVE = f"mutation ($address: ID!) {{ removeAddress(address: $address) {{ {ADDRESS} }} }}"
TEST = """mutation ($address: ID) { sendTestNotification(topic: CITY_INFORMATION, address: $address) {
    problems { code } } }"""
PREFER = """mutation ($channels: [Channel!]!) { setChannelPreferences(topic: CITY_INFORMATION, channels: $channels) {
    problems { code } } }"""
DELIVERIES = """{ viewer { family { deliveries(first: 20) { edges { node {
    channel status provider segments arrivedAt problem address } } } } } }"""
ADDRESSES = "{ viewer { family { addresses { edges { node { channel value retiredReason verifiedAt } } } } } }"
COUNT = "select count(*) from address where channel <> 'EMAIL'"


@dataclass(frozen=True, slots=True)
class Phoned:
    """A portal with phones and devices."""

    house: House
    peers: Peers

    @property
    def phones(self) -> Phones:
        """Give the catcher of text messages."""
        return self.peers.phones

    async def code_to(self, number: str, count: int = 1) -> str:
        """Wait for the latest code sent to a phone."""
        await self.phones.wait_for(lambda: len(self.phones.to(number)) >= count)
        found = re.search(r"\b\d{6}\b", self.phones.to(number)[-1].text)
        assert found is not None
        return found[0]

    async def added(self, token: str, phone: str = PHONE, number: str = E164) -> str:
        """Add and prove a phone; give the id of its address."""
        before = len(self.phones.to(number))
        address: str = (await self.house.do(ADD, token, phone=phone))["address"]["id"]
        await self.house.do(VERIFY, token, address=address, code=await self.code_to(number, before + 1))
        return address

    async def deliveries(self, token: str, channel: str) -> list[dict[str, Any]]:
        """Give the deliveries on one channel, newest first."""
        edges = (await self.house.ask(DELIVERIES, token)).data["viewer"]["family"]["deliveries"]["edges"]
        return [edge["node"] for edge in edges if edge["node"]["channel"] == channel]

    async def until(self, token: str, channel: str, status: str) -> dict[str, Any]:
        """Wait until the newest delivery on a channel has a status."""
        async with asyncio.timeout(10):
            while True:
                found = await self.deliveries(token, channel)
                if found and found[0]["status"] == status:
                    return found[0]
                await asyncio.sleep(0.05)


@pytest.fixture
async def phoned(city: Database) -> AsyncIterator[Phoned]:
    """Give a portal whose providers are the demonstration's."""
    peers = Peers()
    peers.phones.delay = 0.05
    await peers.start()
    known = peers.settings(Settings())
    sections = {name: msgspec.structs.asdict(getattr(known, name)) for name in SECTIONS}
    sections["sms"]["providers"] = ("ovh", "http")
    sections["quiet"] = {"starts": "00:00", "ends": "00:00"}
    async with opened(city.dsn, **sections) as house:
        peers.answer_to(house.url)
        yield Phoned(house, peers)
    await peers.stop()


async def test_a_phone_is_proven_by_its_code_and_then_told_things_with_proof_of_arrival(phoned: Phoned) -> None:
    family, token = await phoned.house.member()
    offered = (await phoned.house.do(ADD, token, phone=PHONE))["address"]
    assert (offered["value"], offered["label"], offered["verifiedAt"]) == (E164, "Maman", None)
    assert await phoned.house.problems(PREFER, token, channels=["SMS"]) == ["CHANNEL_NOT_AVAILABLE"]
    code = await phoned.code_to(E164)
    proven = (await phoned.house.do(VERIFY, token, address=offered["id"], code=f"{code[:3]} {code[3:]}"))["address"]
    assert proven["verifiedAt"] is not None
    assert "désormais" in await phoned.house.mail_to(family.email, "désormais")
    await phoned.house.do(PREFER, token, channels=["SMS", "IN_APP"])
    await phoned.house.do(TEST, token)
    sent = await phoned.until(token, "SMS", "DELIVERED")
    assert (sent["provider"], sent["segments"], sent["address"]) == ("ovh", 1, E164) and sent["arrivedAt"]
    assert phoned.phones.to(E164)[-1].text.startswith("Message d'essai. ")
    assert phoned.phones.refused == []


async def test_no_code_is_stored_or_shown_to_whoever_is_signed_in(phoned: Phoned) -> None:
    family, token = await phoned.house.member()
    await phoned.house.do(ADD, token, phone=PHONE)
    code = await phoned.code_to(E164)
    for table in ("news", "delivery", "phone_challenge", "address", "audit_entry"):
        rows = await phoned.house.connection.fetch(
            f"select t::text as row from {table} t where family_id = $1", family.id
        )
        # Moments hold its digits by chance, behind their seconds.
        assert rows and not any(re.search(rf"(?<!:\d\d\.)\b{code}\b", row["row"]) for row in rows)


async def test_a_wrong_late_used_or_foreign_code_proves_nothing(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    _, other = await phoned.house.member()
    address = (await phoned.house.do(ADD, token, phone=PHONE))["address"]["id"]
    code = await phoned.code_to(E164)
    wrong = str((int(code) + 1) % 1_000_000).rjust(6, "0")
    assert await phoned.house.problems(VERIFY, token, address=address, code=wrong) == ["CODE_NOT_VALID"]
    assert await phoned.house.problems(VERIFY, other, address=address, code=code) == ["NOT_FOUND"]
    await phoned.house.connection.execute("update phone_challenge set expires_at = now() - interval '1 second'")
    assert await phoned.house.problems(VERIFY, token, address=address, code=code) == ["CODE_NOT_VALID"]
    assert await phoned.house.connection.fetchval("select verified_at from address where channel = 'SMS'") is None
    await phoned.house.connection.execute("delete from throttle")
    await phoned.house.do(ADD, token, phone=PHONE)
    code = await phoned.code_to(E164, 2)
    await phoned.house.do(VERIFY, token, address=address, code=code)
    assert await phoned.house.problems(VERIFY, token, address=address, code=code) == ["CODE_NOT_VALID"]


async def test_guesses_at_a_code_and_codes_to_a_phone_are_throttled(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    address = (await phoned.house.do(ADD, token, phone=PHONE))["address"]["id"]
    codes = [await phoned.house.problems(VERIFY, token, address=address, code="x") for _ in range(6)]
    assert codes[:4] == [["CODE_NOT_VALID"]] * 4 and codes[5] == ["THROTTLED"]
    assert await phoned.house.problems(ADD, token, phone=PHONE) == ["THROTTLED"]
    _, other = await phoned.house.member()
    assert await phoned.house.problems(ADD, other, phone=PHONE) == ["THROTTLED"]
    await phoned.code_to(E164)
    assert len(phoned.phones.to(E164)) == 1


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0612345678", "+33612345678"), ("+33 6 12 34 56 78", "+33612345678"), ("0033612345678", "+33612345678"),
        ("0690 00 12 34", "+590690001234"), ("0692 00 12 34", "+262692001234"), ("0694 20 12 34", "+594694201234"),
        ("0696 20 12 34", "+596696201234"), ("0639 01 23 45", "+262639012345"), ("+687 75 12 34", "+687751234"),
        ("+689 87 12 34 56", "+68987123456"),
    ],
)  # fmt: skip
def test_numbers_of_france_and_its_overseas_parts_are_understood(given: str, stored: str) -> None:
    assert normalised_phone(given, Settings().sms.countries) == stored


@pytest.mark.parametrize(
    "given",
    ["", "36 30", "0899 70 12 34", "0892 70 12 34", "0806 00 12 34", "05 57 00 00 10", "+32 470 12 34 56", "118 218",
     "+33 6 12 34 56 78 ext. 5", "06", "+336399800011234", "x" * 500, "+882 16 1234 5678", "112"],
)  # fmt: skip
async def test_premium_short_foreign_and_landline_numbers_are_refused(given: str) -> None:
    with pytest.raises(ValueError):
        normalised_phone(given, Settings().sms.countries)


async def test_a_number_that_is_refused_is_sent_nothing(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    assert await phoned.house.problems(ADD, token, phone="0899 70 12 34") == ["PHONE_NOT_VALID"]
    assert await phoned.house.connection.fetchval(f"{COUNT} and value like '+33899%'") == 0
    assert not phoned.phones.messages


async def test_a_text_message_stop_silences_the_phone_and_the_next_channel_tells(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    await phoned.added(token)
    await phoned.house.do(PREFER, token, channels=["SMS", "EMAIL"])
    assert await phoned.phones.reply(E164, "Bonjour, qui est-ce ?") == 204
    assert await phoned.phones.reply(E164, " Arrêt, merci", provider="ovh") == 204
    edges = (await phoned.house.ask(ADDRESSES, token)).data["viewer"]["family"]["addresses"]["edges"]
    assert [edge["node"]["retiredReason"] for edge in edges if edge["node"]["channel"] == "SMS"] == ["STOPPED"]
    before = len(phoned.phones.to(E164))
    await phoned.house.do(TEST, token)
    await phoned.until(token, "EMAIL", "SENT")
    assert len(phoned.phones.to(E164)) == before
    acts = await phoned.house.connection.fetch("select act from audit_entry")
    assert "phone_stopped" in {row["act"] for row in acts}


async def test_the_family_is_told_by_its_other_ways_that_a_phone_said_stop(phoned: Phoned) -> None:
    family, token = await phoned.house.member()
    await phoned.added(token)
    assert await phoned.phones.reply(E164, "STOP") == 204
    await run_due(phoned.house, "tell_unreachable")
    mail = await phoned.house.mail_to(family.email, "a répondu STOP")
    assert E164 not in mail
    assert await phoned.house.connection.fetchval("select count(*) from agent_task") == 0


async def test_hooks_without_the_secret_do_nothing(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    await phoned.added(token)
    phoned.peers.phones.callback = (phoned.house.url, "wrong")
    assert await phoned.phones.reply(E164, "STOP") == 401
    assert await phoned.phones.reply(E164, "STOP", provider="ovh") == 401
    assert await phoned.phones.send_receipt(phoned.phones.messages[-1]) == 401
    phoned.peers.answer_to(phoned.house.url)
    phoned.phones._clock = lambda: phoned.house.clock() - timedelta(minutes=6)
    assert await phoned.phones.reply(E164, "STOP") == 401
    assert await phoned.house.connection.fetchval(f"{COUNT} and retired_reason = 'STOPPED'") == 0


async def test_a_failed_receipt_sends_the_news_by_the_next_channel(phoned: Phoned) -> None:
    family, token = await phoned.house.member()
    await phoned.added(token)
    await phoned.house.do(PREFER, token, channels=["SMS", "EMAIL"])
    phoned.phones.callback = None
    await phoned.house.do(TEST, token)
    await phoned.until(token, "SMS", "SENT")
    phoned.peers.answer_to(phoned.house.url)
    assert await phoned.phones.send_receipt(phoned.phones.to(E164)[-1], "FAILED") == 204
    assert (await phoned.until(token, "SMS", "FAILED"))["problem"] == "NOT_DELIVERED"
    assert await phoned.house.mail_to(family.email, "essai")


async def test_a_browser_and_an_app_are_told_things_and_retired_when_they_are_gone(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    key = (await phoned.house.ask("{ webPush { publicKey } }")).data["webPush"]["publicKey"]
    async with phoned.house.http.get(f"{phoned.house.url}/.well-known/web-push-key") as response:
        assert (await response.json())["publicKey"] == key
    web = phoned.peers.push.subscribe("firefox", key)
    browser = (await phoned.house.do(REGISTER, token, web=web))["address"]
    app = (await phoned.house.do(REGISTER, token, token="app-" + "x" * 30))["address"]
    assert web["endpoint"] not in browser["value"] and "xxx" not in app["value"]
    for address, peer in ((browser, phoned.peers.push), (app, phoned.peers.fcm)):
        await phoned.house.do(TEST, token, address=address["id"])
        await phoned.until(token, address["channel"], "SENT")
        assert [got.text for got in peer.messages] == ["Message d’essai"]
    assert phoned.peers.push.messages[0].details["url"].startswith("http")
    assert phoned.peers.push.messages[0].details["topic"] == phoned.peers.push.messages[0].reference.replace("-", "")
    phoned.peers.push.unsubscribe("firefox")
    await phoned.house.do(TEST, token, address=browser["id"])
    await phoned.until(token, "WEB_PUSH", "FAILED")
    assert await phoned.house.problems(TEST, token, address=browser["id"]) == ["NOT_FOUND"]
    assert phoned.peers.push.refused == phoned.peers.fcm.refused == []


@pytest.mark.parametrize(
    "endpoint",
    ["https://evil.example/push", "http://fcm.googleapis.com/x", "https://fcm.googleapis.com.evil.example/x",
     "https://user@fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x", "https://169.254.169.254/", "file:///etc",
     "https://evilfcm.googleapis.com.", "https://fcm.googleapis.com/\n", "http://127.0.0.2/x", "https://fcm.googleapis.com:x/"],
)  # fmt: skip
async def test_only_push_services_on_the_list_are_ever_spoken_to(phoned: Phoned, endpoint: str) -> None:
    _, token = await phoned.house.member()
    web = {**phoned.peers.push.subscribe("x"), "endpoint": endpoint}
    if endpoint != "https://evilfcm.googleapis.com.":
        assert await phoned.house.problems(REGISTER, token, web=web) == ["PUSH_NOT_VALID"]
        assert await phoned.house.connection.fetchval(f"{COUNT} and channel = 'WEB_PUSH'") == 0


async def test_what_is_no_key_of_a_browser_is_refused(phoned: Phoned) -> None:
    _, token = await phoned.house.member()
    good = phoned.peers.push.subscribe("x")
    for spoilt in ({"p256dh": "AAAA"}, {"p256dh": "B" + "A" * 86}, {"auth": "AAAA"}, {"auth": "€"}, {"p256dh": ""}):
        assert await phoned.house.problems(REGISTER, token, web={**good, **spoilt}) == ["PUSH_NOT_VALID"]
    assert await phoned.house.problems(REGISTER, token, token="short") == ["PUSH_NOT_VALID"]
    assert await phoned.house.problems(REGISTER, token) == ["BAD_USER_INPUT"]
    assert await phoned.house.connection.fetchval(f"{COUNT} and channel like '%PUSH'") == 0


async def test_a_shared_device_tells_only_the_family_that_registered_last(phoned: Phoned) -> None:
    _, first = await phoned.house.member()
    _, second = await phoned.house.member()
    web = phoned.peers.push.subscribe("shared")
    address = (await phoned.house.do(REGISTER, first, web=web))["address"]["id"]
    await phoned.house.do(REGISTER, second, web=web)
    assert await phoned.house.problems(TEST, first, address=address) == ["NOT_FOUND"]
    row = await phoned.house.connection.fetchrow("select * from address where retired_reason = 'TAKEN'")
    assert row is not None and row["target"] is None


async def test_a_removed_phone_is_told_no_more_and_may_come_back_by_a_new_code(phoned: Phoned) -> None:
    family, token = await phoned.house.member()
    _, stranger = await phoned.house.member()
    address = await phoned.added(token)
    assert await phoned.house.problems(REMOVE, stranger, address=address) == ["NOT_FOUND"]
    for _ in range(2):
        removed = (await phoned.house.do(REMOVE, token, address=address))["address"]
    assert removed["retiredReason"] == "REMOVED"
    assert await phoned.house.problems(TEST, token, address=address) == ["NOT_FOUND"]
    own = await phoned.house.ask("{ viewer { family { addresses { edges { node { id channel } } } } } }", token)
    nodes = [edge["node"] for edge in own.data["viewer"]["family"]["addresses"]["edges"]]
    mail = next(node["id"] for node in nodes if node["channel"] == "EMAIL")
    assert await phoned.house.problems(REMOVE, token, address=mail) == ["ADDRESS_IN_USE"]
    assert (
        await phoned.house.connection.fetchval(
            "select retired_at from address where channel = 'EMAIL' and family_id = $1", family.id
        )
        is None
    )
    await phoned.house.connection.execute("delete from throttle")
    assert await phoned.added(token) == address


async def test_without_a_provider_no_phone_and_no_app_can_be_added(house: House) -> None:
    _, token = await house.member()
    before = await house.connection.fetchval(COUNT)
    assert await house.problems(ADD, token, phone=PHONE) == ["CHANNEL_NOT_OFFERED"]
    assert await house.problems(REGISTER, token, token="x" * 30) == ["CHANNEL_NOT_OFFERED"]
    assert await house.connection.fetchval(COUNT) == before


@pytest.mark.parametrize("label", ["x" * 201, "Ma\tman"])
async def test_a_label_that_no_list_can_show_is_refused(phoned: Phoned, label: str) -> None:
    family, token = await phoned.house.member()
    add = ADD.replace("$phone: PhoneNumber!", "$phone: PhoneNumber!, $label: String").replace('"Maman"', "$label")
    assert await phoned.house.problems(add, token, phone=PHONE, label=label) == ["BAD_USER_INPUT"]
    known = "select count(*) from address where family_id = $1 and channel = 'SMS'"
    assert await phoned.house.connection.fetchval(known, family.id) == 0


async def test_where_push_is_not_offered_no_browser_is_added(city: Database) -> None:
    async with opened(city.dsn, push={"enabled": False}) as house:
        _, token = await house.member()
        before = await house.connection.fetchval(COUNT)
        web = {"endpoint": "https://updates.push.services.mozilla.com/x", "p256dh": "x", "auth": "x"}
        assert await house.problems(REGISTER, token, web=web) == ["CHANNEL_NOT_OFFERED"]
        assert await house.connection.fetchval(COUNT) == before
