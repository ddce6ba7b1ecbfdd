"""Webhooks over TLS: the receiver is checked by the name of its address, and may ask who we are."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from db.clock import utc_now
from notifications.post import Post
from tests.test_webhooks import Rebinding

NAME = "crochet.example"


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Both, in PEM."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self.certificate.public_bytes(serialization.Encoding.PEM) + private


def signed(name: str, by: Signed | None = None) -> Signed:
    """Make a certificate for a name; an authority's own when nobody signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
    )
    return Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


AUTHORITY = signed("autorite.example")


@dataclass(slots=True)
class Receiver:
    """What a receiver saw: the name of each handshake, and whose certificate came with each message."""

    host: str = NAME
    port: int = 0
    names: list[str | None] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, by its name."""
        return f"https://{self.host}:{self.port}/crochet"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one message."""
        try:
            await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ssl.SSLError, ConnectionError):
            writer.close()
            return
        peer: Any = writer.get_extra_info("peercert")
        self.shown.append(dict(each[0] for each in peer["subject"])["commonName"] if peer else None)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(folder: Path, name: str, asks: ssl.VerifyMode, host: str = NAME) -> AsyncIterator[Receiver]:
    """Run a receiver with a certificate for a name, which asks for the sender's, or does not."""
    receiver = Receiver(host)
    (folder / "server.pem").write_bytes(signed(name, AUTHORITY).pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "authority.pem")
    context.load_cert_chain(folder / "server.pem")
    context.verify_mode = asks

    def named(_: ssl.SSLObject, wanted: str | None, __: ssl.SSLContext) -> None:
        receiver.names.append(wanted)

    context.sni_callback = named
    server = await asyncio.start_server(receiver.converse, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """Give a sender that trusts the test's authority and finds the name on this machine."""
    file = tmp_path / "authority.pem"
    file.write_bytes(AUTHORITY.certificate.public_bytes(serialization.Encoding.PEM))
    sender = Post(
        allowed=["127.0.0.1/32"],
        https=True,
        seconds=5.0,
        answer_bytes=100,
        resolver=Rebinding(["127.0.0.1"]),
        authorities=file,
    )
    yield sender
    await sender.close()


async def test_the_name_of_the_address_is_asked_for_and_checked(post: Post, tmp_path: Path) -> None:
    async with receiving(tmp_path, NAME, ssl.CERT_NONE) as receiver:
        assert (await post.send(receiver.url, b"{}", {})).status == 204
        assert receiver.names == [NAME]
    for wrong in ("autre.example", "127.0.0.1", f"sous.{NAME}"):
        async with receiving(tmp_path, wrong, ssl.CERT_NONE) as receiver:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await post.send(receiver.url, b"{}", {})
            assert receiver.shown == [], "nothing was sent"


async def test_a_receiver_of_an_unknown_authority_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_bytes(
        signed("autre.example").certificate.public_bytes(serialization.Encoding.PEM)
    )
    async with receiving(tmp_path, NAME, ssl.CERT_NONE) as receiver:
        sender = Post(
            allowed=["127.0.0.1/32"], https=True, seconds=5.0, answer_bytes=100, resolver=Rebinding(["127.0.0.1"])
        )
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await sender.send(receiver.url, b"{}", {})
        await sender.close()
        assert receiver.shown == []


async def test_a_certificate_is_shown_for_its_own_partner_and_for_nobody_else(post: Post, tmp_path: Path) -> None:
    async with receiving(tmp_path, NAME, ssl.CERT_OPTIONAL) as receiver:
        for certificate in (signed("a.example", AUTHORITY).pem, None, signed("b.example", AUTHORITY).pem, None):
            assert (await post.send(receiver.url, b"{}", {}, certificate)).status == 204
        assert receiver.shown == ["a.example", None, "b.example", None]


async def test_a_receiver_that_insists_takes_nothing_without_a_certificate_that_it_knows(
    post: Post, tmp_path: Path
) -> None:
    async with receiving(tmp_path, NAME, ssl.CERT_REQUIRED) as receiver:
        assert (await post.send(receiver.url, b"{}", {}, signed("a.example", AUTHORITY).pem)).status == 204
        for certificate in (None, signed("a.example").pem):
            with pytest.raises((aiohttp.ClientError, OSError)):
                await post.send(receiver.url, b"{}", {}, certificate)
        assert receiver.shown == ["a.example"]
