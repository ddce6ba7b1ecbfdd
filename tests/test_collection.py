"""Unpaid invoices are handed over to the public accountant, each once, in files that keep their rules."""

import csv
import io
import re
import signal
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import hypothesis
import pytest
from hypothesis import strategies as st

from db.ids import uuid7
from db.settings_money import Collection
from resolvers import pes
from resolvers.collection import NothingOverdue, again, hand_over, place_of
from resolvers.pes import Debtor, NotByTheRules, Piece, Slip
from tests.bank import Owed, announced, by_the_clock, calm, cashier, owe, pay, payer, process, states
from tests.conftest import Database
from tests.house import House, Made
from tests.program import Program, environment

DOCKETS = """{ dockets(first: 5) { edges { node {
    id year number madeOn count total { cents } csvSha256 xmlSha256 csvUrl xmlUrl } } } }"""
MINE = "{ viewer { family { invoices(first: 9) { edges { node { number handedOverOn status } } } } } }"
LATE = timedelta(days=70)
DOC = Path(__file__).parents[1] / "docs" / "collection.md"


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal at which one stays signed in for months, in a city where nobody owes anything yet."""
    async with calm(city.dsn) as running:
        yield running


async def lives_at(house: House, family: Made, address: str = "3 rue des Lilas, 33600 Pessac") -> None:
    """Write the postal address of a family."""
    insert = """insert into address (family_id, id, channel, value, created_at)
        values ($1, gen_random_uuid(), 'POST', $2, now())"""
    await house.connection.execute(insert, family.id, address)


async def debtor(house: House, *cents: int, address: str = "3 rue des Lilas, 33600 Pessac") -> tuple[Made, str]:
    """Give a family that owes invoices for long."""
    family, token = await house.member()
    await lives_at(house, family, address)
    await owe(house, family.id, cents or (2_350,), days=5)
    return family, token


async def owed_by(house: House, family: Made) -> Owed:
    """Give the one invoice of a family."""
    [row] = await house.connection.fetch("select id, number, total_cents from invoice where family_id = $1", family.id)
    return Owed(*row.values())


def rows(content: bytes) -> list[dict[str, str]]:
    """Read a list."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def values(content: bytes, tag: str) -> list[str]:
    """Give the values of the elements of a name."""
    return [each.get("V", "") for each in ElementTree.fromstring(content).iter(tag)]


async def test_overdue_invoices_are_handed_over_once_in_a_list_and_a_file(house: House) -> None:
    family, token = await debtor(house, 2_350, 901)
    await house.connection.execute(
        """insert into member (family_id, id, role, first_name, last_name, created_at)
           values ($1, gen_random_uuid(), 'ADULT', 'Zoé', 'Cœur-d’Été', now())""",
        family.id,
    )
    with pytest.raises(NothingOverdue):
        await hand_over(process(house))
    house.clock.ahead += LATE
    filed = await hand_over(process(house))
    assert (filed.invoices, filed.cents, filed.without_address) == (2, 3_251, 0)
    listed = rows(filed.files.csv)
    assert [(row["debiteur"], row["prenom"], row["reste_a_payer"]) for row in listed] == [
        ("Cœur-d’Été", "Zoé", "23,50"),
        ("Cœur-d’Été", "Zoé", "9,01"),
    ]
    assert [listed[0][name] for name in ("adresse", "code_postal", "ville")] == ["3 rue des Lilas", "33600", "Pessac"]
    assert filed.files.xml.startswith(b"<?xml version='1.0' encoding='ISO-8859-1'?>")
    pes.check(ElementTree.fromstring(filed.files.xml))
    assert values(filed.files.xml, "MtBordHt") == ["32.51"] and values(filed.files.xml, "MtHT") == ["23.50", "9.01"]
    assert values(filed.files.xml, "Nom") == ["Coeur-d'Été"] * 2
    assert values(filed.files.xml, "NumDette") == [row["reference"] for row in listed]
    with pytest.raises(NothingOverdue):
        await hand_over(process(house))
    seen = (await house.ask(MINE, token)).data["viewer"]["family"]["invoices"]["edges"]
    assert all(edge["node"]["handedOverOn"] and edge["node"]["status"] == "OVERDUE" for edge in seen)
    told = "select count(*) from news where family_id = $1 and type = 'invoice_handed_over'"
    assert await house.connection.fetchval(told, family.id) == 2
    kept = await again(process(house), filed_year(filed.name), 1)
    assert kept is not None and kept.files == filed.files
    assert await again(process(house), filed_year(filed.name), 2) is None


