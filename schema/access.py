"""Who may call a field, and when: declared beside it, printed in the SDL, enforced from the same declaration (deny by
default). Every root field says it; a field further down where less is open than above it.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, cast

import strawberry
from graphql import DirectiveLocation, GraphQLObjectType, GraphQLSchema
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


@strawberry.enum(description="What a partner may read; OAuth 2 names it as said in each.")
class PartnerScope(Enum):
    """Scopes of partners; stored by these names."""

    PROCEDURES_READ = strawberry.enum_value(
        "PROCEDURES_READ", description="`procedures:read`: procedures of its services, their steps, the feed of events."
    )
    STATISTICS_READ = strawberry.enum_value(
        "STATISTICS_READ", description="`statistics:read`: counts and delays of its services."
    )
    PAGES_READ = strawberry.enum_value("PAGES_READ", description="`pages:read`: information pages and places.")
    INVOICES_AGGREGATE = strawberry.enum_value(
        "INVOICES_AGGREGATE", description="`invoices:aggregate`: revenue of its services, never one invoice."
    )
    FAMILIES_NAMES = strawberry.enum_value(
        "FAMILIES_NAMES", description="`families:names`: the names of families beside their procedures."
    )
    EXPLORE = strawberry.enum_value(
        "EXPLORE", description="`explore`: documents that are not registered, also in production."
    )


@strawberry.enum(description="Whether a command works while the portal is in maintenance (R8).")
class InMaintenance(Enum):
    """What maintenance means for a command."""

    REFUSED = strawberry.enum_value("REFUSED", description="Refused with the code MAINTENANCE and the notice.")
    AGENTS = strawberry.enum_value("AGENTS", description="Agents may, where the maintenance lets them work.")
    ALWAYS = strawberry.enum_value("ALWAYS", description="Works for whoever may call it.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, NOTE],
    description="Who may call the field, and when: nobody but the viewers named. Agents need one of the roles, "
    "partners all of the scopes. Of a type with families' rows a partner may read `id` and the fields that name "
    "PARTNER, no other. "
    "On a fragment of a client's document it is a note for readers, and ignored.",
)
class May:
    """The `@may` directive of the SDL."""

    viewers: list[ViewerKind] = strawberry.field(name="viewers", description="Kinds of viewer that may call it.")
    roles: list[AgentRole] = strawberry.field(name="roles", description="Roles of which an agent needs one.")
    before_terms: bool = strawberry.field(
        name="beforeTerms", description="True when a family may call it before it accepts the terms of use (R3)."
    )
    scopes: list[PartnerScope] | None = strawberry.field(
        name="scopes", default=strawberry.UNSET, description="Scopes of which a partner needs all."
    )
    in_maintenance: InMaintenance | None = strawberry.field(
        name="inMaintenance",
        default=strawberry.UNSET,
        description="What becomes of it during maintenance; said of commands only, since everything can be read.",
    )


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call one field, and when."""

    kinds: frozenset[Kind]
    roles: frozenset[str] = frozenset()
    before_terms: bool = False
    in_maintenance: InMaintenance = InMaintenance.REFUSED
    """For commands only."""
    scopes: frozenset[str] = frozenset()
    """What a partner needs, all of them."""

    @property
    def is_public(self) -> bool:
        """Whether nobody in particular may call it."""
        return Kind.ANONYMOUS in self.kinds and self.before_terms

    @property
    def directive(self) -> May:
        """Give the same as it stands in the SDL at a read."""
        kinds = [kind for kind in ViewerKind if Kind(kind.name) in self.kinds]
        roles = [role for role in AgentRole if role.name in self.roles]
        scopes = [scope for scope in PartnerScope if scope.name in self.scopes]
        return May(viewers=kinds, roles=roles, before_terms=self.before_terms, scopes=scopes or strawberry.UNSET)

    @property
    def directive_of_command(self) -> May:
        """Give the same as it stands in the SDL at a command."""
        return replace(self.directive, in_maintenance=self.in_maintenance)

    @property
    def always(self) -> "Access":
        """Give the same for a command that works also during maintenance."""
        return replace(self, in_maintenance=InMaintenance.ALWAYS)

    def works_in_maintenance(self, viewer: Viewer, *, agents_may_work: bool) -> bool:
        """Tell whether a command works for this viewer while there is maintenance (R8)."""
        if self.in_maintenance is InMaintenance.AGENTS:
            return agents_may_work and viewer.kind is Kind.AGENT
        return self.in_maintenance is InMaintenance.ALWAYS

    def permit(self, viewer: Viewer) -> None:
        """Raise the refusal that applies to this viewer, if any."""
        if viewer.kind not in self.kinds:
            raise refusal("UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN", viewer)
        if viewer.kind is Kind.AGENT and not self.roles & viewer.roles:
            raise refusal("FORBIDDEN", viewer)
        if viewer.kind is Kind.PARTNER and not self.scopes <= viewer.scopes:
            raise refusal("FORBIDDEN", viewer)
        if viewer.kind is Kind.FAMILY and not (viewer.terms_accepted or self.before_terms):
            raise refusal("TERMS_NOT_ACCEPTED", viewer)


