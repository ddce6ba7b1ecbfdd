"""What the portal asks of an outside provider of sign-in (OpenID Connect); the gateway speaks with the real one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class ProviderUnavailable(Exception):
    """The provider does not answer, or not as a provider answers; a later try may succeed."""


class ProviderRefused(Exception):
    """The provider does not vouch for this sign-in; `code` says why, for the audit log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """What a browser is sent to the provider with."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str
    """PKCE (RFC 7636): the provider sees its SHA-256 now, itself with the code."""


class Provider(Protocol):
    """A provider of sign-in."""

    @property
    def id(self) -> UUID:
        """Its row in `identity_provider`."""

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Where browsers may come back to."""

    async def address(self, request: Request) -> str:
        """Give the address that a browser is sent to. Raises ProviderUnavailable."""

    async def subject(self, request: Request, code: str, now: datetime) -> str:
        """Exchange a code and give the subject that the provider vouches for.

        Raises ProviderUnavailable, ProviderRefused.
        """
