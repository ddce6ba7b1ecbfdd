"""Webhooks that are refused, and commands on them that change nothing: each without effect."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from db.clock import utc_now
from tests.house import House
from tests.receiver import receiving
from tests.test_partners import partner
from tests.test_refusals import nobody
from tests.test_webhooks import DISABLE, ENABLE, REPLAY, TEST, registered, until_status
from tests.test_webhooks import house as house

REGISTER = """mutation ($url: String!, $certificate: String) { registerWebhook(url: $url, certificate: $certificate) {
    problems { code path } webhook { showsCertificate } } }"""
URL = "http://127.0.0.1:9"
STATE = """select (select count(*) from audit_entry) as acts, (select count(*) from webhook) as addresses,
    (select count(*) from webhook where disabled_at is null) as working,
    (select count(*) from webhook_delivery where replay) as sent_again"""


def shown(*, of_another_key: bool = False, padding: int = 0) -> str:
    """Make a certificate and its key, or one that is of another certificate, and words that mean nothing ahead."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiosque")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = (other if of_another_key else key).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return "x" * padding + "\n" + (made + private).decode()


async def test_a_certificate_is_registered_with_its_own_key(house: House) -> None:
    made = await house.do(REGISTER, await partner(house), url=URL, certificate=shown())
    assert made["webhook"] == {"showsCertificate": True}


@pytest.mark.parametrize(
    "certificate", [shown(of_another_key=True), shown(padding=20_000), "", "é"], ids=["key", "long", "empty", "letters"]
)
async def test_what_is_no_certificate_with_its_key_is_not_registered(house: House, certificate: str) -> None:
    access = await partner(house)
    before = await house.connection.fetchrow(STATE)
    assert await house.problems(REGISTER, access, url=URL, certificate=certificate) == ["BAD_USER_INPUT"]
    assert await house.connection.fetchrow(STATE) == before


async def test_a_delivery_that_is_not_in_its_journal_is_not_sent_again(house: House) -> None:
    access = await partner(house)
    async with receiving() as receiver:  # what is not taken is tried again, and its address soon given up
        identity, _ = await registered(house, access, receiver.url)
        await house.do(TEST, access, id=identity)
        [delivery] = await until_status(house, access, "DELIVERED")
    other, _ = await registered(house, access, f"{URL}/2")
    before = await house.connection.fetchrow(STATE)
    for webhook, wanted in ((identity, nobody("WebhookDelivery")), (other, delivery["id"])):
        assert await house.problems(REPLAY, access, id=webhook, delivery=wanted) == ["NOT_FOUND"]
    assert await house.connection.fetchrow(STATE) == before


async def test_an_address_is_not_enabled_again_beyond_those_that_a_partner_may_have(house: House) -> None:
    access = await partner(house)
    first, _ = await registered(house, access, f"{URL}/0")
    await house.do(DISABLE, access, id=first)
    [other, *_] = [(await registered(house, access, f"{URL}/{n}"))[0] for n in range(1, 6)]
    before = await house.connection.fetchrow(STATE)
    assert await house.problems(ENABLE, access, id=first) == ["TOO_MANY_WEBHOOKS"]
    assert await house.connection.fetchrow(STATE) == before
    for command in (ENABLE, DISABLE, DISABLE, ENABLE, ENABLE):
        await house.do(command, access, id=other)
    after = await house.connection.fetchrow(STATE)
    assert before is not None and after is not None, "counts are always there"
    assert dict(after) == {**before, "acts": before["acts"] + 2}, "what changed nothing is no act"
