"""The command `check`: whether everything that the portal needs is there and fits together."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import aiohttp
import aiosmtplib
import asyncpg
from rich.console import Console

from db import migrate
from db.clock import utc_now
from db.configuration import SettingsError, kept_master_key
from db.keys import Keys
from db.pool import API_ROLE, connect, see_as
from db.settings import Settings, described
from gateway.identity import OpenIDProvider
from gateway.jobs import database_of
from resolvers import second_factor, signing_keys
from resolvers.provider import ProviderUnavailable
from resolvers.viewer import SYSTEM_SIGHT

WAIT_SECONDS = 5
NOBODYS_ROW = UUID(int=0)
"""A provider that is only looked at has no row in the database."""


class Mark(StrEnum):
    """How a finding is shown; only `FAIL` ends the command with status 1."""

    GOOD = "[green]ok  [/]"
    LOOK = "[yellow]look[/]"
    FAIL = "[red]FAIL[/]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    name: str
    words: str
    mark: Mark = Mark.GOOD


async def checked(settings: Settings, console: Console) -> None:
    """Say what was found, one line each; status 1 when something is not as it must be."""
    key = _master_key(settings)
    findings = [
        Finding("settings", f"{len(list(described(settings)))} known"),
        key,
        *await _database(settings),
        await _relay(settings),
        await _provider(settings),
        _agents(settings),
    ]
    for each in findings:
        console.print(f"{each.mark} {each.name}: {each.words}")
    if any(each.mark is Mark.FAIL for each in findings):
        raise SystemExit(1)


def _master_key(settings: Settings) -> Finding:
    try:
        kept = settings.secrets.master_key or kept_master_key(settings)
    except SettingsError as error:
        return Finding("master key", str(error), Mark.FAIL)
    if kept is None:
        return Finding("master key", "none yet: the first start makes one in the data folder")
    return Finding("master key", "given" if settings.secrets.master_key else "kept in the data folder: keep a copy")


async def _database(settings: Settings) -> list[Finding]:
    """Look at the server, and then at what is in it."""
    try:
        async with database_of(settings) as dsn:
            connection = await asyncpg.connect(dsn, timeout=WAIT_SECONDS)
            try:
                pending = await migrate.pending(connection)
                version = connection.get_server_version()
            finally:
                await connection.close()
            named = f"PostgreSQL {version.major}.{version.minor}"
            if pending:
                words = f"{named}, {len(pending)} migrations to apply (python3 run.py migrate)"
                return [Finding("database", words, Mark.FAIL)]
            return [Finding("database", f"{named}, up to date"), await _signing_keys(settings, dsn)]
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, migrate.MigrationError) as error:
        return [Finding("database", str(error) or type(error).__name__, Mark.FAIL)]


async def _signing_keys(settings: Settings, dsn: str) -> Finding:
    """See that access tokens can be signed: a database of another master key looks well until the first sign-in."""
    name, text = "signing keys", settings.secrets.master_key or kept_master_key(settings)
    if text is None:
        return Finding(name, "not looked at without a master key", Mark.LOOK)
    connection = await connect(dsn, role=API_ROLE, application="kiosque-check")
    try:
        async with connection.transaction():
            await see_as(connection, SYSTEM_SIGHT)
            found = await signing_keys.load(connection, Keys.from_text(text), utc_now())
    except signing_keys.OtherMasterKey:
        return Finding(name, "sealed with another master key: secrets.master_key is not this database's", Mark.FAIL)
    finally:
        await connection.close()
    signing = [key.created_at for key in found if key.retires_at is None]
    if not signing:
        return Finding(name, "none yet: the first start makes one")
    return Finding(name, f"{len(found)}, the one that signs was made on {_day(max(signing))}")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


async def _relay(settings: Settings) -> Finding:
    mail = settings.mail
    client = aiosmtplib.SMTP(hostname=mail.host, port=mail.port, timeout=WAIT_SECONDS, start_tls=False, use_tls=False)
    try:
        async with client:
            await client.noop()
    except (OSError, aiosmtplib.SMTPException) as error:
        return Finding("mail relay", f"{mail.host}:{mail.port} does not answer ({type(error).__name__})", Mark.FAIL)
    return Finding("mail relay", f"{mail.host}:{mail.port} answers")


async def _provider(settings: Settings) -> Finding:
    identity = settings.identity
    if identity.issuer is None:
        return Finding("sign-in provider", "none: families sign in by password")
    timeout = aiohttp.ClientTimeout(total=identity.timeout)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            keys = await OpenIDProvider(settings, NOBODYS_ROW, http, utc_now).look()
    except ProviderUnavailable as error:
        return Finding("sign-in provider", f"{identity.issuer} cannot be used: {error}", Mark.FAIL)
    return Finding("sign-in provider", f"{identity.issuer} answers, {keys} keys")


def _agents(settings: Settings) -> Finding:
    if second_factor.is_required(settings):
        return Finding("agents", "a second factor is required")
    if settings.server.production:
        return Finding("agents", "no second factor is required (agents.second_factor), against ASVS 6.3.3", Mark.LOOK)
    return Finding("agents", "no second factor is required; in production it is")
