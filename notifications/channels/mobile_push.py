"""Push messages of the mobile apps, by Firebase Cloud Messaging (HTTP v1), which reaches iOS too.

What goes there can be read on its way: it gets the subject, and the portal keeps the rest.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec

from db.clock import Clock
from db.configuration import SettingsError, is_secure
from db.settings_channels import Fcm as Settings
from notifications.channels import Dead, Delivery, Later, Receipt
from notifications.channels.http import Answer, Http, Unsure
from notifications.messages import Messages

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTED_FOR = timedelta(minutes=10)
RENEWED = timedelta(minutes=2)
"""An access token is renewed so long before it ends."""

LONGEST_LIFE = 3600
LONGEST_BODY = 300
GONE = ("UNREGISTERED", "SENDER_ID_MISMATCH")
UNAUTHORIZED = 401


class _ServiceAccount(msgspec.Struct, frozen=True):
    """What is used of the file that Google gives."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str
    token_uri: str


class MobilePush:
    """One message to one app."""

    interrupts = True

    def __init__(self, settings: Settings, service_account: str, messages: Messages, clock: Clock) -> None:
        """Raises SettingsError for a service account that cannot be read."""
        try:
            self._account = msgspec.json.decode(service_account, type=_ServiceAccount)
        except msgspec.DecodeError as error:
            raise SettingsError("fcm.service_account: Expected the JSON of a service account.") from error
        if not (is_secure(self._account.token_uri) and is_secure(settings.url)):
            raise SettingsError("fcm: Expected https addresses (http on 127.0.0.1 only).")
        # A token may have to be asked for twice, and the message sent twice.
        self.limit, self.patience = settings.connections, settings.timeout * 2
        self._url = f"{settings.url}/v1/projects/{self._account.project_id}/messages:send"
        self._messages = messages
        self._clock = clock
        self._http = Http(settings.timeout / 2, settings.connections)
        self._token: tuple[str, datetime] | None = None
        self._asking = asyncio.Lock()

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message over.

        Raises Dead when the app is gone from the device, Later when it was not taken or nobody knows: sent again, it
        replaces the one before.
        """
        token = str(delivery.target.get("token", ""))
        if not token:
            raise Dead("not a token", retire_address=True)
        body = msgspec.json.encode({"message": self._message(delivery, token)})
        answer = await self._post(body)
        if answer.status == UNAUTHORIZED:
            self._token = None
            answer = await self._post(body)
        if not answer.good():
            raise _refusal(answer)
        found = answer.read()
        if not isinstance(found, dict) or not isinstance(found.get("name"), str):
            raise Unsure("the answer names no message; it may come twice")
        reference = found["name"].rpartition("/")[2][:100]
        return Receipt(f"fcm {reference}", provider="fcm", reference=reference)

    async def look(self) -> str:
        """Ask for an access token. Raises Later."""
        await self._access()
        return f"project {self._account.project_id}"

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()

    def _message(self, delivery: Delivery, token: str) -> dict[str, Any]:
        short, name = self._messages.short(delivery), str(delivery.id)
        return {
            "token": token,
            "notification": {"title": short.title[:LONGEST_BODY]},
            "data": {"delivery": name, "url": short.link, "lang": short.language},
            "android": {"collapse_key": name, "priority": "high", "notification": {"tag": name}},
            "apns": {"headers": {"apns-collapse-id": name}},
        }

    async def _post(self, body: bytes) -> Answer:
        headers = {"Authorization": f"Bearer {await self._access()}", "Content-Type": "application/json"}
        return await self._http.post(self._url, body, headers)

    async def _access(self) -> str:
        """Give an access token; one asks for it, others wait (RFC 7523). Raises Later."""
        async with self._asking:
            now = self._clock()
            if self._token is None or self._token[1] - RENEWED <= now:
                self._token = await self._asked(now)
            return self._token[0]

    async def _asked(self, now: datetime) -> tuple[str, datetime]:
        account = self._account
        claims = {
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": now,
            "exp": now + ASSERTED_FOR,
        }
        try:
            assertion = jwt.encode(claims, account.private_key, "RS256", headers={"kid": account.private_key_id})
        except (ValueError, TypeError, jwt.InvalidKeyError) as error:
            raise Later("the service account's key cannot be used") from error
        form = urlencode({"grant_type": GRANT, "assertion": assertion}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await self._http.post(account.token_uri, form, headers)
            found = answer.read()
        except Unsure as error:
            # Nothing but a token was asked for: no message can have gone out.
            raise Later("no access token came") from error
        if not answer.good() or not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            raise Later(f"no access token: status {answer.status}")
        life = found.get("expires_in")
        seconds = min(life, LONGEST_LIFE) if isinstance(life, int) and life > 0 else LONGEST_LIFE
        return found["access_token"], now + timedelta(seconds=seconds)


def _refusal(answer: Answer) -> Later | Dead:
    """Tell what an error means, by its `errorCode` (FcmError)."""
    try:
        answer.raise_busy()
        error = answer.read()["error"]
        details = [each for each in error.get("details", []) if isinstance(each, dict)]
    except Later as later:
        return later
    except (KeyError, TypeError, AttributeError):
        return Later(f"status {answer.status}")
    codes = [str(each["errorCode"]) for each in details if "errorCode" in each]
    code = codes[0] if codes else str(error.get("status", ""))[:40]
    fields = {
        violation.get("field")
        for each in details
        for violation in each.get("fieldViolations", [])
        if isinstance(violation, dict)
    }
    if code in GONE or fields == {"message.token"}:
        return Dead(f"{code}: the app is gone", retire_address=True)
    return Later(f"status {answer.status} {code}")
