"""The whole way of one family: from the register of the city to the news on the channel it chose."""

import csv
from pathlib import Path

import msgspec

from db.clock import utc_now
from gateway.demo.city import write_register
from tests.conftest import Database
from tests.house import ACCEPT, PASSWORD, START, SUBMIT, TAKE, House, token_in
from tests.live import EventStream, Socket
from tests.program import Program, apart, environment

ACTIVATE = """mutation ($number: String!, $code: String!, $email: EmailAddress!, $password: String!) {
    activateAccount(familyNumber: $number, activationCode: $code, email: $email, password: $password) {
        problems { code path } }
}"""
VERIFY = "mutation ($token: String!) { verifyEmail(token: $token) { problems { code } } }"
ACCEPT_TERMS = "mutation ($version: Int!) { acceptTerms(version: $version) { problems { code } } }"
PREFER = """mutation ($channels: [Channel!]!) {
    setChannelPreferences(topic: PROCEDURE_STATUS, channels: $channels) { problems { code } } }"""
FOLLOW = """subscription ($after: String) { procedureStatusChanged(after: $after) {
    cursor procedure { reference status } event { number toStatus message } } }"""
PROOF = "{ viewer { family { deliveries(first: 3) { edges { node { channel address status sentAt } } } } } }"


async def registered(dsn: str, folder: Path) -> tuple[str, str]:
    """Import a register as an operator does, and read one family's number and code out of the file."""
    file = folder / "register.csv"
    write_register(file, utc_now, families=3)
    arguments = ["gateway", "import", "families", str(file), "--database", dsn]
    importing = Program(arguments, environment(data__folder=folder / "data"), folder / "import.log")
    await importing.start()
    assert await importing.ended() == 0, importing.said()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        cells = next(csv.DictReader(lines, delimiter=";"))
    return cells["family_number"], cells["activation_code"]


async def test_a_family_activates_files_and_hears_of_it_at_once_on_the_channel_it_chose(
    city: Database, tmp_path: Path
) -> None:
    """Gateway, dispatcher and import are programs of their own; everything between is a socket."""
    number, code = await registered(city.dsn, tmp_path)
    async with apart(city.dsn, tmp_path) as portal:
        await live_through_it(portal.house, number, code)


async def live_through_it(house: House, number: str, code: str) -> None:
    """Be the family, and the agent who decides."""
    email = "nouvelle.famille@example.org"
    await house.do(ACTIVATE, number=number, code=code, email=email, password=PASSWORD)
    await house.do(VERIFY, token=token_in(await house.mail_to(email, "verify-email")))
    family = await house.sign_in(number)

    answer = await house.ask("{ procedures { totalCount } }", family)
    assert answer.codes == ["TERMS_NOT_ACCEPTED"]
    terms = (await house.ask("{ terms { version body } }", family)).data["terms"]
    await house.do(ACCEPT_TERMS, family, version=terms["version"])
    await house.do(PREFER, family, channels=["EMAIL", "IN_APP"])

    procedure = await house.submitted(family)
    reference = (await house.ask("{ procedures { edges { node { reference } } } }", family)).data["procedures"][
        "edges"
    ][0]["node"]["reference"]
    assert reference in await house.mail_to(email, "bien reçu")

    agent = await house.agent()
    now = str(await house.connection.fetchval("select news_seq from family where number = $1", number))
    async with Socket(house, family) as socket, EventStream(house, family, FOLLOW, after=now) as events:
        await socket.subscribe("1", FOLLOW, after=now)
        first_cursor = await _accepted(house, agent, procedure, socket, events)
    assert "Bienvenue." in await house.mail_to(email, "est acceptée")

    async with Socket(house, family) as again:
        await again.subscribe("1", FOLLOW, after=first_cursor)
        resumed = (await again.next("1"))["procedureStatusChanged"]
        assert resumed["event"]["toStatus"] == "ACCEPTED"

    await house.do(PREFER, family, channels=["IN_APP", "EMAIL"])
    caught = len(house.catcher.to(email))
    await house.do(
        'mutation ($p: ID!) { reopenProcedure(procedure: $p, reason: "Erreur.") { problems { code } } }',
        agent,
        p=procedure,
    )
    newest = (await house.ask(PROOF, family)).data["viewer"]["family"]["deliveries"]["edges"][0]["node"]
    assert newest["channel"] == "IN_APP" and newest["address"] == number
    assert len(house.catcher.to(email)) == caught


async def _accepted(house: House, agent: str, procedure: str, socket: Socket, events: EventStream) -> str:
    """Take and accept a procedure while two clients listen; give the cursor of the first event."""
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ACCEPT, agent, procedure=procedure)
    heard = [(await socket.next("1"))["procedureStatusChanged"] for _ in range(2)]
    assert heard == [(await events.next())["procedureStatusChanged"] for _ in range(2)]
    assert [event["event"]["toStatus"] for event in heard] == ["IN_REVIEW", "ACCEPTED"]
    assert [event["event"]["number"] for event in heard] == [2, 3]
    cursor: str = heard[0]["cursor"]
    return cursor


async def test_the_acknowledgement_says_what_the_law_asks_for(house: House) -> None:
    """CRPA R112-5: date of receipt, service in charge with address and contact, what silence will mean and when."""
    family, token = await house.member()
    identity = await house.submitted(token)
    text = await house.mail_to(family.email, "bien reçu")
    query = """query ($id: ID!) { node(id: $id) { ... on Procedure {
        reference impliedDecisionOn service { name address phone email } } } }"""
    procedure = (await house.ask(query, token, id=identity)).data["node"]
    service = procedure["service"]
    for part in (procedure["reference"], service["name"], service["address"], service["phone"], service["email"]):
        assert part.replace(" ", "") in text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    assert procedure["impliedDecisionOn"][:4] in text


async def test_a_draft_is_started_once_however_often_it_is_asked_for(house: House) -> None:
    _, token = await house.member()
    first = await house.do(START, token, kind="cantine", key="une-seule-fois")
    second = await house.do(START, token, kind="cantine", key="une-seule-fois")
    assert first["procedure"]["id"] == second["procedure"]["id"]
    assert await house.problems(START, token, kind="acte-etat-civil", key="une-seule-fois") == [
        "IDEMPOTENCY_KEY_REUSED"
    ]
    assert (await house.ask("{ procedures { totalCount } }", token)).data == {"procedures": {"totalCount": 1}}


async def test_a_form_with_faults_names_each_one_and_submits_nothing(house: House) -> None:
    _, token = await house.member()
    draft = await house.do(START, token, kind="cantine", key="brouillon-1", answers={"inconnu": 1})
    reply = await house.ask(SUBMIT, token, procedure=draft["procedure"]["id"])
    problems = reply.data["submitProcedure"]["problems"]
    assert {problem["code"] for problem in problems} == {"ANSWER_NOT_VALID"} and len(problems) > 1
    assert all(problem["path"] and problem["message"] for problem in problems)
    status = await house.connection.fetchval(
        "select status from procedure where reference = $1", draft["procedure"]["reference"]
    )
    assert status == "DRAFT" and msgspec.json.encode(reply.body)
