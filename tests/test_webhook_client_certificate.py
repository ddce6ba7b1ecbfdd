"""Webhooks whose receiver wants to see who sends: from `registerWebhook` over a dispatcher to its handshake."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.conftest import Database
from tests.house import House
from tests.program import apart
from tests.test_partner_feed import numbered
from tests.test_partners import partner
from tests.test_webhook_tls import AUTHORITY, receiving, signed
from tests.test_webhooks import TEST, until_status

REGISTER = """mutation ($url: String!, $certificate: String) { registerWebhook(url: $url, certificate: $certificate) {
    problems { code path } webhook { id showsCertificate } } }"""
OURS = "kiosque.example"
HUNG_UP = "it hung up without an answer; we showed it"
REQUIRED, UNKNOWN = "certificate required", "unknown ca"
"""What a receiver says as it hangs up; it may get lost."""

HERE = "127.0.0.1"


async def ordered(house: House, access: str, url: str, certificate: bytes | None) -> bool:
    """Register an address and order a test message to it; give whether it says that we show a certificate."""
    text = certificate.decode() if certificate else None
    webhook = (await house.do(REGISTER, access, url=url, certificate=text))["webhook"]
    assert (await house.do(TEST, access, id=webhook["id"]))["ordered"] == 1
    return bool(webhook["showsCertificate"])


async def told_why(house: House, access: str, why: tuple[str, ...]) -> None:
    """Wait until the last message is given up; its journal and an e-mail say one of these."""
    [failed] = await until_status(house, access, "FAILED")
    problems = [edge["node"]["problem"] for edge in failed["tries"]["edges"]]
    assert len(problems) == 2 and all(any(words in problem for words in why) for problem in problems), problems
    await house.mail_to("api@observatoire.example", problems[-1])


async def test_a_receiver_that_insists_on_a_certificate_gets_it_or_its_partner_is_told_why_not(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    settings = {"private_networks": "127.0.0.0/8", "retry_seconds": "0.05", "poll": 0.1, "timeout": 10}
    async with (
        apart(city.dsn, tmp_path, **{f"webhooks__{name}": value for name, value in settings.items()}) as portal,
        receiving(tmp_path, HERE, ssl.CERT_REQUIRED, HERE) as receiver,
    ):
        house = portal.house
        await numbered(house)
        access = await partner(house)
        assert await ordered(house, access, receiver.url, signed(OURS, AUTHORITY).pem)
        await until_status(house, access, "DELIVERED")
        assert receiver.shown == [OURS]
        for certificate, why in ((None, (f"{HUNG_UP} no", REQUIRED)), (signed(OURS).pem, (f"{HUNG_UP} a", UNKNOWN))):
            assert await ordered(house, access, receiver.url, certificate) is (certificate is not None)
            await told_why(house, access, why)
        assert receiver.shown == [OURS], "nothing more was taken"
        async with receiving(tmp_path, OURS, ssl.CERT_NONE, HERE) as other:
            await ordered(house, access, other.url, None)
            await told_why(house, access, ("its certificate was refused: IP address mismatch",))
            assert other.shown == []
