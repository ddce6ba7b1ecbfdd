"""Nobody sees or moves what is not theirs: every way out of the schema, walked by everybody whom it does not concern.

A field that the walk does not reach, or that would show no canary of its owner, fails here until it is covered.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
import pytest
from graphql import GraphQLEnumType, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type
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
from resolvers.viewer import Kind, Viewer, anonymous
from schema.access import access_of
from tests.conftest import Cluster
from tests.documents import Bare, literal
from tests.house import MASTER_KEY
from tests.rows import ISSUER
from tests.walks import Canaries, Path, Side, Walk, sides, values

BUILT = schema.build()
GRAPHQL = BUILT.graphql
QUERY, MUTATION, SUBSCRIPTION = (
    each for each in (GRAPHQL.query_type, GRAPHQL.mutation_type, GRAPHQL.subscription_type) if each is not None
)
UNLIMITED = Limits(
    **dict.fromkeys(("tokens", "depth", "aliases", "directives", "root_fields", "fragments", "cost"), 10**12)
)

SEEN_BY_STAFF = {"agent_task", "family", "member", "member_change", "quotient_familial"}
"""Every agent finds every family and its members, to serve it at the counter; not what it filed or was told."""

STAFF = frozenset({"AGENT", "CASHIER", "EDITOR"})
"""Roles of the agents who walk as strangers: an administrator may read the audit log of everybody."""

GUIDE = {"Place", "OpeningRule", "ExceptionalDay", "OpeningSpan", "Page", "PageCategory", "PageVersion"}
PUBLIC = {"Service", "Terms", "ProcedureKind", "IdentityProvider"} | GUIDE
"""Reference tables that everybody reads: no row of theirs belongs to anybody."""

WITHOUT_CANARY = {
    ("Family", "language"): "`fr` or `en`, by a check",
    ("Account", "language"): "`fr` or `en`, by a check",
    ("NewsItem", "cursor"): "a number within the family's own stream",
    ("ProcedureStatusChange", "cursor"): "a number within the family's own stream",
    ("AuditEntry", "act"): "a word of small letters, by a check",
    ("AuditEntry", "number"): "a place in the one chain",
    ("AuditEntry", "agentName"): "the acts marked are families'",
    ("AuditEntry", "hash"): "a hash",
    ("AuditEntry", "previousHash"): "a hash",
    ("AgentTask", "doneBy"): "it was no family",
    ("Agent", "roles"): "one of four words, by a check",
}
"""Texts that cannot tell whose they are."""

AT_THE_COUNTER = {
    "addMember",
    "finishAgentTask",
    "updateMember",
    "removeMember",
    "shareChild",
    "unshareChild",
    "decideMemberChange",
    "setFamilyIdentifier",
    "setQuotientFamilial",
}
"""Commands with which any agent serves any family at the counter."""

ON_ONES_OWN = {
    "acceptInvitation": "takes a signed token",
    "changePassword": "one's own",
    "requestPasswordReset": "sends a link to the login's own address; see tests/test_recovery.py",
    "resetPassword": "takes a signed token",
    "changeEmail": "one's own",
    "confirmEmailChange": "takes a signed token",
    "cancelEmailChange": "takes a signed token",
    "reportUnauthorizedUse": "one's own login, or that of a signed token",
    "activateAccount": "opens an account for who knows the code",
    "verifyEmail": "takes a signed token",
    "signIn": "takes a password",
    "refreshSession": "takes a secret token",
    "signOutEverywhere": "ends one's own sessions",
    "acceptTerms": "accepts for one's own account",
    "publishTerms": "concerns everybody",
    "setMaintenance": "concerns everybody",
    "endMaintenance": "concerns everybody",
    **dict.fromkeys(("savePage", "publishPage", "archivePage", "savePageCategory"), "concern everybody"),
    **dict.fromkeys(("savePlace", "archivePlace"), "concern everybody"),
    "issueActivationCode": "any agent serves any family at the counter",
    "setChannelPreferences": "one's own family's",
    "sendTestNotification": "to one's own family",
    "setDataRetention": "one's own family's",
    "exportMyData": "of one's own family, with its sight only",
    "closeAccount": "one's own login",
    "confirmSignIn": "takes a signed challenge and its answer",
    "enrolTotp": "one's own second factor",
    "confirmTotp": "one's own second factor",
    "beginPasskey": "one's own second factor",
    "addPasskey": "one's own second factor",
    "renewRecoveryCodes": "one's own recovery codes",
    "setAgentPassword": "takes a signed token",
    "startProviderSignIn": "anybody may try to sign in",
    "finishProviderSignIn": "takes what only the browser that began has",
    "linkProvider": "one's own account",
    "finishProviderLink": "one's own account",
}
"""Commands without the id of anything: to whom they apply is not for the request to say."""

ON_ANYBODY = {
    "setServiceOptIn": "names a service of the city, for one's own family",
    "terminateAccount": "an administrator acts on any family",
    "reinstateAccount": "an administrator acts on any family",
    "eraseFamily": "an administrator acts on any family",
}
"""Commands that may be given with any id by those who may give them at all."""

PLAIN: Mapping[str, Any] = {
    "kind": "cantine",
    "idempotencyKey": "une-cle-de-test",
    "answers": "x",
    "attests": True,
    "message": "Bonjour.",
    "reason": "Parce que.",
    "keep": True,
    "optIn": True,
    "version": 1,
    "slug": "mentions-legales",
    "position": 1,
    "titleFr": "Titre",
    "titleEn": "Title",
    "page": Bare(
        '{slug: "une-page", category: "papiers", titleFr: "T", titleEn: "T", summaryFr: "", summaryEn: "", '
        'bodyFr: "", bodyEn: ""}'
    ),
    "place": Bare('{code: "un-lieu", nameFr: "L", nameEn: "P", address: "Ici", latitude: 0, longitude: 0}'),
    "bodyFr": "Texte.",
    "bodyEn": "Text.",
    "messageFr": "Une pause.",
    "messageEn": "A pause.",
    "agentsMayWork": True,
    "password": "Abcdefgh1!",
    "currentPassword": "Abcdefgh1!",
    "newPassword": "Cheval-Lampe-42",
    "signOutOthers": True,
    "email": "personne@example.org",
    "activationCode": "0000000000",
    "token": "x",
    "identifier": "personne@example.org",
    "refreshToken": "x",
    "firstName": "Zoé",
    "lastName": "Essai",
    "value": 500,
    "validFrom": "2026-01-01",
    "accept": True,
    "challenge": "x",
    "code": "x",
    "passkey": "x",
    "name": "Personne",
    "redirectUri": "https://kiosque.example/",
    "state": "x",
    "binding": "x",
}
"""Arguments of commands that name nobody."""

FOREIGN = {
    "procedure": "Procedure",
    "member": "Member",
    "task": "AgentTask",
    "items": "NewsItem",
    "family": "Family",
    "service": "Service",
    "change": "MemberChange",
    "invitation": "Invitation",
    "account": "Account",
    "session": "Session",
    "factor": "SecondFactor",
    "agent": "Agent",
    "services": "Service",
    "link": "ProviderLink",
}
"""Arguments of commands that are ids, and of what."""


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
            "partner": (Viewer(Kind.PARTNER), set()),
            "anonymous": (anonymous(), set()),
        }

    @property
    def owners(self) -> list[Viewer]:
        """Those whom theirs does concern."""
        return [self.theirs.family, self.theirs.agent, replace(self.theirs.family, language="en")]

    def operation(self, kind: str, selection: str) -> Operation:
        """Give the operation of a selection on a root type."""
        return self.documents.prepare(f"{kind} {{ {selection} }}").operation(None)

    async def ask(self, kind: str, selection: str, viewer: Viewer) -> str:
        """Send one operation; give the answer's text."""
        context = Context(self.opened.process, viewer, "test")
        return (await self.executor.execute(self.operation(kind, selection), {}, context)).body.decode()

    async def event(self, path: Path, viewer: Viewer, row: Any) -> str:
        """Give what a subscription would push of an item of news."""
        operation = self.operation("subscription", path.text)
        reader = self.opened.process.reader
        variables: Any = _NoVariables()
        answer = await reader.whole(operation.key, operation.node, {}, variables, viewer, row)
        assert answer is not None, "everything that is pushed is planned"
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


