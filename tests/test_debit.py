"""Direct debits: announced in time, collected whole and once, booked on their day, taken back (R26, R30)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import hypothesis
import pytest
from hypothesis import strategies as st

from db import money
from resolvers import debits as debiting
from resolvers import sepa
from resolvers.debits import NothingToCollect, NotThatDay, collect
from resolvers.pain008 import NAMESPACE, Address, Collection, Message, pain008, validated
from resolvers.viewer import SYSTEM_SIGHT
from tests.bank import (
    IBAN,
    LONG,
    OTHER_IBAN,
    REVOKE,
    SIGN,
    Owed,
    announced,
    by_the_clock,
    calm,
    cashier,
    collect_day,
    debits,
    forgive,
    on_the_day,
    owe,
    pay,
    payer,
    process,
    states,
    today,
)
from tests.conftest import Database
from tests.counters import RECORD, key
from tests.house import PASSWORD, House, opened
from tests.test_families import acts

SEEN = """{ viewer { family { invoices(first: 20) { edges { node { number status open { cents }
    debit { state collectOn amount { cents } account rum } } } } } } }"""
BATCHES = (
    "{ debitBatches(first: 5) { edges { node { id dueOn messageId count total { cents } sha256 url withdrawnAt } } } }"
)
WITHDRAW = """mutation ($batch: ID!) { withdrawDebitBatch(batch: $batch) {
    problems { code } batch { withdrawnAt } } }"""

TASKS = """{ agentTasks(done: false, kinds: [UNEXPLAINED_CREDIT]) { edges { node {
    family { number } payment { means credit { cents } } } } } }"""


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal at which one stays signed in for months."""
    async with calm(city.dsn) as running:
        yield running


def texts(content: bytes, *path: str) -> list[str]:
    """Give the texts of the elements of a name, below another one."""
    root = ElementTree.fromstring(content)
    found = root.iter(f"{NAMESPACE}{path[0]}")
    if len(path) > 1:
        inner = "/".join(NAMESPACE + step for step in path[1:])
        return [each.text or "" for above in found for each in above.findall(inner)]
    return [each.text or "" for each in found]


async def test_an_invoice_is_announced_for_its_due_date_in_time_and_once(house: House) -> None:
    signed = await payer(house)
    [far] = await owe(house, signed.family.id, days=20)
    [near] = await owe(house, signed.family.id, [1_000], days=2)
    await by_the_clock(house, "announce_debits")
    await by_the_clock(house, "announce_debits")
    day = today(house)
    found = {each["invoice_id"]: each for each in await debits(house, signed.family.id)}
    assert len(found) == 2
    assert found[far.id]["collect_on"] == sepa.bank_day_from(day + timedelta(days=20))
    assert found[near.id]["collect_on"] == sepa.bank_day_from(day + timedelta(days=14)), "R26: never before the notice"
    told = await house.mail_to(signed.family.email, far.number)
    assert "23,50" in told and "FR•• •••• 2606" in told and sepa.DEMO_IDENTIFIER in told
    seen = (await house.ask(SEEN, signed.token)).data["viewer"]["family"]["invoices"]["edges"]
    assert {edge["node"]["debit"]["state"] for edge in seen} == {"ANNOUNCED"}


async def test_only_whole_invoices_of_families_with_a_mandate_are_announced(house: House) -> None:
    other, _ = await house.member()
    await owe(house, other.id)
    signed = await payer(house)
    [part, late, whole] = await owe(house, signed.family.id, [900, 901, 902])
    await pay(house, signed.family, part, 100)
    await house.connection.execute("alter table invoice disable trigger keep")
    await house.connection.execute(
        "update invoice set issued_on = '2026-01-01', due_on = '2026-01-31' where id = $1", late.id
    )
    await by_the_clock(house, "announce_debits")
    assert [each["invoice_id"] for each in await debits(house, signed.family.id)] == [whole.id]
    assert await debits(house, other.id) == []


async def test_the_announcement_goes_the_way_that_the_family_chose_and_cannot_be_muted(house: House) -> None:
    signed = await payer(house)
    choose = """mutation ($channels: [Channel!]!) { setChannelPreferences(topic: DIRECT_DEBIT, channels: $channels) {
        problems { code } } }"""
    assert await house.problems(choose, signed.token, channels=[]) == ["BAD_USER_INPUT"]
    await house.do(choose, signed.token, channels=["IN_APP"])
    await announced(house, signed)
    sent = """select d.channel from delivery d join news n on n.family_id = d.family_id and n.seq = d.news_seq
        where n.family_id = $1 and n.type = 'debit_announced'"""
    assert [row["channel"] for row in await house.connection.fetch(sent, signed.family.id)] == ["IN_APP"]


