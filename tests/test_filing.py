"""Filing documents with procedures: where, how often, and what stays of it (R2)."""

import asyncio
from datetime import timedelta
from urllib.parse import quote

from db.ids import uuid7
from tests.clockwork import run_due
from tests.conftest import Database
from tests.files import (
    ATTACH,
    KEEP,
    LINK,
    OF_PROCEDURE,
    PDF,
    PNG,
    REMOVE,
    counts,
    documents_of,
    draft,
    fetch,
    filed,
    send,
    uploaded,
)
from tests.house import SUBMIT, TAKE, House, opened
from tests.life import ANSWER, ASK, POST, admin, in_review, nodes, read, refused, save_kind
from tests.life import draft as draft_of


async def test_a_document_is_filed_once_and_stays_when_it_is_submitted(house: House) -> None:
    _, token = await house.member()
    document, other = await uploaded(house, token), await uploaded(house, token, PNG, "photo.png")
    procedure = await draft(house, token)
    first = await house.do(ATTACH, token, procedure=procedure, document=document, field="pai")
    again = await house.do(ATTACH, token, procedure=procedure, document=document, field="pai")
    assert first["attached"] == again["attached"] and first["attached"]["document"]["name"] == "attestation.pdf"
    await house.do(ATTACH, token, procedure=procedure, document=other, field="allergy")
    await house.do(REMOVE, token, document=other, procedure=procedure)
    await house.do(SUBMIT, token, procedure=procedure)
    same = await house.do(ATTACH, token, procedure=procedure, document=document, field="pai")
    assert same["attached"] == first["attached"], "also when it is repeated late"
    assert await house.problems(ATTACH, token, procedure=procedure, document=other, field="diet") == [
        "MOVE_NOT_ALLOWED"
    ]
    for where in (None, procedure):
        assert await house.problems(REMOVE, token, document=document, procedure=where) == ["DOCUMENT_IN_USE"]
    found = (await house.ask(OF_PROCEDURE, token, id=procedure)).data["node"]["documents"]
    assert [(edge["node"]["field"], edge["node"]["document"]["id"]) for edge in found["edges"]] == [("pai", document)]
    ask_for = """mutation ($procedure: ID!) { requestInformation(procedure: $procedure, message: "Une photo ?") {
        problems { code } } }"""
    agent = await house.agent()
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ask_for, agent, procedure=procedure)
    await house.do(ATTACH, token, procedure=procedure, document=other, field="allergy")
    assert await house.problems(REMOVE, token, document=other) == ["DOCUMENT_IN_USE"]
    attached = "select count(*) from procedure_document"
    assert await house.connection.fetchval(attached) == 2
    acts = "select count(*) from audit_entry where act = 'document_attached'"
    assert await house.connection.fetchval(acts) == 3


async def test_a_document_filed_elsewhere_is_filed_again_only_where_the_family_keeps_documents(house: House) -> None:
    _, token = await house.member()
    document = await uploaded(house, token)
    await filed(house, token, document)
    second = await draft(house, token)
    call = {"procedure": second, "document": document, "field": "pai"}
    assert await house.problems(ATTACH, token, **call) == ["DOCUMENT_NOT_KEPT"]
    await house.do(KEEP, token, keep=True)
    await house.do(ATTACH, token, **call)
    house.clock.ahead = timedelta(days=366)
    token = await house.sign_in(
        await house.connection.fetchval("select a.email from account a join document d on d.uploaded_by = a.id")
    )
    third = await draft(house, token)
    assert await house.problems(ATTACH, token, **call | {"procedure": third}) == ["DOCUMENT_EXPIRED"]


