"""Families' accounts: activation and verified addresses."""

import hmac
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from email_validator import EmailNotValidError

from db import accounts as stored
from db import throttle
from db.ids import uuid7
from db.keys import LinkRefused
from db.outbox import Told, tell
from resolvers import activation_codes, attempts, terms
from resolvers.addresses import normalised_email
from resolvers.context import Context
from resolvers.password_policy import check_password

MOST_ACTIVATIONS_A_DAY = 5
CODE_LIVES = timedelta(days=90)
VERIFY_EMAIL = "verify-email"


async def activate(
    context: Context, family_number: str, code: str, email: str, password: str, accepts_terms: int | None
) -> None:
    """Open a family's first account with its number and activation code (R15), and send the link that verifies the
    address.

    Raises Refusal: ACTIVATION_REFUSED for every cause alike, EMAIL_NOT_VALID, TERMS_CHANGED, BUSY, the faults of the
    password.
    """
    address = checked_email(context, email)
    await check_password(context, None, None, password, also=[address])
    # Hashed before the code is looked at, so that a right and a wrong one take the same time.
    password_hash = await attempts.hashed(context, password)
    if not await _activated(context, family_number.strip(), code, address, password_hash, accepts_terms):
        raise context.refusal("ACTIVATION_REFUSED")


async def _activated(
    context: Context, family_number: str, code: str, email: str, password_hash: str, accepts_terms: int | None
) -> bool:
    """Do what an activation does; a refusal is a value, so that the failed attempt is counted."""
    process, now = context.process, context.process.clock()
    subject = process.keys.digest("throttle", f"activation/{family_number}")
    async with context.transaction(system=True) as tx:
        tried = await throttle.hold(tx, subject, now.date())
        open_codes = await stored.open_codes(tx, family_number, now)
        if tried.today >= MOST_ACTIVATIONS_A_DAY:
            return False
        given = _digest(context, family_number, code)
        right = [found for found in open_codes if hmac.compare_digest(found.code_hmac, given)]
        if not right:
            await throttle.fail(tx, subject, None)
            return False
        family_id, account_id = right[0].family_id, uuid7(now)
        await stored.activate(tx, family_id, account_id, email, password_hash, context.viewer.language, now)
        if accepts_terms is not None:
            await terms.record_acceptance(tx, context, family_id, account_id, accepts_terms, "REGISTRATION")
        await tell(tx, Told(family_id, "ACCOUNT_SECURITY", "account_activated", account_id, {}, now))
        await tell_verification(tx, context, family_id, account_id, email)
    return True


def _digest(context: Context, family_number: str, code: str) -> bytes:
    try:
        return activation_codes.digest(context.process.keys, family_number, code)
    except ValueError:
        return b""


def checked_email(context: Context, text: str) -> str:
    """Give an address in the form it is stored in; raises Refusal EMAIL_NOT_VALID."""
    try:
        return normalised_email(text)
    except EmailNotValidError as error:
        raise context.refusal("EMAIL_NOT_VALID", ["email"]) from error


async def tell_verification(tx: Any, context: Context, family_id: UUID, account_id: UUID, email: str) -> None:
    """Send the one-time link that proves an address (R16); the dispatcher signs it when it writes the message."""
    data = {"account": str(account_id), "email": email}
    now = context.process.clock()
    told = Told(
        family_id, "ACCOUNT_SECURITY", "email_verification", account_id, data, now, priority=0, to=[("EMAIL", email)]
    )
    await tell(tx, told)


async def verify_email(context: Context, token: str) -> None:
    """Take the link of the verification message; a second click changes nothing.

    Raises Refusal LINK_NOT_VALID.
    """
    now = context.process.clock()
    try:
        claims = context.process.keys.read_link(VERIFY_EMAIL, token, now)
        family_id, account_id, email = UUID(claims["family"]), UUID(claims["account"]), str(claims["email"])
        async with context.transaction(system=True) as tx:
            verified = await stored.verify_email(tx, family_id, account_id, email, uuid7(now), now)
    except (LinkRefused, KeyError, ValueError, asyncpg.UniqueViolationError) as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
    if not verified:
        raise context.refusal("LINK_NOT_VALID", ["token"])


async def issue_activation_code(context: Context, family_number: str) -> tuple[str, date]:
    """Issue a new activation code at the counter; give it with its last day. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    code = activation_codes.new_code()
    expires_at = now + CODE_LIVES
    agent_id = context.viewer.agent
    async with context.transaction() as tx:
        family_id = await stored.family_by_number(tx, family_number.strip())
        if family_id is None:
            raise context.refusal("NOT_FOUND", ["familyNumber"])
        digest = activation_codes.digest(context.process.keys, family_number.strip(), code)
        await stored.insert_code(tx, family_id, uuid7(now), digest, expires_at, agent_id, now)
        await context.record(tx, "activation_code_issued", family=family_id)
    return code, expires_at.date()
