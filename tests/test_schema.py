"""Guards on the schema: who may, who sees, what is planned, what is described, and what the database guarantees."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_list_type,
    print_ast,
)
from graphql.type import is_introspection_type, is_specified_scalar_type

import schema
from resolvers.reading.guarantees import broken_promises
from resolvers.reading.mapping import One, Page
from resolvers.viewer import Kind
from schema.access import EVERYBODY, InMaintenance, access_of, declared
from tests.conftest import Database

BUILT = schema.build()
TYPES = {
    name: each
    for name, each in BUILT.graphql.type_map.items()
    if not (is_introspection_type(each) or is_specified_scalar_type(each))
}
OBJECTS = {name: each for name, each in TYPES.items() if isinstance(each, GraphQLObjectType)}
ROOTS = [
    each for each in (BUILT.graphql.query_type, BUILT.graphql.mutation_type, BUILT.graphql.subscription_type) if each
]

NOT_STORED = {
    "Problem": "a refusal, made in Python",
    "SessionTokens": "made at sign-in; tokens are stored as hashes only",
    "Contact": "made of settings",
    "MandateForm": "made of settings",
    "WebPush": "made of settings",
    "ServiceStatus": "what a function of the database says of this moment",
    "SecondFactorChallenge": "made at sign-in; a signed token",
    "TotpEnrolment": "shown once, sealed in the database",
    "Viewer": "who asks; its parts are stored",
    "PageInfo": "made of a page",
    "PasswordPolicy": "constants of the program",
    "NextStep": "what the status of a procedure waits for",
    "MovedProcedureResult": "an outcome; its procedure is stored",
    "BankRedirect": "signed for the bank, while the payment lives",
    "FormField": "a part of that",
    "Money": "made of cents of a row",
    "OwnPrice": "made of an encrypted quotient",
}
"""Types without a table, and why; payloads, connections and edges go without saying."""

COMPUTED = {
    "ActivationCodePayload.code": "shown once, stored as an HMAC",
    "ActivationCodePayload.expiresOn": "goes with the code",
    "MemberPayload.proposed": "what was done; the proposal itself is stored",
    "CardPaymentPayload.redirect": "signed for the bank, while the payment lives",
    "SignInPayload.session": "made at sign-in",
    "SignInPayload.secondFactor": "made at sign-in",
    "SignInPayload.recoveryCodes": "shown once, stored as HMACs",
    "SecondFactorChallengePayload.secondFactor": "a signed token and what it asks for",
    "SecondFactorPayload.recoveryCodes": "shown once, stored as HMACs",
    "RecoveryCodesPayload.recoveryCodes": "shown once, stored as HMACs",
    "WebhookPayload.secret": "shown once, sealed in the database",
    "WebhookPayload.ordered": "what was done",
    "DeadLettersPayload.sent": "what was done",
    "PartnerPayload.clientSecret": "shown once, stored as an HMAC",
    "AgentPayload.passwordLink": "a signed token, shown once",
    "ProviderStartPayload.url": "made for one browser, once",
    "ProviderStartPayload.binding": "shown once, stored as a hash",
    "DocumentLinkPayload.url": "a signed token",
    "DocumentLinkPayload.expiresAt": "goes with the link",
    "MoveProceduresPayload.results": "an outcome for each item; the procedures are stored",
    "EmailChangePayload.complete": "what the confirmation came to",
    "ReceiptLinkPayload.url": "a signed token, good for minutes",
    "ReceiptLinkPayload.expiresAt": "goes with the token",
    "SpreadsheetLinkPayload.url": "a signed token, good for minutes",
    "SpreadsheetLinkPayload.expiresAt": "goes with the token",
    "CertificateLinkPayload.url": "a signed token, good for minutes",
    "CertificateLinkPayload.expiresAt": "goes with the token",
}
"""Fields of payloads that are made in Python beside `problems`."""


OPEN_BEFORE_TERMS: Mapping[str, set[str]] = {
    "Query": {
        "contact", "identityProviders", "page", "pageCategories", "pages", "passwordPolicy", "place", "places",
        "procedureKind", "procedureKinds", "serviceStatus", "tariff", "tariffs", "terms", "termsVersions", "viewer",
        "webPush",
    },
    "Mutation": {
        "acceptInvitation", "acceptTerms", "activateAccount", "cancelEmailChange", "changeEmail", "changePassword",
        "closeAccount", "confirmEmailChange", "confirmSignIn", "exportMyData", "finishProviderSignIn",
        "refreshSession", "reportUnauthorizedUse", "requestPasswordReset", "resetPassword", "setAgentPassword",
        "signIn", "signOut", "signOutEverywhere", "startProviderSignIn", "verifyEmail",
    },
    "Subscription": {"serviceStatusChanged"},
}  # fmt: skip
"""Everything that a family may call before it accepts the terms (R3): a field more is a decision, made here."""

SEEN_BEFORE_TERMS = {
    "Account", "Agent", "Contact", "ExceptionalDay", "Export", "IdentityProvider", "Money", "OpeningRule",
    "OpeningSpan", "Page", "PageCategory", "Partner", "PartnerSecret", "PasswordPolicy", "Place", "ProcedureKind",
    "Problem", "RequiredDocument",
    "SecondFactor", "SecondFactorChallenge", "Service", "ServiceStatus", "SessionTokens", "Terms", "TermsAcceptance",
    "Session", "Tariff", "TariffPrice", "TotpEnrolment", "Viewer", "WebPush",
}  # fmt: skip
"""Whose fields can be read before, under those root fields; lists, payloads and the fields of `Node` aside."""

WORKS_ALWAYS = {
    "cancelEmailChange", "changePassword", "confirmSignIn", "documentLink", "endMaintenance", "finishProviderSignIn",
    "refreshSession", "reportUnauthorizedUse", "requestPasswordReset", "resetPassword", "setAgentPassword",
    "setMaintenance", "signIn", "signOut", "signOutEverywhere", "startProviderSignIn",
}  # fmt: skip
"""Commands that work also during maintenance, for whoever may call them: one more is a decision, made here."""


def test_every_root_field_says_in_the_sdl_who_may_call_it() -> None:
    printed = build_schema(BUILT.sdl)
    for root in ROOTS:
        told = printed.type_map[root.name]
        assert isinstance(told, GraphQLObjectType)
        for name, each in root.fields.items():
            node = told.fields[name].ast_node
            assert node is not None and [directive.name.value for directive in node.directives] == ["may"], name
            said = print_ast(node.directives[0])
            assert access_of(each).kinds == {kind for kind in Kind if kind in said.partition("roles")[0]} != set(), name


def test_what_is_open_before_the_terms_are_accepted_is_decided_field_by_field() -> None:
    for root in ROOTS:
        fields = {name: access_of(each) for name, each in root.fields.items()}
        before = {name for name, access in fields.items() if access.before_terms and Kind.FAMILY in access.kinds}
        assert before == OPEN_BEFORE_TERMS[root.name]


def test_what_can_be_read_under_those_fields_is_nobodys_procedures_or_messages() -> None:
    waiting = [
        get_named_type(each.type)
        for root in ROOTS
        for each in root.fields.values()
        if access_of(each).before_terms and Kind.FAMILY in access_of(each).kinds
    ]
    seen: set[str] = set()
    while waiting:
        named: Any = waiting.pop()
        if isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
            waiting += BUILT.graphql.get_possible_types(named)
        elif isinstance(named, GraphQLObjectType) and named.name not in seen:
            seen.add(named.name)
            open_fields = [each for each in named.fields.values() if (declared(each) or EVERYBODY).before_terms]
            waiting += [get_named_type(each.type) for each in open_fields]
    assert {name for name in seen if not name.endswith(("Connection", "Edge", "Payload", "PageInfo"))} == (
        SEEN_BEFORE_TERMS
    )


def test_what_works_during_maintenance_is_decided_field_by_field() -> None:
    root = BUILT.graphql.mutation_type
    assert root is not None
    of = {name: access_of(each).in_maintenance for name, each in root.fields.items()}
    assert {name for name, given in of.items() if given is InMaintenance.ALWAYS} == WORKS_ALWAYS
    for name, given in of.items():
        assert f"inMaintenance: {given.name})" in BUILT.sdl.partition("type Mutation {")[2].partition(f"  {name}")[2]


def test_every_object_is_stored_or_has_a_reason_not_to_be() -> None:
    left = set(OBJECTS) - set(BUILT.mapping.tables) - {root.name for root in ROOTS}
    made = {name for name in left if name.endswith(("Connection", "Edge", "Payload"))}
    assert left - made == set(NOT_STORED)


@pytest.mark.parametrize("name", sorted(BUILT.mapping.tables))
def test_a_stored_type_is_planned_whole_and_says_whose_its_rows_are(name: str) -> None:
    stored = BUILT.mapping.tables[name]
    assert stored.whose, "nobody would ever see a row"
    assert set(stored.whose) <= {"*", *Kind}
    assert stored.tag or not _is_node(name), "a node has a tag in its id"
    unplanned = [field for field in OBJECTS[name].fields if BUILT.mapping.reading(name, field) is None]
    assert unplanned == []


def _is_node(name: str) -> bool:
    node = TYPES["Node"]
    return isinstance(node, GraphQLInterfaceType) and node in OBJECTS[name].interfaces


def test_every_field_of_every_read_and_stream_is_planned() -> None:
    for root in ROOTS:
        if root is not BUILT.graphql.mutation_type:
            assert [name for name in root.fields if BUILT.mapping.reading(root.name, name) is None] == []


def test_payloads_hold_rows_that_the_planner_reads_and_reasoned_values() -> None:
    payloads = {name: each for name, each in OBJECTS.items() if name.endswith("Payload")}
    made = {
        f"{name}.{field}"
        for name, each in payloads.items()
        for field in each.fields
        if field != "problems" and BUILT.mapping.reading(name, field) is None
    }
    assert payloads and made == set(COMPUTED)


def test_the_predicates_of_everybody_are_of_public_tables_only() -> None:
    """Deny by default: a type that strangers may see is named here, with intent."""
    public = {name for name, stored in BUILT.mapping.tables.items() if stored.seen_by(Kind.ANONYMOUS) != "false"}
    guide = {"Place", "OpeningRule", "ExceptionalDay", "OpeningSpan", "Page", "PageCategory", "Tariff", "TariffPrice"}
    assert public == {"Service", "Terms", "ProcedureKind", "RequiredDocument", "IdentityProvider"} | guide


def test_everything_is_described() -> None:
    without = [name for name, each in TYPES.items() if not each.description]
    for name, each in TYPES.items():
        if isinstance(each, (GraphQLObjectType, GraphQLInterfaceType)):
            for field, definition in each.fields.items():
                without += [f"{name}.{field}"] if not definition.description else []
                without += [f"{name}.{field}({arg})" for arg, given in definition.args.items() if not given.description]
        elif isinstance(each, GraphQLEnumType):
            without += [f"{name}.{value}" for value, given in each.values.items() if not given.description]
        elif isinstance(each, GraphQLInputObjectType):
            without += [f"{name}.{field}" for field, given in each.fields.items() if not given.description]
    without += [f"@{each.name}" for each in BUILT.graphql.directives if not each.description]
    assert without == []


OUTCOMES = ("Connection", "Edge", "Payload", "Result", "Problem")


def test_an_object_has_an_id_by_which_caches_keep_it() -> None:
    passing = {each.name for each in ROOTS} | {"PageInfo"}
    without = {
        name
        for name, each in OBJECTS.items()
        if not name.endswith(OUTCOMES)
        and name not in passing
        and str(getattr(each.fields.get("id"), "type", "")) != "ID!"
    }
    assert without == set()


def test_a_deprecation_carries_a_date() -> None:
    deprecated = [
        each.deprecation_reason
        for named in OBJECTS.values()
        for each in named.fields.values()
        if each.deprecation_reason
    ]
    assert [
        reason for reason in deprecated if not any(part[:4].isdigit() and "-" in part for part in reason.split())
    ] == []


def test_the_committed_schema_is_the_printed_one() -> None:
    """To renew it: `python3 run.py schema > schema.graphql`."""
    assert Path(__file__).parents[1].joinpath("schema.graphql").read_text(encoding="utf-8") == BUILT.sdl


def test_lists_are_connections_but_for_short_ones() -> None:
    """What grows is read in pages; a list here is bounded by a type or by its argument."""
    lists = {
        f"{name}.{field}" for name, each in OBJECTS.items() for field, given in each.fields.items() if _is_list(given)
    }
    bounded = {
        "Query.nodes",
        "Problem.path",
        "Agent.roles",
        "Partner.networks",
        "Partner.scopes",
        "ChannelPreference.channels",
        "Family.dailyMessageTopics",
        "Place.accessibility",
        "Page.suggestedBecause",
        "PasswordPolicy.kinds",
        "SecondFactorChallenge.methods",
        "InformationRequest.fields",
        "MoveProceduresPayload.results",
        "BankRedirect.fields",
    }
    bounded |= {f"{name}.recoveryCodes" for name in ("SignInPayload", "SecondFactorPayload", "RecoveryCodesPayload")}
    assert {name for name in lists if not name.endswith((".edges", ".problems"))} == bounded


def _is_list(field: GraphQLField) -> bool:
    return is_list_type(field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type)


def test_a_cursor_fits_every_list_of_its_type() -> None:
    """A cursor names the type of its rows and its order, not its list: one name, one order."""
    orders: dict[tuple[str, str], set[object]] = {}
    for (parent, name), reading in BUILT.mapping.fields.items():
        if isinstance(reading, Page):
            target = get_named_type(OBJECTS[parent].fields[name].type).name
            orders.setdefault((target, reading.order.name), set()).add(reading.order.columns)
            known = {"uuid", "text", "integer", "bigint", "timestamptz", "date"}
            assert {kind for _, kind in reading.order.columns} <= known, "checked cursors"
    assert [target for target, columns in orders.items() if len(columns) > 1] == []


def test_what_is_read_by_a_condition_is_a_row_or_null() -> None:
    """A single row found by anything but a foreign key may not be there."""
    for (parent, name), reading in BUILT.mapping.fields.items():
        if isinstance(reading, One) and parent not in BUILT.mapping.tables and parent != "Subscription":
            assert not isinstance(OBJECTS[parent].fields[name].type, GraphQLNonNull), f"{parent}.{name}"


async def test_the_database_guarantees_what_the_schema_promises(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn, timeout=10)
    try:
        broken = await broken_promises(connection, BUILT.mapping)
    finally:
        await connection.close()
    assert broken == []


@pytest.mark.parametrize(
    ("weaken", "told"),
    [
        ("alter table member alter column first_name drop not null", "Member.firstName: member.first_name may be null"),
        ("alter table procedure drop constraint procedure_kind_id_fkey", "Procedure.kind: no foreign key leads from"),
        ("alter table member drop constraint member_role_check", "Member.role: member.role may hold a value"),
        (
            "alter table delivery alter column attempts type bigint",
            "Delivery.attempts: delivery.attempts is bigint, not Int!",
        ),
        ("alter table member rename column school to college", "Member.school: member has no column school"),
        (
            "alter table procedure drop constraint procedure_answers_check",
            "Procedure.answers: procedure.answers may be null",
        ),
    ],
)
async def test_a_promise_that_the_database_takes_back_is_found(database: Database, weaken: str, told: str) -> None:
    connection = await asyncpg.connect(database.dsn, timeout=10)
    try:
        await connection.execute(weaken)
        broken = await broken_promises(connection, BUILT.mapping)
    finally:
        await connection.close()
    assert any(str(promise).startswith(told) for promise in broken), broken
