"""Nobody sees or moves what is not theirs: every way out of the schema, walked by everybody whom it does not concern.

A field that the walk does not reach, or that would show no canary of its owner, fails here until it is covered.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.type import is_introspection_type

import schema
from db.settings import Settings
from gateway import portal
from gateway.documents import Documents, Operation
from gateway.errors import RequestRefused
from gateway.execution import Executor
from gateway.executor import feed_of
from gateway.limits import Limits
from gateway.portal import Portal
from resolvers.context import Context
from resolvers.problems import Refusal
from resolvers.reading.mapping import Computed
from resolvers.viewer import Kind, Viewer, anonymous
from schema.access import access_of, declared
from tests.conftest import Cluster
from tests.documents import literal
from tests.house import MASTER_KEY
from tests.marked import Canaries, Side, sides
from tests.rows import ISSUER
from tests.walks import Walk, Way, values

BUILT = schema.build()
GRAPHQL = BUILT.graphql
QUERY, MUTATION, SUBSCRIPTION = (
    each for each in (GRAPHQL.query_type, GRAPHQL.mutation_type, GRAPHQL.subscription_type) if each is not None
)
UNLIMITED = Limits(
    **dict.fromkeys(("tokens", "depth", "aliases", "directives", "root_fields", "fragments", "cost"), 10**12)
)


def passes(field: Any, viewer: Viewer) -> bool:
    """Tell whether a field's declaration, if it has one, lets a viewer select it."""
    access = declared(field)
    try:
        if access is not None:
            access.permit(viewer)
    except Refusal:
        return False
    return True


def passes_kind(field: Any) -> bool:
    """Tell whether a field is open to any partner at all."""
    access = declared(field)
    return access is None or Kind.PARTNER in access.kinds


MONEY = {
    *("invoice", "invoice_line", "payment", "allocation", "refund", "handover"),
    *("card_attempt", "bank_message", "mandate", "debit", "draft_invoice", "draft_line", "billing_check"),
    *("consumption", "consumption_change", "account_entries"),
}
"""What cashiers see of every family."""

SEEN_BY_STAFF = MONEY | {"agent_task", "family", "member", "member_change", "quotient_familial"}
"""Every agent finds every family and its members, to serve it at the counter; not what it filed or was told."""

STAFF = frozenset({"AGENT", "CASHIER", "EDITOR"})
"""Roles of the agents who walk as strangers: an administrator may read the audit log of everybody."""

GUIDE = {"Place", "OpeningRule", "ExceptionalDay", "OpeningSpan", "Page", "PageCategory", "PageVersion"}
COUNTS = {"RevenueRow", "ServiceWork", "StatisticsRow"}
OF_THE_TILL = {"BillingRun", "DailyClosing", "DailyTotal", "DebitBatch", "Docket", "TillTotal"}
PUBLIC = {
    "Service",
    "Terms",
    "ProcedureKind",
    "RequiredDocument",
    "IdentityProvider",
    "Tariff",
    "TariffPrice",
    *COUNTS,
    *OF_THE_TILL,
    *GUIDE,
}
"""Tables that everybody reads, counts, and acts of the city: no row of theirs belongs to anybody."""

OWN_OF_PARTNER = {"partner", "webhook", "webhook_delivery", "webhook_attempt"}
"""What a partner sees of itself whatever its scopes."""

