"""The command `check`: one line for each thing, and the one that is wrong is named."""

import base64
import io

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console

from db.settings import Agents, Secrets, Server, Settings
from gateway.checks import checked
from gateway.demo.peers import Peers
from tests.house import House
from tests.town import Town


async def said(settings: Settings) -> tuple[str, bool]:
    """Give what the command says, and whether it ends well."""
    out = io.StringIO()
    try:
        await checked(settings, Console(file=out, width=200))
    except SystemExit as end:
        assert end.code == 1
        return out.getvalue(), False
    return out.getvalue(), True


async def test_a_portal_that_runs_has_everything(town: Town) -> None:
    text, good = await said(town.house.settings)
    assert good and text.count("ok  ") == len(text.splitlines()) == 16
    assert "up to date" in text and "1, the one that signs" in text and "1 keys" in text
    assert town.provider.issuer in text


async def test_a_provider_that_does_not_answer_is_named(town: Town) -> None:
    await town.provider.stop()
    text, good = await said(town.house.settings)
    assert not good and f"FAIL sign-in provider: {town.provider.issuer} cannot be used" in text


async def test_another_master_key_than_the_databases_is_found(house: House) -> None:
    other = Secrets(master_key=base64.b64encode(b"x" * 32).decode())
    text, good = await said(msgspec.structs.replace(house.settings, secrets=other))
    assert not good and "FAIL signing keys: sealed with another master key" in text


@pytest.mark.parametrize(
    ("second_factor", "line"),
    [("default", "ok   agents: a second factor is required"), ("optional", "look agents: no second factor")],
)
async def test_agents_by_password_alone_are_pointed_at_in_production(
    house: House, second_factor: str, line: str
) -> None:
    agents = msgspec.convert({"second_factor": second_factor}, Agents)
    settings = msgspec.structs.replace(house.settings, server=Server(production=True), agents=agents)
    text, good = await said(settings)
    assert good and line in text


async def test_bounces_and_the_seal_have_their_lines(house: House) -> None:
    def with_mail(**mail: str) -> Settings:
        return msgspec.structs.replace(
            house.settings,
            server=Server(production=True),
            agents=msgspec.convert({"second_factor": "default"}, Agents),
            mail=msgspec.structs.replace(house.settings.mail, sender="kiosque@ville.example", **mail),
        )

    text, good = await said(with_mail())
    assert good and "look bounces: none are taken" in text and "ok   seal on e-mails (DKIM): none of ours" in text
    text, good = await said(with_mail(bounces="retours@ville.example", bounce_secret="x" * 20, dkim_key="no key"))
    assert not good and "ok   bounces: to retours@ville.example, and what the relay reports" in text
    assert "FAIL seal on e-mails (DKIM): mail.dkim_key is no RSA private key" in text and "x" * 20 not in text
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    text, good = await said(with_mail(dkim_key=pem))
    assert good and "its public half belongs at kiosque._domainkey.ville.example" in text


async def test_each_provider_of_messages_has_its_line(house: House) -> None:
    peers = Peers()
    await peers.start()
    settings = peers.settings(house.settings)
    text, good = await said(settings)
    assert good
    for line in ("text messages by ovh: 1000 credits left", "text messages by http: status 405", "by smpp: bound"):
        assert line in text
    assert "mobile push: project kiosque-demo" in text and "web push: 5 push services" in text
    assert peers.phones.count == peers.fcm.count == peers.smsc.count == 0
    await peers.stop()
    text, good = await said(settings)
    assert not good and text.count("cannot be used") == 4
