"""The demo city: a small town that is the same for the same seed and day, and grows to any size for benchmarks."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
from argon2 import Type
from argon2.low_level import hash_secret

from db import pages as stored_pages
from db import procedures as stored
from db.clock import PARIS, Clock
from db.ids import SeededIds
from db.keys import Keys
from db.terms import digest
from gateway.demo.billing import use_and_bill
from gateway.demo.guide import add_guide
from gateway.demo.histories import Plan, history, plans
from gateway.demo.households import SHOWN_ACTIVE, SHOWN_NOT_ACTIVE, household
from gateway.demo.kinds import AGENTS, ATTESTATION, HOURS, KINDS, SERVICES, Kind
from gateway.demo.papers import file_papers
from gateway.demo.rows import COLUMNS, FamilyRows, House, Row, Tables
from gateway.demo.tariffs import add_tariffs
from resolvers.imports_families import COLUMNS as REGISTER_COLUMNS
from resolvers.imports_families import OPTIONAL_COLUMNS
from resolvers.partners import digest as secret_digest
from resolvers.vault import Vault

SEED = 33_600
FAMILIES = 200
DEMO_PASSWORD = "Marronnier-47"
DEMO_PARTNER = UUID("019a0000-0000-7000-8000-0000000000ca")
DEMO_PARTNER_SECRET = "kqs_Platane-Observatoire-Ecole-47-0123456789"
DEMO_PARTNER_NAME = "Observatoire de l’école"
DEMO_PARTNER_SERVICES = ("cantine", "periscolaire", "centre-loisirs")
DEMO_PARTNER_SCOPES = ("PROCEDURES_READ", "STATISTICS_READ", "PAGES_READ", "INVOICES_AGGREGATE", "EXPLORE")
CHUNK = 1_000
NEWCOMERS = 8_000_000
"""Place in the row where the families of registers begin: far behind those of any city."""
TERMS_VERSION = 1
_TERMS = Path(__file__).with_name("data")


AS_SYSTEM = "select set_config('kiosque.system', 'on', true), set_config('statement_timeout', '0', true)"
NOT_EMPTY = "select exists (select from family) or exists (select from service)"
NUMBERED = "select case when is_called then last_value else 0 end from procedure_reference"
STAGE = "create temp table staged on commit drop as select {columns} from {table} limit 0"
UNSTAGE = "insert into {table} ({columns}) select {columns} from staged; drop table staged"


class CityNotEmpty(Exception):
    """The database holds families or services already."""


@dataclass(frozen=True, slots=True)
class DemoFamily:
    """A family to sign in as."""

    number: str
    name: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoActivation:
    """A family that has not activated its account yet."""

    number: str
    name: str
    activation_code: str


@dataclass(frozen=True, slots=True)
class DemoAgent:
    """An agent to sign in as."""

    email: str
    name: str
    password: str
    roles: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """A partner: what it needs at `/oauth/token`."""

    client_id: str
    name: str
    client_secret: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoCity:
    """What to try the demo with."""

    family: DemoFamily
    activations: tuple[DemoActivation, ...]
    agents: tuple[DemoAgent, ...]
    partner: DemoPartner


def credentials(clock: Clock, *, seed: int = SEED) -> DemoCity:
    """Give the credentials of a city that was loaded before, on whatever day."""
    today = clock().astimezone(PARIS).date()
    shown = household(seed, SHOWN_ACTIVE, today)
    waiting = (household(seed, index, today) for index in SHOWN_NOT_ACTIVE)
    return DemoCity(
        DemoFamily(shown.number, shown.name, shown.emails[0], DEMO_PASSWORD),
        tuple(DemoActivation(each.number, each.name, each.code) for each in waiting),
        tuple(DemoAgent(each.email, each.name, DEMO_PASSWORD, each.roles, each.services) for each in AGENTS),
        DemoPartner(str(DEMO_PARTNER), DEMO_PARTNER_NAME, DEMO_PARTNER_SECRET, DEMO_PARTNER_SERVICES),
    )


async def load_city(
    connection: asyncpg.Connection,
    keys: Keys,
    clock: Clock,
    *,
    families: int = FAMILIES,
    seed: int = SEED,
    beside_others: bool = False,
    billed: bool = False,
    vault: Vault | None = None,
) -> DemoCity:
    """Load the city in one transaction, as the owner of the tables or a superuser.

    `billed`: with a month of consumptions and its invoices; `vault`: with documents, which are kept there. Raises
    CityNotEmpty when there are families or services, unless `beside_others` says that they do not matter.
    """
    now = clock().replace(microsecond=0)
    async with connection.transaction():
        await connection.execute(AS_SYSTEM)
        if not beside_others and await connection.fetchval(NOT_EMPTY):
            raise CityNotEmpty("the database is not empty: the demo city goes into an empty one")
        copier = await Copier.on(connection)
        tables = Tables()
        house = _house(tables, keys, now, seed)
        await copier.copy(tables)
        await stored_pages.learn(connection, [row[0] for row in tables["page_version"]])
        before: int = await connection.fetchval(NUMBERED)
        for chunk in _families(house, families, seed, before):
            await copier.copy(chunk)
        if copier.rows["procedure"]:
            await connection.execute("select setval('procedure_reference', $1)", before + copier.rows["procedure"])
        # A city just copied has no statistics, and plans made without them would be kept.
        await connection.execute(f"analyze {', '.join(COLUMNS)}")
        if billed:
            await use_and_bill(connection, keys, now)
        city = credentials(clock, seed=seed)
        if vault is not None:
            await file_papers(connection, vault, city.family.number)
    return city


class Copier:
    """Copies rows into tables; where row-level security holds for us too, by way of temporary ones."""

    def __init__(self, connection: asyncpg.Connection, *, staged: bool) -> None:
        self.rows = dict.fromkeys(COLUMNS, 0)
        self._connection = connection
        self._staged = staged

    @classmethod
    async def on(cls, connection: asyncpg.Connection) -> "Copier":
        """Make one for a connection: PostgreSQL refuses COPY to whom row-level security applies."""
        return cls(connection, staged=await connection.fetchval("select row_security_active('family')"))

    async def copy(self, tables: Tables) -> None:
        """Copy all rows, in the order that foreign keys allow."""
        for table, rows in tables.items():
            if rows:
                await self._copy(table, COLUMNS[table].split(), rows)
                self.rows[table] += len(rows)

    async def _copy(self, table: str, columns: list[str], rows: list[Row]) -> None:
        if not self._staged:
            await self._connection.copy_records_to_table(table, columns=columns, records=rows)
            return
        await self._connection.execute(STAGE.format(table=table, columns=", ".join(columns)))
        await self._connection.copy_records_to_table("staged", columns=columns, records=rows)
        await self._connection.execute(UNSTAGE.format(table=table, columns=", ".join(columns)))


def _house(tables: Tables, keys: Keys, now: datetime, seed: int) -> House:
    """Add the city's own rows: services, staff, terms, catalogue."""
    random = Random(f"{seed}/city")
    ids = SeededIds(random)
    founded = now - timedelta(days=1_300)
    services = {service.code: ids.at(founded) for service in SERVICES}
    for each in SERVICES:
        reached = (each.address, each.phone, each.email, *HOURS)
        tables.add("service", services[each.code], each.code, each.fr, each.en, *reached)
    # One hash for the whole city: hashing 20,000 times would take half an hour. Its salt is no secret either.
    password_hash = hash_secret(DEMO_PASSWORD.encode(), random.randbytes(16), 2, 19_456, 1, 32, Type.ID).decode()
    agents = {}
    for agent in AGENTS:
        agent_id = ids.at(founded)
        of_agent = [services[code] for code in agent.services]
        tables.add("agent", agent_id, agent.email, agent.name, password_hash, list(agent.roles), of_agent, founded)
        if "AGENT" in agent.roles:
            agents.update(dict.fromkeys(agent.services, agent_id))
    _partner(tables, keys, ids, services, agent_id, founded, now)
    french, english = ((_TERMS / f"terms.{language}.md").read_text(encoding="utf-8") for language in ("fr", "en"))
    terms_hash = digest(french, english)
    tables.add("terms", TERMS_VERSION, founded, founded, french, english, terms_hash)
    kinds = {kind.code: _kind(kind, ids.at(founded), services[kind.service]) for kind in KINDS}
    for kind in KINDS:
        texts = (*kind.title, *kind.summary, kinds[kind.code].form, *ATTESTATION, kind.decision_months)
        values = (kinds[kind.code].id, kind.code, 1, services[kind.service], *texts, kind.silence_means, founded)
        tables.add("procedure_kind", *values)
        for position, document in enumerate(kind.documents):
            tables.add("required_document", kinds[kind.code].id, ids.at(founded), position, *astuple(document))
    add_guide(tables, ids, founded, now, agent_id)
    add_tariffs(tables, ids, founded, services)
    return House(keys, now, password_hash, TERMS_VERSION, terms_hash, kinds, agents)