async def test_what_cannot_be_filed_is_refused_without_effect(city: Database) -> None:
    async with opened(city.dsn, documents={"per_procedure": 2}) as house:
        _, token = await house.member()
        _, stranger = await house.member()
        mine, theirs = await uploaded(house, token), await uploaded(house, stranger)
        procedure, foreign = await draft(house, token), await draft(house, stranger)
        for call, codes in (
            ({"procedure": foreign, "document": mine}, ["NOT_FOUND"]),
            ({"procedure": procedure, "document": theirs}, ["NOT_FOUND"]),
            ({"procedure": mine, "document": mine}, ["NOT_FOUND"]),
            ({"procedure": procedure, "document": procedure}, ["NOT_FOUND"]),
            ({"procedure": procedure, "document": mine, "field": "a b"}, ["FIELD_NOT_VALID"]),
            ({"procedure": procedure, "document": mine, "field": "x" * 61}, ["FIELD_NOT_VALID"]),
            ({"procedure": procedure, "document": mine, "field": "piece"}, ["FIELD_NOT_VALID"]),
            ({"procedure": procedure, "document": mine, "field": "message.1"}, ["FIELD_NOT_VALID"]),
            ({"procedure": procedure, "document": mine, "field": "asked.1.1"}, ["FIELD_NOT_VALID"]),
        ):
            assert await house.problems(ATTACH, token, **{"field": "pai", **call}) == codes
        assert await house.problems(REMOVE, token, document=theirs) == ["NOT_FOUND"]
        assert await house.problems(REMOVE, token, document=mine, procedure=procedure) == ["NOT_FOUND"]
        assert await house.connection.fetchval("select count(*) from procedure_document") == 0
        for name in ("school", "days"):
            await house.do(ATTACH, token, procedure=procedure, document=await uploaded(house, token), field=name)
        call = {"procedure": procedure, "document": mine, "field": "diet"}
        assert await house.problems(ATTACH, token, **call) == ["TOO_MANY_DOCUMENTS"]


async def test_a_document_is_taken_out_of_its_drafts_and_gone(house: House) -> None:
    _, token = await house.member()
    document = await uploaded(house, token)
    procedure = await filed(house, token, document, submit=False)
    removed = await house.do(REMOVE, token, document=document)
    assert removed["document"]["name"] == "" and removed["document"]["erasedAt"]
    assert await house.problems(REMOVE, token, document=document) == ["NOT_FOUND"]
    assert await documents_of(house, token) == []
    found = (await house.ask(OF_PROCEDURE, token, id=procedure)).data["node"]
    assert found["documents"]["totalCount"] == 0 and found["status"] == "DRAFT"


async def test_a_document_is_submitted_or_removed_never_half(house: House) -> None:
    """Twenty times both at once: a submitted procedure has its document, or had none when it was submitted."""
    _, token = await house.member()
    outcomes = set()
    for _ in range(20):
        document = await uploaded(house, token)
        procedure = await filed(house, token, document, submit=False)
        problems, _ = await asyncio.gather(
            house.problems(REMOVE, token, document=document), house.do(SUBMIT, token, procedure=procedure)
        )
        count = (await house.ask(OF_PROCEDURE, token, id=procedure)).data["node"]["documents"]["totalCount"]
        outcomes.add((tuple(problems), count))
    assert outcomes <= {((), 0), (("DOCUMENT_IN_USE",), 1)}


WORDS = "Voici le plan."
MESSAGES = """query ($id: ID!) { node(id: $id) { ... on Procedure { messages(first: 9) { edges { node { number author
    documents { edges { node { field document { id name author sentAt } } } } } } } } } }"""
REQUIRED = [
    {"code": "plan", "labelFr": "Plan des lieux", "labelEn": "Map of the place"},
    {"code": "assurance", "labelFr": "Attestation d'assurance", "labelEn": "Certificate of insurance"},
    {"code": "photo", "labelFr": "Photo", "labelEn": "Photograph", "required": False},
]


async def attached(house: House, token: str, procedure: str, *fields: str) -> list[str]:
    """Attach a new document under each field; give their ids."""
    documents = [await uploaded(house, token) for _ in fields]
    for document, field in zip(documents, fields, strict=True):
        await house.do(ATTACH, token, procedure=procedure, document=document, field=field)
    return documents


