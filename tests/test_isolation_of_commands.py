"""Nobody moves what is not theirs, nor what there is not: every command, with ids of others and of nobody."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLNonNull, GraphQLObjectType, get_named_type

from db.ids import uuid7
from resolvers.reading.identity import make_id
from resolvers.viewer import Kind, Viewer
from tests.conftest import Cluster
from tests.documents import Bare, literal
from tests.test_isolation import BUILT, MUTATION, STRANGERS, Town, permits, town_of

AT_THE_COUNTER = {
    "undoPayment",
    "refundPayment",
    "cancelInvoice",
    "useCredit",
    "receiptLink",
    "addMember",
    "finishAgentTask",
    "updateMember",
    "removeMember",
    "shareChild",
    "unshareChild",
    "decideMemberChange",
    "setFamilyIdentifier",
    "setQuotientFamilial",
    "setPostalAddress",
    "publishBillingRun",
    "discardBillingRun",
    "correctConsumption",
    "withdrawDebitBatch",
    "revokeMandate",
}
"""Commands with which any agent serves any family at the counter."""

ON_ONES_OWN = {
    "recordPayment": "takes the reference of a coupon, at the till",
    "closeDay": "concerns the till",
    "startBillingRun": "concerns everybody",
    "recordDebitReturn": "takes the bank's reference of a debit, at the till",
    "signMandate": "one's own family's",
    "addPhone": "one's own family's",
    "registerPush": "one's own family's",
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
    **dict.fromkeys(("saveProcedureKind", "retireProcedureKind"), "concern everybody"),
    **dict.fromkeys(("savePlace", "archivePlace", "saveTariff"), "concern everybody"),
    "issueActivationCode": "any agent serves any family at the counter",
    "setChannelPreferences": "one's own family's",
    "setQuietHours": "one's own family's",
    "setDailyMessage": "one's own family's",
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
    "registerWebhook": "one's own",
    "createPartner": "an administrator makes one",
    **dict.fromkeys(("statisticsLink", "revenueLink"), "over one's own services"),
    "linkProvider": "one's own account",
    "finishProviderLink": "one's own account",
}
"""Commands without the id of anything: to whom they apply is not for the request to say."""

ON_ANYBODY = {
    **dict.fromkeys(("changePartner", "rotatePartnerSecret", "revokePartner"), "an administrator acts on any partner"),
    "setServiceOptIn": "names a service of the city, for one's own family",
    "terminateAccount": "an administrator acts on any family",
    "reinstateAccount": "an administrator acts on any family",
    "eraseFamily": "an administrator acts on any family",
}
"""Commands that may be given with any id by those who may give them at all."""

COUNTS_ATTEMPTS = {"verifyPhone"}
"""Commands that count what their own family tries in vain."""

PLAIN: Mapping[str, Any] = {
    "references": ["202600000113"],
    "tenders": Bare("[{means: CASH, cents: 1}]"),
    "counted": Bare("[]"),
    "day": "2026-01-05",
    "cents": 1,
    "kind": "cantine",
    "idempotencyKey": "une-cle-de-test",
    "answers": "x",
    "attests": True,
    "prefill": True,
    "body": "Bonjour.",
    "message": "Bonjour.",
    "reason": "Parce que.",
    "field": "piece",
    "keep": True,
    "despiteDebit": True,
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
    "tariff": "repas",
    "TariffInput": Bare(
        '{code: "un-tarif", service: "cantine", labelFr: "T", labelEn: "T", validFrom: "2026-01-01", '
        "prices: [{quotientFrom: 0, cents: 1}]}"
    ),
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
    "url": "https://crochet.example/",
    "overlapHours": 24,
    "phone": "+33600000000",
    "address": "1 rue de l'Essai\n33600 Pessac",
    "iban": "FR7630006000011234567890189",
    "holder": "Personne",
    "agrees": True,
    "endToEndId": "x",
    "returnedOn": "2026-01-05",
    "month": "2026-01-01",
    "quantity": 1,
}
"""Arguments of commands that name nobody: by their names or, where inputs of two types have one, by the type's."""

KIND = (
    '{code: "essai", service: "cantine", titleFr: "T", titleEn: "T", summaryFr: "S", summaryEn: "S", form: {}, '
    'attestationFr: "A", attestationEn: "A", silenceMeans: ACCEPTED}'
)

FOREIGN = {
    "payment": "Payment",
    "invoice": "Invoice",
    "invoices": "Invoice",
    "procedure": "Procedure",
    "document": "Document",
    "procedures": "Procedure",
    "colleague": "Colleague",
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
    "partner": "Partner",
    "webhook": "Webhook",
    "delivery": "WebhookDelivery",
    "address": "Address",
    "run": "BillingRun",
    "mandate": "Mandate",
    "batch": "DebitBatch",
    "documents": "Document",
    "deadLetters": "DeadLetter",
}
"""Arguments of commands that are ids, and of what."""


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[Town]:
    """Open the portal."""
    async with town_of(cluster) as made:
        yield made


def _ids(name: str) -> list[str]:
    """Give the arguments of a command that are ids."""
    return [arg for arg, each in MUTATION.fields[name].args.items() if get_named_type(each.type).name == "ID"]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("name", MUTATION.fields)
