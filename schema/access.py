"""Who may call a root field: declared beside it, printed in the SDL, enforced from the same declaration (deny by
default).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import strawberry
from graphql import DirectiveLocation, GraphQLSchema
from strawberry.schema_directive import Location

from resolvers.problems import refusal
from resolvers.reading.mapping import DEFINITION
from resolvers.viewer import Kind, Viewer

METADATA = "access"

NOTE = cast(Location, DirectiveLocation.FRAGMENT_DEFINITION)
"""Where clients may write the directive. Strawberry lists only the places of the SDL itself; graphql-core knows all. A
directive that no document can carry counts as unreachable for the linters of clients."""


@strawberry.enum(description="Kinds of viewer.")
class ViewerKind(Enum):
    """Kinds of viewer, as the SDL names them."""

    ANONYMOUS = strawberry.enum_value("ANONYMOUS", description="Nobody has signed in.")
    FAMILY = strawberry.enum_value("FAMILY", description="A login of a family.")
    AGENT = strawberry.enum_value("AGENT", description="City staff.")
    PARTNER = strawberry.enum_value("PARTNER", description="An organisation's API client.")


@strawberry.enum(description="Roles of city staff.")
class AgentRole(Enum):
    """Roles of agents, as the SDL names them."""

    AGENT = strawberry.enum_value("AGENT", description="Handles the procedures of its services.")
    CASHIER = strawberry.enum_value("CASHIER", description="Takes money at the counter (régisseur).")
    EDITOR = strawberry.enum_value("EDITOR", description="Writes information pages and kinds of procedure.")
    ADMIN = strawberry.enum_value("ADMIN", description="Administers the portal.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, NOTE],
    description="Who may call the field: nobody but the viewers named. Agents need one of the roles. "
    "On a fragment of a client's document it is a note for readers, and ignored.",
)
class May:
    """The `@may` directive of the SDL."""

    viewers: list[ViewerKind] = strawberry.field(name="viewers", description="Kinds of viewer that may call it.")
    roles: list[AgentRole] = strawberry.field(name="roles", description="Roles of which an agent needs one.")
    before_terms: bool = strawberry.field(
        name="beforeTerms", description="True when a family may call it before it accepts the terms of use (R3)."
    )


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call one root field."""

    kinds: frozenset[Kind]
    roles: frozenset[str] = frozenset()
    before_terms: bool = False

    @property
    def directive(self) -> May:
        """Give the same as it stands in the SDL."""
        kinds = [kind for kind in ViewerKind if Kind(kind.name) in self.kinds]
        roles = [role for role in AgentRole if role.name in self.roles]
        return May(viewers=kinds, roles=roles, before_terms=self.before_terms)

    def permit(self, viewer: Viewer) -> None:
        """Raise the refusal that applies to this viewer, if any."""
        if viewer.kind not in self.kinds:
            raise refusal("UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN", viewer)
        if viewer.kind is Kind.AGENT and not self.roles & viewer.roles:
            raise refusal("FORBIDDEN", viewer)
        if viewer.kind is Kind.FAMILY and not (viewer.terms_accepted or self.before_terms):
            raise refusal("TERMS_NOT_ACCEPTED", viewer)


STAFF = frozenset({"AGENT", "CASHIER", "EDITOR", "ADMIN"})

EVERYBODY = Access(frozenset(Kind), roles=STAFF, before_terms=True)
SIGNED_IN = Access(frozenset({Kind.FAMILY, Kind.AGENT, Kind.PARTNER}), roles=STAFF, before_terms=True)
FAMILY = Access(frozenset({Kind.FAMILY}))
FAMILY_BEFORE_TERMS = Access(frozenset({Kind.FAMILY}), before_terms=True)
AGENT = Access(frozenset({Kind.AGENT}), roles=frozenset({"AGENT"}))
ANY_AGENT = Access(frozenset({Kind.AGENT}), roles=STAFF)
ADMIN = Access(frozenset({Kind.AGENT}), roles=frozenset({"ADMIN"}))
COUNTER = Access(frozenset({Kind.AGENT}), roles=frozenset({"AGENT", "CASHIER"}))
FAMILY_OR_COUNTER = Access(frozenset({Kind.FAMILY, Kind.AGENT}), roles=frozenset({"AGENT", "CASHIER"}))
FAMILY_OR_AGENT = Access(frozenset({Kind.FAMILY, Kind.AGENT}), roles=STAFF)


def access_of(field: Any) -> Access:
    """Give the declaration of a root field; raises LookupError, so that a field without one does not start."""
    definition = field.extensions.get(DEFINITION)
    access = definition.metadata.get(METADATA) if definition is not None else None
    if not isinstance(access, Access):
        raise LookupError("a root field says who may call it (`may=`)")
    return access


def guard(schema: GraphQLSchema) -> None:
    """Let every root field of the schema ask its declaration first."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name, field in (root.fields if root else {}).items():
            try:
                access = access_of(field)
            except LookupError as error:
                raise LookupError(f"{name}: {error}") from error
            field.resolve = _guarded(access, field.resolve)


def _guarded(access: Access, resolve: Any) -> Any:
    def guarded(source: Any, info: Any, /, **arguments: Any) -> Any:
        access.permit(info.context.viewer)
        return resolve(source, info, **arguments)

    return guarded