async def handed_in(house: House, agent: str, procedure: str, content: bytes = PDF) -> str:
    """Upload a file as an agent, for a procedure; give its id."""
    got = await send(house, agent, content, query=f"?procedure={quote(procedure, safe='')}", name="réponse.pdf")
    assert got.status == 201, got.body
    return str(got.json["id"])


async def posted(house: House, token: str, procedure: str, *documents: str, key: str | None = None) -> list[str]:
    """Send a message with documents; give the codes of problems."""
    call = {"procedure": procedure, "body": WORDS, "key": key or str(uuid7()), "documents": list(documents)}
    return await house.problems(POST, token, **call)


async def carried(house: House, token: str, procedure: str) -> list[tuple[str, list[str]]]:
    """Give author and documents of each message."""
    found = nodes((await house.ask(MESSAGES, token, id=procedure)).data["node"]["messages"])
    return [(each["author"], [one["document"]["id"] for one in nodes(each["documents"])]) for each in found]


async def test_a_draft_is_submitted_only_with_the_documents_that_its_kind_requires(house: House) -> None:
    await save_kind(house, await admin(house), requiredDocuments=REQUIRED)
    _, token = await house.member()
    identity = await draft_of(house, token)
    submit = """mutation ($id: ID!) { submitProcedure(procedure: $id, attests: true) {
        problems { code message path } procedure { status } } }"""
    payload = await refused(house, submit, token, id=identity)
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [
        ("DOCUMENT_MISSING", ["documents", "plan"]),
        ("DOCUMENT_MISSING", ["documents", "assurance"]),
    ]
    assert "Plan des lieux" in payload["problems"][0]["message"]
    await attached(house, token, identity, "plan")
    expired, _ = await attached(house, token, identity, "assurance", "remark")
    await house.connection.execute(
        "update document set expires_on = '2020-01-01' where id = (select document_id from procedure_document "
        "where field = 'assurance')"
    )
    payload = await refused(house, submit, token, id=identity)
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [
        ("DOCUMENT_EXPIRED", ["documents", "assurance"])
    ]
    row = await house.connection.fetchrow(
        "select p.status, p.submitted_at, p.event_count from procedure p join procedure_kind k on k.id = p.kind_id "
        "where k.code = 'essai'"
    )
    assert row is not None and tuple(row) == ("DRAFT", None, 0), "nothing half saved"
    await house.do(REMOVE, token, document=expired, procedure=identity)
    payload = await refused(house, submit, token, id=identity)
    assert [each["path"] for each in payload["problems"]] == [["documents", "assurance"]]
    await attached(house, token, identity, "assurance")
    for _ in range(2):
        sent = await house.do(submit, token, id=identity)
        assert sent["procedure"]["status"] == "SUBMITTED"


async def test_what_an_agent_asks_for_has_a_field_and_what_came_is_seen(house: House) -> None:
    await save_kind(house, await admin(house))
    (_, token), (_, stranger), agent = await house.member(), await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    await house.do(ASK, agent, procedure=identity, message="Il manque :", documents=["Plan", "Bail"])
    seen = (await read(house, token, identity))["informationRequest"]["documents"]
    fields = [each["field"] for each in nodes(seen)]
    assert fields == ["asked.3.1", "asked.3.2"] and not any(each["attached"] for each in nodes(seen))
    payload = await refused(house, ANSWER, token, procedure=identity)
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [
        ("DOCUMENT_MISSING", ["documents", field]) for field in fields
    ]
    assert (await read(house, token, identity))["status"] == "AWAITING_FAMILY"
    foreign, mine = await uploaded(house, stranger), await uploaded(house, token)
    for document, field, code in (
        (foreign, fields[0], "NOT_FOUND"),
        (mine, "asked.3.3", "FIELD_NOT_VALID"),
        (mine, "asked.2.1", "FIELD_NOT_VALID"),
        (mine, "message.1", "FIELD_NOT_VALID"),
    ):
        call = {"procedure": identity, "document": document, "field": field}
        assert await house.problems(ATTACH, token, **call) == [code]
    call = {"procedure": identity, "document": foreign, "field": fields[0]}
    assert await house.problems(ATTACH, stranger, **call) == ["NOT_FOUND"]
    assert await house.connection.fetchval("select count(*) from procedure_document") == 0
    [plan] = await attached(house, token, identity, fields[0])
    payload = await refused(house, ANSWER, token, procedure=identity)
    assert [each["path"] for each in payload["problems"]] == [["documents", fields[1]]]
    await house.do(ANSWER, token, procedure=identity, message="J’apporte le bail demain.")
    request = """query ($id: ID!) { node(id: $id) { ... on Procedure { informationRequests(first: 3) { edges { node {
        documents(first: 9) { edges { node { label attached documents(first: 2) { edges { node {
            document { id } } } } } } } } } } } } }"""
    [answered] = nodes((await house.ask(request, agent, id=identity)).data["node"]["informationRequests"])
    came = [(each["label"], each["attached"], len(nodes(each["documents"]))) for each in nodes(answered["documents"])]
    assert came == [("Plan", True, 1), ("Bail", False, 0)]
    assert (await fetch(house, plan, agent)).status == 200


