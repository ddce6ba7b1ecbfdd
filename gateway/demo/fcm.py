"""A double of Firebase Cloud Messaging: it gives access tokens for signed assertions, and takes messages for them."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.demo.peer import Got, Peer

PROJECT = "kiosque-demo"
EMAIL = f"portal@{PROJECT}.iam.example"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
LIFE = 3600
LONGEST = 4096


def error(status: int, code: str) -> web.Response:
    """Give an error as FCM writes it."""
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    return web.json_response({"error": {"code": status, "status": code, "details": details}}, status=status)


class Fcm(Peer):
    """One project with the apps of all phones."""

    def __init__(self, *, keep: int = 500) -> None:
        super().__init__(keep=keep)
        self._key = rsa.generate_private_key(65537, 2048)
        self._tokens: dict[str, datetime] = {}
        self.tokens_given = 0
        self.refused: list[str] = []
        """Why requests were turned away."""

    @property
    def service_account(self) -> str:
        """The JSON that a portal needs."""
        private = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return msgspec.json.encode(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "client_email": EMAIL,
                "private_key": private,
                "private_key_id": "demo",
                "token_uri": f"{self.url}/token",
            }
        ).decode()

    def forget_tokens(self) -> None:
        """Let all access tokens end."""
        self._tokens.clear()

    def routes(self) -> list[web.RouteDef]:
        """Tokens and messages."""
        return [web.post("/token", self._token), web.post(f"/v1/projects/{PROJECT}/messages:send", self._send)]

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            if form.get("grant_type") != GRANT:
                raise ValueError("grant")
            claims = jwt.decode(
                str(form["assertion"]),
                self._key.public_key(),
                algorithms=["RS256"],
                audience=f"{self.url}/token",
                issuer=EMAIL,
                options={"require": ["exp", "iat", "aud", "iss"]},
            )
            if claims["scope"] != SCOPE or claims["exp"] - claims["iat"] > LIFE:
                raise ValueError("scope or life")
        except (ValueError, KeyError, jwt.InvalidTokenError) as fault:
            self.refused.append(f"{type(fault).__name__}: {fault}")
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._clock() + timedelta(seconds=LIFE)
        self.tokens_given += 1
        return web.json_response({"access_token": token, "expires_in": LIFE, "token_type": "Bearer"})

    async def _send(self, request: web.Request) -> web.StreamResponse:
        until = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if until is None or until <= self._clock():
            return error(401, "UNAUTHENTICATED")
        body = await request.read()
        message: dict[str, Any] = msgspec.json.decode(body)["message"]
        name = message["data"]["delivery"]
        if len(body) > LONGEST or message["apns"]["headers"]["apns-collapse-id"] != name:
            return error(400, "INVALID_ARGUMENT")
        to, title = message["token"], message["notification"]["title"]

        def got(number: int) -> Got:
            return Got(number, self._clock(), "MOBILE_PUSH", to, title, name, "fcm", message["data"])

        def good(kept: Got) -> web.Response:
            return web.json_response({"name": f"projects/{PROJECT}/messages/{kept.id}"})

        return await self.take(request, got, to, good)
