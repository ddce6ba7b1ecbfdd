"""Passkeys (WebAuthn level 3): what a browser is asked, and whether its answer is the authenticator's."""

import asyncio
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from db.settings import Settings

T = TypeVar("T")

FORGED = "PASSKEY_NOT_VALID"
CLONED = "PASSKEY_CLONED"


class PasskeyRefused(Exception):
    """An answer is not the right authenticator's; `code` says why, for the audit log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Site:
    """For which site passkeys are made: its domain, its name, and the origins whose pages may ask for them."""

    domain: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """What is kept of a passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def site_of(settings: Settings) -> Site:
    """Give the site of a portal: the address that people see, and the web apps on the same domain or below it."""
    domain = urlsplit(settings.server.url).hostname or ""
    hosts = [(origin, urlsplit(origin).hostname or "") for origin in settings.server.allowed_origins]
    below = [origin for origin, host in hosts if host == domain or host.endswith(f".{domain}")]
    own = urlsplit(settings.server.url)
    return Site(domain, settings.city.name, (f"{own.scheme}://{own.netloc}", *below))


async def ready() -> None:
    """Load the library beside the event loop, at the first use: it takes a quarter of a second."""
    await asyncio.to_thread(importlib.import_module, "webauthn")


def registration_options(
    site: Site, user_id: bytes, user_name: str, known: Sequence[bytes], nonce: bytes
) -> dict[str, Any]:
    """Give what a page hands to `navigator.credentials.create`; `known` are credentials that must not come again."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=site.domain,
        rp_name=site.name,
        user_id=user_id,
        user_name=user_name,
        challenge=nonce,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return _json(webauthn.options_to_json(options))


def sign_in_options(site: Site, known: Sequence[bytes], nonce: bytes) -> dict[str, Any]:
    """Give what a page hands to `navigator.credentials.get`."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=site.domain,
        challenge=nonce,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return _json(webauthn.options_to_json(options))


def registered(site: Site, answer: Any, nonce: bytes) -> Passkey:
    """Give the passkey that an authenticator made; raises PasskeyRefused."""
    import webauthn

    made = _checked(
        lambda: webauthn.verify_registration_response(
            credential=answer, expected_challenge=nonce, expected_rp_id=site.domain, expected_origin=[*site.origins]
        )
    )
    return Passkey(made.credential_id, made.credential_public_key, made.sign_count)


def credential_of(answer: Any) -> bytes:
    """Give the id of the credential that an answer names; raises PasskeyRefused."""
    from webauthn.helpers import parse_authentication_credential_json

    return _checked(lambda: parse_authentication_credential_json(answer)).raw_id


def signed(site: Site, answer: Any, nonce: bytes, passkey: Passkey) -> int:
    """Check that a passkey signed the challenge; give how often it has signed.

    Raises PasskeyRefused; CLONED when its count of signatures has not risen (WebAuthn section 6.1.1), which means that
    another authenticator has the same key.
    """
    import webauthn

    # Compared here, not by the library, so that a right signature with an old count is told from a wrong one.
    count = _checked(
        lambda: webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=nonce,
            expected_rp_id=site.domain,
            expected_origin=[*site.origins],
            credential_public_key=passkey.public_key,
            credential_current_sign_count=-1,
        )
    ).new_sign_count
    if (count or passkey.sign_count) and count <= passkey.sign_count:
        raise PasskeyRefused(CLONED)
    return count


def _checked(check: Callable[[], T]) -> T:
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return check()
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError) as error:
        # The library's parsers meet what a client made up, and fail in every way that Python has for it.
        raise PasskeyRefused(FORGED) from error


def _json(text: str) -> dict[str, Any]:
    options: dict[str, Any] = json.loads(text)
    return options
