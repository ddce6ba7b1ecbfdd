"""Text messages by OVHcloud's API (`POST /sms/{service}/jobs`)."""

import hashlib
from typing import Any

import msgspec

from db.clock import Clock
from db.configuration import SettingsError
from db.settings_channels import Ovh as Settings
from notifications.channels import Dead, Later
from notifications.channels.http import Answer, Http, Unsure
from notifications.channels.sms_provider import Text


class Ovh:
    """One service of one account. Its receipts come to `/sms/ovh/receipt`."""

    name = "ovh"

    def __init__(self, settings: Settings, clock: Clock, *, receipts: bool) -> None:
        """Raises SettingsError when a key is missing."""
        if not (settings.service and settings.application_key):
            raise SettingsError("ovh.service and ovh.application_key are needed: ovh is among sms.providers.")
        if settings.application_secret is None or settings.consumer_key is None:
            raise SettingsError("ovh.application_secret and ovh.consumer_key are needed: ovh is among sms.providers.")
        self.patience, self.limit, self.rate = settings.timeout, settings.connections, settings.rate
        self.receipts = receipts
        self._settings = settings
        self._secret, self._consumer = settings.application_secret, settings.consumer_key
        self._clock = clock
        self._http = Http(settings.timeout, settings.connections)

    async def submit(self, text: Text) -> str:
        """Order one job; gives OVH's id of the message. Raises Dead, Later, Unsure."""
        job = {
            "message": text.body,
            "receivers": [text.to],
            "sender": text.sender,
            "coding": "7bit" if text.seven_bit else "unicode",
            "charset": "UTF-8",
            "noStopClause": True,
            "priority": "high",
            "tag": str(text.id),
        }
        url = f"{self._settings.url}/sms/{self._settings.service}/jobs"
        body = msgspec.json.encode(job)
        answer = await self._http.post(url, body, self._signed("POST", url, body))
        if not answer.good():
            answer.raise_busy()
            raise Later(f"status {answer.status}")
        return _reference(answer)

    async def look(self) -> str:
        """Ask for the account; gives what is left on it. Raises Later."""
        url = f"{self._settings.url}/sms/{self._settings.service}"
        answer = await self._http.get(url, self._signed("GET", url, b""))
        if not answer.good():
            raise Later(f"status {answer.status}")
        found = answer.read()
        return f"{found.get('creditsLeft', '?')} credits left" if isinstance(found, dict) else "no account"

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()

    def _signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Sign a request as OVH wants it: a SHA-1 over the secret, the request and the time."""
        at = str(int(self._clock().timestamp()))
        signed = "+".join((self._secret, self._consumer, method, url, body.decode(), at))
        digest = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Ovh-Application": self._settings.application_key,
            "X-Ovh-Consumer": self._consumer,
            "X-Ovh-Timestamp": at,
            "X-Ovh-Signature": f"$1${digest}",
        }


def _reference(answer: Answer) -> str:
    found: Any = answer.read()
    if not isinstance(found, dict):
        raise Unsure("the provider's answer cannot be read; it may come twice")
    if found.get("invalidReceivers"):
        raise Dead("the provider knows no such number", retire_address=True)
    ids = found.get("ids")
    if not isinstance(ids, list) or not ids or not isinstance(ids[0], int):
        raise Unsure("the provider's answer names no message; it may come twice")
    return str(ids[0])
