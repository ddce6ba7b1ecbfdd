"""Two families whose every text tells whose it is: canaries, made from the columns of the database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from db.news import NewsRow
from resolvers.reading.identity import make_id
from resolvers.reading.mapping import Mapping as Declared
from resolvers.viewer import Viewer
from tests import given
from tests.rows import HOOKS, SCOPES, agent_viewer, family_viewer, fill, partner_viewer

KEPT = {"ended_at", "removed_at", "valid_from"}
"""Left as it is: an ended session or a removed login would hide what is to be looked for; quotients of the future too.
"""

OWNED_COLUMNS = """
    select c.table_name, c.column_name, c.data_type from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
        and c.data_type in ('text', 'json', 'timestamp with time zone', 'date')
        and c.is_generated = 'NEVER'
        and c.table_name in (select table_name from information_schema.columns
            where table_schema = 'public' and column_name = 'family_id'
                or table_name in ('family', 'agent', 'second_factor', 'partner', 'partner_secret', 'partner_task',
                    'webhook', 'webhook_delivery', 'webhook_attempt'))
    order by c.table_name, c.ordinal_position
"""
MOMENTS = """
    select c.table_name, c.column_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
        and c.data_type = 'timestamp with time zone' and c.is_generated = 'NEVER'
"""
OF_PARTNERS = ("partner_secret", "partner_task", "webhook", "webhook_delivery", "webhook_attempt")
WITHOUT_TEXT = {"procedure_feed"}
"""Tables of families' rows that hold nothing to write a canary into: their ids tell."""
MARKS = {"ours": 1, "theirs": 2}


@dataclass(frozen=True, slots=True)
class Told(NewsRow):
    """An item of news, and the place in the partners' feed of a step of its procedure: any stream can start from it."""

    position: int


@dataclass(frozen=True, slots=True)
class Side:
    """A family, an agent of the service that all its procedures belong to, and how to name their rows."""

    family: Viewer
    agent: Viewer
    ids: Mapping[str, Sequence[str]]
    """By type: global ids of its rows; of everybody's where a type is nobody's."""
    arguments: Mapping[str, Any]
    """What names it in arguments."""
    news: Sequence[Told]
    partners: list[Viewer] = field(default_factory=list)
    """The partner of its service, with all scopes."""

    @property
    def partner(self) -> Viewer:
        """The partner of its service."""
        return self.partners[0]