async def test_a_command_on_a_foreign_row_is_refused_without_effect(town: Town, name: str, stranger: str) -> None:
    viewer, _ = town.strangers[stranger]
    definition = MUTATION.fields[name]
    permitted = permits(definition, viewer)
    ids = _ids(name)
    assert ids or name in ON_ONES_OWN, f"say in ON_ONES_OWN whom {name} concerns"
    if permitted and (not ids or name in ON_ANYBODY or (name in AT_THE_COUNTER and viewer.kind is Kind.AGENT)):
        return  # it concerns nobody else, or any agent
    before = await town.state()
    for call in calls(town, name):
        for path in _paths(town, name, call, viewer):
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
    assert await town.state() == before | (await _attempts(town, name) if permitted else {})


async def _attempts(town: Town, name: str) -> dict[str, str]:
    """Give the one table that a command changes which counts what its own family tries in vain."""
    return {"throttle": (await town.state())["throttle"]} if name in COUNTS_ATTEMPTS else {}


def calls(town: Town, name: str) -> list[str]:
    """Give a command's calls: with ids of theirs, and with ids of theirs of another type."""
    calls = []
    for swapped in (False, True):
        written = []
        for arg, each in MUTATION.fields[name].args.items():
            named = get_named_type(each.type)
            if named.name == "ID":
                target = "ProcedureEvent" if swapped else _target(name, arg)
                [identity, *_] = town.theirs.ids[target]
                written.append(f"{arg}: {literal([identity] if '[' in str(each.type) else identity)}")
            elif isinstance(each.type, GraphQLNonNull):
                written.append(f"{arg}: {_plain(town, arg, each)}")
        calls.append(f"{name}({', '.join(written)})" if written else name)
        if name == "markRead":
            break  # an id that is none is refused, an id of somebody else's marks nothing
    return calls


def _target(command: str, argument: str) -> str:
    """Give the type of the id that an argument of a command takes."""
    return "PartnerTask" if command == "finishPartnerTask" else FOREIGN[argument]


def _plain(town: Town, name: str, argument: Any) -> str:
    named = get_named_type(argument.type)
    if named.name == "PartnerInput":
        return '{name: "P", contactEmail: "p@example.org", scopes: [PAGES_READ], services: []}'
    if isinstance(named, GraphQLEnumType):
        value: Any = Bare(next(iter(named.values)))
        return literal([value]) if "[" in str(argument.type) else literal(value)
    if named.name == "ProcedureKindInput":
        return KIND
    return literal(town.theirs.arguments.get(name, PLAIN.get(named.name, PLAIN.get(name))))


def _paths(town: Town, name: str, call: str, viewer: Viewer) -> list[str]:
    """Give everything that can be read of a command's payload."""
    payload = get_named_type(MUTATION.fields[name].type)
    assert isinstance(payload, GraphQLObjectType)
    walk = town.open_to(viewer)
    below = [way.text for each in payload.fields if each != "problems" for way in walk.below(payload, each)]
    return [f"{call} {{ problems {{ code message path }} {text} }}" for text in below or [""]]


OTHERWISE: Mapping[str, list[str]] = {
    "markRead": [],
    "replayWebhook": ["WEBHOOK_DISABLED"],
}
"""Commands that may say something else than NOT_FOUND when an id is nobody's."""


@pytest.mark.parametrize("name", [name for name in MUTATION.fields if _ids(name)])
async def test_a_command_on_a_row_that_there_is_not_is_refused_without_effect(town: Town, name: str) -> None:
    """Also where any agent may act on any row."""
    agent = replace(town.theirs.agent, roles=frozenset({"AGENT", "CASHIER", "EDITOR", "ADMIN"}))
    before = await town.state()
    for viewer in (town.theirs.family, agent, town.theirs.partner):
        for call in calls_on_nobody(town, name) if permits(MUTATION.fields[name], viewer) else ():
            answer = await town.ask("mutation", f"{call} {{ problems {{ code }} }}", viewer)
            codes = [problem["code"] for problem in json.loads(answer)["data"][name]["problems"]]
            assert codes in (["NOT_FOUND"], OTHERWISE.get(name)), f"{viewer.kind}: {call}"
    assert await town.state() == before | await _attempts(town, name)


def calls_on_nobody(town: Town, name: str) -> Iterator[str]:
    """Give a command's calls: one for each id that it takes, with that one made up and the others theirs."""
    definitions = MUTATION.fields[name].args
    ids = _ids(name)
    for made_up in ids:
        written = []
        for arg, each in definitions.items():
            if arg in ids:
                target = _target(name, arg)
                key = BUILT.mapping.tables[target].key
                nobodys = make_id(BUILT.mapping, target, *(uuid7() for _ in key))
                identity = nobodys if arg == made_up else town.theirs.ids[target][0]
                written.append(f"{arg}: {literal([identity] if '[' in str(each.type) else identity)}")
            elif isinstance(each.type, GraphQLNonNull):
                written.append(f"{arg}: {_plain(town, arg, each)}")
        yield f"{name}({', '.join(written)})"
