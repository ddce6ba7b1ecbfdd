"""Each channel with the peer that it speaks to in tests, all behind one face."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from db.keys import Keys
from db.settings_base import Section
from db.settings_channels import Fcm as FcmSettings
from db.settings_channels import Ovh, Push, Smpp, Sms, SmsHttp
from db.web_push import public_text, vapid_key
from gateway.demo import phones
from gateway.demo.fcm import Fcm, error
from gateway.demo.peer import Got, Kind, Peer
from gateway.demo.phones import Phones
from gateway.demo.smsc import BAD_NUMBER, Smsc
from gateway.demo.web_push import PushService
from tests.notifications.house import MASTER_KEY, Family, House

PHONE = "+33639980001"
SECRET = "receipts-secret"
TIMEOUT = 1.0
APP = "registration-token-of-an-app"


class AnyPeer(Protocol):
    """What all peers have in common."""

    count: int

    def to(self, address: str, /) -> list[Got]:
        """Give the messages to one address, oldest first."""

    async def wait_for(self, enough: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until `enough()` is true."""


@dataclass
class Peered:
    """One channel and its peer."""

    channel: str
    peer: AnyPeer
    sections: Mapping[str, Section]
    address: str
    to: str
    """What the peer calls the address."""

    temporarily: Callable[[int], None]
    """Let the peer refuse so many times for now."""

    permanently: Callable[[], None]
    """Let the peer refuse for good."""

    treat: Callable[[Kind], None]
    """Let the peer misbehave once."""

    target: Mapping[str, Any] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The same settings, for the program."""
        return variables(self.sections)

    async def family(self, house: House) -> Family:
        """Make a family that prefers this channel and falls back on its inbox."""
        family = await house.make_family(channels=(self.channel, "IN_APP"))
        await house.add_address(family, self.channel, self.address, self.target)
        return family


def variables(sections: Mapping[str, Section]) -> dict[str, str]:
    """Write sections as environment variables."""
    given = (
        (name, key, getattr(section, key)) for name, section in sections.items() for key in section.__struct_fields__
    )
    return {f"KIOSQUE_{name.upper()}__{key.upper()}": _text(value) for name, key, value in given if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def sms_sections(peer: Phones, *providers: str, **sms: Any) -> dict[str, Section]:
    """Give settings that send to the catcher of text messages."""
    return {
        "sms": Sms(providers=providers, callback_secret=SECRET, **sms),  # type: ignore[arg-type]
        "ovh": Ovh(
            url=f"{peer.url}/ovh",
            service=phones.SERVICE,
            application_key=phones.KEY,
            application_secret=phones.SECRET,
            consumer_key=phones.CONSUMER,
            timeout=TIMEOUT,
            rate=1000.0,
        ),
        "sms_http": SmsHttp(url=f"{peer.url}/sms", token=phones.TOKEN, timeout=TIMEOUT, rate=1000.0),
    }


def _json(status: int, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.json_response({"error": "as told"}, status=status, headers=headers)


def invalid_receiver() -> web.Response:
    """Answer as OVHcloud does for a number that does not exist."""
    return web.json_response({"ids": [], "validReceivers": [], "invalidReceivers": [PHONE], "totalCreditsRemoved": 0})


def over_http(
    channel: str,
    peer: Peer,
    sections: Mapping[str, Section],
    address: str,
    to: str,
    answers: tuple[Callable[[], web.Response], Callable[[], web.Response]],
    target: Mapping[str, Any] | None = None,
) -> Peered:
    """Put together a channel over HTTP; `answers` are the peer's temporary and its permanent fault."""
    return Peered(
        channel,
        peer,
        sections,
        address,
        to,
        lambda times: peer.treat(to, "answer", times=times, answer=answers[0]),
        lambda: peer.treat(to, "answer", answer=answers[1]),
        lambda kind: peer.treat(to, kind, times=1),
        target,
    )


@asynccontextmanager
async def peered(name: str) -> AsyncIterator[Peered]:
    """Run the peer of `ovh`, `http`, `smpp`, `web_push` or `mobile_push`."""
    peer: Phones | Smsc | PushService | Fcm
    if name in ("ovh", "http"):
        peer = Phones(keep=100_000)
        await peer.start()
        permanent = invalid_receiver if name == "ovh" else _json(422)
        yield over_http("SMS", peer, sms_sections(peer, name), PHONE, PHONE, (_json(503), permanent))
    elif name == "smpp":
        peer = Smsc(keep=100_000)
        await peer.start()
        yield over_smpp(peer)
    elif name == "web_push":
        peer = PushService(keep=100_000)
        await peer.start()
        target = peer.subscribe("firefox", public_text(vapid_key(Push(), Keys.from_text(MASTER_KEY))))
        push: dict[str, Section] = {"push": Push(hosts=("127.0.0.1",), timeout=TIMEOUT)}
        yield over_http("WEB_PUSH", peer, push, "fingerprint", "firefox", (_json(429), _json(410)), target)
    else:
        peer = Fcm(keep=100_000)
        await peer.start()
        fcm: dict[str, Section] = {
            "fcm": FcmSettings(service_account=peer.service_account, url=peer.url, timeout=TIMEOUT)
        }
        answers = (lambda: error(503, "UNAVAILABLE"), lambda: error(404, "UNREGISTERED"))
        yield over_http("MOBILE_PUSH", peer, fcm, "fingerprint", APP, answers, {"token": APP})
    await peer.stop()


def over_smpp(peer: Smsc) -> Peered:
    """Put together text messages by SMPP."""
    smpp = Smpp(host=peer.host, port=peer.port, tls=False, password=peer.password, timeout=TIMEOUT, rate=1000.0)
    return Peered(
        "SMS",
        peer,
        {"sms": Sms(providers=("smpp",)), "smpp": smpp},
        PHONE,
        PHONE,
        lambda times: peer.treat(PHONE, "answer", times=times),
        lambda: peer.treat(PHONE, "answer", status=BAD_NUMBER),
        lambda kind: peer.treat(PHONE, kind, times=1),
    )
