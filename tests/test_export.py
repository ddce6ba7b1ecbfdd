"""A family's copy of its data: whole, its own only, by a link that ends."""

import asyncio
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from db import exports as stored
from db.keys import Keys
from resolvers.exports import CONTENTS
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import KEYS, House, Made
from tests.test_collected_once import WAITING

EXPORT = "mutation { exportMyData { problems { code } export { id state progress size url expiresAt } } }"
EXPORTS = "{ viewer { family { exports { edges { node { state progress size url readyAt expiresAt } } } } } }"
KEPT = """select e.ready_at, e.expires_at, e.size, c.number, c.sealed,
        (select count(*) from news n where n.family_id = e.family_id and n.type = 'export_ready') as told
    from export e join export_chunk c on c.export_id = e.id where e.family_id = $1 order by c.number"""
SECRET = re.compile(r"hash|hmac|secret|sealed|token|password|code_")


async def listed(house: House, token: str) -> list[dict[str, Any]]:
    family = (await house.ask(EXPORTS, token)).data["viewer"]["family"]
    return [edge["node"] for edge in family["exports"]["edges"]]


async def fetched(house: House, path: str, token: str | None = None) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with house.http.get(path if path.startswith("http") else house.url + path, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers


async def made(house: House, family: Made, token: str) -> tuple[str, str, dict[str, Any]]:
    """Have a copy made; give its address, the link of the mail and what is inside."""
    await house.do(EXPORT, token)
    await run_due(house, "build_export")
    [export] = await listed(house, token)
    link = re.search(r"https?://\S+/exports/\S+", await house.mail_to(family.email, "exports"))
    assert link is not None
    status, body, _ = await fetched(house, export["url"], token)
    assert status == 200 and len(body) == export["size"]
    return export["url"], link[0], inside(body)


def inside(body: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None and archive.namelist() == ["README.txt", "data.json"]
        assert "data.json" in archive.read("README.txt").decode()
        found: dict[str, Any] = json.loads(archive.read("data.json"))
        return found


async def test_a_copy_holds_what_the_portal_keeps_of_the_family(house: House) -> None:
    family, token = await house.member(accepts_terms=False)
    accept = "mutation { acceptTerms(version: 1) { problems { code } } }"
    ordered = (await house.do(EXPORT, token))["export"]
    assert (ordered["state"], ordered["progress"], ordered["url"]) == ("PENDING", 0, None), "also before the terms"
    followed = (await house.ask("{ viewer { exports { edges { node { id state } } } } }", token)).data
    assert followed["viewer"]["exports"]["edges"] == [{"node": {"id": ordered["id"], "state": "PENDING"}}]
    await house.do(accept, token)
    await house.submitted(token)
    await run_due(house, "build_export")
    [export] = await listed(house, token)
    assert (export["state"], export["progress"]) == ("DONE", 100)
    status, body, headers = await fetched(house, export["url"], token)
    assert status == 200 and headers["Content-Type"] == "application/zip"
    assert headers["Cache-Control"] == "private, no-store" and headers["Content-Disposition"].startswith("attachment")
    data = inside(body)
    assert set(data) == {"made_at", *(part.table for part in stored.PARTS)}
    assert data["family"][0]["number"] == family.number and data["account"][0]["email"] == family.email
    assert data["procedure"][0]["answers"] and data["procedure"][0]["kind"]
    assert [event["to_status"] for event in data["procedure_event"]] == ["SUBMITTED"]
    assert data["terms_acceptance"] and data["session"] and data["news"]


async def test_the_copy_of_one_family_holds_nothing_of_another(house: House) -> None:
    """Every text of all other families is looked for."""
    family, token = await house.member()
    other, their_token = await house.member()
    await house.submitted(their_token)
    await house.submitted(token)
    _, _, data = await made(house, family, token)
    text = json.dumps(data)
    for table, column in (("family", "number"), ("account", "email"), ("procedure", "reference"), ("address", "value")):
        whose = "id" if table == "family" else "family_id"
        rows = await house.connection.fetch(f"select {column} from {table} where {whose} <> $1", family.id)
        alone = r"(?<![0-9a-f]){}(?![0-9a-f])"  # ids hold such digits by chance
        assert rows and not [row[0] for row in rows if re.search(alone.format(re.escape(row[0])), text)], table
    for table in ("member", "procedure", "procedure_event", "news", "delivery", "session"):
        rows = await house.connection.fetch(f"select id from {table} where family_id <> $1", family.id)
        assert rows and not [row["id"] for row in rows if str(row["id"]) in text], table
    assert str(other.id) not in text and data["procedure"]


async def test_the_link_of_the_mail_gives_the_copy_and_nothing_else_does(house: House) -> None:
    family, token = await house.member()
    _, their_token = await house.member()
    path, link, data = await made(house, family, token)
    status, body, _ = await fetched(house, link)
    assert status == 200 and inside(body)["family"] == data["family"]
    export_id = path.rpartition("/")[2]
    claims, later = {"family": str(family.id), "export": export_id}, datetime.now(UTC) + timedelta(days=1)
    for refused in (
        path,
        f"{path}?token=x",
        f"{path}?token={Keys(b'x' * 32).link_token('download-export', claims, later)}",
        f"{path}?token={KEYS.link_token('verify-email', claims, later)}",
        f"{path}?token={KEYS.link_token('download-export', claims | {'export': str(UUID(int=1))}, later)}",
        f"{path}?token={KEYS.link_token('download-export', claims, datetime.now(UTC) - timedelta(seconds=1))}",
        "/exports/x",
        f"/exports/{UUID(int=1)}?token={KEYS.link_token('download-export', claims, later)}",
    ):
        assert (await fetched(house, refused))[0] == 404, refused
    assert (await fetched(house, path, their_token))[0] == 404
    assert (await fetched(house, path, await house.agent()))[0] == 404
    acts = "select count(*) from audit_entry where act = 'export_downloaded' and family_id = $1"
    assert await house.connection.fetchval(acts, family.id) == 2


async def test_a_copy_is_gone_after_seven_days(house: House) -> None:
    family, token = await house.member()
    path, _, _ = await made(house, family, token)
    claims = {"family": str(family.id), "export": path.rpartition("/")[2]}
    link = f"{path}?token={KEYS.link_token('download-export', claims, datetime.now(UTC) + timedelta(days=99))}"
    house.clock.ahead = timedelta(days=6, hours=23)
    await run_due(house, "sweep")
    assert (await fetched(house, link))[0] == 200
    house.clock.ahead = timedelta(days=7, hours=1)
    assert (await fetched(house, link))[0] == 404, "before any sweep"
    await run_due(house, "sweep")
    assert await house.connection.fetchval("select count(*) from export_chunk") == 0
    assert await listed(house, await house.sign_in(family.email)) == []


async def test_a_copy_that_is_there_is_not_made_again(house: House) -> None:
    """A job may come twice: a link that was sent must not begin to give another copy, nor be sent again."""
    family, token = await house.member()
    await made(house, family, token)
    before = await house.connection.fetch(KEPT, family.id)
    await house.connection.execute("update job set state = 'PENDING', finished_at = null where kind = 'build_export'")
    assert await run_due(house, "build_export") == {("build_export", "done"): 1}
    assert await house.connection.fetch(KEPT, family.id) == before


async def test_a_copy_that_is_given_up_while_it_is_made_is_neither_kept_nor_told(house: House, city: Database) -> None:
    """Whoever gives up waits for the first half of the work; sometimes all is done before its turn."""
    told = "select count(*) from news where family_id = $1 and type = 'export_ready'"
    for _ in range(20):
        family, token = await house.member()
        await house.do(EXPORT, token)
        gone = await given_up_while_made(house, city, family)
        kept = await house.connection.fetch(KEPT, family.id)
        assert (await house.connection.fetchval(told, family.id), bool(kept)) == ((0, False) if gone else (1, True))
        if gone:
            return
    raise AssertionError("the work was never half done")


async def given_up_while_made(house: House, city: Database, family: Made) -> int:
    """Let a copy be made, and let its login leave in the midst of it; give how many were given up."""
    other = await asyncpg.connect(city.dsn)
    account = await house.connection.fetchval("select account_id from export where family_id = $1", family.id)

    async def leave() -> int:
        async with other.transaction():
            return await stored.drop_unfinished(other, family.id, account)

    async with house.connection.transaction():
        await house.connection.execute("select from export for update")
        tasks: list[asyncio.Task[Any]] = []
        for waiting, call in enumerate((run_due(house, "build_export"), leave()), 1):
            tasks.append(asyncio.create_task(call))
            async with asyncio.timeout(20):
                while await house.connection.fetchval(WAITING) < waiting:
                    await house.connection.execute("select pg_stat_clear_snapshot()")
                    await asyncio.sleep(0.02)
    built, gone = await asyncio.gather(*tasks)
    await other.close()
    assert built == {("build_export", "done"): 1}
    return int(gone)


async def test_a_login_asks_for_one_copy_a_day(house: House) -> None:
    family, token = await house.member()
    asked = await asyncio.gather(*(house.problems(EXPORT, token) for _ in range(5)))
    assert sorted(asked) == [[]] + [["EXPORT_TOO_SOON"]] * 4
    assert await house.connection.fetchval("select count(*) from job where kind = 'build_export'") == 1
    house.clock.ahead = timedelta(days=1, minutes=1)
    assert await house.problems(EXPORT, await house.sign_in(family.email)) == []


async def test_what_is_stored_of_a_copy_can_be_read_and_exchanged_by_nobody(house: House) -> None:
    family, token = await house.member()
    path, _, _ = await made(house, family, token)
    sealed = await house.connection.fetchval("select sealed from export_chunk where family_id = $1", family.id)
    assert b"PK\x03\x04" not in sealed and family.email.encode() not in sealed
    other, their_token = await house.member()
    their_path, _, _ = await made(house, other, their_token)
    await house.connection.execute("update export_chunk set sealed = $1 where family_id = $2", sealed, other.id)
    with pytest.raises(aiohttp.ClientPayloadError):
        await fetched(house, their_path, their_token)
    assert (await fetched(house, path, token))[0] == 200


async def test_a_big_copy_is_made_in_pieces_of_bounded_size(house: House) -> None:
    family, token = await house.member()
    await house.submitted(token)
    await house.connection.execute(
        """update procedure set answers = json_build_object('text', (
               select string_agg(md5(random()::text), '') from generate_series(1, 60000))) where family_id = $1""",
        family.id,
    )
    _, _, data = await made(house, family, token)
    assert len(data["procedure"][0]["answers"]["text"]) == 60000 * 32
    sizes = [
        row["size"]
        for row in await house.connection.fetch("select length(sealed) as size from export_chunk order by number")
    ]
    assert len(sizes) > 3 and max(sizes) <= 256 * 1024 + 28


async def test_every_table_of_a_family_is_in_the_copy_or_left_out_for_a_reason(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn, timeout=10)
    try:
        rows = await connection.fetch(
            """select c.table_name, c.column_name, c.data_type from information_schema.columns c
               join information_schema.tables b using (table_schema, table_name)
               where c.table_schema = 'public' and b.table_type = 'BASE TABLE'
               and c.table_name in (select table_name from information_schema.columns
                   where table_schema = 'public' and column_name = 'family_id' union select 'family')"""
        )
    finally:
        await connection.close()
    parts = {part.table: part for part in stored.PARTS}
    assert {row["table_name"] for row in rows} == set(parts) | set(stored.LEFT_OUT), (
        "name a new table of a family in db/exports.py, among PARTS or, with a reason, in LEFT_OUT"
    )
    assert not set(parts) & set(stored.LEFT_OUT) and set(CONTENTS) == set(parts)
    given = [row for row in rows if row["table_name"] in parts]
    secret = [
        (row["table_name"], row["column_name"])
        for row in given
        if (row["data_type"] == "bytea" or SECRET.search(row["column_name"]))
        and row["column_name"] not in parts[row["table_name"]].without
    ]
    assert secret == [("terms_acceptance", "hash")], "the hash of the terms is public"


async def test_signing_in_again_is_not_needed_to_ask_but_a_session_is(house: House) -> None:
    assert (await house.ask(EXPORT)).codes == ["UNAUTHENTICATED"]
    assert (await house.ask(EXPORT, await house.agent())).codes == ["FORBIDDEN"]
    assert await house.connection.fetchval("select count(*) from job where kind = 'build_export'") == 0
