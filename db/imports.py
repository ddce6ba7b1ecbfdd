"""Loading registers: rows are copied into temporary tables and merged from there, one batch a transaction.

Everything here runs as `kiosque_api` with `kiosque.system` on, for row-level security.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows were added, changed, and found as they are."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Add up two counts."""
        return Counts(self.added + other.added, self.changed + other.changed, self.unchanged + other.unchanged)


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A family of a register; what is null stays as it is, or takes the default in a new family.

    `id`, `code_id` and `address_id` are used if the row proves new.
    """

    number: str
    id: UUID
    profile: str | None
    name: str
    language: str | None
    code_id: UUID
    code_hmac: bytes | None
    code_expires_at: datetime | None
    siret: str | None
    rna: str | None
    registry_number: str | None
    contact_email: str | None
    address_id: UUID
    postal_address: str | None
    postal_id: UUID


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of a register, known again by family, first name, last name and birth date."""

    family_number: str
    id: UUID
    role: str
    first_name: str
    last_name: str
    birth_date: date | None
    school: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one batch did."""

    families: Counts
    members: Counts
    codes_issued: int


PREPARE = (
    """create temp table if not exists import_family (number text, id uuid, profile text, name text, language text,
        code_id uuid, code_hmac bytea, code_expires_at timestamptz, siret text, rna text, registry_number text,
        contact_email text, address_id uuid, postal_address text, postal_id uuid) on commit delete rows""",
    """create temp table if not exists import_member (family_number text, id uuid, role text, first_name text,
        last_name text, birth_date date, school text) on commit delete rows""",
    "create temp table if not exists import_seen (number text primary key) on commit preserve rows",
)

# The numbers of a file live in a temporary table, not in memory, however long the file is.
SEE = """
    with added as (insert into import_seen select unnest($1::text[]) on conflict do nothing returning number)
    select given.number from unnest($1::text[]) as given(number) where given.number not in (select number from added)
"""

AS_SYSTEM = """
    select set_config('kiosque.system', 'on', true), set_config('statement_timeout', $1, true),
        pg_advisory_xact_lock(hashtext('kiosque import families'))
"""

# An identifier that no longer goes with the profile is dropped.
CHANGE_FAMILIES = """
    with known as (
        select f.id, coalesce(s.profile, f.profile) as profile, s.name, coalesce(s.language, f.language) as language,
            coalesce(s.siret, f.siret) as siret, coalesce(s.rna, f.rna) as rna,
            coalesce(s.registry_number, f.registry_number) as registry_number
        from import_family s join family f on f.number = s.number
    ), wanted as (
        select id, profile, name, language, case when profile <> 'INDIVIDUAL' then siret end as siret,
            case when profile = 'ASSOCIATION' then rna end as rna,
            case when profile = 'ASSOCIATION' then registry_number end as registry_number
        from known
    )
    update family f set profile = w.profile, name = w.name, language = w.language, siret = w.siret, rna = w.rna,
        registry_number = w.registry_number
    from wanted w
    where f.id = w.id and (f.profile, f.name, f.language, f.siret, f.rna, f.registry_number)
        is distinct from (w.profile, w.name, w.language, w.siret, w.rna, w.registry_number)
"""

ADD_FAMILIES = """
    insert into family (id, number, profile, name, language, siret, rna, registry_number, created_at)
    select id, number, coalesce(profile, 'INDIVIDUAL'), name, coalesce(language, 'fr'), siret, rna, registry_number, $1
    from import_family
    on conflict (number) do nothing
"""

# What the city has on file is not verified: a family is told there of activations, not of what it does.
KEEP_CONTACTS = """
    insert into address as known (family_id, id, channel, value, source, created_at)
    select f.id, s.address_id, 'EMAIL', s.contact_email, 'CITY', $1
    from import_family s join family f on f.number = s.number where s.contact_email is not null
    on conflict (family_id, channel, value) do update set retired_at = null, retired_reason = null
    where known.retired_reason = 'REPLACED'
"""

# Found family by family and changed by key: in the middle of a large import nobody has counted the addresses yet, and a
# join planned for an empty table compares each with each.
REPLACE_CONTACTS = """
    with old as materialized (
        select a.family_id, a.id from import_family s join family f on f.number = s.number
        cross join lateral (
            select known.family_id, known.id from address known
            where known.family_id = f.id and known.channel = 'EMAIL' and known.source = 'CITY'
                and known.verified_at is null and known.retired_at is null and known.value <> s.contact_email
            offset 0
        ) a
    )
    update address set retired_at = $1, retired_reason = 'REPLACED'
    where family_id = any (array(select family_id from old)) and id = any (array(select id from old))