def _partner(
    tables: Tables,
    keys: Keys,
    ids: SeededIds,
    services: Mapping[str, UUID],
    agent_id: UUID,
    founded: datetime,
    now: datetime,
) -> None:
    """Add the one partner of the city, with its secret."""
    of_partner = [services[code] for code in DEMO_PARTNER_SERVICES]
    contact = "api@observatoire.example"
    scopes, ends = list(DEMO_PARTNER_SCOPES), now + timedelta(days=365)
    who = (DEMO_PARTNER, DEMO_PARTNER_NAME, contact, "fr")
    tables.add("partner", *who, scopes, of_partner, agent_id, founded, ends)
    digested = secret_digest(keys, DEMO_PARTNER, DEMO_PARTNER_SECRET)
    tables.add("partner_secret", DEMO_PARTNER, ids.at(founded), digested, DEMO_PARTNER_SECRET[-4:], founded)


def _kind(kind: Kind, kind_id: UUID, service_id: UUID) -> stored.Kind:
    """Give a kind as the portal reads it from the database."""
    [service] = [each for each in SERVICES if each.code == kind.service]
    reached = {"address": service.address, "phone": service.phone, "email": service.email}
    return stored.Kind(
        kind_id,
        kind.code,
        service_id,
        {"fr": kind.title[0], "en": kind.title[1]},
        json.dumps(kind.form, ensure_ascii=False),
        {"fr": ATTESTATION[0], "en": ATTESTATION[1]},
        kind.decision_months,
        kind.silence_means,
        {"name_fr": service.fr, "name_en": service.en, **reached, "hours_fr": HOURS[0], "hours_en": HOURS[1]},
    )