async def test_the_file_of_a_day_is_valid_adds_up_and_is_the_same_ever_after(house: House) -> None:
    signed, other = await payer(house), await payer(house, OTHER_IBAN)
    await owe(house, other.family.id, [1])
    owed = await announced(house, signed, 2_350, 4_901)
    day = await collect_day(house, signed.family.id)
    filed = await collect(process(house), day)
    validated(filed.content)
    assert (filed.debits, filed.cents) == (3, 7_252)
    assert texts(filed.content, "GrpHdr", "NbOfTxs") == ["3"] and texts(filed.content, "GrpHdr", "CtrlSum") == ["72.52"]
    assert sorted(texts(filed.content, "InstdAmt")) == ["0.01", "23.50", "49.01"]
    assert texts(filed.content, "ReqdColltnDt") == [day.isoformat()] * 2
    assert sorted(texts(filed.content, "DbtrAcct", "Id", "IBAN")) == [OTHER_IBAN, IBAN, IBAN]
    assert set(texts(filed.content, "EndToEndId")) >= {f"{each.number}-1" for each in owed}
    assert filed.file_hash == hashlib.sha256(filed.content).digest()
    house.clock.ahead += timedelta(hours=5)
    again = await collect(process(house), day)
    assert (again.content, again.batch_id) == (filed.content, filed.batch_id)
    await announced(house, signed, 777, days=20)
    later = await collect(process(house), day)
    assert later.content == filed.content, "what is announced afterwards is not smuggled into a file that was sent"


async def test_what_is_announced_after_a_file_was_made_is_collected_on_the_next_day_of_banks(house: House) -> None:
    signed, other = await payer(house), await payer(house, OTHER_IBAN)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    filed = await collect(process(house), day)
    [late] = await announced(house, other)
    promised = await collect_day(house, other.family.id)
    assert promised == sepa.bank_days_after(day, 1), "no family is told a day that cannot be kept"
    told = await house.mail_to(other.family.email, late.number)
    assert f"{promised:%d/%m/%Y}" in told and f"{day:%d/%m/%Y}" not in told
    assert (await collect(process(house), promised)).debits == 1
    await on_the_day(house, promised)
    await by_the_clock(house, "announce_debits")
    assert await states(house, other) == [("BOOKED", None)], "not missed, not announced anew"
    assert await states(house, signed) == [("BOOKED", None)]

    made = (await house.ask(BATCHES, await cashier(house))).data["debitBatches"]["edges"]
    assert sorted(edge["node"]["dueOn"] for edge in made) == [day.isoformat(), promised.isoformat()]
    assert (await collect(process(house), day)).content == filed.content