"""

# Where the city writes anyway needs no proof. What a family has said itself stays.
KEEP_POSTAL = """
    with given as materialized (
        select f.id as family_id, s.postal_id, s.postal_address
        from import_family s join family f on f.number = s.number
        where s.postal_address is not null and not exists (
            select from address own where own.family_id = f.id and own.channel = 'POST' and own.retired_at is null
                and (own.source = 'FAMILY' or own.value = s.postal_address) offset 0)
    ), old as (
        update address set retired_at = $1, retired_reason = 'REPLACED' from given
        where address.family_id = given.family_id and channel = 'POST' and retired_at is null
    )
    insert into address (family_id, id, channel, value, source, verified_at, created_at)
    select family_id, postal_id, 'POST', postal_address, 'CITY', $1, $1 from given
    on conflict (family_id, channel, value) do update set retired_at = null, retired_reason = null, verified_at = $1
"""

CHANGE_MEMBERS = """
    update member m set role = s.role, school = s.school
    from import_member s join family f on f.number = s.family_number
    where m.family_id = f.id and m.first_name = s.first_name and m.last_name = s.last_name
        and m.birth_date is not distinct from s.birth_date and (m.role, m.school) is distinct from (s.role, s.school)
"""

ADD_MEMBERS = """
    insert into member (family_id, id, role, first_name, last_name, birth_date, school, created_at)
    select f.id, s.id, s.role, s.first_name, s.last_name, s.birth_date, s.school, $1
    from import_member s join family f on f.number = s.family_number
    where not exists (
        select from member m where m.family_id = f.id and m.first_name = s.first_name and m.last_name = s.last_name
            and m.birth_date is not distinct from s.birth_date
    )
"""

# A family has one valid code: a new one ends those before it. A code that is known already, used or not, stays.
ISSUE_CODES = """
    with fresh as (
        select f.id as family_id, s.code_id, s.code_hmac, s.code_expires_at
        from import_family s join family f on f.number = s.number
        where s.code_hmac is not null and not exists (
            select from activation_code c where c.family_id = f.id and c.code_hmac = s.code_hmac)
    ), ended as (
        update activation_code c set expires_at = $1 from fresh
        where c.family_id = fresh.family_id and c.used_at is null and c.expires_at > $1
    )
    insert into activation_code (family_id, id, code_hmac, expires_at, created_at)
    select family_id, code_id, code_hmac, code_expires_at, $1 from fresh
"""

BATCH_TIMEOUT_MS = 120_000


async def prepare(connection: Connection) -> None:
    """Make the temporary tables of an import; they last as long as the connection."""
    for statement in PREPARE:
        await connection.execute(statement)


async def see(connection: Connection, numbers: Sequence[str]) -> set[str]:
    """Note family numbers as read from the file; give those that had been noted before."""
    return {row["number"] for row in await connection.fetch(SEE, numbers)}


async def load_families(
    connection: Connection, families: Sequence[FamilyRow], members: Iterable[MemberRow], now: datetime
) -> Loaded:
    """Merge one batch, all or nothing; `now` (UTC) becomes the moment of creation of what is new."""
    async with connection.transaction():
        await connection.execute(AS_SYSTEM, str(BATCH_TIMEOUT_MS))
        of_families = await _copied(connection, "import_family", FamilyRow, families)
        of_members = await _copied(connection, "import_member", MemberRow, members)
        changed = _rows(await connection.execute(CHANGE_FAMILIES))
        added = _rows(await connection.execute(ADD_FAMILIES, now))
        members_changed = _rows(await connection.execute(CHANGE_MEMBERS))
        members_added = _rows(await connection.execute(ADD_MEMBERS, now))
        codes = _rows(await connection.execute(ISSUE_CODES, now))
        await connection.execute(REPLACE_CONTACTS, now)
        await connection.execute(KEEP_CONTACTS, now)
        await connection.execute(KEEP_POSTAL, now)
    return Loaded(
        Counts(added, changed, of_families - added - changed),
        Counts(members_added, members_changed, of_members - members_added - members_changed),
        codes,
    )


async def _copied(connection: Connection, table: str, kind: type, rows: Iterable[FamilyRow | MemberRow]) -> int:
    columns = [column.name for column in fields(kind)]
    take = attrgetter(*columns)
    status = await connection.copy_records_to_table(table, columns=columns, records=map(take, rows))
    return _rows(status)


def _rows(status: str) -> int:
    """Read the number of rows out of a command status such as `INSERT 0 12`."""
    return int(status.rpartition(" ")[2])