def filed_year(name: str) -> int:
    """Give the year in the name of a docket."""
    found = re.search(r"\d{4}", name)
    assert found is not None
    return int(found[0])


async def test_what_is_paid_small_under_way_or_without_address_stays(house: House) -> None:
    paid, _ = await debtor(house)
    small, _ = await debtor(house, 1_499)
    nowhere, _ = await house.member()
    await owe(house, nowhere.id, days=5)
    signed = await payer(house)
    await lives_at(house, signed.family)
    [direct] = await announced(house, signed, days=5)
    await pay(house, paid, await owed_by(house, paid), 2_350)
    part, _ = await debtor(house, 5_000)
    await pay(house, part, await owed_by(house, part), 1_000)
    house.clock.ahead += LATE
    filed = await hand_over(process(house))
    assert [row["numero_famille"] for row in rows(filed.files.csv)] == [part.number]
    assert (filed.cents, filed.without_address) == (4_000, 1), "what is still owed of it"
    assert await states(house, signed) == [("ANNOUNCED", None)]
    handed = await house.connection.fetch("select family_id from handover")
    assert [each["family_id"] for each in handed] == [part.id] and direct.id and small.id


async def test_what_was_handed_over_is_debited_no_more(house: House) -> None:
    signed = await payer(house)
    await lives_at(house, signed.family)
    await owe(house, signed.family.id, days=5)
    house.clock.ahead += timedelta(days=51)
    await hand_over(process(house))
    await by_the_clock(house, "announce_debits")
    assert await states(house, signed) == []


async def test_cashiers_fetch_a_docket_and_nobody_else(house: House) -> None:
    _, token = await debtor(house)
    house.clock.ahead += LATE
    filed = await hand_over(process(house))
    till = await cashier(house)
    [edge] = (await house.ask(DOCKETS, till)).data["dockets"]["edges"]
    found: dict[str, Any] = edge["node"]
    assert (found["count"], found["total"]["cents"]) == (1, 2_350)
    agent = await house.agent()
    assert (await house.ask(DOCKETS, agent)).codes == (await house.ask(DOCKETS, token)).codes == ["FORBIDDEN"]
    for url, content in ((found["csvUrl"], filed.files.csv), (found["xmlUrl"], filed.files.xml)):
        for wrong in (agent, token, ""):
            headers = {"Authorization": f"Bearer {wrong}"} if wrong else {}
            async with house.http.get(f"{house.url}{url}", headers=headers) as response:
                assert response.status == 404
        async with house.http.get(f"{house.url}{url}", headers={"Authorization": f"Bearer {till}"}) as response:
            assert response.status == 200 and await response.read() == content
    for name in ("lilas", "Pessac"):
        clear = "select count(*) from docket d where d::text ilike '%' || $1 || '%'"
        assert await house.connection.fetchval(clear, name) == 0, "debtors are sealed where the files lie"


async def test_a_docket_that_there_is_not_is_not_given_and_not_written_down(house: House) -> None:
    till = await cashier(house)
    acts = "select count(*) from audit_entry where act = 'docket_downloaded'"
    for ending in ("csv", "xml"):
        url, headers = f"{house.url}/dockets/{uuid7()}.{ending}", {"Authorization": f"Bearer {till}"}
        async with house.http.get(url, headers=headers) as response:
            assert response.status == 404
    assert await house.connection.fetchval(acts) == 0


