"""Families' accounts: activation and verified addresses."""

import hmac
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from email_validator import EmailNotValidError

from db import accounts as stored
from db import throttle
from db.ids import uuid7
from db.outbox import tell
from resolvers import activation_codes, attempts, terms
from resolvers.addresses import normalised_email
from resolvers.context import Context
from resolvers.credentials import read_link
from resolvers.pace import even, within_reason
from resolvers.password_policy import check_password
from resolvers.problems import Refusal
from resolvers.recovery import give_back
from resolvers.security_news import told

VERIFY_EMAIL = "verify-email"


async def activate(
    context: Context, family_number: str, code: str, email: str, password: str, accepts_terms: int | None
) -> None:
    """Open a login of a family with its number and activation code (R15), and send the link that verifies the address.

    Of an active family the code is one that an agent issued to somebody known at the counter: it opens another login,
    or, with the address of one that is there, gives that one back to its owner. Raises Refusal: ACTIVATION_REFUSED for
    every cause alike and after the same time, EMAIL_NOT_VALID, TERMS_CHANGED, BUSY, the faults of the password.
    """
    address = checked_email(context, email)
    await check_password(context, None, None, password, also=[address])
    asked = _Activation(family_number.strip(), code, address, password, accepts_terms)
    async with even(context):
        if not await _evaluated(context, asked):
            raise context.refusal("ACTIVATION_REFUSED")


@dataclass(frozen=True, slots=True)
class _Activation:
    """What somebody gave who wants to activate an account."""

    family_number: str
    code: str
    email: str
    password: str
    accepts_terms: int | None


async def _evaluated(context: Context, asked: _Activation) -> bool:
    """Look at a code and do what it allows; False when it is wrong or was not looked at.

    The attempt is counted as failed before, in a transaction of its own, so that parallel guesses cannot outrun the
    count; taken back when the code was right, or not looked at because the portal is busy.
    """
    process, now = context.process, context.process.clock()
    subject = process.keys.digest("throttle", f"activation/{asked.family_number}")
    if not await _counted(context, subject, now):
        return False
    try:
        # Hashed before the code is looked at, so that a right and a wrong one take the same time.
        password_hash = await attempts.hashed(context, asked.password)
        async with context.transaction(system=True) as tx:
            family_id = await _family_of_code(tx, context, asked)
            if family_id is None:
                return False
            await check_password(context, tx, family_id, asked.password, also=[asked.email])
            await _activate(tx, context, family_id, asked, password_hash)
            await throttle.succeed(tx, subject)
    except Refusal:
        async with context.transaction(system=True) as tx:
            await throttle.succeed(tx, subject)
        raise
    return True


async def _counted(context: Context, subject: bytes, now: datetime) -> bool:
    """Count an attempt for its family and its network address; False when either had too many today.

    A flood of them is turned away without waiting for a row, so that it does not take the connections of others.
    """
    most = context.process.settings.accounts.activations_a_day
    async with context.transaction(system=True) as tx:
        if await throttle.today(tx, subject, now.date()) >= most or not await within_reason(tx, context, "activation"):
            return False
        tried = await throttle.hold(tx, subject, now.date())
        if tried.today >= most:
            return False
        await throttle.fail(tx, subject, None)
    return True


async def _family_of_code(tx: Any, context: Context, asked: _Activation) -> UUID | None:
    given = _digest(context, asked.family_number, asked.code)
    codes = await stored.open_codes(tx, asked.family_number, context.process.clock())
    right = [found.family_id for found in codes if hmac.compare_digest(found.code_hmac, given)]
    return right[0] if right else None


async def _activate(tx: Any, context: Context, family_id: UUID, asked: _Activation, password_hash: str) -> None:
    """Open the login or give it back, and tell every address on file: whoever took the letter cannot hide it."""
    now, language = context.process.clock(), context.viewer.language
    on_file = await stored.emails_on_file(tx, family_id)
    await stored.activate(tx, family_id, language, now)
    there = await stored.login_of_address(tx, family_id, asked.email)
    account_id = there.id if there else uuid7(now)
    if there:
        await give_back(tx, context, family_id, account_id, password_hash)
    else:
        await stored.insert(tx, family_id, account_id, asked.email, password_hash, language, now)
    if asked.accepts_terms is not None:
        await terms.record_acceptance(tx, context, family_id, account_id, asked.accepts_terms, "REGISTRATION")
    await tell(tx, told("account_activated", family_id, account_id, now, to=on_file, login=asked.email))
    if not (there and there.verified):
        await tell_verification(tx, context, family_id, account_id, asked.email)
    act = "account_reactivated" if there else "account_activated"
    await context.record(tx, act, family=family_id, subject=account_id)


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
    now = context.process.clock()
    await tell(tx, told("email_verification", family_id, account_id, now, to=[email], email=email))


async def verify_email(context: Context, token: str) -> None:
    """Take the link of the verification message; a second click changes nothing.

    Raises Refusal LINK_NOT_VALID.
    """
    now = context.process.clock()
    family_id, account_id, claims = read_link(context, VERIFY_EMAIL, token, "account")
    try:
        async with context.transaction(system=True) as tx:
            verified = await stored.verify_email(tx, family_id, account_id, claims.get("email", ""), uuid7(now), now)
    except asyncpg.UniqueViolationError as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
    if not verified:
        raise context.refusal("LINK_NOT_VALID", ["token"])


async def issue_activation_code(context: Context, family_number: str) -> tuple[str, date]:
    """Issue a new activation code at the counter; give it with its last day. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    code = activation_codes.new_code()
    expires_at = now + timedelta(days=context.process.settings.accounts.code_days)
    agent_id = context.viewer.agent
    async with context.transaction() as tx:
        family_id = await stored.family_by_number(tx, family_number.strip())
        if family_id is None:
            raise context.refusal("NOT_FOUND", ["familyNumber"])
        digest = activation_codes.digest(context.process.keys, family_number.strip(), code)
        await stored.insert_code(tx, family_id, uuid7(now), digest, expires_at, agent_id, now)
        await context.record(tx, "activation_code_issued", family=family_id)
    return code, expires_at.date()