@dataclass(slots=True)
class Canaries:
    """What tells that an answer holds rows of a side, and of which table."""

    mark: str
    tables: list[str]
    words: dict[str, str] = field(default_factory=dict)
    """Ids and numbers → table."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """Columns whose checks allow no canary."""

    def text(self, table: str, column: str, number: int) -> str:
        """Make the canary of a text."""
        return f"canary-{self.mark}-{table}-{column}-{number}"

    def moment(self, table: str) -> str:
        """Make the fraction of a second that marks a moment."""
        return f"0.{MARKS[self.mark] * 111}{self.tables.index(table):02d}7"

    def day(self, table: str) -> str:
        """Make the day that marks a date."""
        return f"2{MARKS[self.mark]}{self.tables.index(table):02d}-02-03"

    def found(self, answer: str) -> set[str]:
        """Give the tables whose rows an answer holds."""
        digit = MARKS[self.mark]
        numbers = re.findall(rf"\.{digit * 111}(\d\d)7\+|\b2{digit}(\d\d)-02-03\b", answer)
        found = {self.tables[int(a or b)] for a, b in numbers}
        found |= set(re.findall(rf"canary-{self.mark}-(\w+)-\w+-", answer))
        return found | {table for word, table in self.words.items() if word in answer}


async def sides(connection: asyncpg.Connection, declared: Declared) -> dict[str, tuple[Side, Canaries]]:
    """Mark the rows of two families of a city, each with an agent and a service of its own."""
    await fill(connection)
    await connection.execute("alter table audit_entry disable trigger keep")  # marking is a change that it refuses
    rows = await connection.fetch(
        """select f.id from family f join account a on a.family_id = f.id join procedure p on p.family_id = f.id
           join delivery d on d.family_id = f.id group by f.id order by count(distinct p.id) desc, f.id limit 2"""
    )
    services = await connection.fetch("select id from service order by id limit 2")
    agents = await connection.fetch("select s.* from session s where agent_id is not null order by id limit 2")
    await unmark(connection)
    tables = sorted({row["table_name"] for row in await connection.fetch(OWNED_COLUMNS)})
    await share_a_child(connection, [row["id"] for row in rows])
    made = {}
    for mark, row, service, agent in zip(MARKS, rows, services, agents, strict=True):
        for table in (
            "procedure",
            "procedure_event",
            "procedure_feed",
            "procedure_document",
            "information_request",
            "procedure_message",
            "news",
            "acknowledgement",
            "agent_task",
            "consumption",
            "consumption_change",
        ):
            await connection.execute(
                f"update {table} set service_id = $2 where family_id = $1 and service_id is not null",
                row["id"],
                service["id"],
            )
        # Its agent handles nothing else, and is in charge of its procedures.
        await connection.execute(
            "update agent set services = array[$2::uuid], roles = '{AGENT,CASHIER,EDITOR,ADMIN}' where id = $1",
            agent["agent_id"],
            service["id"],
        )
        await connection.execute(
            "update procedure set assigned_agent_id = $2 where family_id = $1", row["id"], agent["agent_id"]
        )
        partner = await make_partner(connection, agent["agent_id"], service["id"])
        canaries = Canaries(mark, tables)
        await complete(connection, canaries, row["id"])
        await plant(connection, canaries, row["id"], agent["agent_id"])
        made[mark] = await side(connection, declared, canaries, row["id"], agent, service["id"]), canaries
        made[mark][0].partners.append(partner_viewer(partner, [service["id"]]))
    return made


async def unmark(connection: asyncpg.Connection) -> None:
    """Cut the fractions of seconds that look like canaries by chance: one moment of ten thousand does."""
    looks = rf"^({'|'.join(str(digit * 111) for digit in MARKS.values())})\d\d7$"
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # some rows nobody may change
        for row in await connection.fetch(MOMENTS):
            table, name = row["table_name"], row["column_name"]
            await connection.execute(
                f"update {table} set {name} = date_trunc('second', {name}) where to_char({name}, 'US') ~ $1", looks
            )


async def make_partner(connection: asyncpg.Connection, agent: UUID, service: UUID) -> UUID:
    """Write a partner of a service, with everything that a partner may have."""
    partner: UUID = await connection.fetchval(
        """insert into partner (id, name, contact_email, language, scopes, services, networks, created_by, created_at,
               expires_at)
           values (gen_random_uuid(), $1::text, 'x@example.org', 'fr', $4, array[$3::uuid], '{192.0.2.0/24}', $2, now(),
               now())
           returning id""",
        f"Partenaire {agent}",
        agent,
        service,
        sorted(SCOPES),
    )
    await connection.execute(
        """insert into partner_secret (partner_id, id, digest, hint, created_at, expires_at)
           values ($1, gen_random_uuid(), '\\x00', 'abcd', now(), now())""",
        partner,
    )
    await connection.execute(
        """insert into partner_task (partner_id, id, kind, subject_id, created_at, done_at)
           values ($1, gen_random_uuid(), 'PARTNER_EXPIRES', gen_random_uuid(), now(), now())""",
        partner,
    )
    for statement in HOOKS:
        await connection.execute(statement)
    return partner


async def share_a_child(connection: asyncpg.Connection, families: Sequence[UUID]) -> None:
    """Let both families have one child, as separated parents do: neither may learn anything of the other by it."""
    for family in families:
        await connection.execute(
            """insert into member (family_id, id, role, first_name, last_name, child_id, created_at)
               values ($1, gen_random_uuid(), 'CHILD', 'x', 'x', 'c0000000-0000-7000-8000-000000000000', now())""",
            family,
        )


async def complete(connection: asyncpg.Connection, canaries: Canaries, family: UUID) -> None:
    """Write what is there for few families only: identifiers, a former member, a quotient to come."""
    digit = MARKS[canaries.mark]
    identifiers = f"7328293200007{digit}", f"W00000007{digit}", f"77{digit}/77{digit}"
    await connection.execute(
        "update family set profile = 'ASSOCIATION', siret = $2, rna = $3, registry_number = $4 where id = $1",
        family,
        *identifiers,
    )
    canaries.words.update(dict.fromkeys(identifiers, "family"))
    await connection.execute(
        f"""insert into member (family_id, id, role, first_name, last_name, created_at, ended_at)
            values ($1, gen_random_uuid(), 'ADULT', 'x', 'x', now(),
                date_trunc('second', now()) + interval '{canaries.moment("member")} s')""",
        family,
    )
    lists = [[canaries.text("information_request", name, 0)] for name in ("fields", "documents")]
    await connection.execute(
        "update information_request set fields = $2, documents = $3 where family_id = $1", family, *lists
    )
    await connection.execute(
        """update procedure_message set agent_id = (
               select p.assigned_agent_id from procedure p where p.family_id = $1 limit 1)
           where family_id = $1 and author = 'AGENT'""",
        family,
    )
    await connection.execute(
        f"update quotient_familial set valid_from = '{canaries.day('quotient_familial')}' "
        "where family_id = $1 and valid_from > now()",
        family,
    )
    await connection.execute(
        "update account a set member_id = (select m.id from member m where m.family_id = $1 order by m.id limit 1) "
        "where a.family_id = $1",
        family,
    )


def rows_of(table: str, family: UUID, agent: UUID) -> str:
    """Give the condition of a side's rows."""
    return {
        "family": f"id = '{family}'",
        "agent": f"id = '{agent}'",
        "second_factor": f"agent_id = '{agent}'",
        "partner": f"created_by = '{agent}'",
        **dict.fromkeys(OF_PARTNERS, f"partner_id in (select id from partner where created_by = '{agent}')"),
        "session": f"(family_id = '{family}' or agent_id = '{agent}')",
    }.get(table, f"family_id = '{family}'")