WITHOUT_CANARY = {
    ("Family", "language"): "`fr` or `en`, by a check",
    ("Account", "language"): "`fr` or `en`, by a check",
    ("NewsItem", "cursor"): "a number within the family's own stream",
    ("WebhookDelivery", "type"): "one of two words, by a check",
    ("ProcedureFeedEvent", "cursor"): "a place in the one feed",
    ("ProcedureFeedEvent", "messageId"): "a place in the one feed",
    ("ProcedureStatusChange", "cursor"): "a number within the family's own stream",
    ("AuditEntry", "act"): "a word of small letters, by a check",
    ("AuditEntry", "number"): "a place in the one chain",
    ("AuditEntry", "agentName"): "the acts marked are families'",
    ("AuditEntry", "hash"): "a hash",
    ("AuditEntry", "previousHash"): "a hash",
    ("AgentTask", "doneBy"): "it was no family",
    ("Document", "sha256"): "a hash",
    ("Document", "mediaType"): "one of six words, by a check",
    ("Agent", "roles"): "one of four words, by a check",
    ("Acknowledgement", "appeal"): "the same for everybody whom silence rejects",
    ("Acknowledgement", "contentSha256"): "a hash",
    ("RequestedDocument", "field"): "a field of the form",
    ("RequestedDocument", "id"): "the request's, which is marked, and a field of the form",
    ("InvoiceChange", "cursor"): "a number within the family's own stream",
    ("PaymentChange", "cursor"): "a number within the family's own stream",
    ("Invoice", "reference"): "digits, by a check",
    ("Invoice", "period"): "the first day of a month, by a check",
    ("Invoice", "issuedOn"): "before it is due, by a check",
    ("InvoiceLine", "firstDay"): "before the last day, by a check",
    ("CardPayment", "bank"): "a word of the settings, by a check",
    ("CardPayment", "reference"): "made by a bank's rules, by a check",
    ("CardPayment", "endedAt"): "an end, left as it is",
    ("BankMessage", "bankStatus"): "a word of the bank's, by a check",
    ("BankMessage", "source"): "one of few words, by a check",
    ("BankMessage", "verdict"): "one of few words, by a check",
    ("Mandate", "account"): "letters and digits of an IBAN, by a check",
    ("Mandate", "creditorIdentifier"): "the city's",
    ("Mandate", "endedAt"): "an end, left as it is",
    ("Debit", "account"): "letters and digits of an IBAN, by a check",
    ("Debit", "returnedBecause"): "one of few words, by a check",
    ("Debit", "endToEndId"): "made of its invoice's number",
    ("Family", "quietStarts"): "an hour of the day",
    ("Family", "quietEnds"): "an hour of the day",
    ("RoutingStep", "waitsUntil"): "made of hours of the day",
    ("Partner", "networks"): "addresses of networks",
    ("PartnerSecret", "hint"): "four letters, by a check",
}
"""Texts that cannot tell whose they are."""


