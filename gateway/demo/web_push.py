"""A push service with the browsers behind it: it checks our signature (RFC 8292), they decrypt (RFC 8291, 8188).

Written from the specifications, with no line in common with what sends.
"""

import base64
import os
import re
from dataclasses import dataclass
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.demo.peer import Got, Peer

LARGEST = 4096
LONGEST_SIGNATURE = 24 * 3600
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
CREDENTIALS = re.compile(r"vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Browser:
    """One subscription, with the browser's own secrets."""

    name: str
    key: ec.EllipticCurvePrivateKey
    auth: bytes
    server_key: str | None
    """The `applicationServerKey` that it was made for; None: any."""

    def subscription(self, url: str) -> dict[str, str]:
        """Give what `PushSubscription.toJSON()` gives, keys beside the endpoint."""
        return {"endpoint": f"{url}/push/{self.name}", "p256dh": _text(_point(self.key)), "auth": _text(self.auth)}

    def decrypt(self, body: bytes) -> bytes:
        """Open a message of one record. Raises ValueError, cryptography.exceptions.InvalidTag."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        if len(sealed) > size:
            raise ValueError("more than one record")
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.key.exchange(ec.ECDH(), public)
        info = b"WebPush: info\x00" + _point(self.key) + sender
        secret = HKDF(SHA256(), 32, salt=self.auth, info=info).derive(shared)
        key = HKDF(SHA256(), 16, salt=salt, info=b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt=salt, info=b"Content-Encoding: nonce\x00").derive(secret)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        if not padded.endswith(b"\x02"):
            raise ValueError("not the last record")
        return padded[:-1]


class PushService(Peer):
    """A push service on a port of its own."""

    def __init__(self, *, keep: int = 500) -> None:
        super().__init__(keep=keep)
        self.browsers: dict[str, Browser] = {}
        self.refused: list[str] = []
        """Why requests were turned away."""

    def subscribe(self, name: str, server_key: str | None = None) -> dict[str, str]:
        """Let a browser subscribe; gives its subscription."""
        browser = Browser(name, ec.generate_private_key(ec.SECP256R1()), os.urandom(16), server_key)
        self.browsers[name] = browser
        return browser.subscription(self.url)

    def unsubscribe(self, name: str) -> None:
        """Let a browser go; messages to it are answered 410."""
        del self.browsers[name]

    def routes(self) -> list[web.RouteDef]:
        """One endpoint a browser."""
        return [web.post("/push/{name}", self._push)]

    async def _push(self, request: web.Request) -> web.StreamResponse:
        browser = self.browsers.get(request.match_info["name"])
        if browser is None:
            return web.Response(status=410)
        body = await request.read()
        try:
            self._check(request, browser, body)
            shown: dict[str, Any] = msgspec.json.decode(browser.decrypt(body))
        except (ValueError, KeyError, jwt.InvalidTokenError, msgspec.DecodeError) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return web.Response(status=403)
        details = {"topic": request.headers["Topic"], "ttl": request.headers["TTL"], **shown}

        def got(number: int) -> Got:
            return Got(number, self._clock(), "WEB_PUSH", browser.name, shown["title"], shown["id"], "", details)

        where = {"Location": f"{self.url}/message/{self.count}"}
        return await self.take(request, got, browser.name, lambda _: web.Response(status=201, headers=where))

    def _check(self, request: web.Request, browser: Browser, body: bytes) -> None:
        """Check a request as push services do. Raises ValueError, KeyError, jwt.InvalidTokenError."""
        headers = request.headers
        if headers["Content-Encoding"] != "aes128gcm" or not headers["TTL"].isdigit() or len(body) > LARGEST:
            raise ValueError("encoding, TTL or size")
        if not TOPIC.fullmatch(headers["Topic"]) or headers["Urgency"] not in ("very-low", "low", "normal", "high"):
            raise ValueError("topic or urgency")
        given = CREDENTIALS.fullmatch(headers["Authorization"])
        if given is None or browser.server_key not in (None, given[2]):
            raise ValueError("credentials")
        point = base64.urlsafe_b64decode(given[2] + "=" * (-len(given[2]) % 4))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims = jwt.decode(
            given[1], key, algorithms=["ES256"], audience=self.url, options={"require": ["exp", "aud", "sub"]}
        )
        if claims["exp"] - self._clock().timestamp() > LONGEST_SIGNATURE or not claims["sub"].startswith("mailto:"):
            raise ValueError("claims")


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