async def plant(connection: asyncpg.Connection, canaries: Canaries, family: UUID, agent: UUID) -> None:
    """Write a canary into every text, moment and day of a side's rows that allows one."""
    for column in await connection.fetch(OWNED_COLUMNS):
        table, name, kind = column["table_name"], column["column_name"], column["data_type"]
        if name in KEPT:
            continue
        where = rows_of(table, family, agent)
        for number, row in enumerate(
            await connection.fetch(f"select ctid::text from {table} where {where} order by ctid")
        ):
            text = canaries.text(table, name, number)
            json = f'{{"summary_fr": "{text}", "summary_en": "{text}", "fr": "{text}", "en": "{text}"}}'
            day, moment = (
                canaries.day(table),
                f"date_trunc('second', coalesce({name}, now())) + interval '{canaries.moment(table)} s'",
            )
            value = {"text": f"'{text}'", "json": f"'{json}'", "date": f"'{day}'"}.get(kind, moment)
            try:
                async with connection.transaction():
                    await connection.execute(
                        f"update {table} set {name} = {value} where ctid = $1::text::tid", row["ctid"]
                    )
            except asyncpg.IntegrityConstraintViolationError:
                canaries.refused.add((table, name))


async def side(
    connection: asyncpg.Connection, declared: Declared, canaries: Canaries, family: UUID, agent: Any, service: UUID
) -> Side:
    """Give a side as it stands in the database; its ids become canaries too."""
    ids: dict[str, list[str]] = {}
    for name, stored in declared.tables.items():
        if not stored.tag:
            continue
        if stored.again:
            ids[name] = [make_id(declared, name, *key) for key in await given.keys(connection, name, family)]
            if name in given.OF_FAMILIES:
                canaries.words.update(dict.fromkeys(ids[name], stored.table))
            continue
        owned = stored.table in canaries.tables or stored.table in WITHOUT_TEXT
        where = rows_of(stored.table, family, agent["agent_id"]) if owned else "true"
        there = f"{where} and {stored.key[0]} is not null"
        rows = await connection.fetch(f"select {', '.join(stored.key)} from {stored.table} where {there}")
        ids[name] = [make_id(declared, name, *row.values()) for row in rows]
        if owned:
            canaries.words.update(dict.fromkeys(ids[name], stored.table))
            canaries.words.update({str(row["id"]): stored.table for row in rows if "id" in stored.key})
    number = await connection.fetchval("select number from family where id = $1", family)
    canaries.words[number] = "family"
    reference = await connection.fetchval("select reference from procedure where family_id = $1 limit 1", family)
    session = await connection.fetchrow("select * from session where family_id = $1 limit 1", family)
    invoices = await connection.fetch("select number from invoice where family_id = $1 order by id", family)
    # Quoted: the references of procedures end as numbers of invoices do.
    canaries.words.update({f'"{row["number"]}"': "invoice" for row in invoices})
    at_the_till = await connection.fetchval(
        """select received_on::text from payment
           where family_id = $1 and source in ('COUNTER', 'POST') and undone_at is null limit 1""",
        family,
    )
    canaries.words[make_id(declared, "ServiceWork", service)] = "service"
    arguments = {
        "tillTotals.day": at_the_till,
        "number": number,
        "search": number,
        "reference": reference,
        "familyNumber": number,
        "invoice.number": invoices[0]["number"],
        "payment": ids["CardPayment"][0],
    }
    news = await connection.fetch(
        """select n.family_id, n.seq, n.topic, n.type, n.procedure_id, n.service_id, n.subject_id, f.position
           from news n join procedure_feed f on f.family_id = n.family_id and f.procedure_id = n.procedure_id
               and f.number = n.procedure_event_number where n.family_id = $1""",
        family,
    )
    of_payments = await connection.fetch(
        """select n.family_id, n.seq, n.topic, n.type, n.procedure_id, n.service_id, n.subject_id, 0 from news n
           where n.family_id = $1 and n.subject_id in (select id from card_attempt) limit 1""",
        family,
    )
    told = [Told(*row.values()) for row in (*news[:1], *of_payments, *news[1:])]
    return Side(family_viewer(session), agent_viewer(agent, [service]), ids, arguments, told)
