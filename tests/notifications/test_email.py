"""E-mail on the wire, and what a relay's answers mean."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from aiosmtplib import SMTPDataError, SMTPRecipientRefused, SMTPResponseException, SMTPSenderRefused
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from db.clock import utc_now
from db.ids import uuid7
from db.keys import Keys
from db.settings import City
from db.settings_channels import Mail
from gateway.demo.smtp import Catcher
from notifications.channels import Dead, Delivery, Family, Later, News, UnknownChannel
from notifications.channels.email import Email, refusal, shown
from notifications.channels.letter import Letterhead
from notifications.messages import Message, Messages
from notifications.registry import channels_of
from tests.notifications.house import make_settings

LETTERHEAD = Letterhead("kiosque@ville.example", 'Kiosque "famille"', "accueil@ville.example")
ID = UUID("01a20539-7223-70eb-a155-60f7d6ee8322")


def make_delivery(address: str = "martin@exemple.fr") -> Delivery:
    """Make a delivery of a test message."""
    return Delivery(uuid7(), address, Family(uuid7(), "123456", "Martin", "fr"), News("T", "test", {}, utc_now()))


@asynccontextmanager
async def sending(settings: Mail, tls: ssl.SSLContext | None = None) -> AsyncIterator[Email]:
    """Lend the channel."""
    keys = Keys(bytes(32))
    messages = Messages(City(), "https://portail.example", keys, utc_now)
    channel = Email(settings, City(), messages, keys, utc_now, tls=tls)
    yield channel
    await channel.close()


def mail_to(catcher: Catcher, **settings: str) -> Mail:
    """Give settings for the catcher."""
    return msgspec.structs.replace(Mail(port=catcher.port, starttls="never", timeout=2.0), **settings)


def test_a_letter_reads_back_as_it_was_written() -> None:
    message = Message(
        "Réponse\u00a0: « oui », à propos de l\u2019inscription de Zoé à la cantine", "<p>é</p>", "é\nè\n", "fr"
    )
    raw = LETTERHEAD.write(ID, "martin@exemple.fr", message, datetime(2026, 11, 22, 13, 5, tzinfo=UTC))
    read = message_from_bytes(raw, policy=default)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 120
    assert raw.isascii() and b"\n" not in raw.replace(b"\r\n", b"")
    assert read["Subject"] == message.subject
    assert read["From"].addresses[0].display_name == 'Kiosque "famille"'
    assert (read["To"], read["Reply-To"]) == ("martin@exemple.fr", "accueil@ville.example")
    assert read["Message-ID"] == f"<{ID}@ville.example>"
    assert read["Date"] == "Sun, 22 Nov 2026 13:05:00 +0000"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["List-Id"].endswith("<notifications.ville.example>")
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in read.iter_parts()] == ["é\r\nè\r\n", "<p>é</p>"]


@pytest.mark.parametrize("evil", ["\r\nBcc: x@exemple.fr", "\nBcc: x@exemple.fr", "\x00", "\x85Bcc: x", "\u2028Bcc: x"])
def test_no_header_can_be_smuggled_in(evil: str) -> None:
    raw = LETTERHEAD.write(ID, "martin@exemple.fr", Message(f"Objet{evil}", "", "", "fr"), utc_now())
    assert "Bcc" not in message_from_bytes(raw, policy=default)
    with pytest.raises(ValueError):
        LETTERHEAD.write(ID, f"martin@exemple.fr{evil}", Message("Objet", "", "", "fr"), utc_now())


@pytest.mark.parametrize(
    "address", ["", "martin", "a b@exemple.fr", "<a@exemple.fr>", "a@exemple.fr,b@exemple.fr", "@"]
)
async def test_what_is_no_address_is_dead(catcher: Catcher, address: str) -> None:
    async with sending(mail_to(catcher)) as channel:
        with pytest.raises(Dead) as dead:
            await channel.send(make_delivery(address))
    assert dead.value.retire_address


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (SMTPRecipientRefused(550, "5.1.1 no such user", "a@b.fr"), "retire"),
        (SMTPRecipientRefused(550, "no such user", "a@b.fr"), "retire"),
        (SMTPRecipientRefused(550, "5.4.1 Recipient address rejected", "a@b.fr"), "retire"),
        (SMTPRecipientRefused(552, "5.2.2 mailbox full", "a@b.fr"), "dead"),
        (SMTPRecipientRefused(550, "5.1.8 sender's domain unknown", "a@b.fr"), "fault"),
        (SMTPRecipientRefused(554, "5.7.1 relay access denied", "a@b.fr"), "fault"),
        (SMTPRecipientRefused(530, "5.7.0 authentication required", "a@b.fr"), "fault"),
        (SMTPRecipientRefused(450, "4.2.0 greylisted", "a@b.fr"), "later"),
        (SMTPRecipientRefused(421, "4.3.2 shutting down", "a@b.fr"), "fault"),
        (SMTPSenderRefused(553, "5.1.8 bad sender", "k@b.fr"), "fault"),
        (SMTPDataError(554, "5.7.1 looks like spam"), "fault"),
        (SMTPDataError(550, "5.1.1 user unknown"), "retire"),
        (SMTPDataError(451, "4.3.0 try later"), "fault"),
    ],
)
def test_a_refusal_is_the_address_s_fault_only_when_it_says_so(error: SMTPResponseException, meaning: str) -> None:
    answer = refusal(error)
    if isinstance(answer, Dead):
        assert meaning == ("retire" if answer.retire_address else "dead")
    else:
        assert meaning == ("fault" if answer.channel_at_fault else "later")


def test_what_a_relay_answers_is_kept_without_addresses_and_bounded() -> None:
    assert shown("5.1.1 <martin@exemple.fr> no such\nuser martin@exemple.fr") == "5.1.1 <…> no such user <…>"
    assert len(shown("x" * 5000)) == 200


async def test_a_connection_is_kept_and_replaced_when_the_relay_hung_up(catcher: Catcher) -> None:
    port = catcher.port
    async with sending(mail_to(catcher)) as channel:
        await channel.send(make_delivery())
        await catcher.stop()
        await catcher.start(port=port)
        await channel.send(make_delivery())
        catcher.refuse("mort@exemple.fr", times=1)
        with pytest.raises(Dead):
            await channel.send(make_delivery("mort@exemple.fr"))
        await channel.send(make_delivery())
    assert catcher.count == 3


async def test_a_relay_that_is_away_means_later(catcher: Catcher) -> None:
    settings = mail_to(catcher)
    await catcher.stop()
    async with sending(settings) as channel:
        with pytest.raises(Later) as later:
            await channel.send(make_delivery())
    assert later.value.channel_at_fault


async def test_an_address_beyond_ascii_goes_to_a_relay_that_knows_it(catcher: Catcher) -> None:
    async with sending(mail_to(catcher)) as channel:
        await channel.send(make_delivery("zoé@exemple.fr"))
    assert catcher.to("zoé@exemple.fr")


async def test_starttls_is_used_and_insisted_upon_and_checks_the_certificate(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path)
    secure, plain = Catcher(tls=server), Catcher()
    await secure.start()
    await plain.start()
    async with sending(mail_to(secure, starttls="required"), trusting) as channel:
        await channel.send(make_delivery())
    async with sending(mail_to(secure, starttls="required")) as channel:
        with pytest.raises(Later):
            await channel.send(make_delivery())
    async with sending(mail_to(plain, starttls="required")) as channel:
        with pytest.raises(Later):
            await channel.send(make_delivery())
    assert (secure.count, plain.count) == (1, 0)
    await secure.stop()
    await plain.stop()


def test_an_unknown_channel_is_refused_by_name() -> None:
    with pytest.raises(UnknownChannel, match="'PIGEON'; there are EMAIL, IN_APP"):
        channels_of(make_settings(25), utc_now)["PIGEON"]


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; gives the server's context and that of a client which trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "relay.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
