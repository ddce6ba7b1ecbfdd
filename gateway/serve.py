"""The main job: database, gateway, dispatcher and, in the demonstration, its peers; all stopped cleanly on a signal."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiohttp import web

from db import migrate
from db.clock import utc_now
from db.configuration import with_master_key
from db.embedded import EmbeddedServer
from db.keys import Keys
from db.settings import Settings
from gateway import portal
from gateway.app import make_app
from gateway.connections import Site
from gateway.demo import paying
from gateway.demo.bank import DemoBanks
from gateway.demo.city import DemoCity, credentials, load_city
from gateway.demo.identity import CLIENT_ID, CLIENT_SECRET, NAME, DemoProvider
from gateway.demo.page import routes
from gateway.demo.peers import Peers, variables
from gateway.demo.smtp import Catcher
from resolvers.job_runner import Runner
from resolvers.jobs import REGISTRY
from resolvers.vault import Vault

DISPATCHER_SECONDS = 6.0
RESTART_SECONDS = 1.0
LEAVING_SECONDS = 0.5
"""How long `/ready` says no at the least, before the address is closed."""

MARK = "demo-city"


class CannotServe(Exception):
    """The portal cannot start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the settings."""

    dispatch: bool = True
    """Start a dispatcher beside the gateway."""
    config: Path | None = None
    """The settings file, handed on to the dispatcher."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a start tells the person who waits for it."""

    url: str
    city: DemoCity | None
    mail_port: int | None
    provider: str | None
    """Address of the demonstration's provider of sign-in."""
    banks: str | None
    """Address of the demonstration's banks."""