async def test_a_day_whose_file_was_taken_back_can_be_promised_again(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    token = await cashier(house)
    [made] = (await house.ask(BATCHES, token)).data["debitBatches"]["edges"]
    await house.do(WITHDRAW, token, batch=made["node"]["id"])
    await by_the_clock(house, "announce_debits")
    assert await collect_day(house, signed.family.id) == day
    assert (await collect(process(house), day)).debits == 1


async def test_a_day_is_never_announced_so_late_that_the_bank_would_refuse_its_file(city: Database) -> None:
    debit = {"notice_days": 1, "bank_days": 5}
    async with opened(city.dsn, tokens=LONG, debit=debit) as house:
        await forgive(house)
        signed = await payer(house)
        await announced(house, signed, days=1)
        day = await collect_day(house, signed.family.id)
        assert day == sepa.bank_days_after(today(house), 5)
        assert (await collect(process(house), day)).debits == 1


async def test_whoever_announces_while_a_file_is_made_is_in_it_or_told_another_day(house: House) -> None:
    everybody = [await payer(house) for _ in range(6)]
    await announced(house, everybody[0])
    day = await collect_day(house, everybody[0].family.id)
    for signed in everybody[1:]:
        await owe(house, signed.family.id)
    _, filed = await asyncio.gather(by_the_clock(house, "announce_debits"), collect(process(house), day))
    in_file = 0
    for signed in everybody:
        [debit] = await debits(house, signed.family.id)
        assert (debit["state"], debit["collect_on"] == day) in {("SENT", True), ("ANNOUNCED", False)}
        in_file += debit["state"] == "SENT"
    assert in_file == filed.debits


async def test_a_mandate_is_first_once_and_recurrent_ever_after(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed, 100, 200)
    day = await collect_day(house, signed.family.id)
    filed = await collect(process(house), day)
    assert sorted(texts(filed.content, "SeqTp")) == ["FRST", "RCUR"]
    await on_the_day(house, day)
    await announced(house, signed, 300)
    again = await collect(process(house), await collect_day(house, signed.family.id))
    assert texts(again.content, "SeqTp") == ["RCUR"]


async def test_what_was_paid_cancelled_or_revoked_meanwhile_is_not_sent(house: House) -> None:
    paid, part, gone, revoked = [await payer(house) for _ in range(4)]
    for each in (paid, part, gone, revoked):
        await owe(house, each.family.id)
    await by_the_clock(house, "announce_debits")
    invoices = {
        row["family_id"]: Owed(row["id"], row["number"], row["total_cents"])
        for row in await house.connection.fetch("select * from invoice")
    }
    await pay(house, paid.family, invoices[paid.family.id], 2_350)
    await pay(house, part.family, invoices[part.family.id], 50)
    async with process(house).database.transaction(SYSTEM_SIGHT) as tx:
        await money.cancel(tx, gone.family.id, invoices[gone.family.id].id, "Erreur", house.clock())
    await house.do(REVOKE, revoked.token, mandate=revoked.mandate["id"])
    day = await collect_day(house, paid.family.id)
    with pytest.raises(NothingToCollect):
        await collect(process(house), day)
    assert [await states(house, each) for each in (paid, part, gone, revoked)] == [
        [("DROPPED", "INVOICE_PAID")],
        [("DROPPED", "INVOICE_PARTLY_PAID")],
        [("DROPPED", "INVOICE_CANCELLED")],
        [("DROPPED", "MANDATE_ENDED")],
    ]
    assert await house.connection.fetchval("select count(*) from debit_batch") == 0
    dropped = f"La facture {invoices[part.family.id].number} ne sera pas prélevée"
    assert "23,00" in await house.mail_to(part.family.email, dropped)
    await by_the_clock(house, "announce_debits")
    assert len(await debits(house, part.family.id)) == 1, "R30: what is paid in part is not debited later either"


async def test_a_file_is_refused_for_days_on_which_banks_rest_or_that_are_too_near(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    saturday = day + timedelta(days=5 - day.weekday())
    for wrong in (saturday, today(house)):
        with pytest.raises(NotThatDay):
            await collect(process(house), wrong)
    with pytest.raises(NothingToCollect):
        await collect(process(house), sepa.bank_days_after(day, 1))
    assert await states(house, signed) == [("ANNOUNCED", None)]


async def test_a_day_without_a_file_is_missed_and_announced_anew(house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    while today(house) <= day:
        house.clock.ahead += timedelta(hours=12)
    await by_the_clock(house, "announce_debits")
    assert await states(house, signed) == [("DROPPED", "MISSED"), ("ANNOUNCED", None)]
    [_, again] = await debits(house, signed.family.id)
    assert again["end_to_end_id"] == f"{owed.number}-2"
    assert again["collect_on"] >= today(house) + timedelta(days=14)


async def test_on_its_day_a_debit_is_booked_once_and_the_invoice_paid(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    await by_the_clock(house, "book_debits")
    assert await states(house, signed) == [("SENT", None)], "not before its day"
    await on_the_day(house, day)
    house.clock.ahead += timedelta(hours=1)
    await by_the_clock(house, "book_debits")
    assert await states(house, signed) == [("BOOKED", None)]
    seen = (await house.ask(SEEN, signed.token)).data["viewer"]["family"]["invoices"]
    assert [(edge["node"]["status"], edge["node"]["debit"]["state"]) for edge in seen["edges"]] == [("PAID", "BOOKED")]
    payments = "select means, source, cents from payment where family_id = $1"
    assert [tuple(row) for row in await house.connection.fetch(payments, signed.family.id)] == [
        ("DIRECT_DEBIT", "DEBIT", 2_350)
    ]
    assert await house.connection.fetchval("select used_on from mandate where family_id = $1", signed.family.id) == day
    assert await house.connection.fetchval("select booked_at is not null from debit_batch")


async def test_an_invoice_that_was_paid_while_the_bank_collected_it_leaves_a_credit(house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    await pay(house, signed.family, owed, owed.cents)
    await on_the_day(house, day)
    tasks = "select kind from agent_task where family_id = $1 and done_at is null"
    assert [row["kind"] for row in await house.connection.fetch(tasks, signed.family.id)] == ["UNEXPLAINED_CREDIT"]
    total = "select sum(cents) from allocation where invoice_id = $1 and freed_at is null"
    assert await house.connection.fetchval(total, owed.id) == owed.cents


async def test_the_counter_takes_what_the_bank_is_debiting_only_when_the_cashier_insists(house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    token = await cashier(house)
    reference = await house.connection.fetchval("select reference from invoice where id = $1", owed.id)
    given = {"references": [reference], "tenders": [{"means": "CASH", "cents": owed.cents}], "key": key()}
    payments = "select source, means from payment where family_id = $1 order by received_at"
    assert await house.problems(RECORD, token, **given) == ["DEBIT_UNDER_WAY"]
    assert await house.connection.fetch(payments, signed.family.id) == []

    taken = (await house.do(RECORD, token, **given, despite=True))["payment"]
    assert (await house.do(RECORD, token, **given, despite=True))["payment"]["id"] == taken["id"]
    assert taken["allocations"]["edges"][0]["node"]["invoice"]["status"] == "PAID" and taken["credit"]["cents"] == 0
    await on_the_day(house, day)

    assert [tuple(row) for row in await house.connection.fetch(payments, signed.family.id)] == [
        ("COUNTER", "CASH"),
        ("DEBIT", "DIRECT_DEBIT"),
    ]
    waiting = (await house.ask(TASKS, token)).data["agentTasks"]["edges"]
    [task] = [edge["node"] for edge in waiting if edge["node"]["family"]["number"] == signed.family.number]
    assert task["payment"] == {"means": "DIRECT_DEBIT", "credit": {"cents": owed.cents}}
    assert await states(house, signed) == [("BOOKED", None)]


async def test_a_cheque_that_came_by_post_is_taken_whatever_the_bank_debits(house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    await collect(process(house), await collect_day(house, signed.family.id))
    reference = await house.connection.fetchval("select reference from invoice where id = $1", owed.id)
    given = {"references": [reference], "tenders": [{"means": "CHEQUE", "cents": owed.cents}], "key": key()}
    assert (await house.do(RECORD, await cashier(house), **given, source="POST"))["payment"]["credit"]["cents"] == 0


async def test_a_revoked_mandate_keeps_what_is_at_the_bank_and_nothing_else(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed, 100)
    day = await collect_day(house, signed.family.id)
    filed = await collect(process(house), day)
    await announced(house, signed, 200, days=40)
    await house.do(REVOKE, signed.token, mandate=signed.mandate["id"])
    assert await states(house, signed) == [("SENT", None), ("DROPPED", "MANDATE_ENDED")]
    assert (await collect(process(house), day)).content == filed.content


async def test_another_account_is_announced_anew(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    await house.do(SIGN, signed.token, iban=OTHER_IBAN, password=PASSWORD)
    await by_the_clock(house, "announce_debits")
    assert await states(house, signed) == [("DROPPED", "MANDATE_ENDED"), ("ANNOUNCED", None)]
    assert "Prélèvement de" in await house.mail_to(signed.family.email, "sur le compte DE•• •••• 3000")


async def test_cashiers_fetch_the_file_and_nobody_else(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    filed = await collect(process(house), await collect_day(house, signed.family.id))
    till = await cashier(house)
    [edge] = (await house.ask(BATCHES, till)).data["debitBatches"]["edges"]
    batch = edge["node"]
    assert (batch["count"], batch["total"]["cents"], batch["sha256"]) == (1, 2_350, filed.file_hash.hex())
    agent = await house.agent()
    assert (await house.ask(BATCHES, agent)).codes == (await house.ask(BATCHES, signed.token)).codes == ["FORBIDDEN"]
    for token in (agent, signed.token, "", "none"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with house.http.get(f"{house.url}{batch['url']}", headers=headers) as response:
            assert response.status == 404 and IBAN not in await response.text()
    for wrong in ("/debits/x.xml", f"/debits/{signed.family.id}.xml"):
        async with house.http.get(f"{house.url}{wrong}", headers={"Authorization": f"Bearer {till}"}) as response:
            assert response.status == 404
    async with house.http.get(f"{house.url}{batch['url']}", headers={"Authorization": f"Bearer {till}"}) as response:
        assert response.status == 200 and response.headers["Cache-Control"] == "private, no-store"
        assert await response.read() == filed.content
    acts_of = "select act from audit_entry where subject_id = $1 order by occurred_at"
    assert [row["act"] for row in await house.connection.fetch(acts_of, filed.batch_id)] == [
        "debits_filed",
        "debit_file_downloaded",
    ]


async def test_a_file_that_the_bank_never_got_is_taken_back_and_its_debits_announced_anew(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    filed = await collect(process(house), day)
    till = await cashier(house)
    [edge] = (await house.ask(BATCHES, till)).data["debitBatches"]["edges"]
    agent = await house.agent()
    assert (await house.ask(WITHDRAW, agent, batch=edge["node"]["id"])).codes == ["FORBIDDEN"]
    assert await house.problems(WITHDRAW, till, batch=signed.mandate["id"]) == ["NOT_FOUND"]
    assert await states(house, signed) == [("SENT", None)]
    taken = await house.do(WITHDRAW, till, batch=edge["node"]["id"])
    assert await house.do(WITHDRAW, till, batch=edge["node"]["id"]) == taken
    await by_the_clock(house, "announce_debits")
    assert await states(house, signed) == [("DROPPED", "WITHDRAWN"), ("ANNOUNCED", None)]
    again = await collect(process(house), await collect_day(house, signed.family.id))
    assert again.batch_id != filed.batch_id and texts(again.content, "SeqTp") == ["FRST"]


async def test_once_its_day_has_come_a_file_cannot_be_taken_back(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    while today(house) < day:
        house.clock.ahead += timedelta(hours=12)
    till = await cashier(house)
    [edge] = (await house.ask(BATCHES, till)).data["debitBatches"]["edges"]
    assert await house.problems(WITHDRAW, till, batch=edge["node"]["id"]) == ["BATCH_BOOKED"]
    assert await states(house, signed) == [("SENT", None)]


async def test_a_family_sees_its_own_debits_only(house: House) -> None:
    signed, other = await payer(house), await payer(house, OTHER_IBAN)
    await announced(house, signed)
    query = "{ debits(first: 5) { totalCount edges { node { id endToEndId } } } }"
    assert (await house.ask(query, other.token)).data["debits"]["totalCount"] == 0
    [edge] = (await house.ask(query, signed.token)).data["debits"]["edges"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for token in (other.token, await house.agent()):
        assert (await house.ask(node, token, id=edge["node"]["id"])).data == {"node": None}


async def test_each_step_is_written_into_the_audit_log(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    await on_the_day(house, day)
    assert await acts(house, signed.family) == [
        "mandate_signed",
        "invoices_published",
        "debit_announced",
        "payment_booked",
    ]


def test_days_are_written_as_each_language_does() -> None:
    assert debiting.day_of(date(2026, 11, 10), "fr") == "10/11/2026"
    assert debiting.day_of(date(2026, 11, 10), "en") == "10 November 2026"


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éèàçœÉ&<>'\"/ -\N{NO-BREAK SPACE}\u2028日本"
COLLECTIONS = st.lists(
    st.builds(
        Collection,
        end_to_end_id=st.uuids().map(lambda each: each.hex),
        cents=st.integers(1, 99_999_999),
        sequence=st.sampled_from(("FRST", "RCUR")),
        rum=st.from_regex(r"[A-Z0-9-]{1,35}", fullmatch=True),
        signed_on=st.dates(date(2016, 1, 1), date(2026, 11, 1)),
        holder=st.text(LETTERS, min_size=1, max_size=70),
        account=st.sampled_from((sepa.account_of(IBAN, None), sepa.account_of("CH9300762011623852957", "UBSWCHZH80A"))),
        address=st.one_of(st.none(), st.builds(Address, *[st.text(LETTERS, max_size=70)] * 3, st.just("CH"))),
        text=st.text(LETTERS, max_size=200),
    ),
    min_size=1,
    max_size=12,
)


@hypothesis.settings(max_examples=150)
@hypothesis.given(COLLECTIONS)
def test_whatever_is_collected_the_file_is_valid_and_its_sums_are_exact(collections: list[Collection]) -> None:
    creditor = sepa.Creditor("Ville d’Été", sepa.DEMO_IDENTIFIER, sepa.DEMO_IBAN, sepa.DEMO_BIC)
    message = Message("PES-20261110-1", datetime(2026, 11, 3, tzinfo=UTC), date(2026, 11, 10))
    content = pain008(creditor, message, collections)
    total = sum(each.cents for each in collections)
    assert cents_of(texts(content, "GrpHdr", "CtrlSum")) == [total]
    assert texts(content, "GrpHdr", "NbOfTxs") == [str(len(collections))]
    assert sum(cents_of(texts(content, "PmtInf", "CtrlSum"))) == total
    assert sum(map(int, texts(content, "PmtInf", "NbOfTxs"))) == len(collections)
    assert sorted(cents_of(texts(content, "InstdAmt"))) == sorted(each.cents for each in collections)
    assert sorted(texts(content, "EndToEndId")) == sorted(each.end_to_end_id for each in collections)
    assert content.isascii(), "banks take Latin letters only (EPC217-08)"
    assert pain008(creditor, message, collections) == content


def cents_of(amounts: list[str]) -> list[int]:
    """Give amounts in cents."""
    return [int(Decimal(each) * 100) for each in amounts]
