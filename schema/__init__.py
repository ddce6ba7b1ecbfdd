"""What is seen: the one GraphQL schema of the portal."""

from dataclasses import dataclass
from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from resolvers.reading.fallback import attach
from resolvers.reading.mapping import Mapping, mapping_of
from schema.access import AFTER_TERMS, AgentRole, InMaintenance, ViewerKind, guard
from schema.accounts import AccountMutations, AccountQueries
from schema.agent_sign_in import AgentSignInMutations
from schema.agents import AgentMutations, AgentQueries
from schema.audit import AuditQueries
from schema.credentials import CredentialMutations, CredentialQueries
from schema.declare import Arg, by_id
from schema.families import FamilyMutations, FamilyQueries
from schema.help import HelpQueries, constants
from schema.identity import IdentityMutations
from schema.logins import LoginMutations
from schema.members import MemberMutations, MemberQueries
from schema.news import NewsMutations, NewsSubscriptions
from schema.pages import PageMutations, PageQueries
from schema.places import PlaceMutations, PlaceQueries
from schema.privacy import PrivacyMutations
from schema.procedures import ProcedureMutations, ProcedureQueries
from schema.provider_links import IdentityQueries, ProviderLinkMutations
from schema.relay import Node
from schema.scalars import SCALARS
from schema.second_factor import SecondFactorMutations
from schema.service_status import ServiceStatusMutations, ServiceStatusQueries, ServiceStatusSubscriptions
from schema.sessions import SessionMutations
from schema.tasks import TaskMutations, TaskQueries
from schema.terms import TermsMutations, TermsQueries

__all__ = ("VIEWER_CASTS", "Built", "build", "constants")

VIEWER_CASTS = {
    "family": "uuid",
    "account": "uuid",
    "agent": "uuid",
    "session": "uuid",
    "services": "uuid[]",
    "roles": "text[]",
    "admin": "boolean",
    "language": "text",
}
"""SQL types of the viewer's values in predicates."""


@strawberry.type(description="Everything that can be read. One operation is one SQL statement.")
class Query(
    AccountQueries,
    CredentialQueries,
    TaskQueries,
    FamilyQueries,
    MemberQueries,
    TermsQueries,
    ServiceStatusQueries,
    HelpQueries,
    ProcedureQueries,
    PageQueries,
    PlaceQueries,
    AuditQueries,
    AgentQueries,
    IdentityQueries,
):
    """Root of reads."""

    node: Node | None = by_id(
        "Any object by its id; null when there is none that the viewer sees.",
        may=AFTER_TERMS,
        id=Arg(strawberry.ID, "Id."),
    )
    nodes: list[Node | None] = by_id(
        "Objects by their ids, in the same order.",
        may=AFTER_TERMS,
        many=True,
        ids=Arg(list[strawberry.ID], "Ids, 100 at the most."),
    )


@strawberry.type(
    description="Everything that can be done. Each command is one transaction; refusals are in `problems`."
)
class Mutation(
    AccountMutations,
    CredentialMutations,
    TaskMutations,
    SessionMutations,
    FamilyMutations,
    MemberMutations,
    LoginMutations,
    TermsMutations,
    ServiceStatusMutations,
    ProcedureMutations,
    PageMutations,
    PlaceMutations,
    NewsMutations,
    PrivacyMutations,
    AgentSignInMutations,
    AgentMutations,
    SecondFactorMutations,
    IdentityMutations,
    ProviderLinkMutations,
):
    """Root of commands."""


@strawberry.type(description="Everything that can be followed. Streams resume behind a cursor, without gap or double.")
class Subscription(
    NewsSubscriptions,
    ServiceStatusSubscriptions,
):
    """Root of live streams."""


@dataclass(frozen=True, slots=True)
class Built:
    """The schema in its three forms."""

    graphql: GraphQLSchema
    mapping: Mapping
    sdl: str


@cache
def build() -> Built:
    """Build the schema, its mapping to the database and its guards, once a process: it is never changed afterwards.

    Raises MappingError or LookupError for a declaration that contradicts itself or says not who may.
    """
    config = StrawberryConfig(auto_camel_case=True, disable_field_suggestions=True, scalar_map=SCALARS)
    built = strawberry.Schema(
        Query, Mutation, Subscription, config=config, types=[ViewerKind, AgentRole, InMaintenance]
    )
    schema = built._schema
    mapping = mapping_of(schema)
    attach(mapping)
    guard(schema)
    return Built(schema, mapping, built.as_str() + "\n")
