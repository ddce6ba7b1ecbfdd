"""Who looks: the one answer that every permission and every predicate is built on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

SYSTEM_SIGHT: Mapping[str, str] = {"kiosque.system": "on"}
"""What the portal itself sees when nobody has signed in yet: sign-in, activation, scheduled jobs."""


class Kind(StrEnum):
    """The kinds of viewer; a plan of a read is made for each."""

    ANONYMOUS = "ANONYMOUS"
    FAMILY = "FAMILY"
    AGENT = "AGENT"
    PARTNER = "PARTNER"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who sent a request, as its access token and its session say."""

    kind: Kind
    """What kind of viewer it is."""

    language: str = "fr"
    """`fr` or `en`: the language of everything a person reads."""

    session_id: UUID | None = None
    """The sign-in this request belongs to."""

    expires_at: datetime | None = None
    """When the access token ends (UTC); open sockets close then."""

    family_id: UUID | None = None
    """The family whose rows are seen; for families only."""

    account_id: UUID | None = None
    """The login of the family."""

    terms_accepted: bool = False
    """True when the account accepted the terms in force (R3)."""

    agent_id: UUID | None = None
    """The agent; for agents only."""

    roles: frozenset[str] = frozenset()
    """Roles of the agent: AGENT, CASHIER, EDITOR, ADMIN."""

    services: tuple[UUID, ...] = ()
    """The services whose procedures the agent or the partner sees."""

    partner_id: UUID | None = None
    """The partner; for partners only."""

    scopes: frozenset[str] = frozenset()
    """What the partner may read, as `schema.partners.PartnerScope` names it."""

    networks: tuple[str, ...] = ()
    """Where the partner may call from, in CIDR notation; anywhere when empty."""

    sight: Mapping[str, str] = field(init=False, default_factory=dict)
    """The same as settings for row-level security."""

    values: Mapping[str, Any] = field(init=False, default_factory=dict)
    """The same as parameters for the predicates of reads."""

    def __post_init__(self) -> None:
        """Derive once what every statement needs."""
        sight: dict[str, str] = {}
        if self.kind is Kind.FAMILY:
            sight["kiosque.family"] = str(self.family_id)
        elif self.kind is Kind.AGENT:
            sight["kiosque.agent"] = str(self.agent_id)
            sight["kiosque.services"] = "{" + ",".join(map(str, self.services)) + "}"
            sight["kiosque.admin"] = "on" if "ADMIN" in self.roles else "off"
            sight["kiosque.cashier"] = "on" if self.roles & {"CASHIER", "ADMIN"} else "off"
        elif self.kind is Kind.PARTNER:
            # Not the setting of agents: many policies let every agent see what no partner may.
            sight["kiosque.partner"] = str(self.partner_id or "")
            sight["kiosque.partner_services"] = "{" + ",".join(map(str, self.services)) + "}"
            sight["kiosque.partner_scopes"] = " ".join(sorted(self.scopes))
        object.__setattr__(self, "sight", sight)
        values = {
            "family": self.family_id,
            "account": self.account_id,
            "agent": self.agent_id,
            "partner": self.partner_id,
            "scopes": sorted(self.scopes),
            "session": self.session_id,
            "services": list(self.services),
            "roles": sorted(self.roles),
            "admin": "ADMIN" in self.roles,
            "language": self.language,
        }
        object.__setattr__(self, "values", values)

    @property
    def family(self) -> UUID:
        """Give the family of a viewer whom the gate has let pass as one; raises PermissionError for any other."""
        return _known(self.family_id)

    @property
    def account(self) -> UUID:
        """Give the account, as `family` does the family."""
        return _known(self.account_id)

    @property
    def agent(self) -> UUID:
        """Give the agent, as `family` does the family."""
        return _known(self.agent_id)

    @property
    def partner(self) -> UUID:
        """Give the partner, as `family` does the family."""
        return _known(self.partner_id)

    @property
    def login(self) -> UUID | None:
        """Give who is counted and limited: the account, the agent or the partner; None for nobody."""
        return self.account_id or self.agent_id or self.partner_id

    @property
    def sharing(self) -> tuple[str, ...]:
        """Give what an answer can depend on, but for the session: viewers with the same may share one answer."""
        return (self.kind, self.language, str(self.account_id), *self.sight.values())


def _known(value: UUID | None) -> UUID:
    if value is None:
        raise PermissionError("this viewer should not have come so far")
    return value


@cache
def anonymous(language: str = "fr") -> Viewer:
    """Give the viewer that has not signed in."""
    return Viewer(Kind.ANONYMOUS, language)
