"""The demo city: whole, lawful, the same each time, and about nobody."""

import hashlib
import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import jsonschema_rs
import pytest
from argon2 import PasswordHasher

from db.ids import SeededIds, milliseconds, uuid7
from db.keys import Keys
from db.settings import Data, Settings
from db.uploads import Document
from gateway.demo.city import CityNotEmpty, DemoCity, credentials, load_city
from gateway.demo.kinds import KINDS
from gateway.demo.papers import MOST
from gateway.demo.rows import COLUMNS
from resolvers import activation_codes
from resolvers.form_dialect import form_faults
from resolvers.media import Inspection
from resolvers.password_policy import faults
from resolvers.procedures import MOVES
from resolvers.vault import Vault

KEYS = Keys(b"k" * 32)
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)
PLAIN = ("family_id", "id", "name", "media_type", "size", "sha256", "expires_on", "created_at")
RESERVED = re.compile(r"@(example\.(org|com|net)|([a-z-]+\.)*(example|test|invalid))$")


async def load(database: Any, **options: Any) -> DemoCity:
    """Load a city as of NOW."""
    connection = await asyncpg.connect(database.dsn)
    try:
        return await load_city(connection, KEYS, lambda: NOW, **options)
    finally:
        await connection.close()


async def rows(database: Any, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Read as the superuser."""
    connection = await asyncpg.connect(database.dsn)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def fingerprint(database: Any) -> dict[str, str]:
    """Give a digest of each table's rows."""
    found = {}
    for table, columns in COLUMNS.items():
        names = re.sub(r"sealed_\w+", r"length(\g<0>)", ", ".join(columns.split()))  # sealing differs each time
        text = repr([tuple(row) for row in await rows(database, f"select {names}::text from {table} order by 1, 2")])
        found[table] = hashlib.sha256(text.encode()).hexdigest()
    return found


async def test_the_same_seed_and_day_give_the_same_rows(database: Any) -> None:
    await load(database, families=60)
    first = await fingerprint(database)
    await rows(database, "alter table terms disable trigger user")  # published terms do not go otherwise
    await rows(database, f"truncate {', '.join(COLUMNS)} cascade")
    await rows(database, "alter sequence procedure_reference restart")

    await load(database, families=60)

    assert await fingerprint(database) == first


async def test_another_seed_gives_other_families(database: Any) -> None:
    assert credentials(lambda: NOW, seed=1) != credentials(lambda: NOW, seed=2)


async def test_the_credentials_do_not_change_with_the_day() -> None:
    assert credentials(lambda: NOW) == credentials(lambda: NOW + timedelta(days=400))


async def test_the_city_has_all_that_was_promised(database: Any) -> None:
    await load(database)

    counted = {table: (await rows(database, f"select count(*) from {table}"))[0]["count"] for table in COLUMNS}
    assert (counted["family"], counted["service"], counted["procedure_kind"], counted["terms"]) == (200, 7, 13, 1)
    assert 4 <= counted["agent"] <= 6
    assert 500 <= counted["procedure"] <= 700
    assert 80 <= counted["account"] <= 140
    assert 0 < counted["terms_acceptance"] < counted["account"]
    profiles = await rows(database, "select distinct profile from family")
    assert {row["profile"] for row in profiles} == {"INDIVIDUAL", "PROFESSIONAL", "ASSOCIATION"}
    statuses = {row["status"] for row in await rows(database, "select distinct status from procedure")}
    assert statuses == {*MOVES, "WITHDRAWN"}
    [dates] = await rows(database, "select min(created_at) as first, max(updated_at) as last from procedure")
    assert NOW - timedelta(days=366) < dates["first"] < NOW - timedelta(days=300)
    assert NOW - timedelta(days=10) < dates["last"] <= NOW


async def test_the_credentials_open_the_doors_they_name(database: Any) -> None:
    city = await load(database, families=20)

    [account] = await rows(
        database,
        "select a.* from account a join family f on f.id = a.family_id where f.number = $1 and a.email = $2",
        city.family.number,
        city.family.email,
    )
    assert account["email_verified_at"]
    assert PasswordHasher().verify(account["password_hash"], city.family.password)
    assert faults(city.family.password) == []
    for waiting in city.activations:
        digest = activation_codes.digest(KEYS, waiting.number, waiting.activation_code)
        [code] = await rows(
            database,
            "select f.activated_at, c.used_at from activation_code c join family f on f.id = c.family_id "
            "where f.number = $1 and c.code_hmac = $2 and c.expires_at > $3",
            waiting.number,
            digest,
            NOW,
        )
        assert tuple(code) == (None, None)
    for agent in city.agents:
        [stored] = await rows(database, "select * from agent where email = $1", agent.email)
        assert PasswordHasher().verify(stored["password_hash"], agent.password)
        assert tuple(stored["roles"]) == agent.roles


async def test_events_and_news_have_no_gap_and_follow_the_clock(database: Any) -> None:
    await load(database)

    assert not await rows(
        database,
        "select from procedure p left join (select family_id, procedure_id, count(*) as n, max(number) as last, "
        "max(occurred_at) as at from procedure_event group by 1, 2) e on e.family_id = p.family_id "
        "and e.procedure_id = p.id where (coalesce(n, 0), coalesce(last, 0)) <> (p.event_count, p.event_count) "
        "or coalesce(at, p.created_at) <> p.updated_at",
    )
    assert not await rows(
        database,
        "select from family f left join (select family_id, count(*) as n, max(seq) as last from news group by 1) w "
        "on w.family_id = f.id where (coalesce(n, 0), coalesce(last, 0)) <> (f.news_seq, f.news_seq)",
    )
    assert not await rows(
        database,
        "select from (select occurred_at, lag(occurred_at) over (partition by family_id order by seq) as before "
        "from news) w where occurred_at < before",
    )
    assert not await rows(database, "select from procedure_event where occurred_at > $1", NOW)


async def test_every_event_is_a_legal_move_from_where_the_procedure_stood(database: Any) -> None:
    await load(database)

    events = await rows(
        database,
        "select from_status, to_status, actor, lag(to_status, 1, 'DRAFT') over "
        "(partition by family_id, procedure_id order by number) as stood from procedure_event",
    )
    for event in events:
        assert event["from_status"] == event["stood"]
        who = MOVES[event["from_status"]][event["to_status"]].value
        assert event["actor"] in {who, "CLOCK"}


async def test_each_event_has_one_item_of_news_with_proof_that_it_was_sent(database: Any) -> None:
    await load(database)

    assert not await rows(
        database,
        "select from procedure_event e left join news n on n.family_id = e.family_id and n.procedure_id = "
        "e.procedure_id and n.procedure_event_number = e.number left join delivery d on d.family_id = n.family_id "
        "and d.news_seq = n.seq where d.id is null",
    )
    statuses = await rows(database, "select distinct status from delivery")
    assert {row["status"] for row in statuses} == {"SENT", "DELIVERED"}
    assert not await rows(database, "select from lane where due_at is not null")


async def test_every_message_is_numbered_and_told_and_every_awaited_family_knows_what_for(database: Any) -> None:
    await load(database)

    assert not await rows(
        database,
        "select from procedure p left join (select family_id, procedure_id, count(*) as n, max(number) as last from "
        "procedure_message group by 1, 2) m on m.family_id = p.family_id and m.procedure_id = p.id "
        "where (coalesce(n, 0), coalesce(last, 0)) <> (p.message_count, p.message_count)",
    )
    [counted] = await rows(
        database,
        "select (select count(*) from procedure_message) as said, (select count(*) from news "
        "where type = 'procedure_message') as told, (select count(*) from procedure_event "
        "where to_status = 'AWAITING_FAMILY') as asked, (select count(*) from information_request) as requests",
    )
    assert counted["said"] == counted["told"] > 50 and counted["asked"] == counted["requests"] > 50


async def test_no_legal_delay_has_passed_for_an_open_procedure(database: Any) -> None:
    await load(database)

    assert not await rows(
        database,
        "select from procedure where status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY') "
        "and implied_decision_on <= $1",
        NOW.date(),
    )


async def test_submitted_answers_satisfy_their_forms(database: Any) -> None:
    await load(database)

    answered = await rows(
        database,
        "select k.code, p.answers::text from procedure p join procedure_kind k on k.id = p.kind_id "
        "where p.submitted_at is not null",
    )
    validators = {kind.code: jsonschema_rs.Draft202012Validator(kind.form, validate_formats=True) for kind in KINDS}
    assert {row["code"] for row in answered} == set(validators)
    for row in answered:
        validators[row["code"]].validate(json.loads(row["answers"]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_forms_are_valid_schemas_with_titles_in_both_languages(kind: Any) -> None:
    assert jsonschema_rs.meta.is_valid(kind.form)
    assert form_faults(kind.form) == []
    for field in (kind.form, *kind.form["properties"].values()):
        assert field["title"]
        assert field["x-title-en"]


async def test_every_address_is_in_a_reserved_domain(database: Any) -> None:
    await load(database)

    found = await rows(
        database,
        "select email from account union select email from agent union select email from service "
        "union select value from address where channel = 'EMAIL'",
    )
    assert len(found) > 100
    assert [row["email"] for row in found if not RESERVED.search(row["email"])] == []


async def test_only_verified_addresses_of_activated_families_exist(database: Any) -> None:
    await load(database)

    assert not await rows(
        database,
        "select from account a join family f on f.id = a.family_id left join address d on d.family_id = a.family_id "
        "and d.account_id = a.id and d.channel = 'EMAIL' and d.value = a.email "
        "where f.activated_at is null or a.email_verified_at is null or d.verified_at is null",
    )


async def test_a_city_is_not_loaded_over_another(database: Any) -> None:
    await load(database, families=5)

    with pytest.raises(CityNotEmpty):
        await load(database, families=5)

    [families] = await rows(database, "select count(*) from family")
    assert families["count"] == 5


async def test_the_next_procedure_gets_the_next_reference(database: Any) -> None:
    await load(database, families=30)

    [last] = await rows(database, "select max(right(reference, 6))::int as number from procedure")
    [following] = await rows(database, "select nextval('procedure_reference') as number")
    assert following["number"] == last["number"] + 1


def test_ids_are_version_7_and_ascend() -> None:
    made = [uuid7(NOW) for _ in range(1_000)]

    assert sorted(made) == made
    assert len(set(made)) == 1_000
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert made[0].int >> 80 == milliseconds(NOW)
    assert uuid7() < uuid7()


def test_seeded_ids_repeat_themselves() -> None:
    first, second = SeededIds(Random(1)), SeededIds(Random(1))

    made = [first.at(NOW) for _ in range(3)]
    assert made == [second.at(NOW) for _ in range(3)]
    assert len(set(made)) == 3
    assert all(isinstance(each, UUID) and each.version == 7 for each in made)


async def test_a_newcomer_finds_documents_that_open(database: Any, tmp_path: Path) -> None:
    with closing(Vault.of(Settings(data=Data(folder=str(tmp_path))), KEYS)) as vault:
        city = await load(database, families=20, vault=vault)
        found = await rows(
            database,
            "select d.*, f.number from document d join family f on f.id = d.family_id order by d.created_at",
        )
        assert 20 < len(found) <= MOST and city.family.number in {row["number"] for row in found}
        for row in found:
            document = Document(*(row[name] for name in PLAIN))
            inspection = Inspection()
            bytes_of = [piece async for piece in vault.pieces(document, 0, document.size)]
            inspection.feed(b"".join(bytes_of))
            assert inspection.media_type(document.media_type, ["application/pdf"]) == "application/pdf"
            assert hashlib.sha256(b"".join(bytes_of)).digest() == document.sha256
            assert row["expires_on"] > row["created_at"].date()
    missing = """select count(*) from procedure p join required_document r on r.kind_id = p.kind_id and r.required
        join family f on f.id = p.family_id and f.number = $1
        where p.submitted_at is not null and not exists (select from procedure_document d
            where d.family_id = p.family_id and d.procedure_id = p.id and d.field = r.code)"""
    assert (await rows(database, missing, city.family.number))[0]["count"] == 0
