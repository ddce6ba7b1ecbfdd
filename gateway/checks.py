"""The command `check`: whether everything that the portal needs is there and fits together."""

import asyncio
from datetime import datetime
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
from db.settings import Documents, Settings, described
from gateway import channel_checks
from gateway.banks.opened import opened as opened_banks
from gateway.findings import Finding, Mark
from gateway.identity import OpenIDProvider
from gateway.jobs import database_of
from gateway.ledger import faults
from resolvers import second_factor, signing_keys
from resolvers.banks import Bank, BankUnavailable
from resolvers.provider import ProviderUnavailable
from resolvers.scanning import Scanner, ScannerUnavailable
from resolvers.storage import StorageUnavailable
from resolvers.vault import storage_of
from resolvers.viewer import SYSTEM_SIGHT

WAIT_SECONDS = 5
NOBODYS_ROW = UUID(int=0)
"""A provider that is only looked at has no row in the database."""


async def checked(settings: Settings, console: Console) -> None:
    """Say what was found, one line each; status 1 when something is not as it must be."""
    key = _master_key(settings)
    findings = [
        Finding("settings", f"{len(list(described(settings)))} known"),
        key,
        *await _database(settings),
        await _relay(settings),
        *await channel_checks.looked_at(settings),
        await _provider(settings),
        *await _banks(settings),
        await _storage(settings),
        await _scanner(settings.documents),
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
            return [Finding("database", f"{named}, up to date"), await _signing_keys(settings, dsn), await _ledger(dsn)]
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


async def _ledger(dsn: str) -> Finding:
    """See that the books add up."""
    found = await faults(dsn)
    if found:
        return Finding("ledger", "; ".join(f"{sentence} ({count})" for sentence, count in found.items()), Mark.FAIL)
    return Finding("ledger", "adds up")


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


async def _storage(settings: Settings) -> Finding:
    documents = settings.documents
    place = f"bucket {documents.bucket}" if documents.storage == "s3" else f"folder of {settings.data.folder}"
    try:
        await asyncio.to_thread(lambda: next(storage_of(settings).stored(), None))
    except StorageUnavailable as error:
        return Finding("documents", f"{place} cannot be read ({error})", Mark.FAIL)
    return Finding("documents", f"{place} can be read")


async def _scanner(documents: Documents) -> Finding:
    name = "virus scanner"
    if documents.clamav is None:
        return Finding(name, "none: files are not scanned")
    try:
        good = await Scanner(documents.clamav, WAIT_SECONDS).answers()
    except ScannerUnavailable as error:
        return Finding(name, f"{documents.clamav} does not answer ({error})", Mark.FAIL)
    return Finding(name, f"{documents.clamav} {'answers' if good else 'is no clamd'}", Mark.GOOD if good else Mark.FAIL)


async def _banks(settings: Settings) -> list[Finding]:
    async with opened_banks(settings) as banks:
        found = [await _bank(name, bank) for name, bank in banks.items()]
    if settings.cards.test:
        found.append(Finding("bank", "test platforms: nothing that is paid there is money", Mark.LOOK))
    return found or [Finding("bank", "none: nobody pays by card online (systempay, payfip, other_bank)")]


async def _bank(name: str, bank: Bank) -> Finding:
    try:
        return Finding(f"bank {name}", await bank.look())
    except BankUnavailable as error:
        return Finding(f"bank {name}", f"cannot be used: {error}", Mark.FAIL)


def _agents(settings: Settings) -> Finding:
    if second_factor.is_required(settings):
        return Finding("agents", "a second factor is required")
    if settings.server.production:
        return Finding("agents", "no second factor is required (agents.second_factor), against ASVS 6.3.3", Mark.LOOK)
    return Finding("agents", "no second factor is required; in production it is")