def _families(house: House, families: int, seed: int, before: int) -> Iterable[Tables]:
    """Give the families' rows, a chunk at a time, so that memory does not grow with the rows of a large city."""
    today = house.now.astimezone(PARIS).date()
    planned = [plans(seed, household(seed, index, today), house.now) for index in range(families)]
    references = _references(planned, before)
    for start in range(0, families, CHUNK):
        tables = Tables()
        for index in range(start, min(start + CHUNK, families)):
            family = household(seed, index, today)
            told = [
                (references[index, place], history(seed, family, place, plan, house.now))
                for place, plan in enumerate(planned[index])
            ]
            FamilyRows(tables, house, family, seed).write(told)
        yield tables


def _references(planned: list[list[Plan]], before: int) -> dict[tuple[int, int], str]:
    """Number the procedures of all families in the order in which they were begun."""
    begun = [
        (plan.created_at, index, place)
        for index, of_family in enumerate(planned)
        for place, plan in enumerate(of_family)
    ]
    return {
        (index, place): f"PES-{at.astimezone(PARIS).year}-{number:06d}"
        for number, (at, index, place) in enumerate(sorted(begun), before + 1)
    }


def write_register(path: Path, clock: Clock, *, families: int = 25, seed: int = SEED) -> tuple[DemoActivation, ...]:
    """Write a register of families that are not in the city, with activation codes, for `import families`.

    As the city's software writes it: semicolons, UTF-8 with a byte order mark. Give
    what the families can activate with.
    """
    now = clock()
    today = now.astimezone(PARIS).date()
    expires_on = today + timedelta(days=180)
    made = [household(seed, NEWCOMERS + place, today) for place in range(families)]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow((*REGISTER_COLUMNS, *OPTIONAL_COLUMNS))
        for each in made:
            for person in each.people:
                of_family = (each.number, each.profile, each.name, each.language, each.code, expires_on)
                on_file = (each.siret, each.rna, "", each.contact, "")
                writer.writerow((*of_family, *astuple(person), *on_file))
    return tuple(DemoActivation(each.number, each.name, each.code) for each in made)