class _NoVariables:
    """An operation's variables when it has none."""

    coerced: Mapping[str, Any] = {}
    sources: Mapping[str, Any] = {}


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[Town]:
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
        "done_at",
        "cancelled_at",
    }
    assert {column for _, column in town.canaries.refused} <= checked | {"number"}
    assert len(town.theirs.ids) >= 9 and all(town.theirs.ids.values())


async def test_the_walk_reaches_every_field_and_owners_see_their_canaries(town: Town) -> None:
    """Otherwise the absence of foreign canaries would prove nothing."""
    found: dict[tuple[str, str], list[Any]] = {}
    reached: set[tuple[str, str]] = set()
    walk = Walk(GRAPHQL, town.theirs)
    for path in walk.of(QUERY):
        reached |= path.pairs
        for viewer in town.owners:
            answer = json.loads(await town.ask("query", path.text, viewer))
            values(answer["data"], found)
    for path in walk.of(SUBSCRIPTION):
        reached |= path.pairs
        for viewer in town.owners:
            for row in town.theirs.news[:3]:
                values(json.loads(await town.event(path, viewer, row)), found)
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


STRANGERS = ["wrong family", "agent of another service", "agent of no service", "partner", "anonymous"]


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_no_way_through_the_schema_shows_a_foreign_row(town: Town, stranger: str) -> None:
    viewer, allowed = town.strangers[stranger]
    walked = 0
    for path in Walk(GRAPHQL, town.theirs).of(QUERY):
        answer = await town.ask("query", path.text, viewer)
        assert town.canaries.found(answer) <= allowed, f"{stranger}: {path.text}\n{answer}"
        _refused_by_declaration_only(answer, path.name.split(".")[0].split("<")[0], viewer)
        walked += 1
    assert walked > 100