async def test_documents_go_both_ways_with_messages(house: House) -> None:
    await save_kind(house, await admin(house))
    (family, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    mine, key = await uploaded(house, token), str(uuid7())
    for _ in range(2):
        assert await posted(house, token, identity, mine, mine, key=key) == []
    assert await posted(house, token, identity, key=key) == ["IDEMPOTENCY_KEY_REUSED"]
    answer = await handed_in(house, agent, identity)
    assert (await fetch(house, answer, token)).status == 404, "not before it is sent"
    assert (await house.ask(LINK, token, document=answer)).data["documentLink"]["problems"][0]["code"] == "NOT_FOUND"
    assert await house.problems(LINK, agent, document=answer) == ["NOT_FOUND"]
    assert await house.problems(ATTACH, token, procedure=identity, document=answer, field="remark") == ["NOT_FOUND"]
    assert await posted(house, token, identity, answer) == ["NOT_FOUND"]
    assert [each["id"] for each in await documents_of(house, token)] == [mine]
    assert (await fetch(house, answer, agent)).status == 200
    key = str(uuid7())
    for _ in range(2):
        assert await posted(house, agent, identity, answer, key=key) == []
    assert (await fetch(house, answer, token)).body == PDF
    assert await house.problems(LINK, token, document=answer) == []
    said = [("FAMILY", [mine]), ("AGENT", [answer])]
    assert await carried(house, token, identity) == await carried(house, agent, identity) == said
    for document in (mine, answer):
        assert await house.problems(REMOVE, token, document=document) == ["DOCUMENT_IN_USE"]
    acts = "select array_agg(actor order by actor) from audit_entry where act = 'document_sent'"
    assert await house.connection.fetchval(acts) == ["AGENT", "FAMILY"]
    told = """select data ->> 'summary_fr' as fr, data ->> 'summary_en' as en from news
        where type = 'procedure_message' and family_id = $1"""
    for row in await house.connection.fetch(told, family.id):
        assert row["fr"].endswith(", avec un document.") and row["en"].endswith(", with a document.")


async def test_nobody_sends_what_is_not_theirs(house: House) -> None:
    await save_kind(house, await admin(house))
    (_, token), (_, other) = await house.member(), await house.member()
    agent, chief, stranger = await house.agent(), await admin(house), await house.agent("voirie")
    identity, another = await in_review(house, token, agent), await in_review(house, other, agent)
    theirs, early = await uploaded(house, other), await draft_of(house, token)
    waiting, mine = await handed_in(house, agent, identity), await uploaded(house, token)
    for sender, where, documents, code in (
        (token, identity, [theirs], "NOT_FOUND"),
        (token, identity, [mine, theirs], "NOT_FOUND"),
        (token, another, [mine], "NOT_FOUND"),
        (token, identity, [waiting], "NOT_FOUND"),
        (token, identity, [identity], "NOT_FOUND"),
        (token, identity, [mine] * 11, "BAD_USER_INPUT"),
        (agent, another, [waiting], "NOT_FOUND"),
        (agent, identity, [mine], "NOT_FOUND"),
        (chief, identity, [waiting], "NOT_FOUND"),
        (stranger, identity, [waiting], "NOT_FOUND"),
    ):
        assert await posted(house, sender, where, *documents) == [code], (where, documents)
    await house.connection.execute("update document set expires_on = '2020-01-01' where agent_id is null")
    assert await posted(house, token, identity, mine) == ["DOCUMENT_EXPIRED"]
    for sender, procedure, status, code in (
        (stranger, identity, 404, "NOT_FOUND"),
        (agent, early, 404, "NOT_FOUND"),
        (agent, mine, 404, "NOT_FOUND"),
        (agent, "AAAA", 404, "NOT_FOUND"),
        (token, identity, 403, "FORBIDDEN"),
    ):
        got = await send(house, sender, PDF, query=f"?procedure={quote(procedure, safe='')}")
        assert (got.status, got.code) == (status, code)
    got = await send(house, agent, PDF)
    assert (got.status, got.code) == (403, "FORBIDDEN")
    for who in (stranger, token, other):
        assert (await fetch(house, waiting, who)).status == 404
    assert (await fetch(house, waiting, chief)).status == 200, "a colleague of the service reads it"
    assert await house.connection.fetchval("select count(*) from procedure_document") == 0
    assert await house.connection.fetchval("select count(*) from procedure_message where body = $1", WORDS) == 0
    assert await counts(house) == (3, 3)


async def test_a_document_filed_elsewhere_goes_with_a_message_only_where_the_family_keeps_documents(
    house: House,
) -> None:
    await save_kind(house, await admin(house))
    (_, token), agent = await house.member(), await house.agent()
    identity, document = await in_review(house, token, agent), await uploaded(house, token)
    await filed(house, token, document)
    assert await posted(house, token, identity, document) == ["DOCUMENT_NOT_KEPT"]
    assert await carried(house, token, identity) == []
    await house.do(KEEP, token, keep=True)
    assert await posted(house, token, identity, document) == []


async def test_what_agents_hand_in_has_limits_of_its_own_and_goes_when_it_is_not_sent(city: Database) -> None:
    async with opened(city.dsn, documents={"per_procedure": 2, "files": 1}) as house:
        await save_kind(house, await admin(house))
        (_, token), agent = await house.member(), await house.agent()
        identity = await in_review(house, token, agent)
        sent, _ = await handed_in(house, agent, identity), await handed_in(house, agent, identity)
        got = await send(house, agent, PDF, query=f"?procedure={quote(identity, safe='')}")
        assert (got.status, got.code) == (409, "TOO_MANY_DOCUMENTS")
        assert await counts(house) == (2, 2)
        await uploaded(house, token)
        await house.do(KEEP, token, keep=True)
        assert await posted(house, agent, identity, sent) == []
        house.clock.ahead = timedelta(days=8)
        await run_due(house, "erase_unkept", "erase_files")
        left = "select count(*) from document where agent_id is not null and erased_at is null"
        assert await house.connection.fetchval(left) == 1, "what was never sent is gone"
        assert await counts(house) == (3, 2)


async def test_what_an_agent_hands_in_for_one_procedure_is_not_sent_with_another(house: House) -> None:
    await save_kind(house, await admin(house))
    (_, token), agent = await house.member(), await house.agent()
    one, other = await in_review(house, token, agent), await in_review(house, token, agent)
    sent = await handed_in(house, agent, one)
    messages = "select count(*) from procedure_message"
    before = await house.connection.fetchval(messages)
    assert await posted(house, agent, other, sent) == ["NOT_FOUND"]
    assert await house.connection.fetchval(messages) == before
    assert await posted(house, agent, one, sent) == []
