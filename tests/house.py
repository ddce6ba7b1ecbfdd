"""A running portal and those who use it: families, agents, a mail server; everything over real sockets."""

import asyncio
import base64
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse
from uuid import UUID

import aiohttp
import asyncpg
import msgspec
from aiohttp import web

from db.ids import uuid7
from db.keys import Keys
from db.settings import Settings
from gateway import portal
from gateway.app import make_app
from gateway.connections import Site
from gateway.demo.city import DEMO_PASSWORD
from gateway.demo.page import routes
from gateway.demo.smtp import Catcher
from notifications import dispatcher
from resolvers import activation_codes

MASTER_KEY = base64.b64encode(b"k" * 32).decode()
KEYS = Keys.from_text(MASTER_KEY)
PASSWORD = DEMO_PASSWORD


class MovableClock:
    """A clock that tests move ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Give the moment it shows (UTC)."""
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Reply:
    """An answer as it came."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of its errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


@dataclass(slots=True)
class Made:
    """A family made for a test."""

    id: UUID
    number: str
    code: str
    email: str


@dataclass(slots=True)
class House:
    """A portal and its surroundings."""

    url: str
    dsn: str
    settings: Settings
    clock: MovableClock
    catcher: Catcher
    http: aiohttp.ClientSession
    connection: asyncpg.Connection
    """As superuser: to arrange and to look behind the scenes."""
    opened: portal.Portal | None = None
    """Its inside, where it runs in this process."""
    _numbers: int = field(default=5_000_000)

    async def ask(self, query: str, token: str | None = None, /, **variables: Any) -> Reply:
        """Send one operation over HTTP."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            return Reply(response.status, await response.json(content_type=None))

    async def do(self, mutation: str, token: str | None = None, /, **variables: Any) -> Any:
        """Send one mutation and give its payload, which must have no problems."""
        payload = next(iter((await self.ask(mutation, token, **variables)).data.values()))
        assert payload["problems"] == [], payload["problems"]
        return payload

    async def problems(self, mutation: str, token: str | None = None, /, **variables: Any) -> list[str]:
        """Send one mutation and give the codes of its problems."""
        payload = next(iter((await self.ask(mutation, token, **variables)).data.values()))
        return [problem["code"] for problem in payload["problems"]]

    async def make_family(self, name: str = "Famille Essai", *, children: int = 1) -> Made:
        """Write a family that has an activation code and no account."""
        self._numbers += 1
        family_id, number, code, now = uuid7(), str(self._numbers), activation_codes.new_code(), self.clock()
        await self.connection.execute(
            "insert into family (id, number, name, created_at) values ($1, $2, $3, $4)", family_id, number, name, now
        )
        for child in range(children):
            await self.connection.execute(
                "insert into member (family_id, id, role, first_name, last_name, created_at) "
                "values ($1, $2, 'CHILD', $3, 'Essai', $4)",
                family_id,
                uuid7(),
                f"Enfant {child + 1}",
                now,
            )
        await self.connection.execute(
            "insert into activation_code (family_id, id, code_hmac, expires_at, created_at) "
            "values ($1, $2, $3, $4, $5)",
            family_id,
            uuid7(),
            activation_codes.digest(KEYS, number, code),
            now + timedelta(days=30),
            now,
        )
        return Made(family_id, number, code, f"famille{number}@example.org")

    async def member(self, *, accepts_terms: bool = True) -> tuple[Made, str]:
        """Give a family whose account is open, and an access token of it; opened behind the scenes, to be quick."""
        family = await self.make_family()
        hashed = await self.connection.fetchval("select password_hash from account limit 1")
        now, account_id = self.clock(), uuid7()
        await self.connection.execute(
            "insert into account (family_id, id, email, email_verified_at, password_hash, created_at) "
            "values ($1,$2,$3,$4,$5,$4)",
            family.id,
            account_id,
            family.email,
            now,
            hashed,
        )
        await self.connection.execute(
            "insert into address (family_id, id, account_id, channel, value, verified_at, created_at) "
            "values ($1,$2,$3,'EMAIL',$4,$5,$5)",
            family.id,
            uuid7(),
            account_id,
            family.email,
            now,
        )
        if accepts_terms:
            await self.connection.execute(
                """insert into terms_acceptance (family_id, account_id, version, hash, manner, accepted_at)
                   select $1, $2, version, hash, 'EXPLICIT', $3 from terms""",
                family.id,
                account_id,
                now,
            )
        return family, await self.sign_in(family.email)

    async def sign_in(self, identifier: str, *, agent: bool = False) -> str:
        """Sign in with the password that all demo accounts share; give the access token."""
        payload = await self.do(SIGN_IN, identifier=identifier, password=PASSWORD, as_=("AGENT" if agent else "FAMILY"))
        token: str = payload["session"]["accessToken"]
        return token

    async def agent(self, service: str = "scolaire") -> str:
        """Give an access token of an agent of the demo city."""
        return await self.sign_in(f"{service}@mairie.example", agent=True)

    async def submitted(self, token: str) -> str:
        """File a canteen registration and give its id."""
        answers = await self.connection.fetchval(
            """select p.answers::text from procedure p join procedure_kind k on k.id = p.kind_id
               where k.code = 'cantine' and p.status <> 'DRAFT' limit 1"""
        )
        draft = await self.do(START, token, kind="cantine", key=str(uuid7()), answers=msgspec.json.decode(answers))
        identity: str = draft["procedure"]["id"]
        await self.do(SUBMIT, token, procedure=identity)
        return identity

    async def mail_to(self, address: str, words: str, seconds: float = 10) -> str:
        """Wait for a message to an address whose subject or text contains some words; give its text."""
        async with asyncio.timeout(seconds):
            while True:
                for caught in reversed(self.catcher.messages):
                    if caught.recipient != address:
                        continue  # reading the mails of a whole city again and again would hold up who sends them
                    text = f"{caught.message['Subject']}\n{caught.part('plain')}"
                    if words in text.replace("\N{NO-BREAK SPACE}", " "):
                        return text
                await asyncio.sleep(0.02)


