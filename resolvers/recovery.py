"""A forgotten password: a link to the login's address, and the new password that its holder chooses."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db import accounts, sessions, throttle
from db import credentials as logins
from db import recovery as stored
from db.ids import uuid7
from db.outbox import tell
from resolvers import attempts, throttling
from resolvers.context import Context
from resolvers.credentials import read_link
from resolvers.pace import even, within_reason
from resolvers.password_policy import check_password, refuse_faulty
from resolvers.security_news import told

PURPOSE = "reset-password"
RESET_LIVES = timedelta(minutes=30)
"""From the request on (ASVS 5.0, 6.4.1 and 6.4.3); the link's own life in notifications/links.py is no shorter."""


async def request_reset(context: Context, identifier: str) -> None:
    """Send the link that lets a login choose a new password, if there is such a login.

    The answer and its time are the same whether or not there is one, it is verified, or had its messages of the hour.
    Raises Refusal THROTTLED when this network address asked too often, for whomever.
    """
    async with even(context):
        async with context.transaction(system=True) as tx:
            within = await within_reason(tx, context, "reset")
        if not within:
            raise context.refusal("THROTTLED")
        async with context.transaction(system=True) as tx:
            found = await accounts.credentials_of_family(tx, identifier.strip().lower())
            if found is not None and found.family_id is not None:
                await _send(tx, context, found.family_id, found.id)


async def _send(tx: Any, context: Context, family_id: UUID, account_id: UUID) -> None:
    """Send a link and end those before it; beyond the messages of an hour nothing happens."""
    now = context.process.clock()
    await logins.hold_family(tx, family_id)
    login = await logins.hold(tx, family_id, account_id)
    sent = await stored.resets_since(tx, family_id, account_id, now - timedelta(hours=1))
    if login is None or sent >= context.process.settings.accounts.resets_an_hour:
        return
    reset_id = uuid7(now)
    await stored.void_resets(tx, family_id, account_id, now)
    await stored.insert_reset(tx, family_id, reset_id, account_id, now, now + RESET_LIVES)
    news = told("password_reset_requested", family_id, account_id, now, to=[login.email], request=str(reset_id))
    await tell(tx, news)
    await context.record(tx, "password_reset_requested", family=family_id, subject=account_id)


async def reset(context: Context, token: str, password: str) -> None:
    """Choose a new password with the link: all sessions end, the address counts as verified, a lock is lifted.

    A lock that is younger than the link has ended it. Raises Refusal: LINK_NOT_VALID, BUSY, the password's faults,
    which do not use the link up.
    """
    process = context.process
    family_id, reset_id, _ = read_link(context, PURPOSE, token, "request")
    refuse_faulty(context, password)
    async with context.transaction(system=True) as tx:
        if await stored.open_reset(tx, family_id, reset_id, process.clock()) is None:
            raise context.refusal("LINK_NOT_VALID", ["token"])
        await check_password(context, tx, family_id, password)
    hashed = await attempts.hashed(context, password)
    try:
        async with context.transaction(system=True) as tx:
            await logins.hold_family(tx, family_id)
            account_id = await stored.use_reset(tx, family_id, reset_id, process.clock())
            if account_id is None:
                raise context.refusal("LINK_NOT_VALID", ["token"])
            await _recover(tx, context, family_id, account_id, hashed)
    except asyncpg.UniqueViolationError as error:
        # Another login has verified the same address since.
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
    process.sessions.forget_all()


async def _recover(tx: Any, context: Context, family_id: UUID, account_id: UUID, hashed: str) -> None:
    now = context.process.clock()
    login = await logins.hold(tx, family_id, account_id)
    assert login is not None, "a foreign key guarantees it"
    await give_back(tx, context, family_id, account_id, hashed)
    await accounts.verify_email(tx, family_id, account_id, login.email, uuid7(now), now)
    await throttle.forgive(tx, await _subjects(tx, context, family_id, login.email))
    await tell(tx, told("password_changed", family_id, account_id, now, login=login.email))
    await context.record(tx, "password_reset", family=family_id, subject=account_id)


async def give_back(tx: Any, context: Context, family_id: UUID, account_id: UUID, hashed: str) -> None:
    """Give a login back to its owner: the new password counts alone, whoever was inside is out, the lock is lifted."""
    now = context.process.clock()
    await logins.set_password(tx, family_id, account_id, hashed)
    await logins.unlock(tx, family_id, account_id, now)
    await stored.void_resets(tx, family_id, account_id, now)
    await stored.cancel_changes(tx, family_id, account_id, now)
    await sessions.end_all(tx, account_id, family_id, now, "PASSWORD_RESET")


async def _subjects(tx: Any, context: Context, family_id: UUID, email: str) -> list[bytes]:
    """Give what guesses at this login were counted under: they were somebody else's."""
    number = (await logins.personal(tx, family_id)).number
    keys = context.process.keys
    return [throttling.by_identifier(keys, identifier, as_agent=False) for identifier in (email, number)]
