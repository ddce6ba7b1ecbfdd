"""Signing in with a password: counted before it is looked at, told in the audit log however it ends."""

from datetime import datetime, timedelta
from typing import Any

from db import accounts as stored_accounts
from db import devices as stored_devices
from db.accounts import Credentials
from resolvers import accounts, attempts, devices, second_factor, sessions, throttling
from resolvers.context import Context
from resolvers.cookies import Role
from resolvers.passwords import Busy
from resolvers.problems import Refusal
from resolvers.second_factor import Step
from resolvers.sessions import Grant


async def sign_in(
    context: Context,
    identifier: str,
    password: str,
    *,
    as_agent: bool,
    shared_computer: bool,
    in_cookies: bool = False,
    device_token: str | None = None,
) -> Grant | Step:
    """Open a session by e-mail address or family number, and password (R18); an agent may be asked for more first.

    The token of a device that the account knows comes as an argument or by cookie. Raises Refusal: BAD_CREDENTIALS for
    every wrong pair alike, THROTTLED, EMAIL_NOT_VERIFIED (the link is sent again), BUSY, BAD_USER_INPUT where cookies
    cannot be set.
    """
    if in_cookies:
        sessions.check_cookies(context)
    device_token = device_token or context.cookies.brought.get(Role.DEVICE)
    with attempts.turn(context):
        outcome = await _signed_in(
            context, identifier, password, device_token, as_agent=as_agent, shared_computer=shared_computer
        )
    return sessions.kept_in_cookies(context, outcome) if in_cookies and isinstance(outcome, Grant) else outcome


async def _signed_in(
    context: Context,
    identifier: str,
    password: str,
    device_token: str | None,
    *,
    as_agent: bool,
    shared_computer: bool,
) -> Grant | Step:
    now = context.process.clock()
    attempt, found = await _begun(context, identifier.strip().lower(), device_token, now, as_agent=as_agent)
    if not await attempts.matches(context, found.password_hash if found else None, password):
        await _record_refusal(context, found, attempt, "BAD_CREDENTIALS")
        raise context.refusal("BAD_CREDENTIALS")
    assert found is not None, "nobody's password never matches"
    renewed = await _renewed_hash(context, found, password)
    try:
        async with context.transaction(system=True) as tx:
            held = await stored_accounts.hold(tx, found)
            if held != found.password_hash and not await attempts.matches(context, held, password):
                raise context.refusal("BAD_CREDENTIALS")  # changed while it was looked at
            await throttling.take_back(tx, attempt)
            if renewed is not None and held == found.password_hash:
                await stored_accounts.change_hash(tx, found, renewed)
            outcome = await _admitted(
                tx, context, found, now, shared_computer=shared_computer, device_token=device_token
            )
    except Refusal as refused:
        await _record_refusal(context, found, attempt, refused.code)
        raise
    if outcome is None:
        raise context.refusal("EMAIL_NOT_VERIFIED")
    return outcome


async def _admitted(
    tx: Any, context: Context, found: Credentials, now: datetime, *, shared_computer: bool, device_token: str | None
) -> Grant | Step | None:
    """Open a session, or ask an agent for more; None for an address that is not verified, to which the link goes."""
    if not found.email_verified:
        await _send_link(tx, context, found)
        return None
    as_agent = found.family_id is None
    step = await second_factor.needed(tx, context, found.id, shared_computer=shared_computer) if as_agent else None
    return step or await sessions.open_session(
        tx,
        context,
        family_id=found.family_id,
        account_id=None if as_agent else found.id,
        agent_id=found.id if as_agent else None,
        now=now,
        shared_computer=shared_computer,
        device_token=device_token,
    )


async def _begun(
    context: Context, identifier: str, device_token: str | None, now: datetime, *, as_agent: bool
) -> tuple[throttling.Attempt, Credentials | None]:
    """Find whose password it should be and count the attempt. Raises Refusal THROTTLED."""
    process = context.process
    keys, most = process.keys, process.settings.limits.sign_ins_per_address
    device = None if as_agent else devices.digest_of(keys, device_token)
    own = throttling.by_identifier(keys, identifier, as_agent=as_agent)
    address: bytes | None = throttling.by_address(keys, context.client, now)
    async with context.transaction(system=True) as tx:
        find = stored_accounts.credentials_of_agent if as_agent else stored_accounts.credentials_of_family
        found = await find(tx, identifier)
        if device is not None and found is not None and found.family_id is not None:
            since = devices.known_since(process.settings.tokens, now)
            if await stored_devices.is_known(tx, found.family_id, found.id, device, since):
                own, address = throttling.by_device(keys, found.id, device), None
        begun = await throttling.begin(tx, own, address, now, most)
    if isinstance(begun, timedelta):
        raise context.throttled(begun)
    return begun, found


async def _renewed_hash(context: Context, found: Credentials, password: str) -> str | None:
    """Hash a right password anew when its hash is of older parameters; not when others wait for the thread."""
    passwords = context.process.passwords
    if not passwords.outdated(found.password_hash):
        return None
    try:
        return await passwords.hash(password)
    except Busy:
        return None


async def _send_link(tx: Any, context: Context, found: Credentials) -> None:
    """Send the link that verifies the address again, instead of opening a session (R16)."""
    assert found.family_id is not None, "agents' addresses count as verified"
    await accounts.tell_verification(tx, context, found.family_id, found.id, found.email)
    code = "EMAIL_NOT_VERIFIED"
    await context.record(tx, "sign_in_refused", family=found.family_id, subject=found.id, code=code)


async def _record_refusal(context: Context, found: Credentials | None, attempt: throttling.Attempt, code: str) -> None:
    """Write down who was not let in: never the identifier, into which people type their password by mistake."""
    family_id, holder_id = (found.family_id, found.id) if found else (None, None)
    async with context.transaction(system=True) as tx:
        await context.record(
            tx,
            "sign_in_refused",
            family=family_id,
            subject=holder_id,
            code=code,
            failures=attempt.failures,
        )
