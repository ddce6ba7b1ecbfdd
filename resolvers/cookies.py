"""Cookies of the web app: which came with a request, and which its answer sets. The gateway reads and writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Role(StrEnum):
    """What a cookie is for; its name on the wire is the gateway's."""

    ACCESS = "access"
    REFRESH = "refresh"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie to set."""

    value: str
    lasts: timedelta | None
    """None: until the browser is closed; nothing: it is to be dropped."""


@dataclass(slots=True)
class Cookies:
    """The cookies of one request and of its answer."""

    brought: Mapping[Role, str] = field(default_factory=dict)
    """Those that count; a request that another site may have caused brings none."""

    writable: bool = False
    """True when the answer can still set some: over plain HTTP, not on a socket or in a stream."""

    wanted: dict[Role, Cookie] = field(default_factory=dict)
    """Those that the answer sets or drops."""

    def only(self, role: Role) -> "Cookies":
        """Give the same as if no other cookie had come."""
        return Cookies({role: self.brought[role]} if role in self.brought else {})

    def put(self, role: Role, value: str, lasts: timedelta | None) -> None:
        """Let the answer set a cookie."""
        self.wanted[role] = Cookie(value, lasts)

    def drop(self, *roles: Role) -> None:
        """Let the answer drop cookies."""
        self.wanted.update(dict.fromkeys(roles, Cookie("", timedelta())))