@dataclass(slots=True)
class Town:
    """A portal on a city with two marked families, and those who look."""

    opened: Portal
    executor: Executor
    connection: asyncpg.Connection
    ours: Side
    theirs: Side
    canaries: Canaries
    """Of theirs."""
    documents: Documents

    @property
    def strangers(self) -> dict[str, tuple[Viewer, set[str]]]:
        """Those whom theirs does not concern, and the tables of which they may see rows all the same."""
        return {
            "wrong family": (self.ours.family, set()),
            "agent of another service": (replace(self.ours.agent, roles=STAFF), SEEN_BY_STAFF),
            "agent of no service": (replace(self.ours.agent, roles=STAFF, services=()), SEEN_BY_STAFF),
            "partner of another service": (self.ours.partner, set()),
            "partner without scopes": (replace(self.theirs.partner, scopes=frozenset()), OWN_OF_PARTNER),
            "partner of nothing": (Viewer(Kind.PARTNER), set()),
            "anonymous": (anonymous(), set()),
        }

    @property
    def owners(self) -> list[Viewer]:
        """Those whom theirs does concern."""
        return [self.theirs.family, self.theirs.agent, self.theirs.partner, replace(self.theirs.family, language="en")]

    @property
    def everywhere(self) -> Walk:
        """Every way there is: where one field is closed to a viewer, the whole operation is refused."""
        return Walk(GRAPHQL, self.theirs)

    def open_to(self, viewer: Viewer) -> Walk:
        """Every way that declarations open to a viewer."""
        return Walk(GRAPHQL, self.theirs, lambda field: passes(field, viewer))

    def pushed_to(self, viewer: Viewer) -> Walk:
        """The same of what is stored: what Python computes is made of it."""
        return Walk(GRAPHQL, self.theirs, lambda field: passes(field, viewer) and field not in COMPUTED)

    def operation(self, kind: str, selection: str) -> Operation:
        """Give the operation of a selection on a root type."""
        return self.documents.prepare(f"{kind} {{ {selection} }}").operation(None)

    async def ask(self, kind: str, selection: str, viewer: Viewer) -> str:
        """Send one operation; give the answer's text."""
        context = Context(self.opened.process, viewer, "test")
        return (await self.executor.execute(self.operation(kind, selection), {}, context)).body.decode()

    async def event(self, way: Way, viewer: Viewer, row: Any) -> str:
        """Give what a subscription would push of an item of news."""
        operation = self.operation("subscription", way.text)
        reader = self.opened.process.reader
        variables: Any = _NoVariables()
        answer = await reader.whole(operation.key, operation.node, {}, variables, viewer, row)
        assert answer is not None, "everything that is stored and pushed is planned"
        return answer.decode()

    async def state(self) -> dict[str, str]:
        """Give a digest of every table."""
        tables = (
            "select relname as table_name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        )
        return {
            row["table_name"]: await self.connection.fetchval(
                f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {row['table_name']} t"
            )
            for row in await self.connection.fetch(tables)
        }


COMPUTED = [
    GRAPHQL.type_map[parent].fields[name]  # type: ignore[attr-defined]
    for (parent, name), reading in BUILT.mapping.fields.items()
    if isinstance(reading, Computed)
]
"""Fields that Python makes of what was read."""


class _NoVariables:
    """An operation's variables when it has none."""

    coerced: Mapping[str, Any] = {}
    sources: Mapping[str, Any] = {}


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[Town]:
    """Open the portal."""
    async with town_of(cluster) as made:
        yield made


@asynccontextmanager
async def town_of(cluster: Cluster) -> AsyncIterator[Town]:
    """Give the portal, without anything that writes by itself."""
    async with cluster.database("city") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        try:
            made = await sides(connection, BUILT.mapping)
            async with portal.opened(silent(database.dsn), database.dsn) as opened:
                documents = Documents(GRAPHQL, UNLIMITED, capacity=5_000)
                (ours, _), (theirs, canaries) = made["ours"], made["theirs"]
                yield Town(opened, opened.endpoint.executor, connection, ours, theirs, canaries, documents)
        finally:
            await connection.close()


def silent(dsn: str) -> Settings:
    """Give the settings of a portal beside which nothing is sent."""
    given = {
        "database": {"url": dsn},
        "secrets": {"master_key": MASTER_KEY},
        "identity": {"issuer": ISSUER, "client_id": "kiosque"},
    }
    return msgspec.convert(given, Settings)


def test_two_families_are_marked_wherever_the_database_allows(town: Town) -> None:
    """A column without a canary holds one of a few words, by a check, or a number that is a canary itself."""
    checked = {
        "status",
        "from_status",
        "to_status",
        "actor",
        "author",
        "role",
        "profile",
        "language",
        "channel",
        "topic",
        "manner",
        "source",
        "siret",
        "rna",
        "registry_number",
        "decided_at",
        "datum",
        "state",
        "kind",
        "lease_until",
        "act",
        "method",
        "media_type",
        "name",
        "erased_at",
        "file_erased_at",
        "sent_at",
        "done_at",
        "cancelled_at",
        "hint",
        "disabled_because",
        "type",
        "silence_means",
        "content_sha256",
        "means",
        "period",
        "issued_on",
        "first_day",
        "reference",
        "freed_at",
        "freed_because",
        "undone_at",
        "undone_reason",
        "cancelled_reason",
        *("bank", "bank_status", "transaction_id", "verdict", "code", "end_reason", "redirect"),
        *("dropped_at", "dropped_because", "end_to_end_id", "sequence"),
        *("return_reason", "return_recorded_at", "returned_on"),
        *("country", "ended_reason", "iban_end", "ics", "rum"),
    }
    assert sorted({column for _, column in town.canaries.refused} - checked - {"number"}) == []
    assert len(town.theirs.ids) >= 9 and all(town.theirs.ids.values())


async def test_the_walk_reaches_every_field_and_owners_see_their_canaries(town: Town) -> None:
    """Otherwise the absence of foreign canaries would prove nothing."""
    found: dict[tuple[str, str], list[Any]] = {}
    reached: set[tuple[str, str]] = set()
    for viewer in town.owners:
        for way in town.open_to(viewer).of(QUERY):
            reached |= way.pairs
            values(json.loads(await town.ask("query", way.text, viewer))["data"], found)
        for way in town.pushed_to(viewer).of(SUBSCRIPTION):
            reached |= way.pairs
            for row in town.theirs.news[:3]:
                values(json.loads(await town.event(way, viewer, row)), found)
    assert outputs(QUERY, SUBSCRIPTION) - reached == set(), "the walk passes these fields by"
    never = {
        pair for pair in outputs(QUERY, SUBSCRIPTION) if pair not in found and pair[0] not in ("Query", "Subscription")
    }
    assert never == set(), "no owner ever saw a value of these fields"
    unmarked = {pair for pair in found if _tells(pair) and not any(town.canaries.found(_text(v)) for v in found[pair])}
    assert unmarked == set(WITHOUT_CANARY), "give these fields a canary, or a reason"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tells(pair: tuple[str, str]) -> bool:
    """Tell whether a field could hold a canary: a text, an id, a moment or a day of a row that is somebody's."""
    parent, name = pair
    if parent in PUBLIC or parent not in BUILT.mapping.tables or name == "__typename":
        return False
    holder = GRAPHQL.type_map[parent]
    assert isinstance(holder, GraphQLObjectType)
    named = get_named_type(holder.fields[name].type)
    return is_leaf_type(named) and not isinstance(named, GraphQLEnumType) and named.name not in ("Int", "Boolean")


def outputs(*roots: GraphQLObjectType) -> set[tuple[str, str]]:
    """Give every (type, field) that can be reached from root types, found without the walk."""
    waiting, known = list(roots), set[str]()
    pairs = set()
    while waiting:
        named = waiting.pop()
        for name, each in named.fields.items():
            pairs.add((named.name, name))
            target = get_named_type(each.type)
            possible = [target] if isinstance(target, GraphQLObjectType) else []
            if not possible and not is_leaf_type(target) and not is_introspection_type(target):
                possible = list(GRAPHQL.get_possible_types(target))
            waiting += [each for each in possible if each.name not in known]
            known |= {each.name for each in possible}
    return pairs


STRANGERS = ["wrong family", "agent of another service", "agent of no service", "anonymous"]
STRANGERS += ["partner of another service", "partner without scopes", "partner of nothing"]


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_no_way_through_the_schema_shows_a_foreign_row(town: Town, stranger: str) -> None:
    viewer, allowed = town.strangers[stranger]
    for way in town.everywhere.of(QUERY):
        answer = await town.ask("query", way.text, viewer)
        assert town.canaries.found(answer) <= allowed, f"{stranger}: {way.text}\n{answer}"
        _refused_by_declaration_only(answer, way, viewer)


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_no_way_that_is_open_to_a_stranger_shows_a_foreign_row(town: Town, stranger: str) -> None:
    """Here no closed field has the whole operation refused: what is hidden is hidden by its row."""
    viewer, allowed = town.strangers[stranger]
    walked = 0
    for way in town.open_to(viewer).of(QUERY):
        answer = await town.ask("query", way.text, viewer)
        assert town.canaries.found(answer) <= allowed, f"{stranger}: {way.text}\n{answer}"
        assert "errors" not in json.loads(answer), answer
        walked += 1
    assert walked > 5


OPEN_TO_PARTNERS = {
    ("procedure", "reference"),
    ("family", "name"),
    ("partner", "name"),
    ("partner", "contact_email"),
    ("webhook", "url"),
    ("webhook_delivery", "body"),
    ("webhook_delivery", "message_id"),
    ("webhook_attempt", "answer"),
    ("webhook_attempt", "problem"),
}
"""Columns whose texts the partner of a service may read, with all scopes."""


async def test_a_partner_reads_what_the_schema_opens_to_it_and_nothing_else(town: Town) -> None:
    viewer = town.theirs.partner
    columns: set[tuple[str, str]] = set()
    for walk in (town.everywhere, town.open_to(viewer)):
        for way in walk.of(QUERY):
            answer = await town.ask("query", way.text, viewer)
            columns |= set(re.findall(r"canary-theirs-([a-z_]+)-([a-z_]+)-", answer))
            assert town.canaries.found(answer) <= {
                *("procedure", "procedure_event", "procedure_feed", "family"),
                *("partner", "webhook", "webhook_delivery", "webhook_attempt"),
            }, answer
    assert columns == OPEN_TO_PARTNERS


CLOSED_TO_PARTNERS = [
    (parent, name)
    for parent in ("Procedure", "ProcedureEvent")
    for name, each in BUILT.graphql.type_map[parent].fields.items()  # type: ignore[attr-defined]
    if not passes_kind(each)
]


@pytest.mark.parametrize(("parent", "name"), CLOSED_TO_PARTNERS)
async def test_a_field_that_does_not_name_partners_is_refused(town: Town, parent: str, name: str) -> None:
    holder = GRAPHQL.type_map[parent]
    assert isinstance(holder, GraphQLObjectType)
    inside = "" if is_leaf_type(get_named_type(holder.fields[name].type)) else " { __typename }"
    answer = await town.ask(
        "query",
        f"node(id: {literal(town.theirs.ids[parent][0])}) {{ ... on {parent} {{ {name}{inside} }} }}",
        town.theirs.partner,
    )
    assert {error["extensions"]["code"] for error in json.loads(answer)["errors"]} == {"FORBIDDEN"}
    assert town.canaries.found(answer) == set()


def permits(field: Any, viewer: Viewer) -> bool:
    """Tell whether a root field's declaration lets a viewer call it."""
    try:
        access_of(field).permit(viewer)
    except Refusal:
        return False
    return True


def _refused_by_declaration_only(answer: str, way: Way, viewer: Viewer) -> None:
    """A foreign row is null; FORBIDDEN and UNAUTHENTICATED come from declarations of fields alone."""
    asked = [GRAPHQL.type_map[parent].fields[name] for parent, name in way.pairs]  # type: ignore[attr-defined]
    codes = {error["extensions"]["code"] for error in json.loads(answer).get("errors", [])}
    closed = {"UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN"}
    if not permits(QUERY.fields[way.name], viewer):
        assert codes == closed, answer
    elif all(passes(each, viewer) for each in asked):
        assert codes == set(), answer
    else:
        assert codes <= closed, answer


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_no_stream_pushes_a_foreign_row(town: Town, stranger: str) -> None:
    """Even if an item of news went astray, what is read of it would be nothing."""
    viewer, _ = town.strangers[stranger]
    for way in town.pushed_to(town.theirs.family).of(SUBSCRIPTION):
        of_everybody = feed_of(SUBSCRIPTION.fields[way.name]) is None
        for row in town.theirs.news[:2]:
            answer = await town.event(way, viewer, row)
            assert town.canaries.found(answer) == set(), f"{way.text}\n{answer}"
            assert of_everybody or set(json.loads(answer).values()) == {None}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stream_about_a_foreign_procedure_does_not_start(town: Town, stranger: str) -> None:
    viewer, _ = town.strangers[stranger]
    for name, each in SUBSCRIPTION.fields.items():
        if "procedure" not in each.args:
            continue
        for identity in (town.theirs.ids["Procedure"][0], town.theirs.ids["Member"][0], "AAAA"):
            operation = town.operation("subscription", f"{name}(procedure: {literal(identity)}) {{ __typename }}")
            with pytest.raises(RequestRefused) as refused:
                await town.executor.subscribe(operation, {}, Context(town.opened.process, viewer, "test"), Heard())
            permitted = permits(each, viewer)
            declared = "UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN"
            assert refused.value.code == ("NOT_FOUND" if permitted else declared)


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.ended = False

    def push(self, body: bytes) -> None:
        """Keep one result."""
        self.bodies.append(body.decode())

    def end(self, error: bytes | None = None) -> None:
        """Note the end."""
        self.ended = True


async def test_a_family_hears_its_own_news_only_while_another_one_is_told(town: Town) -> None:
    """Both families' streams run in one process, from the same read of the news."""
    own, other = Heard(), Heard()
    follow = "news { id cursor type procedure { id reference } deliveries { edges { node { address } } } }"
    for viewer, heard in ((town.ours.family, own), (town.theirs.family, other)):
        context = Context(town.opened.process, viewer, "test")
        await town.executor.subscribe(town.operation("subscription", follow), {}, context, heard)
    test = "sendTestNotification(topic: MAINTENANCE) { problems { code } }"
    for viewer in (town.theirs.family, town.ours.family, town.theirs.family):
        assert json.loads(await town.ask("mutation", test, viewer))["data"]["sendTestNotification"]["problems"] == []
    async with asyncio.timeout(10):
        while len(own.bodies) < 1 or len(other.bodies) < 2:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    assert (len(own.bodies), len(other.bodies)) == (1, 2)
    assert all(town.canaries.found(body) == set() for body in own.bodies)