SIGN_IN = """mutation ($identifier: String!, $password: String!, $as_: SignInAs!) {
    signIn(identifier: $identifier, password: $password, signInAs: $as_) {
        problems { code message path } session { accessToken refreshToken expiresAt }
    } }"""
START = """mutation ($kind: String!, $key: String!, $answers: JSON) {
    startProcedure(kind: $kind, idempotencyKey: $key, answers: $answers) {
        problems { code message path } procedure { id reference status answers }
    } }"""
SUBMIT = """mutation ($procedure: ID!) { submitProcedure(procedure: $procedure, attests: true) {
        problems { code message path } procedure { id reference status submittedAt impliedDecisionOn }
    } }"""
TAKE = """mutation ($procedure: ID!) { takeProcedure(procedure: $procedure) {
        problems { code message path } procedure { id status }
    } }"""
ACCEPT = """mutation ($procedure: ID!) { acceptProcedure(procedure: $procedure, message: "Bienvenue.") {
        problems { code message path } procedure { id status }
    } }"""


def token_in(text: str) -> str:
    """Give the token of the link in a message."""
    link = re.search(r"https?://\S+token=\S+", text)
    assert link is not None, text
    return parse_qs(urlparse(link[0]).query)["token"][0]


def settings_for(dsn: str, catcher: Catcher, **others: dict[str, Any]) -> Settings:
    """Give the settings of a portal under test: `others` by section; everything else is as delivered."""
    return msgspec.convert(
        {
            "database": {"url": dsn},
            "mail": {"host": catcher.host, "port": catcher.port, "starttls": "never", **others.pop("mail", {})},
            "secrets": {"master_key": MASTER_KEY},
            "server": {"port": 0},
            "outbox": {"retry_base": 0.2},
            **others,
        },
        Settings,
    )


@asynccontextmanager
async def opened(dsn: str, **others: dict[str, Any]) -> AsyncIterator[House]:
    """Run a portal on a database until the block ends; `others` are settings by section."""
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        catcher = Catcher()
        await catcher.start()
        stack.push_async_callback(catcher.stop)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosque-"))
        settings = settings_for(dsn, catcher, **{"data": {"folder": folder}, **others})
        connection = await asyncpg.connect(dsn, timeout=10)
        stack.push_async_callback(connection.close)
        running = await stack.enter_async_context(portal.opened(settings, dsn, clock))
        server = msgspec.structs.replace(settings.server, port=await _listening(stack, running, catcher))
        await stack.enter_async_context(_dispatching(msgspec.structs.replace(settings, server=server), dsn))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield House(f"http://{server.host}:{server.port}", dsn, settings, clock, catcher, http, connection, running)


async def _listening(stack: AsyncExitStack, running: portal.Portal, catcher: Catcher) -> int:
    """Listen on a free port until the stack ends; give the port."""
    app = make_app(running)
    app.add_routes(routes(catcher))
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=3.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = Site(runner, "127.0.0.1", 0)
    await site.start()
    return site.port


@asynccontextmanager
async def _dispatching(settings: Settings, dsn: str) -> AsyncIterator[None]:
    """Run a dispatcher beside."""
    stop = asyncio.Event()
    sending = asyncio.create_task(dispatcher.run(settings, dsn, stop))
    try:
        yield
    finally:
        stop.set()
        await sending
