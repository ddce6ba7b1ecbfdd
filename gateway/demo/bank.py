"""Banks that take cards, on this machine: SystemPay and PayFiP as the portal meets them, with a page to pay at.

A real peer on a real socket, for tests and for `serve --demo`: forms are signed, notifications are sent again until
they are taken, and the troubles of real banks can be asked for (see `Manners`). Everything they say goes through
eopayment on our side, as it does with the real ones.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jinja2
from aiohttp import web

from db.clock import Clock, utc_now
from gateway.connections import Site

PAGES = Path(__file__).parent / "pages"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

TAKEN = "TAKEN"
REFUSED = "REFUSED"
GIVEN_UP = "GIVEN_UP"
SILENT = "SILENT"
"""What the person at the page chose; SILENT: closed the window, nothing is decided."""


@dataclass(slots=True)
class Manners:
    """How the banks behave; tests and the demonstration change them while they run."""

    away: bool = False
    """They answer 503 to everything."""
    slow: float = 0.0
    """Seconds before any answer of a service."""
    mute: bool = False
    """They never notify."""
    copies: int = 1
    """How often a notification is sent, even if it was taken."""
    held: bool = False
    """Notifications wait for `Post.release`, which may give them out in another order."""
    pauses: tuple[float, ...] = (0.2, 1.0, 5.0, 30.0)
    """Seconds between two tries to notify; real ones wait minutes to hours."""


@dataclass(slots=True)
class Letter:
    """A notification that waits to be taken."""

    address: str
    body: str
    tries: int = 0
    statuses: list[int] = field(default_factory=list)
    """What was answered; 0 for nothing."""


class Post:
    """Sends notifications, each until the answer is 200."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None
        self.sent: list[Letter] = []
        """All of them, for tests."""
        self._held: list[Letter] = []
        self.portal: str | None = None
        """Where the portal listens, when it found its port after its settings were read."""

    def send(self, address: str, body: str) -> None:
        """Notify as often as the manners of the bank say."""
        if self._manners.mute or not address:
            return
        for _ in range(self._manners.copies):
            letter = Letter(self._to(address), body)
            self.sent.append(letter)
            if self._manners.held:
                self._held.append(letter)
            else:
                self._start(letter)

    def release(self, *, shuffled: random.Random | None = None) -> None:
        """Send what was held back, in another order where `shuffled` says how."""
        letters, self._held = self._held, []
        if shuffled is not None:
            shuffled.shuffle(letters)
        for letter in letters:
            self._start(letter)

    async def idle(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Send nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    def _to(self, address: str) -> str:
        return address if self.portal is None else self.portal + urlsplit(address).path

    def _start(self, letter: Letter) -> None:
        task = asyncio.create_task(self._deliver(letter))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, letter: Letter) -> None:
        for pause in (*self._manners.pauses, None):
            letter.tries += 1
            letter.statuses.append(await self._post(letter))
            if letter.statuses[-1] == 200 or pause is None:
                return
            await asyncio.sleep(pause)

    async def _post(self, letter: Letter) -> int:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            async with self._http.post(letter.address, data=letter.body.encode(), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


@dataclass(slots=True)
class Paying:
    """Somebody in front of the bank's page."""

    key: str
    """In the address of the page."""
    bank: str
    shop: str
    cents: int
    subject: str
    return_to: str
    ways: tuple[tuple[str, str], ...] = (("card", "Carte bancaire"),)
    """What one can pay with: key and name."""
    choice: str = ""
    asked_for_code: bool = False
    at: datetime | None = None

    @property
    def amount(self) -> str:
        """The amount as a French page shows it."""
        return f"{self.cents // 100:,}".replace(",", " ") + f",{self.cents % 100:02d} €"


Decide = Callable[[Paying, str, str], None]
"""Takes who pays, what was chosen, and with what it is paid."""


class Counter:
    """The page where one pays, the same for all banks of this machine; `decide` tells the bank what was chosen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.paying: dict[str, Paying] = {}
        self._decide: dict[str, Decide] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined
        )

    def open(self, paying: Paying, decide: Decide) -> str:
        """Let somebody come to the page; give its path."""
        self.paying[paying.key] = paying
        self._decide[paying.key] = decide
        return f"/pay/{paying.key}"

    def choose(self, key: str, choice: str, way: str = "card") -> None:
        """Do what a person at the page does; what is decided stays decided."""
        paying = self.paying[key]
        if not paying.choice and choice in (TAKEN, REFUSED, GIVEN_UP):
            paying.choice, paying.at = choice, self._clock()
            self._decide[key](paying, choice, way)

    async def show(self, request: web.Request) -> web.Response:
        """Show the page, or where one goes on from it."""
        return self._page("bank.html", self._wanted(request), step="choose")

    async def chosen(self, request: web.Request) -> web.Response:
        """Take what was chosen at the page."""
        paying, form = self._wanted(request), await request.post()
        choice, way = str(form.get("choice", "")), str(form.get("way", "card"))
        if choice == "CODE":
            return self._page("bank.html", paying, step="code", way=way)
        if choice == SILENT:
            return self._page("bank.html", paying, step="silent")
        if choice == TAKEN and "code" in form and form["code"] != "123456":
            choice = REFUSED
        self.choose(paying.key, choice, way)
        if paying.choice:
            raise web.HTTPSeeOther(paying.return_to)
        return self._page("bank.html", paying, step="choose")

    def _wanted(self, request: web.Request) -> Paying:
        paying = self.paying.get(request.match_info["key"])
        if paying is None:
            raise web.HTTPNotFound(text="Cette page de paiement n’existe pas ou a expiré.")
        return paying

    def _page(self, template: str, paying: Paying, **shown: Any) -> web.Response:
        values = {"way": "card", **shown}
        text = self._templates.get_template(template).render(paying=paying, **values)
        headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)


class DemoBanks:
    """Both banks on one port."""

    def __init__(self, clock: Clock = utc_now) -> None:
        from gateway.demo.bank_payfip import DemoPayfip
        from gateway.demo.bank_systempay import DemoSystempay

        self.manners = Manners()
        self.post = Post(self.manners)
        self.counter = Counter(clock)
        self.systempay = DemoSystempay(clock, self.counter, self.post)
        self.payfip = DemoPayfip(clock, self.counter, self.post)
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one. Raises OSError for a port that is taken."""
        app = web.Application(middlewares=[self._mannered])
        app.add_routes(
            [
                web.get("/pay/{key}", self.counter.show),
                web.post("/pay/{key}", self.counter.chosen),
                *self.systempay.routes(),
                *self.payfip.routes(),
            ]
        )
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        site = Site(runner, host, port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.url = f"http://{host}:{site.port}"
        self.payfip.url = self.url

    async def stop(self) -> None:
        """Listen no more."""
        await self.post.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def settings(self) -> dict[str, dict[str, Any]]:
        """Give the settings of a portal that uses these banks, by section."""
        return {"systempay": self.systempay.settings(self.url), "payfip": self.payfip.settings(self.url)}

    @web.middleware
    async def _mannered(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.manners.slow:
            await asyncio.sleep(self.manners.slow)
        if self.manners.away:
            return web.Response(status=503, text="Service indisponible")
        response: web.StreamResponse = await handler(request)
        return response
