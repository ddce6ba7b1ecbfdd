"""What a family keeps, which services it uses, and what is erased when its time has passed (R2).

Everything here that erases works in bounded batches, so that no statement is long however much there is.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

BATCH = "limit 500"
DECIDED = "('ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN')"
OPEN = "('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')"

CHOOSE = """
    insert into data_choice (family_id, datum, id, keep, changed_at) values ($1, $2, $3, $4, $5)
    on conflict (family_id, datum) do update set keep = $4, changed_at = $5 returning id
"""


async def choose(tx: Any, family_id: UUID, datum: str, choice_id: UUID, keep: bool, at: datetime) -> UUID:
    """Write a choice; give its id, which stays the same when it is changed."""
    found: UUID = await tx.fetchval(CHOOSE, family_id, datum, choice_id, keep, at)
    return found


OPT_IN = """
    insert into service_opt_in (family_id, service_id, id, opted_in, changed_at) values ($1, $2, $3, $4, $5)
    on conflict (family_id, service_id) do update set opted_in = $4, changed_at = $5
        where service_opt_in.opted_in <> $4
"""
OPTED = "select id from service_opt_in where family_id = $1 and service_id = $2"


async def opt_in(tx: Any, family_id: UUID, service_id: UUID, new_id: UUID, opted_in: bool, at: datetime) -> UUID:
    """Write that a family uses a service, or leaves it; give the id of the choice. The same again changes nothing."""
    await tx.execute(OPT_IN, family_id, service_id, new_id, opted_in, at)
    found: UUID = await tx.fetchval(OPTED, family_id, service_id)
    return found


async def service_exists(tx: Any, service_id: UUID) -> bool:
    """Tell whether there is such a service."""
    found: bool = await tx.fetchval("select exists (select from service where id = $1)", service_id)
    return found


IN_USE = f"""
    select exists (select from procedure where family_id = $1 and service_id = $2 and status in {OPEN})
"""


async def service_in_use(tx: Any, family_id: UUID, service_id: UUID) -> bool:
    """Tell whether a procedure of a family is open at a service; drafts, which only the family sees, do not count."""
    found: bool = await tx.fetchval(IN_USE, family_id, service_id)
    return found


OPEN_PROCEDURES = f"select count(*) from procedure where family_id = $1 and status in {OPEN}"


async def open_procedures(tx: Any, family_id: UUID) -> int:
    """Count what the city still has to decide for a family."""
    count: int = await tx.fetchval(OPEN_PROCEDURES, family_id)
    return count


# `$2` is one family, or null for all. A family that has closed its account keeps nothing.
ERASE_ANSWERS = f"""
    with ended as (
        select p.family_id, p.id from procedure p join family f on f.id = p.family_id
        where p.status in {DECIDED} and p.answers_erased_at is null and p.updated_at < $1
            and ($2::uuid is null or p.family_id = $2)
            and (f.closed_at is not null or not exists (
                select from data_choice c where c.family_id = p.family_id and c.datum = 'ANSWERS' and c.keep))
        {BATCH} for update of p skip locked
    ), corrected as (
        update information_request r set answers = null from ended e
        where r.family_id = e.family_id and r.procedure_id = e.id and r.answers is not null
    ), acknowledged as (
        update acknowledgement a set content = null from ended e
        where a.family_id = e.family_id and a.procedure_id = e.id
    )
    update procedure p set answers = '{{}}', answers_erased_at = $3 from ended e
    where p.family_id = e.family_id and p.id = e.id
"""

# Families that keep a datum no longer, and of which no procedure is open or ended less than the delay ago.
UNKEPT = f"""
    select f.id from family f
    where ($2::uuid is null or f.id = $2)
        and (f.closed_at is not null or exists (
            select from data_choice c where c.family_id = f.id and c.datum = $3 and not c.keep))
        and not exists (select from procedure p where p.family_id = f.id
            and (p.status in {OPEN} or p.status in {DECIDED} and p.updated_at >= $1))
"""
ERASE_SCHOOLS = f"""
    update member m set school = null where m.school is not null and m.family_id in ({UNKEPT})
"""
ERASE_CONTACTS = f"""
    delete from address a where a.family_id in ({UNKEPT}) and not exists (
        select from account c where c.family_id = a.family_id and a.channel = 'EMAIL' and a.value = c.email)
