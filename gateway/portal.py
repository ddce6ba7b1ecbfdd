"""One gateway process: everything that it holds, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

import schema
from db.clock import Clock, utc_now
from db.keys import Keys
from db.pool import Database
from db.settings import Settings
from db.web_push import public_text, vapid_key
from gateway import identity
from gateway.authentication import Authentication
from gateway.banks.opened import opened as opened_banks
from gateway.bells import Bells
from gateway.city import City
from gateway.cookies import Jar
from gateway.documents import Documents
from gateway.endpoint import Endpoint, LiveLimits
from gateway.executor import PortalExecutor
from gateway.health import Health
from gateway.limits import Limits
from gateway.live import Bell, Live
from gateway.partner_feed import PartnerFeed
from gateway.registry import Registry
from gateway.requests import Gate
from gateway.sockets import Sockets
from gateway.throttling import Throttle, throttle_of
from gateway.work import Work
from resolvers.context import Process
from resolvers.passwords import Passwords
from resolvers.reading.guarantees import broken_promises
from resolvers.reading.reader import Reader
from resolvers.session_cache import SessionCache
from resolvers.signing_keys import SigningKeys, open_tokens
from resolvers.status_cache import StatusCache
from resolvers.typesetting import Typesetter
from resolvers.vault import Vault
from resolvers.viewer import SYSTEM_SIGHT, Kind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Portal:
    """What the application is made of."""

    process: Process
    """The state of the process."""
    endpoint: Endpoint
    """The GraphQL endpoint."""
    health: Health
    """What operators ask."""


@asynccontextmanager
async def opened(settings: Settings, dsn: str, clock: Clock = utc_now) -> AsyncIterator[Portal]:
    """Open a gateway on a migrated database; needs `secrets.master_key`."""
    assert settings.secrets.master_key is not None, "the caller has read or made it"
    async with AsyncExitStack() as stack:
        process, built = await _process(stack, settings, dsn, Keys.from_text(settings.secrets.master_key), clock)
        sockets = Sockets(settings.limits.sockets_per_account)
        own = Bells(process.sessions, sockets, process.signing_keys)
        stack.push_async_callback(own.close)
        registry = Registry(process.database)
        await registry.load()
        stack.push_async_callback(registry.close)
        city = City(process)
        await city.look()
        work = Work()
        feed = PartnerFeed(process)
        await feed.open()
        bells: dict[str, Bell] = {
            **own.by_channel,
            "kiosque_documents": registry.rang,
            "kiosque_city": city.rang,
            "kiosque_work": work.rang,
            "kiosque_feed": feed.rang,
        }
        live = Live(dsn, bells, (own.all_rang, registry.rang, city.rang, work.all_rang, feed.rang))
        await live.open(process.database)
        constants = schema.constants(settings).keys()
        executor = PortalExecutor(built, constants, live, city, work, feed)
        throttle = throttle_of(settings.limits, settings.server.production, process.database, process.keys)
        health = Health(process.database, executor, live, sockets, process.clock, settings.outbox.ready_age, throttle)
        for task in (
            live.run(),
            live.run_inboxes(),
            city.run(live),
            work.run(),
            feed.run(),
            health.measure_lag(),
            *([throttle.run()] if throttle else []),
        ):
            stack.push_async_callback(_end, asyncio.create_task(task))
        yield Portal(process, _endpoint(process, built, executor, sockets, registry, throttle), health)


async def _process(
    stack: AsyncExitStack, settings: Settings, dsn: str, keys: Keys, clock: Clock
) -> tuple[Process, schema.Built]:
    built = schema.build()
    database = await Database.open(
        dsn,
        size=settings.database.pool_size,
        wait_seconds=settings.database.wait,
        command_seconds=settings.database.command_timeout,
        statement_seconds=settings.database.statement_timeout,
    )
    stack.push_async_callback(database.close)
    vault = Vault.of(settings, keys)
    stack.callback(vault.close)
    passwords = Passwords()
    stack.callback(passwords.close)
    typesetter = Typesetter()
    stack.callback(typesetter.close)
    async with database.transaction(SYSTEM_SIGHT) as tx:
        tokens = await open_tokens(tx, keys, settings.tokens, clock())
    push_key = public_text(vapid_key(settings.push, keys)) if settings.push.enabled else ""
    doubtful, constants = await _doubtful(database, built), schema.constants(settings, push_key)
    reader = Reader(built.mapping, database, schema.VIEWER_CASTS, doubtful, keys, constants, clock)
    signing_keys, sessions = SigningKeys(database, tokens, keys, clock), SessionCache(database, clock)
    provider = await stack.enter_async_context(identity.opened(settings, database, clock))
    banks = await stack.enter_async_context(opened_banks(settings))
    return (
        Process(
            settings,
            database,
            clock,
            keys,
            passwords,
            tokens,
            signing_keys,
            reader,
            sessions,
            StatusCache(),
            vault,
            typesetter,
            banks,
            provider,
        ),
        built,
    )


async def _doubtful(database: Database, built: schema.Built) -> frozenset[tuple[str, str]]:
    """Find what the schema promises and the database does not guarantee; say so, because it is read slowly."""
    async with database.connection() as connection:
        broken = await broken_promises(connection, built.mapping)
    for promise in broken:
        log.warning("promise_not_guaranteed", field=f"{promise.parent}.{promise.name}", why=promise.why)
    return frozenset((promise.parent, promise.name) for promise in broken)


def _endpoint(
    process: Process,
    built: schema.Built,
    executor: PortalExecutor,
    sockets: Sockets,
    registry: Registry,
    throttle: Throttle | None,
) -> Endpoint:
    settings = process.settings
    limits, development = settings.limits, not settings.server.production
    live = LiveLimits(
        heartbeat_seconds=limits.heartbeat,
        frame_bytes=limits.body_bytes,
        operations=limits.operations_per_socket,
        queue=limits.queue,
    )
    gate = Gate(
        frozenset(settings.server.allowed_origins),
        free_get=development,
        free=frozenset(Kind if development else map(Kind, settings.server.free_queries)),
        registered=registry.document,
        secure=settings.server.url.startswith("https://"),
        body_bytes=limits.body_bytes,
    )
    jar = Jar(settings.server.secure)
    return Endpoint(
        Documents(built.graphql, Limits.of(limits), suggestions=development, introspection=development),
        executor,
        Authentication(process, jar).context,
        gate,
        sockets,
        jar,
        live,
        process.clock,
        limits.deadline,
        development,
        settings.server.public_cache_seconds,
        throttle,
    )


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
