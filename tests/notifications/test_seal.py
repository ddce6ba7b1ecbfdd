"""The seal of DKIM, and that a mail program's one click is under it."""

from collections.abc import Callable
from typing import Any

import dkim
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from db.clock import utc_now
from db.configuration import SettingsError
from db.ids import uuid7
from db.settings_channels import Mail
from gateway.demo.smtp import Catcher
from notifications.channels import Delivery, Family, News
from notifications.channels.seal import signer
from tests.notifications.test_email import mail_to, sending
from tests.notifications.test_messages import MAINTENANCE

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
RECORD = b"v=DKIM1; k=rsa; p=" + b"".join(PUBLIC.splitlines()[1:-1])
DOMAIN = "ville.example"


def dns(*asked: object, **_: object) -> bytes | None:
    """Answer as the city's name server does."""
    return RECORD if asked[0] == b"2026a._domainkey.ville.example." else None


async def sealed(catcher: Catcher, type: str, **data: Any) -> bytes:
    """Send a message about an invoice and give its bytes as the relay got them."""
    settings = mail_to(catcher, dkim_key=PEM, dkim_selector="2026a", sender=f"kiosque@{DOMAIN}")
    news = News("INVOICE_ISSUED", type, data, utc_now())
    async with sending(settings) as channel:
        await channel.send(Delivery(uuid7(), "martin@exemple.fr", Family(uuid7(), "123456", "Martin", "fr"), news))
    return catcher.to("martin@exemple.fr")[-1].raw


async def test_whoever_asks_the_name_server_finds_the_seal_whole(catcher: Catcher) -> None:
    raw = await sealed(catcher, "test")
    assert dkim.verify(raw, dnsfunc=dns)
    assert b"d=ville.example" in raw and b"s=2026a" in raw


@pytest.mark.parametrize(
    "tamper",
    [
        lambda raw: raw.replace(b"Subject: ", b"Subject: Urgent "),
        lambda raw: raw.replace(b"martin@exemple.fr", b"autre@exemple.fr"),
        lambda raw: raw.replace(b"One-Click", b"Two-Click"),
        lambda raw: raw.replace(b"unsubscribe?token=", b"unsubscribe?token=x"),
        lambda raw: raw.replace(b"-Encoding: base64", b"-Encoding: 7bit"),
    ],
)
async def test_a_message_that_was_changed_shows_it(catcher: Catcher, tamper: Callable[[bytes], bytes]) -> None:
    raw = await sealed(catcher, "maintenance_planned", **MAINTENANCE)
    assert dkim.verify(raw, dnsfunc=dns)
    assert tamper(raw) != raw and not dkim.verify(tamper(raw), dnsfunc=dns)


@pytest.mark.parametrize("key", ["", "not a key", PUBLIC.decode()])
def test_a_key_that_cannot_sign_stops_the_start(key: str) -> None:
    with pytest.raises(SettingsError, match="dkim_key"):
        signer(msgspec.structs.replace(Mail(), dkim_key=key))


def test_without_a_key_nothing_is_touched() -> None:
    assert signer(Mail())(b"From: a\r\n\r\n") == b"From: a\r\n\r\n"