def permits(field: Any, viewer: Viewer) -> bool:
    """Tell whether a root field's declaration lets a viewer call it."""
    try:
        access_of(field).permit(viewer)
    except Refusal:
        return False
    return True


def _refused_by_declaration_only(answer: str, root: str, viewer: Viewer) -> None:
    """A foreign row is null; FORBIDDEN and UNAUTHENTICATED come from the root field's declaration alone."""
    codes = {error["extensions"]["code"] for error in json.loads(answer).get("errors", [])}
    permitted = permits(QUERY.fields[root], viewer)
    assert codes == (set() if permitted else {"UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN"}), (
        answer
    )


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_no_stream_pushes_a_foreign_row(town: Town, stranger: str) -> None:
    """Even if an item of news went astray, what is read of it would be nothing."""
    viewer, _ = town.strangers[stranger]
    for path in Walk(GRAPHQL, town.theirs).of(SUBSCRIPTION):
        of_everybody = feed_of(SUBSCRIPTION.fields[path.name.split(".")[0]]) is None
        for row in town.theirs.news[:2]:
            answer = await town.event(path, viewer, row)
            assert town.canaries.found(answer) == set(), f"{path.text}\n{answer}"
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


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("name", MUTATION.fields)
async def test_a_command_on_a_foreign_row_is_refused_without_effect(town: Town, name: str, stranger: str) -> None:
    viewer, _ = town.strangers[stranger]
    definition = MUTATION.fields[name]
    permitted = permits(definition, viewer)
    ids = [arg for arg, each in definition.args.items() if get_named_type(each.type).name == "ID"]
    assert ids or name in ON_ONES_OWN, f"say in ON_ONES_OWN whom {name} concerns"
    if permitted and (not ids or name in ON_ANYBODY or (name in AT_THE_COUNTER and viewer.kind is Kind.AGENT)):
        return  # it concerns nobody else, or any agent
    before = await town.state()
    for call in _calls(town, name):
        for path in _paths(town, name, call):
            answer = await town.ask("mutation", path, viewer)
            assert town.canaries.found(answer) == set(), f"{path}\n{answer}"
            if permitted:
                problems = json.loads(answer)["data"][name]["problems"]
                assert [problem["code"] for problem in problems] == ([] if name == "markRead" else ["NOT_FOUND"]), path
            else:
                [error] = json.loads(answer)["errors"]
                assert error["extensions"]["code"] == (
                    "UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN"
                )
    assert await town.state() == before


def _calls(town: Town, name: str) -> list[str]:
    """Give a command's calls: with ids of theirs, and with ids of theirs of another type."""
    calls = []
    for swapped in (False, True):
        written = []
        for arg, each in MUTATION.fields[name].args.items():
            named = get_named_type(each.type)
            if named.name == "ID":
                target = "ProcedureEvent" if swapped else FOREIGN[arg]
                [identity, *_] = town.theirs.ids[target]
                written.append(f"{arg}: {literal([identity] if arg.endswith('s') else identity)}")
            elif isinstance(each.type, GraphQLNonNull):
                written.append(f"{arg}: {_plain(town, arg, each)}")
        calls.append(f"{name}({', '.join(written)})" if written else name)
        if name == "markRead":
            break  # an id that is none is refused, an id of somebody else's marks nothing
    return calls


def _plain(town: Town, name: str, argument: Any) -> str:
    named = get_named_type(argument.type)
    if isinstance(named, GraphQLEnumType):
        value: Any = Bare(next(iter(named.values)))
        return literal([value]) if "[" in str(argument.type) else literal(value)
    return literal(town.theirs.arguments.get(name, PLAIN.get(name)))


def _paths(town: Town, name: str, call: str) -> list[str]:
    """Give everything that can be read of a command's payload."""
    payload = get_named_type(MUTATION.fields[name].type)
    assert isinstance(payload, GraphQLObjectType)
    walk = Walk(GRAPHQL, town.theirs)
    below = [path.text for each in payload.fields if each != "problems" for path in walk.below(payload, each)]
    return [f"{call} {{ problems {{ code message path }} {text} }}" for text in below or [""]]


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
