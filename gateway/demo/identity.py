"""A provider of sign-in on this machine (OpenID Connect): what FranceConnect is to the real city.

A real peer on a real socket, for tests and for `serve --demo`: it shows a page of made-up people instead of asking who
somebody is. Otherwise it keeps to the rules: a code works once, for its client, its address and its PKCE verifier.
"""

import base64
import hashlib
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from db.clock import Clock, utc_now
from gateway.connections import Site

NAME = "FranceConnect de démonstration"
CLIENT_ID = "kiosque-demo"
CLIENT_SECRET = "kiosque-demo-secret"
CODE_LIVES = timedelta(seconds=60)
TOKEN_LIVES = timedelta(seconds=60)
PEOPLE = {"camille-durand": "Camille Durand", "sacha-martin": "Sacha Martin", "alix-bernard": "Alix Bernard"}
"""Who can sign in: subject and name."""

PAGE_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{name}</title></head>
<body><main><h1>{name}</h1><p>Qui êtes-vous ?</p><ul>{people}</ul></main></body></html>
"""
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code stands for."""

    subject: str
    asked: Mapping[str, str]
    """What the browser was sent with."""
    at: datetime


@dataclass(slots=True)
class DemoProvider:
    """One provider; `rotate` changes its key as real ones do."""

    clock: Clock = utc_now
    issuer: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    """Published keys by kid; the last one signs."""
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for, for tests."""
    _codes: dict[str, Granted] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one. Raises OSError for a port that is taken."""
        if not self.keys:
            self.rotate()
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self.describe),
                web.get("/authorize", self.authorize),
                web.post("/token", self.token),
                web.get("/jwks", self.jwks),
                web.get("/userinfo", self.userinfo),
            ]
        )
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        site = Site(runner, host, port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.issuer = f"http://{host}:{site.port}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def rotate(self, *, keep: bool = True, curve: bool = False) -> str:
        """Sign with a new key from now on; the old ones stay published when kept. Gives its kid."""
        kid = secrets.token_hex(4)
        key: Key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
        self.keys = {**(self.keys if keep else {}), kid: key}
        return kid

    async def describe(self, request: web.Request) -> web.Response:
        """OpenID Connect Discovery 1.0, section 4."""
        self.asked.append(request.path)
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(self, request: web.Request) -> web.Response:
        """Ask who somebody is; one who was chosen goes back with a code."""
        asked = dict(request.query)
        wanted = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        needed = ("redirect_uri", "state", "nonce", "code_challenge")
        if any(asked.get(name) != value for name, value in wanted.items()) or not all(map(asked.get, needed)):
            raise web.HTTPBadRequest(text="invalid_request")
        chosen = asked.pop("person", None)
        if chosen in PEOPLE:
            code = self.grant(chosen, asked)
            back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
            raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")
        links = (
            f'<li><a href="?{html.escape(urlencode({**asked, "person": subject}))}">{html.escape(name)}</a></li>'
            for subject, name in PEOPLE.items()
        )
        page = PAGE.format(name=NAME, people="".join(links))
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})

    def grant(self, subject: str, asked: Mapping[str, str]) -> str:
        """Give the code with which somebody goes back."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = Granted(subject, asked, self.clock())
        return code

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code, once (OpenID Connect Core 1.0, section 3.1.3)."""
        self.asked.append(request.path)
        form = {name: str(value) for name, value in (await request.post()).items()}
        granted = self._codes.pop(form.get("code", ""), None)
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return web.json_response({"error": "invalid_client"}, status=401)
        if granted is None or not self._is_right(form, granted):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access = secrets.token_urlsafe(24)
        self._tokens[access] = granted.subject
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": int(TOKEN_LIVES.total_seconds())}
        return web.json_response(answer | {"id_token": self.id_token(granted)})

    def _is_right(self, form: Mapping[str, str], granted: Granted) -> bool:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = form.get("redirect_uri") == granted.asked["redirect_uri"]
        fresh = self.clock() - granted.at <= CODE_LIVES
        right = same and fresh and form.get("grant_type") == "authorization_code"
        return right and secrets.compare_digest(challenge, granted.asked["code_challenge"])

    def id_token(self, granted: Granted) -> str:
        """Make the ID token of a code; tests make others."""
        return self.signed(self.claims(granted))

    def claims(self, granted: Granted) -> dict[str, Any]:
        """Give the claims of a good ID token."""
        now = self.clock()
        return {
            "iss": self.issuer,
            "sub": granted.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + TOKEN_LIVES,
            "nonce": granted.asked["nonce"],
            "acr": granted.asked.get("acr_values", "eidas1"),
        }

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Sign claims with the newest key."""
        kid, key = list(self.keys.items())[-1]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(dict(claims), key, algorithm, headers={"kid": kid})

    async def jwks(self, request: web.Request) -> web.Response:
        """Give the public keys (RFC 7517)."""
        self.asked.append(request.path)
        return web.json_response({"keys": [_public(kid, key) for kid, key in self.keys.items()]})

    async def userinfo(self, request: web.Request) -> web.Response:
        """Say who somebody is (OpenID Connect Core 1.0, section 5.3)."""
        subject = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if subject is None:
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response({"sub": subject, "name": PEOPLE[subject]})


def _public(kid: str, key: Key) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        named: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return named | {"kid": kid, "use": "sig", "alg": "RS256"}
    named = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return named | {"kid": kid, "use": "sig", "alg": "ES256"}