"""
ERASE_QUOTIENTS = f"delete from quotient_familial q where q.family_id in ({UNKEPT})"


async def erase_answers(tx: Any, ended_before: datetime, family_id: UUID | None, at: datetime) -> int:
    """Erase answers of procedures that ended before a moment where the family does not keep them; give how many.

    A batch at the most: call again while there are.
    """
    return _count(await tx.execute(ERASE_ANSWERS, ended_before, family_id, at))


async def erase_schools(tx: Any, ended_before: datetime, family_id: UUID | None) -> int:
    """Erase the schools of members where the family keeps them no longer; give how many."""
    return _count(await tx.execute(ERASE_SCHOOLS, ended_before, family_id, "SCHOOL"))


async def erase_contacts(tx: Any, ended_before: datetime, family_id: UUID | None) -> int:
    """Erase addresses other than those that sign in where the family keeps them no longer; give how many."""
    return _count(await tx.execute(ERASE_CONTACTS, ended_before, family_id, "CONTACTS"))


async def erase_quotients(tx: Any, ended_before: datetime, family_id: UUID | None) -> int:
    """Erase quotients where the family keeps them no longer; give how many."""
    return _count(await tx.execute(ERASE_QUOTIENTS, ended_before, family_id, "QUOTIENT_FAMILIAL"))


FORGET_PROCEDURES = f"""
    with past as (
        select family_id, id from procedure
        where status in {DECIDED} and messages_erased_at is null and updated_at < $1
        {BATCH} for update skip locked
    ), silenced as (
        update procedure_event e set message = null from past
        where e.family_id = past.family_id and e.procedure_id = past.id and e.message is not null
    ), unasked as (
        update information_request r set message = null, documents = '{{}}', answers = null from past
        where r.family_id = past.family_id and r.procedure_id = past.id
    ), unsaid as (
        delete from procedure_message m using past where m.family_id = past.family_id and m.procedure_id = past.id
    ), acknowledged as (
        update acknowledgement a set content = null from past
        where a.family_id = past.family_id and a.procedure_id = past.id and a.content is not null
    )
    update procedure p set answers = '{{}}', answers_erased_at = coalesce(answers_erased_at, $2),
        messages_erased_at = $2
    from past where p.family_id = past.family_id and p.id = past.id
"""


async def forget_procedures(tx: Any, ended_before: datetime, at: datetime) -> int:
    """Erase answers and messages of procedures that ended before a moment; status, dates and events stay."""
    return _count(await tx.execute(FORGET_PROCEDURES, ended_before, at))


FORGET_DELIVERIES = f"""
    delete from delivery d using (
        select family_id, id from delivery where created_at < $1 and status <> 'PENDING' {BATCH}
    ) old where d.family_id = old.family_id and d.id = old.id
"""
FORGET_NEWS = f"""
    delete from news n using (
        select family_id, seq from news m where occurred_at < $1 and not exists (
            select from delivery d where d.family_id = m.family_id and d.news_seq = m.seq)
        {BATCH}
    ) old where n.family_id = old.family_id and n.seq = old.seq
"""


async def forget_deliveries(tx: Any, before: datetime) -> int:
    """Forget what became of messages ordered before a moment; give how many."""
    return _count(await tx.execute(FORGET_DELIVERIES, before))


async def forget_news(tx: Any, before: datetime) -> int:
    """Forget news told before a moment that nothing more says anything of; give how many."""
    return _count(await tx.execute(FORGET_NEWS, before))


FORGET_CHANGES = f"""
    delete from email_change c using (
        select family_id, id from email_change where requested_at < $1 and expires_at < $1 {BATCH}
    ) old where c.family_id = old.family_id and c.id = old.id
"""
FORGET_RESETS = f"""
    delete from password_reset r using (
        select family_id, id from password_reset where requested_at < $1 {BATCH}
    ) old where r.family_id = old.family_id and r.id = old.id
"""


async def forget_recoveries(tx: Any, before: datetime) -> int:
    """Forget changes of addresses and new passwords asked for before a moment; give how many."""
    changes = _count(await tx.execute(FORGET_CHANGES, before))
    return changes + _count(await tx.execute(FORGET_RESETS, before))


FORGET_KEYS = f"""
    delete from idempotency_key where ctid = any(array(select ctid from idempotency_key where created_at < $1 {BATCH}))
"""


async def forget_keys(tx: Any, before: datetime) -> int:
    """Forget keys of repeated requests first used before a moment; give how many."""
    return _count(await tx.execute(FORGET_KEYS, before))


CLOSED = f"select id from family where closed_at < $1 and erased_at is null order by closed_at {BATCH}"


async def closed_before(tx: Any, moment: datetime) -> list[UUID]:
    """Give families that closed before a moment and are not erased yet, a batch at the most."""
    return [row["id"] for row in await tx.fetch(CLOSED, moment)]


async def is_past(tx: Any, family_id: UUID, moment: datetime) -> bool:
    """Tell whether a family closed before a moment and is not erased yet."""
    statement = "select exists (select from family where id = $1 and closed_at < $2 and erased_at is null)"
    found: bool = await tx.fetchval(statement, family_id, moment)
    return found


def _count(status: str) -> int:
    """Read the number of rows out of a command status such as `DELETE 12`."""
    return int(status.rpartition(" ")[2])
