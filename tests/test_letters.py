"""Letters: what waits for the post is printed once, whatever happens in between."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from pypdf import PdfReader
from rich.console import Console

from db.ids import uuid7
from db.outbox import Told, tell
from gateway.letters import Printed, write_file
from gateway.letters import printed as command
from tests.house import House, Made

SET = """mutation ($address: String!) { setPostalAddress(address: $address) {
    problems { code path } address { channel value verifiedAt } } }"""
PREFER = """mutation ($channels: [Channel!]!) { setChannelPreferences(topic: PAYMENT, channels: $channels) {
    problems { code } } }"""
CHANNELS = "select channel from delivery where family_id = $1 order by news_seq"
POSTAL = "select value, retired_reason from address where family_id = $1 and channel = 'POST' order by created_at"
DELIVERIES = "{ viewer { family { deliveries(first: 9) { edges { node { channel status receipt address } } } } } }"
WORDLESS = "nobody_wrote_words"
DEAD_LETTERS = "{ deadLetters(first: 10) { edges { node { id reference } } } }"
SEND_AGAIN = (
    "mutation ($deadLetters: [ID!]!) { sendDeadLettersAgain(deadLetters: $deadLetters) { problems { code } sent } }"
)
ADDRESS = "12 rue des Lilas\n33000 BORDEAUX"
REFUND = {"cents": 1250, "means": "TRANSFER", "summary_fr": "x", "summary_en": "x"}


async def posted(house: House) -> tuple[Made, str]:
    """Give a family that is told by post of payments: family and token."""
    family, token = await house.member()
    await house.do(SET, token, address=ADDRESS)
    await house.do(PREFER, token, channels=["POST", "IN_APP"])
    return family, token


async def told(house: House, family: Made, type: str = "test") -> None:
    """Tell a family of a test, or of something that nobody wrote words for."""
    async with house.connection.transaction():
        await tell(house.connection, Told(family.id, "PAYMENT", type, uuid7(), {}, house.clock()))


async def deliveries(house: House, token: str) -> list[Any]:
    """Give the deliveries by post of a family, newest first."""
    found = (await house.ask(DELIVERIES, token)).data["viewer"]["family"]["deliveries"]["edges"]
    return [each["node"] for each in found if each["node"]["channel"] == "POST"]


async def printed(house: House, folder: Path, begun: datetime | None = None) -> Printed | None:
    """Do what the command does that begun at a moment, or now, in the process of the house."""
    assert house.opened is not None
    return await write_file(house.opened.process, folder, begun or house.clock())


async def file_of(house: House, folder: Path, begun: datetime | None = None) -> tuple[Path, int]:
    """Print what waits; give the file and its letters, of which none was left out."""
    done = await printed(house, folder, begun)
    assert done is not None and done.file is not None and done.left_out == []
    return done.file, done.letters


async def test_a_letter_is_printed_with_its_address_and_counts_as_handed_over(house: House, tmp_path: Path) -> None:
    family, token = await posted(house)
    await told(house, family)
    await asyncio.sleep(1.5)
    assert [each["status"] for each in await deliveries(house, token)] == ["PENDING"]
    file, count = await file_of(house, tmp_path)
    assert count == 1
    pages = [page.extract_text() for page in PdfReader(file).pages]
    assert len(pages) == 3 and "1 lettres" in pages[0] and family.number in pages[0]
    for words in ("12 rue des Lilas", "33000 BORDEAUX", "Famille Essai"):
        assert words in pages[2]
    assert file.stat().st_mode & 0o077 == 0
    [delivery] = await deliveries(house, token)
    assert (delivery["status"], delivery["receipt"]) == ("SENT", f"{file.stem}/1")
    assert await printed(house, tmp_path) is None


async def test_two_commands_at_once_print_each_letter_once(house: House, tmp_path: Path) -> None:
    family, token = await posted(house)
    for _ in range(5):
        await told(house, family)
    done = await asyncio.gather(*(printed(house, tmp_path) for _ in range(2)))
    assert sum(each.letters for each in done if each) == 5
    assert Counter(each["status"] for each in await deliveries(house, token)) == {"SENT": 5}
    places = [each["receipt"] for each in await deliveries(house, token)]
    assert len(set(places)) == 5


async def test_after_a_crash_the_same_letters_are_written_again_under_the_same_name(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, token = await posted(house)
    await told(house, family)
    begun = house.clock() + timedelta(minutes=5)  # later than all that is told, and one day also at midnight
    await house.connection.execute("alter table delivery add constraint nothing_handed_over check (provider <> 'post')")
    with pytest.raises(asyncpg.CheckViolationError, match="nothing_handed_over"):
        await printed(house, tmp_path, begun)
    await house.connection.execute("alter table delivery drop constraint nothing_handed_over")
    assert [each["status"] for each in await deliveries(house, token)] == ["PENDING"]
    first, _ = await file_of(house, tmp_path, begun)
    await told(house, family)
    second, _ = await file_of(house, tmp_path, begun)
    assert [first.stem[-2:], second.stem[-2:]] == ["-1", "-2"]
    assert sorted(each.name for each in tmp_path.iterdir()) == [first.name, second.name]


async def test_a_letter_whose_words_cannot_be_made_is_left_out_and_put_aside_after_three_crashes(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family, token = await posted(house)
    for type in ("test", WORDLESS, "test"):
        await told(house, family, type)
    begun = house.clock()
    done = await printed(house, tmp_path, begun)
    assert done is not None and done.file is not None and done.letters == 2
    assert len(PdfReader(done.file).pages) == 5, "a cover sheet, and two letters on sheets of their own"
    [left_out] = done.left_out
    said = capsys.readouterr().out
    assert str(left_out) in said and WORDLESS in said and "UnknownNews" in said
    assert family.number not in said and "BORDEAUX" not in said
    assert [each["status"] for each in await deliveries(house, token)] == ["SENT", "PENDING", "SENT"]
    assert await printed(house, tmp_path, begun) is None, "the same run does not try it again"
    for crashes, status in ((2, "PENDING"), (3, "DEAD_LETTER")):
        house.clock.ahead += timedelta(hours=1)
        assert await printed(house, tmp_path) == Printed(None, 0, [left_out])
        row = await house.connection.fetchrow("select crashes, status, problem from delivery where id = $1", left_out)
        assert row is not None and tuple(row) == (crashes, status, "CRASHED")
    house.clock.ahead += timedelta(hours=1)
    assert await printed(house, tmp_path) is None
    listed = (await house.ask(DEAD_LETTERS, await house.agent("admin"))).data["deadLetters"]["edges"]
    assert [each["node"]["reference"] for each in listed] == [str(left_out)]
    channels = [row["channel"] for row in await house.connection.fetch(CHANNELS, family.id)]
    assert channels.count("IN_APP") == 1, "and the family finds it in its inbox"
    again = await house.do(SEND_AGAIN, await house.agent("admin"), deadLetters=[listed[0]["node"]["id"]])
    assert again["sent"] == 1
    await house.connection.execute("update news set type = 'test' where type = $1", WORDLESS)
    house.clock.ahead += timedelta(seconds=1)
    assert (await file_of(house, tmp_path))[1] == 1


async def test_the_command_says_what_it_left_out_and_ends_with_a_fault(house: House, tmp_path: Path) -> None:
    family, _ = await posted(house)
    for type in (WORDLESS, "test"):
        await told(house, family, type)
    said = StringIO()
    with pytest.raises(SystemExit) as end:
        await command(house.settings, tmp_path, Console(file=said, width=300))
    assert end.value.code == 1
    left_out = await house.connection.fetchval("select id from delivery where problem = 'CRASHED'")
    assert (
        ".pdf: 1 letters" in said.getvalue()
        and f"1 letters could not be made, see the log: {left_out}" in said.getvalue()
    )


async def test_what_is_required_goes_by_post_where_nothing_else_reaches(house: House) -> None:
    family = await house.make_family()
    await house.connection.execute(
        "insert into address (family_id, id, channel, value, verified_at, created_at)"
        " values ($1, $2, 'POST', $3, now(), now())",
        family.id, uuid7(), ADDRESS,
    )  # fmt: skip
    async with house.connection.transaction():
        for type in ("invoice_overdue", "invoice_issued"):
            await tell(house.connection, Told(family.id, "INVOICE_ISSUED", type, uuid7(), {}, house.clock()))
    rows = await house.connection.fetch(CHANNELS, family.id)
    assert [row["channel"] for row in rows] == ["POST", "IN_APP"]
    waits = "select due_at is null from lane where family_id = $1 and channel = 'POST'"
    assert await house.connection.fetchval(waits, family.id)


@pytest.mark.parametrize(
    "address", ["", "33000 BORDEAUX", "x\n" * 7, "x" * 39 + "\n33000 BORDEAUX", "a\x07\nb", "a\u202e\nb"]
)
async def test_what_does_not_fit_an_envelope_is_refused_and_changes_nothing(house: House, address: str) -> None:
    family, token = await house.member()
    answer = await house.ask(SET, token, address=address)
    assert answer.data["setPostalAddress"]["problems"] == [{"code": "BAD_USER_INPUT", "path": ["address"]}]
    count = "select count(*) from address where family_id = $1 and channel = 'POST'"
    assert await house.connection.fetchval(count, family.id) == 0


async def test_a_new_postal_address_takes_the_place_of_the_old_one(house: House) -> None:
    family, token = await posted(house)
    await house.do(SET, token, address="3  place du  Marché \n\n33600 PESSAC")
    rows = await house.connection.fetch(
        "select value, retired_reason from address where family_id = $1 and channel = 'POST' order by created_at",
        family.id,
    )
    assert [tuple(row) for row in rows] == [(ADDRESS, "REPLACED"), ("3 place du Marché\n33600 PESSAC", None)]
    assert "prévenus par ce moyen" in await house.mail_to(family.email, "33600 PESSAC")


SET_FOR = """mutation ($family: ID!, $address: String!) { setPostalAddress(family: $family, address: $address) {
    problems { code path } address { value } } }"""


async def family_id(house: House, token: str) -> str:
    """Give the id of a family."""
    return str((await house.ask("{ viewer { family { id } } }", token)).data["viewer"]["family"]["id"])


async def test_an_agent_writes_down_where_letters_go_and_the_family_is_told(house: House) -> None:
    family, token = await house.member()
    other = "1 cours Bas\n33600 PESSAC"
    payload = await house.do(SET_FOR, await house.agent(), family=await family_id(house, token), address=ADDRESS)
    assert payload["address"] is None, "agents see no addresses"
    assert [tuple(row) for row in await house.connection.fetch(POSTAL, family.id)] == [(ADDRESS, None)]
    assert "33000 BORDEAUX" in await house.mail_to(family.email, "33000 BORDEAUX")
    await house.do(SET_FOR, await house.agent(), family=await family_id(house, token), address=other)
    rows = [tuple(row) for row in await house.connection.fetch(POSTAL, family.id)]
    assert rows == [(ADDRESS, "REPLACED"), (other, None)]


async def test_a_family_writes_down_no_other_familys_address(house: House) -> None:
    family, token = await house.member()
    _, stranger = await house.member()
    problems = await house.problems(SET_FOR, stranger, family=await family_id(house, token), address=ADDRESS)
    assert problems and await house.connection.fetch(POSTAL, family.id) == []
    count = "select count(*) from address where channel = 'POST'"
    before = await house.connection.fetchval(count)
    assert await house.problems(SET, await house.agent(), address=ADDRESS) == ["BAD_USER_INPUT"]
    assert await house.connection.fetchval(count) == before


@pytest.mark.parametrize("fault", ["no folder", "a file instead of it", "half a file from before"])
async def test_where_the_file_cannot_be_written_nothing_is_lost_or_printed_twice(
    house: House, tmp_path: Path, fault: str
) -> None:
    _, token = await posted(house)
    family = await house.connection.fetchrow("select id from family order by created_at desc limit 1")
    assert family is not None
    for _ in range(2):
        async with house.connection.transaction():
            await tell(house.connection, Told(family["id"], "PAYMENT", "test", uuid7(), {}, house.clock()))
    folder, begun = tmp_path / "in", house.clock()
    if fault == "half a file from before":
        folder.mkdir()
        day = begun.astimezone(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d")
        (folder / f"letters-{day}-1.part").write_bytes(b"%PDF half of it")
    else:
        if fault == "a file instead of it":
            folder.write_bytes(b"")
        with pytest.raises(OSError, match=str(folder)):
            await printed(house, folder, begun)
        assert [each["status"] for each in await deliveries(house, token)] == ["PENDING"] * 2
        folder.unlink(missing_ok=True)
        folder.mkdir()
    file, count = await file_of(house, folder, begun)
    assert count == 2 and len(PdfReader(file).pages) >= 3
    assert [each.name for each in folder.iterdir()] == [file.name]
    assert [each["status"] for each in await deliveries(house, token)] == ["SENT"] * 2
    assert await printed(house, folder) is None
