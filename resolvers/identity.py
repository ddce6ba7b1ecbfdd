"""Families' sign-in by an outside provider (OpenID Connect Core 1.0, authorisation code with PKCE; RFC 9700).

A browser is sent to the provider with a state and a nonce, and comes back with a code. The client that sent it keeps a
`binding`: only it can finish, so that nobody is signed in as somebody else by a link (RFC 9700 section 4.7). A provider
only says who somebody is there: to which account that belongs, the family said itself while it was signed in; an e-mail
address never links.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from db import identity as stored
from db.ids import uuid7
from db.outbox import Told, tell
from resolvers import sessions
from resolvers.context import Context
from resolvers.provider import Provider, ProviderRefused, ProviderUnavailable, Request
from resolvers.reauthentication import confirm_password

SIGN_IN, LINK = "SIGN_IN", "LINK"
SEALED = "identity-attempt"
SUBJECT = "provider-subject"
LONGEST = 2000
"""Characters of a state, a code or a binding."""


SUMMARIES = {
    "provider_linked": (
        "La connexion par {name} a été ajoutée à votre compte.",
        "Signing in with {name} was added to your account.",
    ),
    "provider_unlinked": (
        "La connexion par {name} a été retirée de votre compte.",
        "Signing in with {name} was removed from your account.",
    ),
}


class _Secrets(msgspec.Struct, frozen=True):
    """What is kept sealed while a browser is away."""

    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and what its client keeps until it comes back."""

    url: str
    binding: str


async def start_sign_in(context: Context, redirect_uri: str, *, shared_computer: bool) -> Started:
    """Begin a sign-in. Raises Refusal: PROVIDER_NOT_OFFERED, PROVIDER_UNAVAILABLE, BAD_USER_INPUT (address)."""
    return await _started(context, SIGN_IN, redirect_uri, shared_computer=shared_computer)


async def start_link(context: Context, redirect_uri: str, password: str) -> Started:
    """Begin to link the viewer's account. Raises Refusal as `start_sign_in` does; see also `confirm_password`."""
    _provider(context)
    await confirm_password(context, password)
    return await _started(context, LINK, redirect_uri, shared_computer=False)


async def _started(context: Context, intent: str, redirect_uri: str, *, shared_computer: bool) -> Started:
    process, provider, viewer = context.process, _provider(context), context.viewer
    if redirect_uri not in provider.redirect_uris:
        raise context.refusal("BAD_USER_INPUT", ["redirectUri"])
    request = Request(redirect_uri, _random(), _random(), _random())
    binding, now = _random(), process.clock()
    try:
        url = await provider.address(request)
    except ProviderUnavailable as error:
        raise context.refusal("PROVIDER_UNAVAILABLE") from error
    kept = msgspec.json.encode(_Secrets(request.nonce, request.verifier))
    attempt = stored.Attempt(
        uuid7(now),
        provider.id,
        _hash(binding),
        process.keys.seal(SEALED, kept),
        redirect_uri,
        shared_computer,
        viewer.family if intent == LINK else None,
        viewer.account if intent == LINK else None,
    )
    expires_at = now + timedelta(seconds=process.settings.identity.attempt_seconds)
    async with context.transaction(system=True) as tx:
        await stored.insert_attempt(tx, attempt, intent, _hash(request.state), now, expires_at)
    return Started(url, binding)


def _provider(context: Context) -> Provider:
    provider = context.process.provider
    if provider is None:
        raise context.refusal("PROVIDER_NOT_OFFERED")
    return provider