@pytest.mark.parametrize("step", ["docket.held", "docket.made", "docket.before_filed", "docket.filed"])
async def test_a_docket_that_was_cut_off_is_finished_and_holds_each_invoice_once(
    house: House, tmp_path: Path, step: str
) -> None:
    for _ in range(2):
        await debtor(house)
    await house.connection.execute("alter table invoice disable trigger keep")
    await house.connection.execute("update invoice set issued_on = '2026-01-01', due_on = '2026-01-31'")
    await house.connection.execute("alter table invoice enable trigger keep")
    variables = environment(data__folder=tmp_path / "data")
    command = ["gateway", "docket", "--out", str(tmp_path / "out"), "--database", house.dsn]
    program = Program(command, variables, tmp_path / "log")
    await program.start(step)
    assert await program.ended() == -signal.SIGKILL
    await program.start()
    assert await program.ended() == 0, program.said()
    counts = "select count(*), count(distinct invoice_id), count(distinct docket_id) from handover"
    assert tuple(await house.connection.fetchrow(counts) or ()) == (2, 2, 1)
    filed = await again(process(house), await house.connection.fetchval("select year from docket"), 1)
    assert filed is not None and filed.invoices == 2
    program = Program([*command, "--number", f"{filed_year(filed.name)}-1"], variables, tmp_path / "log")
    await program.start()
    assert await program.ended() == 0, program.said()
    written = {each.suffix: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    assert written == {".csv": filed.files.csv, ".xml": filed.files.xml}


LETTERS = "ABC abcéèàçœŒ’'\"&<>=+-@;\n\t\u2028日本"
DEBTORS = st.builds(
    Debtor,
    name=st.text(LETTERS, max_size=60),
    first_name=st.one_of(st.none(), st.text(LETTERS, max_size=60)),
    siret=st.one_of(st.none(), st.from_regex(r"[0-9]{14}", fullmatch=True)),
    profile=st.sampled_from(tuple(pes.NATURES)),
    street=st.text(LETTERS, max_size=60),
    postcode=st.from_regex(r"[0-9]{5}", fullmatch=True),
    town=st.text(LETTERS, max_size=60),
)
PIECES = st.lists(
    st.builds(
        Piece,
        invoice=st.from_regex(r"20[0-9]{2}-[0-9]{6}", fullmatch=True),
        reference=st.from_regex(r"[0-9]{12}", fullmatch=True),
        subject=st.text(LETTERS, max_size=200),
        cents=st.integers(1, 100_000_000),
        debtor=DEBTORS,
    ),
    min_size=1,
    max_size=8,
)
SLIP = Slip(2026, 7, date(2026, 11, 10), "Ville d’Été", "recouvrement-2026-007.xml")


@hypothesis.settings(max_examples=150)
@hypothesis.given(PIECES)
def test_whoever_owes_the_file_keeps_its_rules_and_adds_up(pieces: list[Piece]) -> None:
    content = pes.pes(Collection(), SLIP, pieces)
    pes.check(ElementTree.fromstring(content))
    total = sum(piece.cents for piece in pieces)
    assert values(content, "MtBordHt") == [pes.amount(total)]
    assert values(content, "NbrPce") == [str(len(pieces))]
    assert values(content, "NumeroFacture") == [piece.invoice for piece in pieces]


PIECE = Piece("2026-000001", "202600000112", "FACTURE", 100, Debtor("A", None, None, "INDIVIDUAL", "B", "33600", "C"))


@hypothesis.settings(max_examples=200)
@hypothesis.given(st.data())
def test_a_file_with_an_element_less_more_or_out_of_place_is_refused(data: st.DataObject) -> None:
    root = ElementTree.fromstring(pes.pes(Collection(), SLIP, [PIECE, PIECE]))
    above = data.draw(st.sampled_from([each for each in root.iter() if len(each)]))
    place = data.draw(st.integers(0, len(above) - 1))
    match data.draw(st.sampled_from(("less", "more", "moved", "emptied"))):
        case "less":
            above.remove(above[place])
        case "more":
            above.insert(place, ElementTree.Element("Autre"))
        case "moved":
            hypothesis.assume(len(above) > 1 and len({each.tag for each in above}) > 1)
            first = above[0]
            above.remove(first)
            above.append(first)
        case "emptied":
            for each in above.iter():
                each.attrib.pop("V", None)
    with pytest.raises(NotByTheRules):
        pes.check(root)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("3 rue des Lilas, 33600 Pessac", ("3 rue des Lilas", "33600", "Pessac")),
        ("Bât. B\n3 rue des Lilas\n33600  Pessac", ("Bât. B 3 rue des Lilas", "33600", "Pessac")),
        ("Pessac", None),
        ("", None),
        (None, None),
    ],
)
def test_the_place_of_an_address_is_found(address: str | None, place: tuple[str, str, str] | None) -> None:
    assert place_of(address) == place


def test_the_keys_of_a_debt_are_made_as_the_rules_say() -> None:
    assert pes.key_mod_11("2") == "7" and pes.key_mod_11("0") == "1", "11 - 4, and eleven is written 1"
    assert (pes.key_mod_23("0"), pes.key_mod_23("22"), pes.key_mod_23("23")) == ("A", "Y", "A")


def test_every_rule_of_the_file_is_documented() -> None:
    text = DOC.read_text(encoding="utf-8")

    def named(rules: pes.Tree) -> set[str]:
        inside: set[str] = set()
        for name, rule in rules.items():
            inside |= {name.rstrip("?*")} | (set() if isinstance(rule, str) else named(rule))
        return inside

    assert [name for name in sorted(named(pes.RULES)) if f"`{name}`" not in text] == []
