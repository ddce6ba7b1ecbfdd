"""The demonstration's providers of text and push messages, started together and made those of the settings."""

import importlib.util
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from db.settings import Settings
from db.settings_base import Section
from gateway.demo import phones
from gateway.demo.fcm import Fcm
from gateway.demo.peer import Got
from gateway.demo.phones import Phones
from gateway.demo.smsc import Smsc
from gateway.demo.web_push import PushService

SECTIONS = ("sms", "ovh", "sms_http", "smpp", "push", "fcm")
"""What the peers change, and a dispatcher of its own must be told."""


@dataclass(slots=True)
class Peers:
    """All of them; none is reached from outside this machine."""

    phones: Phones = field(default_factory=Phones)
    smsc: Smsc = field(default_factory=lambda: Smsc(receipts=True))
    push: PushService = field(default_factory=PushService)
    fcm: Fcm = field(default_factory=Fcm)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _devices: int = 0

    async def start(self) -> None:
        """Listen on free ports."""
        for peer in (self.phones, self.smsc, self.push, self.fcm):
            await peer.start()

    async def stop(self) -> None:
        """Close all ports."""
        for peer in (self.phones, self.smsc, self.push, self.fcm):
            await peer.stop()

    def answer_to(self, portal: str) -> None:
        """Say where the portal is that wants receipts."""
        self.phones.callback = (portal, self.secret)

    def settings(self, settings: Settings) -> Settings:
        """Give settings whose providers are these; a provider of one's own stays."""
        if settings.sms.providers or settings.fcm.service_account is not None:
            return settings
        smpp = ("smpp",) if importlib.util.find_spec("smpp34") else ()
        changes: Mapping[str, Mapping[str, Any]] = {
            "sms": {"providers": ("ovh", "http", *smpp), "callback_secret": self.secret},
            "ovh": {
                "url": f"{self.phones.url}/ovh",
                "service": phones.SERVICE,
                "application_key": phones.KEY,
                "application_secret": phones.SECRET,
                "consumer_key": phones.CONSUMER,
            },
            "sms_http": {"url": f"{self.phones.url}/sms", "token": phones.TOKEN},
            "smpp": {"host": self.smsc.host, "port": self.smsc.port, "tls": False, "password": self.smsc.password},
            "push": {"hosts": (*settings.push.hosts, self.push.host)},
            "fcm": {"url": self.fcm.url, "service_account": self.fcm.service_account},
        }
        changed = {name: msgspec.structs.replace(getattr(settings, name), **each) for name, each in changes.items()}
        return msgspec.structs.replace(settings, **changed)

    def new_devices(self) -> dict[str, Any]:
        """Make a browser and an app that nobody has: what `registerPush` takes of each."""
        self._devices += 1
        web = self.push.subscribe(f"browser-{self._devices}")
        return {"web": web, "token": f"app-{secrets.token_hex(16)}"}

    def messages(self) -> Iterator[tuple[str, Got]]:
        """Give what came, with the name of the peer that keeps it."""
        for name in ("phones", "smsc", "push", "fcm"):
            for got in getattr(self, name).messages:
                yield name, got


def variables(settings: Settings) -> dict[str, str]:
    """Write the sections that the peers change as variables of a process."""
    sections: list[tuple[str, Section]] = [(name, getattr(settings, name)) for name in SECTIONS]
    given = ((name, key, getattr(section, key)) for name, section in sections for key in section.__struct_fields__)
    return {f"KIOSQUE_{name}__{key}".upper(): _text(value) for name, key, value in given if value not in (None, ())}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)