STAFF = frozenset({"AGENT", "CASHIER", "EDITOR", "ADMIN"})

EVERYBODY = Access(frozenset(Kind), roles=STAFF, before_terms=True)
PEOPLE = Access(frozenset({Kind.FAMILY, Kind.AGENT}), roles=STAFF, before_terms=True)
FAMILY = Access(frozenset({Kind.FAMILY}))
FAMILY_BEFORE_TERMS = Access(frozenset({Kind.FAMILY}), before_terms=True)
AFTER_TERMS = Access(frozenset(Kind), roles=STAFF)
"""Everybody; a family once it has accepted the terms. For fields under an open one, and for reads of any object."""
AGENT = Access(frozenset({Kind.AGENT}), roles=frozenset({"AGENT"}), in_maintenance=InMaintenance.AGENTS)
ANY_AGENT = Access(frozenset({Kind.AGENT}), roles=STAFF, in_maintenance=InMaintenance.AGENTS)
EDITOR = Access(frozenset({Kind.AGENT}), roles=frozenset({"EDITOR", "ADMIN"}), in_maintenance=InMaintenance.AGENTS)
ADMIN = Access(frozenset({Kind.AGENT}), roles=frozenset({"ADMIN"}), in_maintenance=InMaintenance.AGENTS)
COUNTER = Access(frozenset({Kind.AGENT}), roles=frozenset({"AGENT", "CASHIER"}), in_maintenance=InMaintenance.AGENTS)
TILL = Access(frozenset({Kind.AGENT}), roles=frozenset({"CASHIER", "ADMIN"}), in_maintenance=InMaintenance.AGENTS)
FAMILY_OR_TILL = replace(TILL, kinds=frozenset({Kind.FAMILY, Kind.AGENT}))
FAMILY_OR_COUNTER = replace(COUNTER, kinds=frozenset({Kind.FAMILY, Kind.AGENT}))
FAMILY_OR_HANDLER = replace(AGENT, kinds=frozenset({Kind.FAMILY, Kind.AGENT}))
FAMILY_OR_AGENT = Access(frozenset({Kind.FAMILY, Kind.AGENT}), roles=STAFF)
PARTNER = Access(frozenset({Kind.PARTNER}))


def and_partner(access: Access, *scopes: str) -> Access:
    """Give the same for partners with all of these scopes, too."""
    return replace(access, kinds=access.kinds | {Kind.PARTNER}, scopes=frozenset(scopes))


READ_BY_ALL = and_partner(EVERYBODY, "PAGES_READ")
"""Information of the city: everybody's, but a partner's token reads only what it was made for."""

CLOSED = "closed to partners"
NOT_FOR_PARTNERS = Access(frozenset(Kind) - {Kind.PARTNER}, roles=STAFF, before_terms=True)
"""Of every field of a type with families' rows that says nothing: what nobody thought of is not shown to partners."""


def declared(field: Any) -> Access | None:
    """Give the declaration of any field, or None where it has none of its own."""
    definition = field.extensions.get(DEFINITION)
    access = definition.metadata.get(METADATA) if definition is not None else None
    if isinstance(access, Access):
        return access
    return NOT_FOR_PARTNERS if field.extensions.get(CLOSED) else None


def access_of(field: Any) -> Access:
    """Give the declaration of a root field; raises LookupError, so that a field without one does not start."""
    access = declared(field)
    if access is None:
        raise LookupError("a root field says who may call it (`may=`)")
    return access


def guard(schema: GraphQLSchema) -> None:
    """Let every field that declares an access, all root fields among them, ask its declaration first."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    for named in schema.type_map.values():
        if isinstance(named, GraphQLObjectType) and _of_families(named):
            for name, field in named.fields.items():
                if name != "id":
                    field.extensions = {**field.extensions, CLOSED: True}
        for name, field in (named.fields if isinstance(named, GraphQLObjectType) else {}).items():
            access = declared(field)
            if access is None and named in roots:
                raise LookupError(f"{name}: a root field says who may call it (`may=`)")
            if access is not None:
                field.resolve = _guarded(access, field.resolve)


def _of_families(named: GraphQLObjectType) -> bool:
    """Tell whether a type has rows of families of which partners see some."""
    definition = named.extensions.get(DEFINITION)
    stored = getattr(getattr(definition, "origin", None), "__stored__", None)
    return stored is not None and {Kind.FAMILY, Kind.PARTNER} <= set(stored.whose)


def _guarded(access: Access, resolve: Any) -> Any:
    def guarded(source: Any, info: Any, /, **arguments: Any) -> Any:
        access.permit(info.context.viewer)
        return resolve(source, info, **arguments)

    return guarded
