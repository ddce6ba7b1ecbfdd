"""The demo city's money: what children used last month, and the invoices of it, by the same functions as anywhere else.

Their PDFs are set when somebody asks for them, so that a demonstration starts as quickly as before.
"""

from datetime import date, datetime, timedelta

import asyncpg

from db import billing, billing_drafts, billing_states
from db.billing import Limits, Run
from db.clock import PARIS
from db.ids import uuid7
from db.keys import Keys

BATCH = 500
LIMITS = Limits(60_000, 5_000, 50)

# The same children every time: by a hash of their ids, and of the day for who stayed at home.
USED = """
    insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source, recorded_at,
        changed_at)
    select m.family_id, d.day::date, m.id, t.id, gen_random_uuid(), t.service_id, 1, 'IMPORT', $3, $3
    from member m cross join generate_series($1::date, $2::date - 1, interval '1 day') d(day)
    join tariff t on t.code = case
        when extract(isodow from d.day) = 3 and abs(hashtext(m.id::text)) % 3 = 0 then 'journee-centre-loisirs'
        when extract(isodow from d.day) in (1, 2, 4, 5) then 'repas-cantine' end
        or t.code = 'accueil-du-soir' and extract(isodow from d.day) in (1, 2, 4, 5)
            and abs(hashtext(m.id::text)) % 2 = 0
    where m.role = 'CHILD' and m.school is not null and abs(hashtext(m.id::text || d.day::text || t.code)) % 10 > 0
    order by m.family_id, d.day, m.id, t.id
"""


async def use_and_bill(connection: asyncpg.Connection, keys: Keys, now: datetime) -> int:
    """Write what was used in the month before `now`, and publish its invoices on the third; give how many."""
    this_month = now.astimezone(PARIS).date().replace(day=1)
    month = (this_month - timedelta(days=1)).replace(day=1)
    await connection.execute(USED, month, this_month, now)
    run_id = uuid7(now)
    await billing.insert(connection, run_id, month, None, None, now)
    while run := await billing.hold(connection, run_id):
        families = await billing.next_families(connection, run, BATCH)
        if not families:
            break
        known = await billing.quotients(connection, keys, families, run.period, run.end)
        await billing.draft(connection, run, families, known, LIMITS)
        await billing_states.move_on(connection, run.id, families[-1], len(families))
    assert run is not None, "it is held"
    return await _published(connection, run, this_month, now)


async def _published(connection: asyncpg.Connection, run: Run, this_month: date, now: datetime) -> int:
    issued_on = min(this_month + timedelta(days=2), now.astimezone(PARIS).date())
    due_on = issued_on + timedelta(days=30)
    await billing_states.counted(connection, run.id, run.families_done)
    await billing_states.drafted(connection, run.id, now)
    await billing_states.publishing(connection, run.id, None, issued_on, due_on)
    ordered = await billing.hold(connection, run.id)
    assert ordered is not None, "it is held"
    while await billing_drafts.publish_next(connection, ordered, BATCH, now):
        pass
    return (await billing_states.published(connection, run.id, now))["invoices"]
