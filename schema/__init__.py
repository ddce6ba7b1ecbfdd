"""What is seen: the one GraphQL schema of the portal."""

from dataclasses import dataclass
from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from db.settings import Settings
from resolvers.reading.fallback import attach
from resolvers.reading.mapping import Mapping, mapping_of
from schema import addresses, help, mandates
from schema.access import AFTER_TERMS, AgentRole, InMaintenance, ViewerKind, guard
from schema.accounts import AccountMutations, AccountQueries
from schema.addresses import AddressMutations, AddressQueries
from schema.agent_sign_in import AgentSignInMutations
from schema.agents import AgentMutations, AgentQueries
from schema.audit import AuditQueries
from schema.billing import BillingMutations, BillingQueries
from schema.card_payments import CardPaymentMutations, CardPaymentQueries, CardPaymentSubscriptions
from schema.certificates import CertificateMutations
from schema.collection import CollectionQueries
from schema.consumptions import ConsumptionMutations, ConsumptionQueries
from schema.corrections import InvoiceMutations
from schema.counter import CounterMutations, CounterQueries
from schema.credentials import CredentialMutations, CredentialQueries
from schema.dead_letters import DeadLetterMutations, DeadLetterQueries
from schema.debits import DebitMutations, DebitQueries
from schema.declare import Arg, by_id
from schema.documents import DocumentMutations
from schema.families import FamilyMutations, FamilyQueries
from schema.help import HelpQueries
from schema.identity import IdentityMutations
from schema.inbox import InboxSubscriptions
from schema.invoice_changes import InvoiceSubscriptions
from schema.invoices import InvoiceQueries
from schema.kinds import KindMutations, KindQueries
from schema.logins import LoginMutations
from schema.mandates import MandateMutations, MandateQueries
from schema.members import MemberMutations, MemberQueries
from schema.news import NewsMutations, NewsSubscriptions
from schema.news import constants as routing_constants
from schema.pages import PageMutations, PageQueries
from schema.partners import PartnerMutations, PartnerQueries
from schema.payments import PaymentQueries
from schema.places import PlaceMutations, PlaceQueries
from schema.privacy import PrivacyMutations
from schema.procedure_feed import ProcedureFeedQueries, ProcedureFeedSubscriptions
from schema.procedures import ProcedureMutations, ProcedureQueries
from schema.provider_links import IdentityQueries, ProviderLinkMutations
from schema.receipts import ReceiptMutations
from schema.relay import Node
from schema.revenue import RevenueQueries
from schema.scalars import SCALARS
from schema.second_factor import SecondFactorMutations
from schema.service_status import ServiceStatusMutations, ServiceStatusQueries, ServiceStatusSubscriptions
from schema.sessions import SessionMutations
from schema.spreadsheets import SpreadsheetMutations
from schema.statistics import StatisticsQueries
from schema.tariffs import TariffMutations, TariffQueries
from schema.tasks import TaskMutations, TaskQueries
from schema.terms import TermsMutations, TermsQueries
from schema.webhooks import WebhookMutations, WebhookQueries
from schema.work import WorkMutations, WorkQueries, WorkSubscriptions

__all__ = ("VIEWER_CASTS", "Built", "build", "constants")

VIEWER_CASTS = {
    "family": "uuid",
    "account": "uuid",
    "agent": "uuid",
    "partner": "uuid",
    "scopes": "text[]",
    "session": "uuid",
    "services": "uuid[]",
    "roles": "text[]",
    "admin": "boolean",
    "language": "text",
}
"""SQL types of the viewer's values in predicates."""


def constants(settings: Settings, web_push_key: str = "") -> dict[str, str]:
    """Give what fields without a row are made of; without a key no browser can subscribe to push messages."""
    return {
        **help.constants(settings.city),
        **addresses.constants(web_push_key),
        **mandates.constants(settings),
        **routing_constants(settings),
    }


@strawberry.type(description="Everything that can be read. One operation is one SQL statement.")
class Query(
    AccountQueries,
    CredentialQueries,
    TaskQueries,
    DeadLetterQueries,
    FamilyQueries,
    MemberQueries,
    TermsQueries,
    ServiceStatusQueries,
    HelpQueries,
    KindQueries,
    AddressQueries,
    ProcedureQueries,
    WorkQueries,
    PageQueries,
    PlaceQueries,
    AuditQueries,
    AgentQueries,
    PartnerQueries,
    WebhookQueries,
    ProcedureFeedQueries,
    StatisticsQueries,
    RevenueQueries,
    TariffQueries,
    InvoiceQueries,
    BillingQueries,
    ConsumptionQueries,
    PaymentQueries,
    CounterQueries,
    CardPaymentQueries,
    MandateQueries,
    DebitQueries,
    CollectionQueries,
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
    DeadLetterMutations,
    SessionMutations,
    FamilyMutations,
    MemberMutations,
    LoginMutations,
    TermsMutations,
    ServiceStatusMutations,
    KindMutations,
    ProcedureMutations,
    WorkMutations,
    CertificateMutations,
    PageMutations,
    PlaceMutations,
    TariffMutations,
    CounterMutations,
    InvoiceMutations,
    ReceiptMutations,
    BillingMutations,
    ConsumptionMutations,
    CardPaymentMutations,
    DocumentMutations,
    NewsMutations,
    AddressMutations,
    PrivacyMutations,
    AgentSignInMutations,
    AgentMutations,
    PartnerMutations,
    WebhookMutations,
    SpreadsheetMutations,
    SecondFactorMutations,
    IdentityMutations,
    ProviderLinkMutations,
    MandateMutations,
    DebitMutations,
):
    """Root of commands."""


@strawberry.type(description="Everything that can be followed. Streams resume behind a cursor, without gap or double.")
class Subscription(
    NewsSubscriptions,
    InboxSubscriptions,
    InvoiceSubscriptions,
    WorkSubscriptions,
    CardPaymentSubscriptions,
    ServiceStatusSubscriptions,
    ProcedureFeedSubscriptions,
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
