"""Work lists of agents: by deadline, in whose hands, found by words, counted, and live; and families' own lists."""

import asyncio
import base64
from datetime import date, timedelta
from typing import Any

import pytest

from db.ids import uuid7
from tests.house import ACCEPT, TAKE, House
from tests.life import (
    ANSWER,
    ASK,
    ASSIGN,
    POST,
    RELEASE,
    WITHDRAW,
    admin,
    colleague,
    draft,
    in_review,
    nodes,
    save_kind,
    submitted,
)
from tests.live import Socket

WORK = """query ($first: Int, $after: String, $orderBy: WorkOrder, $assignment: Assignment, $search: String,
        $status: [ProcedureStatus!], $kind: String, $service: String, $dueUntil: Date) {
    workList(first: $first, after: $after, orderBy: $orderBy, assignment: $assignment, search: $search,
        status: $status, kind: $kind, service: $service, dueUntil: $dueUntil) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { node { id status impliedDecisionOn clockPausedAt familyNumber familyName service { code } } } } }"""
BACKLOG = """{ serviceWork { edges { node { service { code } submitted inReview awaitingFamily mine
    dueWithinAWeek } } } }"""
LIST = """query ($member: ID, $firstDay: Date, $lastDay: Date, $text: String, $status: [ProcedureStatus!]) {
    procedures(first: 100, member: $member, firstDay: $firstDay, lastDay: $lastDay, text: $text, status: $status) {
        edges { node { id reference } } } }"""
FOLLOW = "subscription { workListChanged { id procedure { id status assignee { name } unreadMessages } } }"
STANDS = "9999-12-31"
MEMBERS = "{ viewer { family { members { edges { node { id } } } } } }"


@pytest.fixture(autouse=True)
async def kind(house: House) -> None:
    """Offer the kind of the tests."""
    await save_kind(house, await admin(house))


async def work(house: House, token: str, **filters: Any) -> list[Any]:
    """Give one page of the work list."""
    return nodes((await house.ask(WORK, token, **filters)).data["workList"])


async def ids(house: House, token: str, **filters: Any) -> list[str]:
    """Give the ids of a page of the work list of the tests' kind."""
    return [each["id"] for each in await work(house, token, kind="essai", first=100, **filters)]


def deadline(procedure: Any) -> str:
    """Give the day on which silence decides a procedure of the list."""
    return STANDS if procedure["clockPausedAt"] else procedure["impliedDecisionOn"] or STANDS


