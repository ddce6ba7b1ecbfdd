"""Push messages of browsers: encrypted for the one browser (RFC 8291), signed for its push service (RFC 8292)."""

import os
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import http_ece
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from db.clock import Clock
from db.quiet import URGENT
from db.settings_channels import Push as Settings
from db.web_push import BadKey, is_allowed, public_text, unpadded
from notifications.channels import Dead, Delivery, Later, Receipt
from notifications.channels.http import Http, Unsure
from notifications.messages import Messages

LONGEST_BODY = 300
"""Characters: what a lock screen shows, and far below the 4,096 octets that services take (RFC 8030, section 7.2)."""

SIGNED_FOR = timedelta(hours=12)
RENEWED = timedelta(hours=1)
"""A signature is good for a day at the most (RFC 8292, section 2); ours for half of one, renewed before it ends."""

TAKEN = (201, 202)
"""RFC 8030, section 5."""

GONE = (404, 410)
TOO_LARGE = 413


class WebPush:
    """One message to one browser, by the push service that the browser chose."""

    interrupts = True

    def __init__(
        self, settings: Settings, key: ec.EllipticCurvePrivateKey, contact: str, messages: Messages, clock: Clock
    ) -> None:
        """`contact` is the address to which push services may write about us."""
        self.limit, self.patience = settings.connections, settings.timeout + 1.0
        self._settings = settings
        self._key, self._public = key, public_text(key)
        self._contact = contact
        self._messages = messages
        self._clock = clock
        self._http = Http(settings.timeout, settings.connections)
        self._signatures: dict[str, tuple[str, datetime]] = {}

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message to a push service.

        Raises Dead when the browser has unsubscribed, Later when the service did not take it or nobody knows: sent
        again, it replaces the one before, which has the same topic.
        """
        try:
            endpoint, body = str(delivery.target["endpoint"]), self._encrypted(delivery)
        except (KeyError, BadKey) as error:
            raise Dead("not a subscription", retire_address=True) from error
        if not is_allowed(endpoint, self._settings.hosts):
            raise Dead("the push service is not on the list", retire_address=False)
        headers = {
            "Authorization": f"vapid t={self._signature(endpoint)}, k={self._public}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.keep_seconds),
            "Topic": delivery.id.hex,
            "Urgency": "high" if delivery.news.topic in URGENT else "normal",
        }
        answer = await self._http.post(endpoint, body, headers)
        if answer.status in TAKEN:
            return Receipt(f"status {answer.status}", provider=urlsplit(endpoint).hostname)
        if answer.status in GONE:
            raise Dead(f"status {answer.status}: the browser has unsubscribed", retire_address=True)
        if answer.status == TOO_LARGE:
            raise Dead("status 413: too large", retire_address=False)
        if answer.good():
            raise Unsure(f"status {answer.status} is not a push service's; it may come twice")
        answer.raise_busy()
        raise Later(f"status {answer.status}")

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()

    def _encrypted(self, delivery: Delivery) -> bytes:
        """Write the few words that a service worker shows, for nobody but the browser. Raises BadKey, KeyError."""
        short = self._messages.short(delivery)
        payload = {
            "id": str(delivery.id),
            "title": short.title[:LONGEST_BODY],
            "body": short.text[:LONGEST_BODY],
            "url": short.link,
            "lang": short.language,
        }
        try:
            sealed: bytes = http_ece.encrypt(
                msgspec.json.encode(payload),
                salt=os.urandom(16),
                private_key=ec.generate_private_key(ec.SECP256R1()),
                dh=unpadded(str(delivery.target["p256dh"])),
                auth_secret=unpadded(str(delivery.target["auth"])),
                version="aes128gcm",
            )
        except (http_ece.ECEException, ValueError) as error:
            raise BadKey("not the keys of a browser") from error
        return sealed

    def _signature(self, endpoint: str) -> str:
        """Sign for the origin of an endpoint; kept for hours, as services ask."""
        parts, now = urlsplit(endpoint), self._clock()
        origin = f"{parts.scheme}://{parts.netloc}"
        token, until = self._signatures.get(origin, ("", now))
        if until - RENEWED <= now:
            until = now + SIGNED_FOR
            claims = {"aud": origin, "exp": until, "sub": f"mailto:{self._contact}"}
            token = jwt.encode(claims, self._key, "ES256")
            self._signatures[origin] = token, until
        return token
