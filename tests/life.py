"""What tests about the life of procedures send: kinds of their own, moves, messages, and what is read of it."""

from typing import Any

from db.ids import uuid7
from tests.house import START, SUBMIT, TAKE, House

STATE = """id reference status answers unreadMessages assignee { id name }
    nextStep { step by sentence dueOn }
    informationRequest { eventNumber message fields answers answeredAt
        documents { edges { node { id field label attached } } } }"""
PAYLOAD = f"{{ problems {{ code message path }} procedure {{ {STATE} }} }}"
KIND_FIELDS = """id code version title isOpen placesLeft capacity opensOn closesOn form
    requiredDocuments { edges { node { code label help required } } } service { code }"""
SAVE_KIND = f"""mutation ($kind: ProcedureKindInput!) {{ saveProcedureKind(kind: $kind) {{
    problems {{ code message path }} procedureKind {{ {KIND_FIELDS} }} }} }}"""
RETIRE = """mutation ($code: String!) { retireProcedureKind(code: $code) {
    problems { code path } procedureKind { id isOpen } } }"""
ASK = f"""mutation ($procedure: ID!, $message: String!, $fields: [String!], $documents: [String!]) {{
    requestInformation(procedure: $procedure, message: $message, fields: $fields, documents: $documents) {PAYLOAD} }}"""
ANSWER = f"""mutation ($procedure: ID!, $answers: JSON, $message: String) {{
    answerInformationRequest(procedure: $procedure, answers: $answers, message: $message) {PAYLOAD} }}"""
TAKE_IN_FULL = f"mutation ($procedure: ID!) {{ takeProcedure(procedure: $procedure) {PAYLOAD} }}"
ACCEPT_IN_FULL = f"mutation ($procedure: ID!) {{ acceptProcedure(procedure: $procedure) {PAYLOAD} }}"
RELEASE = f"mutation ($procedure: ID!) {{ releaseProcedure(procedure: $procedure) {PAYLOAD} }}"
ASSIGN = f"""mutation ($procedure: ID!, $colleague: ID!) {{
    assignProcedure(procedure: $procedure, colleague: $colleague) {PAYLOAD} }}"""
REJECT = f"""mutation ($procedure: ID!, $reason: String!) {{
    rejectProcedure(procedure: $procedure, reason: $reason) {PAYLOAD} }}"""
CLOSE = f"""mutation ($procedure: ID!, $reason: String!) {{
    closeProcedure(procedure: $procedure, reason: $reason) {PAYLOAD} }}"""
REOPEN = f"""mutation ($procedure: ID!, $reason: String!) {{
    reopenProcedure(procedure: $procedure, reason: $reason) {PAYLOAD} }}"""
WITHDRAW = f"mutation ($procedure: ID!) {{ withdrawProcedure(procedure: $procedure) {PAYLOAD} }}"
POST = f"""mutation ($procedure: ID!, $body: String!, $key: String!, $documents: [ID!]) {{
    postMessage(procedure: $procedure, body: $body, idempotencyKey: $key, documents: $documents) {PAYLOAD} }}"""
MARK = (
    f"""mutation ($procedure: ID!, $upTo: Int) {{ markMessagesRead(procedure: $procedure, upTo: $upTo) {PAYLOAD} }}"""
)
MOVE_ALL = """mutation ($procedures: [ID!]!, $action: BulkAction!, $message: String) {
    moveProcedures(procedures: $procedures, action: $action, message: $message) {
        problems { code path } results { problems { code path } procedure { id status assignee { name } } } } }"""
READ = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Procedure {{ {STATE}
    events {{ edges {{ node {{ number fromStatus toStatus actor message }} }} }}
    messages(first: 100) {{ edges {{ node {{ number author agentName body readAt }} }} }} }} }} }}"""
COLLEAGUES = "{ colleagues { edges { node { id name } } } }"

FORM: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Essai",
    "x-title-en": "Trial",
    "type": "object",
    "properties": {
        "first_name": {
            "title": "Prénom",
            "x-title-en": "First name",
            "x-prefill": "member.first_name",
            "type": "string",
            "maxLength": 100,
        },
        "day": {"title": "Jour", "x-title-en": "Day", "type": "string", "format": "date", "x-prefill": "none"},
        "people": {"title": "Personnes", "x-title-en": "People", "type": "integer", "minimum": 1, "maximum": 9},
        "remark": {"title": "Remarque", "x-title-en": "Remark", "type": "string", "maxLength": 200},
    },
    "required": ["first_name", "day", "people"],
    "additionalProperties": False,
    "x-order": ["first_name", "people", "day", "remark"],
}
ANSWERS = {"first_name": "Zoé", "day": "2026-12-24", "people": 3}


def kind_input(code: str = "essai", **changes: Any) -> dict[str, Any]:
    """Give a kind as an editor sends it."""
    return {
        "code": code,
        "service": "cantine",
        "titleFr": "Essai",
        "titleEn": "Trial",
        "summaryFr": "Pour essayer.",
        "summaryEn": "To try.",
        "form": FORM,
        "attestationFr": "J’atteste.",
        "attestationEn": "I attest.",
        "silenceMeans": "ACCEPTED",
        **changes,
    }


async def admin(house: House) -> str:
    """Give an access token of an administrator, who may edit kinds."""
    return await house.agent("admin")


async def save_kind(house: House, token: str, code: str = "essai", **changes: Any) -> Any:
    """Save a kind and give it as it stands."""
    return (await house.do(SAVE_KIND, token, kind=kind_input(code, **changes)))["procedureKind"]


async def draft(house: House, token: str, code: str = "essai", answers: Any = None) -> str:
    """Start a draft and give its id."""
    started = await house.do(START, token, kind=code, key=str(uuid7()), answers=answers or ANSWERS)
    identity: str = started["procedure"]["id"]
    return identity


async def submitted(house: House, token: str, code: str = "essai", answers: Any = None) -> str:
    """Submit a procedure of a kind and give its id."""
    identity = await draft(house, token, code, answers)
    await house.do(SUBMIT, token, procedure=identity)
    return identity


async def in_review(house: House, token: str, agent: str, code: str = "essai") -> str:
    """Give a procedure that an agent has taken."""
    identity = await submitted(house, token, code)
    await house.do(TAKE, agent, procedure=identity)
    return identity


async def read(house: House, token: str, identity: str) -> Any:
    """Give a procedure as a viewer sees it; None when it is out of sight."""
    return (await house.ask(READ, token, id=identity)).data["node"]


def nodes(connection: Any) -> list[Any]:
    """Give the rows of a connection."""
    return [edge["node"] for edge in connection["edges"]]


async def refused(house: House, mutation: str, token: str, **variables: Any) -> Any:
    """Send a mutation that is refused; give its payload."""
    payload = next(iter((await house.ask(mutation, token, **variables)).data.values()))
    assert payload["problems"], payload
    return payload


async def colleague(house: House, token: str, name: str) -> str:
    """Give the id of a colleague of an agent by a part of the name."""
    found = nodes((await house.ask(COLLEAGUES, token)).data["colleagues"])
    [identity] = [each["id"] for each in found if name in each["name"]]
    return str(identity)