async def test_the_nearest_deadline_comes_first_over_all_pages(house: House) -> None:
    agent = await house.agent()
    everything, after = [], None
    while True:
        page = (await house.ask(WORK, agent, first=7, after=after)).data["workList"]
        everything += nodes(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    deadlines = [deadline(each) for each in everything]
    assert len({each["id"] for each in everything}) == len(everything) == page["totalCount"] > 20
    assert deadlines == sorted(deadlines)
    assert STANDS in deadlines, "where the clock stands, nothing is due"
    assert {each["status"] for each in everything} == {"SUBMITTED", "IN_REVIEW", "AWAITING_FAMILY"}
    assert len({each["service"]["code"] for each in everything}) > 1, "of all the agent's services"
    soon = await work(house, agent, dueUntil=deadlines[5], first=100)
    assert [each["id"] for each in soon] == [each["id"] for each in everything if deadline(each) <= deadlines[5]]
    for order, kept in (("NEWEST", True), ("OLDEST", False), ("LAST_CHANGED", None)):
        listed = [each["id"] for each in await work(house, agent, orderBy=order, first=100)]
        assert set(listed) <= {each["id"] for each in everything}
        if kept is not None:
            assert listed == sorted(listed, key=lambda each: _procedure_id(each), reverse=kept)


def _procedure_id(identity: str) -> bytes:
    """Give the second uuid of a global id."""
    return base64.b64decode(identity)[17:]


async def test_a_cursor_of_another_order_is_refused(house: House) -> None:
    agent = await house.agent()
    page = (await house.ask(WORK, agent, first=1, orderBy="NEWEST")).data["workList"]
    cursor = page["pageInfo"]["endCursor"]
    assert (await house.ask(WORK, agent, after=cursor)).codes == ["BAD_USER_INPUT"]
    assert (await house.ask(WORK, agent, after="AAAA")).codes == ["BAD_USER_INPUT"]


async def test_work_is_told_apart_by_the_hands_it_is_in(house: House) -> None:
    (_, token), agent, chief = await house.member(), await house.agent(), await admin(house)
    mine, free, others = [await submitted(house, token) for _ in range(3)]
    await house.do(TAKE, agent, procedure=mine)
    await house.do(TAKE, chief, procedure=others)
    assert await ids(house, agent, assignment="MINE") == [mine]
    assert await ids(house, agent, assignment="NOBODY") == [free]
    assert await ids(house, agent, assignment="OTHERS") == [others]
    await house.do(ASSIGN, agent, procedure=free, colleague=await colleague(house, agent, "Lalanne"))
    await house.do(RELEASE, agent, procedure=mine)
    assert await ids(house, agent, assignment="MINE") == [free]
    assert await ids(house, agent, assignment="NOBODY") == [mine]
    await house.do(ACCEPT, chief, procedure=others)
    assert await ids(house, chief, assignment="MINE") == [], "what is decided is no work"


async def test_work_is_found_by_reference_number_and_name(house: House) -> None:
    (family, token), (_, other), agent = await house.member(), await house.member(), await house.agent()
    await house.connection.execute("update family set name = 'Famille Œuvrard-Bélanger' where id = $1", family.id)
    wanted, _ = await submitted(house, token), await submitted(house, other)
    reference = await house.connection.fetchval("select reference from procedure where family_id = $1", family.id)
    for words in (reference, f" {reference.lower()} ", family.number, "oeuvrard", "BELANGER ouvr", "bélan œuv"):
        found = [] if words == "BELANGER ouvr" else [wanted]
        assert await ids(house, agent, search=words) == found, words
    for words in ("%", "_", "", "'", "PES-2026", family.number[:-1], "zzz"):
        assert wanted not in await ids(house, agent, search=words), words
    assert await ids(house, await house.agent("voirie"), search=reference) == []


async def test_work_is_narrowed_by_status_kind_and_service(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    waiting, taken = await submitted(house, token), await in_review(house, token, agent)
    assert await ids(house, agent, status=["IN_REVIEW"]) == [taken]
    assert set(await ids(house, agent, service="cantine")) == {waiting, taken}
    assert await ids(house, agent, service="petite-enfance") == []
    assert await ids(house, agent, status=["ACCEPTED"]) == []


async def test_only_agents_have_work(house: House) -> None:
    _, token = await house.member()
    assert (await house.ask(WORK, token)).codes == ["FORBIDDEN"]
    assert (await house.ask(WORK, await house.agent("regie"))).codes == ["FORBIDDEN"]
    assert (await house.ask(BACKLOG, token)).codes == ["FORBIDDEN"]
    services = {each["service"]["code"] for each in await work(house, await house.agent("voirie"), first=100)}
    assert services == {"urbanisme-voirie"}


async def backlog(house: House, token: str) -> dict[str, Any]:
    """Give the counts of each service."""
    return {each["service"]["code"]: each for each in nodes((await house.ask(BACKLOG, token)).data["serviceWork"])}


COUNTED = """select s.code, count(*) filter (where p.status = 'SUBMITTED') as submitted,
        count(*) filter (where p.status = 'IN_REVIEW') as in_review,
        count(*) filter (where p.status = 'AWAITING_FAMILY') as awaiting
    from service s left join procedure p on p.service_id = s.id group by 1"""


async def test_counts_are_kept_exactly_while_many_move_at_once(house: House) -> None:
    agent = await house.agent()
    families = [(await house.member())[1] for _ in range(8)]

    async def live(token: str, number: int) -> None:
        identity = await draft(house, token)
        if number % 4 == 3:
            await house.do(WITHDRAW, token, procedure=identity)
            return
        identity = await in_review(house, token, agent)
        if number % 4:
            await house.do(ASK, agent, procedure=identity, message="Et ?", fields=["people"])
        if number % 4 == 2:
            await house.do(ANSWER, token, procedure=identity, answers={"people": 2})

    await asyncio.gather(*(live(token, number) for number, token in enumerate(families)))
    counts = await backlog(house, await admin(house))
    for row in await house.connection.fetch(COUNTED):
        kept = counts[row["code"]]
        assert (kept["submitted"], kept["inReview"], kept["awaitingFamily"]) == tuple(row.values())[1:], row["code"]
    mine = (await backlog(house, agent))["cantine"]["mine"]
    assert mine == len(await work(house, agent, assignment="MINE", service="cantine", first=100))
    house.clock.ahead = timedelta(days=60)
    later = await house.agent()
    today = (await house.connection.fetchval("select max(submitted_at) from procedure")).date() + timedelta(days=60)
    due = await work(house, later, service="cantine", dueUntil=str(today + timedelta(days=7)), first=100)
    assert abs((await backlog(house, later))["cantine"]["dueWithinAWeek"] - len(due)) <= 1
    house.clock.ahead = timedelta()


async def test_what_waits_for_its_family_is_not_due_until_it_answers(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    some_day = str((house.clock() + timedelta(days=400)).date())
    assert identity in await ids(house, agent, dueUntil=some_day)
    await house.do(ASK, agent, procedure=identity, message="Un justificatif ?")
    assert identity not in await ids(house, agent, dueUntil=some_day)
    assert identity in await ids(house, agent, status=["AWAITING_FAMILY"])
    await house.do(ANSWER, token, procedure=identity)
    assert identity in await ids(house, agent, dueUntil=some_day)


async def test_every_change_of_the_work_reaches_the_agents_of_its_service_and_no_others(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    async with Socket(house, agent) as seen, Socket(house, await house.agent("voirie")) as unseen:
        for socket in (seen, unseen):
            await socket.subscribe("1", FOLLOW)
            assert (await socket.next("1")) == {"workListChanged": None}, "the stream is live: read the list now"
        identity = await submitted(house, token)
        assert await changed(seen) == (identity, "SUBMITTED", None, 0)
        await house.do(TAKE, agent, procedure=identity)
        assert await changed(seen) == (identity, "IN_REVIEW", "Thomas Lalanne", 0)
        await house.do(POST, token, procedure=identity, body="Bonjour.", key=str(uuid7()))
        assert await changed(seen) == (identity, "IN_REVIEW", "Thomas Lalanne", 1)
        await house.do(RELEASE, agent, procedure=identity)
        assert await changed(seen) == (identity, "IN_REVIEW", None, 1)
        await draft(house, token)
        fresh = await submitted(house, token)
        assert await changed(seen) == (fresh, "SUBMITTED", None, 0)
        await house.do(WITHDRAW, token, procedure=fresh)
        assert await changed(seen) == (fresh, "WITHDRAWN", None, 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await unseen.next("1")
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        assert (await socket.message("1"))["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def changed(socket: Socket) -> tuple[str, str, str | None, int]:
    """Give the next change that a socket hears; to look anew may be said more than once."""
    async with asyncio.timeout(10):
        while (change := (await socket.next("1"))["workListChanged"]) is None:
            continue
    procedure = change["procedure"]
    assert change["id"] == procedure["id"]
    name = procedure["assignee"] and procedure["assignee"]["name"]
    return procedure["id"], procedure["status"], name, procedure["unreadMessages"]


async def test_a_change_of_what_is_out_of_an_agents_sight_by_now_is_not_told(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    async with Socket(house, agent) as socket:
        await socket.subscribe("1", FOLLOW)
        assert (await socket.next("1")) == {"workListChanged": None}
        await house.connection.execute(
            """select pg_notify('kiosque_work', concat_ws(' ', id, gen_random_uuid(), gen_random_uuid()))
               from service where code = 'cantine'"""
        )
        identity = await submitted(house, token)
        assert await changed(socket) == (identity, "SUBMITTED", None, 0)


async def test_whoever_may_have_missed_a_change_is_told_to_look_anew(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    async with Socket(house, agent) as socket:
        await socket.subscribe("1", FOLLOW)
        assert (await socket.next("1")) == {"workListChanged": None}
        await house.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kiosque-live' "
            "and datname = current_database()"
        )
        async with asyncio.timeout(10):
            assert (await socket.next("1")) == {"workListChanged": None}
        identity = await submitted(house, token)
        assert await changed(socket) == (identity, "SUBMITTED", None, 0)


async def listed(house: House, token: str, **filters: Any) -> list[str]:
    """Give the ids of a family's procedures."""
    return [each["id"] for each in nodes((await house.ask(LIST, token, **filters)).data["procedures"])]


async def test_a_family_finds_its_procedures_by_member_period_and_words(house: House) -> None:
    (family, token), (_, stranger) = await house.member(), await house.member()
    [member] = [each["id"] for each in nodes((await house.ask(MEMBERS, token)).data["viewer"]["family"]["members"])]
    start = """mutation ($member: ID!, $key: String!) {
        startProcedure(kind: "cantine", member: $member, idempotencyKey: $key) {
            problems { code } procedure { id } } }"""
    of_child = (await house.do(start, token, member=member, key=str(uuid7())))["procedure"]["id"]
    other = await submitted(house, token)
    assert await listed(house, token) == [other, of_child]
    assert await listed(house, token, member=member) == [of_child]
    for nobody in ("AAAA", "", "é", member[:-1], member[:-4] + "AAAA", "A" * 44):
        assert await listed(house, token, member=nobody) == []
    today: date = house.clock().date()
    assert len(await listed(house, token, firstDay=str(today - timedelta(days=1)))) == 2
    assert await listed(house, token, firstDay=str(today + timedelta(days=2))) == []
    assert await listed(house, token, lastDay=str(today - timedelta(days=2))) == []
    assert len(await listed(house, token, lastDay=str(today + timedelta(days=1)), firstDay="0001-01-01")) == 2
    assert len(await listed(house, token, lastDay="9999-12-31")) == 2
    reference = await house.connection.fetchval(
        "select reference from procedure where family_id = $1 and member_id is not null", family.id
    )
    for words in ("cantine", "CANTINÉ inscr", "enfant", reference, reference.lower(), "canteen"):
        assert await listed(house, token, text=words) == [of_child], words
    assert await listed(house, token, text="cantine rien") == []
    assert await listed(house, stranger, text="cantine") == []
    assert await listed(house, stranger, member=member) == []


async def test_the_next_step_is_told_in_the_language_of_the_viewer(house: House) -> None:
    (family, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    ask = "query ($id: ID!) { node(id: $id) { ... on Procedure { nextStep { step by sentence dueOn } } } }"
    step = (await house.ask(ask, token, id=identity)).data["node"]["nextStep"]
    assert (step["step"], step["by"], step["sentence"]) == ("DECIDE", "AGENT", "Le service examine votre démarche.")
    assert date.fromisoformat(step["dueOn"]) > house.clock().date()
    await house.connection.execute("update account set language = 'en' where family_id = $1", family.id)
    english = (await house.ask(ask, await house.sign_in(family.email), id=identity)).data["node"]["nextStep"]
    assert english["sentence"] == "The service is examining your procedure."