@dataclass(slots=True)
class Serving:
    """One run of the portal."""

    settings: Settings
    options: Options
    started: Callable[[Started], None]
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Serve until `stop` is set or a signal comes; raises CannotServe, EmbeddedServerError, MigrationError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        async with AsyncExitStack() as stack:
            dsn = self.settings.database.url or await self._embedded(stack)
            await _migrated(dsn)
            self.settings = with_master_key(self.settings)
            city = await self._city(dsn)
            catcher = await self._catcher(stack) if city else None
            provider = await self._provider(stack) if city else None
            peers = await self._peers(stack) if city else None
            banks = await self._banks(stack) if city else None
            opened = await stack.enter_async_context(portal.opened(self.settings, dsn))
            app = make_app(opened)
            if catcher is not None:
                app.add_routes(routes(catcher, peers))
            if banks is not None:
                app.add_routes(paying.routes(banks.url))
            url = await self._site(stack, app)
            if peers is not None:
                peers.answer_to(url)
            if banks is not None:
                banks.post.portal = url
            if self.settings.jobs.enabled:
                self._background(stack, Runner(opened.process, REGISTRY).run())
            dispatching = None
            if self.options.dispatch:
                dispatching = self._background(stack, _Dispatcher(self.settings, self.options, dsn).run())
            gc.collect()
            gc.freeze()  # schema and modules live for ever: the collector need not walk them again and again
            self.started(Started(url, city, catcher.port if catcher else None, provider, banks.url if banks else None))
            await self.stop.wait()
            if dispatching is not None:
                dispatching.cancel()  # it finishes what it is sending meanwhile
            # `/ready` says no, and live clients are sent away, while the address still answers.
            await asyncio.gather(opened.endpoint.sockets.stop(), asyncio.sleep(LEAVING_SECONDS))

    async def _embedded(self, stack: AsyncExitStack) -> str:
        server = EmbeddedServer(Path(self.settings.data.folder))
        dsn = await server.start()
        stack.push_async_callback(server.stop)
        self._background(stack, server.watch())
        return dsn

    async def _city(self, dsn: str) -> DemoCity | None:
        """Load the demonstration where it is wanted and the database empty; give its credentials while it is one."""
        demo, mark = self.settings.demo, Path(self.settings.data.folder, MARK)
        if demo.enabled is False or (demo.enabled is None and self.settings.database.url is not None):
            return None
        if self.settings.server.production:
            return None
        assert self.settings.secrets.master_key is not None, "read or made before"
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            empty = not await connection.fetchval("select exists (select from family) or exists (select from service)")
            if empty:
                keys = Keys.from_text(self.settings.secrets.master_key)
                with closing(Vault.of(self.settings, keys)) as vault:
                    city = await load_city(
                        connection,
                        keys,
                        utc_now,
                        families=demo.families,
                        seed=demo.seed,
                        billed=True,
                        vault=vault,
                    )
                _put(mark)
                return city
        finally:
            await connection.close()
        return credentials(utc_now, seed=demo.seed) if demo.enabled or _is_there(mark) else None

    async def _catcher(self, stack: AsyncExitStack) -> Catcher:
        """Start the mail catcher and make it the relay."""
        catcher = Catcher()
        try:
            await catcher.start(port=self.settings.demo.smtp_port)
        except OSError:
            await catcher.start(port=0)
        stack.push_async_callback(catcher.stop)
        mail = msgspec.structs.replace(self.settings.mail, host=catcher.host, port=catcher.port, starttls="never")
        self.settings = msgspec.structs.replace(self.settings, mail=mail)
        return catcher

    async def _provider(self, stack: AsyncExitStack) -> str | None:
        """Start the provider of sign-in where it is wanted, and make it that of the settings."""
        demo, identity = self.settings.demo, self.settings.identity
        if not demo.identity or identity.issuer is not None:
            return None
        provider = DemoProvider()
        try:
            await provider.start(port=demo.identity_port)
        except OSError:
            await provider.start(port=0)
        stack.push_async_callback(provider.stop)
        known = {"issuer": provider.issuer, "name": NAME, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        self.settings = msgspec.structs.replace(self.settings, identity=msgspec.structs.replace(identity, **known))
        return provider.issuer

    async def _peers(self, stack: AsyncExitStack) -> Peers:
        """Start the providers of text and push messages, and make them those of the settings."""
        peers = Peers()
        stack.push_async_callback(peers.stop)
        await peers.start()
        self.settings = peers.settings(self.settings)
        return peers

    async def _banks(self, stack: AsyncExitStack) -> DemoBanks | None:
        """Start banks that take cards where they are wanted, and make them those of the settings."""
        settings = self.settings
        configured = (settings.systempay.site_id, settings.payfip.numcli, settings.other_bank.backend)
        if not settings.demo.bank or any(configured):
            return None
        banks = DemoBanks()
        try:
            await banks.start(port=settings.demo.bank_port)
        except OSError:
            await banks.start(port=0)
        stack.push_async_callback(banks.stop)
        known = {
            section: msgspec.structs.replace(getattr(settings, section), **values)
            for section, values in banks.settings().items()
        }
        self.settings = msgspec.structs.replace(settings, **known)
        return banks

    async def _site(self, stack: AsyncExitStack, app: web.Application) -> str:
        server = self.settings.server
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=3.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = Site(runner, server.host, server.port)
        try:
            await site.start()
        except OSError as error:
            raise CannotServe(
                f"Cannot listen on {server.host}:{server.port}: {error.strerror}. Choose another --port."
            ) from error
        self.settings = msgspec.structs.replace(self.settings, server=msgspec.structs.replace(server, port=site.port))
        return self.settings.server.url

    def _background(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside until the end; its failure stops the portal."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self.stop.set())

        async def end() -> None:
            if not task.cancelling():  # a second time would interrupt its ending
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        stack.push_async_callback(end)
        return task


async def _migrated(dsn: str) -> None:
    try:
        await migrate.migrate(dsn)
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise CannotServe(f"The database cannot be reached: {error or type(error).__name__}.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise CannotServe(f"The database cannot be used: {error}.") from error


def _put(mark: Path) -> None:
    """Remember beside an embedded database that it is a demonstration."""
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _is_there(mark: Path) -> bool:
    return mark.exists()


class _Dispatcher:
    """A dispatcher in a process of its own, started again when it dies; it dies with this one."""

    def __init__(self, settings: Settings, options: Options, dsn: str) -> None:
        self._command = [sys.executable, "-m", "notifications", "--database", dsn, "--parent-stdin"]
        if options.config is not None:
            self._command += ["--config", str(options.config)]
        self._environment = {
            **os.environ,
            "KIOSQUE_DATA__FOLDER": settings.data.folder,
            "KIOSQUE_SERVER__PORT": str(settings.server.port),
            "KIOSQUE_SERVER__HOST": settings.server.host,
            "KIOSQUE_MAIL__HOST": settings.mail.host,
            "KIOSQUE_MAIL__PORT": str(settings.mail.port),
            "KIOSQUE_MAIL__STARTTLS": settings.mail.starttls,
            **variables(settings),
        }

    async def run(self) -> None:
        """Keep one running until cancelled."""
        while True:
            child = await asyncio.create_subprocess_exec(
                *self._command, env=self._environment, stdin=asyncio.subprocess.PIPE, start_new_session=True
            )
            try:
                await child.wait()
            except asyncio.CancelledError:
                await _stopped(child)
                raise
            await asyncio.sleep(RESTART_SECONDS)


async def _stopped(child: asyncio.subprocess.Process) -> None:
    """Let it finish what it is sending."""
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(DISPATCHER_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