def _random() -> str:
    """256 bits: 43 characters, which are a PKCE verifier too (RFC 7636 section 4.1)."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def finish_sign_in(
    context: Context,
    state: str,
    code: str,
    binding: str,
    *,
    in_cookies: bool = False,
    device_token: str | None = None,
) -> sessions.Grant:
    """Open the session of the account that the provider's subject is linked to.

    Raises Refusal: PROVIDER_ATTEMPT_NOT_VALID (unknown, used, expired, or another browser's), PROVIDER_REFUSED,
    PROVIDER_UNAVAILABLE, PROVIDER_NOT_LINKED, BAD_USER_INPUT where cookies cannot be set.
    """
    if in_cookies:
        sessions.check_cookies(context)
    provider_id, subject, shared_computer = await _subject(context, SIGN_IN, state, code, binding)
    now = context.process.clock()
    async with context.transaction(system=True) as tx:
        found = await stored.account_of_subject(tx, provider_id, subject, now)
        if found is None:
            raise context.refusal("PROVIDER_NOT_LINKED")
        family_id, account_id, verified = found
        if not verified:
            raise context.refusal("EMAIL_NOT_VERIFIED")
        grant = await sessions.open_session(
            tx,
            context,
            family_id=family_id,
            account_id=account_id,
            agent_id=None,
            now=now,
            shared_computer=shared_computer,
            device_token=device_token,
        )
    return sessions.kept_in_cookies(context, grant) if in_cookies else grant


async def finish_link(context: Context, state: str, code: str, binding: str) -> UUID:
    """Link the viewer's account to the provider's subject, and tell the family; give the link's id.

    Raises Refusal as `finish_sign_in` does, and PROVIDER_LINKED_ALREADY.
    """
    provider_id, subject, _ = await _subject(context, LINK, state, code, binding)
    viewer, now = context.viewer, context.process.clock()
    async with context.transaction() as tx:
        try:
            link_id = await stored.insert_link(tx, viewer.family, viewer.account, provider_id, subject, now)
        except asyncpg.UniqueViolationError as error:
            raise context.refusal("PROVIDER_LINKED_ALREADY") from error
        await _tell(tx, context, "provider_linked")
        await context.record(tx, "provider_linked", family=viewer.family, subject=link_id)
    return link_id


async def unlink(context: Context, link_id: UUID) -> None:
    """Remove a link of the viewer's account, and tell the family. Raises Refusal NOT_FOUND."""
    viewer = context.viewer
    async with context.transaction() as tx:
        if not await stored.delete_link(tx, viewer.family, viewer.account, link_id):
            raise context.refusal("NOT_FOUND", ["link"])
        await _tell(tx, context, "provider_unlinked")
        await context.record(tx, "provider_unlinked", family=viewer.family, subject=link_id)


async def _tell(tx: Any, context: Context, news: str) -> None:
    viewer, now = context.viewer, context.process.clock()
    name = context.process.settings.identity.name
    french, english = (sentence.format(name=name) for sentence in SUMMARIES[news])
    data = {"provider": name, "summary_fr": french, "summary_en": english}
    await tell(tx, Told(viewer.family, "ACCOUNT_SECURITY", news, viewer.account, data, now, priority=0))


async def _subject(context: Context, intent: str, state: str, code: str, binding: str) -> tuple[UUID, bytes, bool]:
    """Use up the attempt, ask the provider, and give it with the subject's HMAC and whether the computer is shared."""
    provider = _provider(context)
    attempt = await _taken(context, intent, state, code, binding)
    if attempt is None or attempt.provider_id != provider.id:
        raise context.refusal("PROVIDER_ATTEMPT_NOT_VALID", ["state"])
    kept = msgspec.json.decode(context.process.keys.unseal(SEALED, attempt.sealed), type=_Secrets)
    request = Request(attempt.redirect_uri, state, kept.nonce, kept.verifier)
    try:
        # Outside of any transaction: nobody waits in the database for the provider.
        subject = await provider.subject(request, code, context.process.clock())
    except ProviderUnavailable as error:
        raise context.refusal("PROVIDER_UNAVAILABLE") from error
    except ProviderRefused as refused:
        async with context.transaction(system=True) as tx:
            await context.record(
                tx, "provider_refused", family=attempt.family_id, subject=attempt.account_id, code=refused.code
            )
        raise context.refusal("PROVIDER_REFUSED") from refused
    return provider.id, context.process.keys.digest(f"{SUBJECT}/{provider.id}", subject), attempt.shared_computer


async def _taken(context: Context, intent: str, state: str, code: str, binding: str) -> stored.Attempt | None:
    """Use up the attempt of a state, whoever asks: a state that another browser shows is known to too many."""
    if max(len(state), len(code), len(binding)) > LONGEST:
        return None
    async with context.transaction(system=True) as tx:
        attempt = await stored.take_attempt(tx, _hash(state), intent, context.process.clock())
    if attempt is None or not hmac.compare_digest(attempt.binding_hash, _hash(binding)):
        return None
    if intent == LINK and (attempt.family_id, attempt.account_id) != (context.viewer.family, context.viewer.account):
        return None
    return attempt
