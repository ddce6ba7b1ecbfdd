"""Invoices and payments for tests, made by the functions that make real ones."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db import money, till
from db.clock import utc_now
from db.ledger import PARIS
from resolvers.viewer import SYSTEM_SIGHT

SERVICE = "select id from service where code = 'cantine' union all select id from service limit 1"
MEMBER = "select id from member where family_id = $1 order by id limit 1"

BILLING = """
    with run as (
        insert into billing_run (id, period, kind, state, started_at)
        values (gen_random_uuid(), '2026-01-01', 'REGULAR', 'DRAFTED', now()) returning id
    ), used as (
        insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source, recorded_at,
            changed_at)
        select distinct on (m.family_id) m.family_id, date '2026-01-08', m.id, t.id, gen_random_uuid(), t.service_id, 2,
            'IMPORT', now(), now()
        from member m, (select * from tariff order by code desc limit 1) t order by m.family_id, m.id returning *
    ), changed as (
        insert into consumption_change (family_id, consumption_id, id, service_id, from_quantity, to_quantity, source,
            changed_at)
        select family_id, id, gen_random_uuid(), service_id, 1, 2, 'IMPORT', now() from used
    ), draft as (
        insert into draft_invoice (family_id, id, run_id, kind, standing, line_count, total_cents, cesu_cents)
        select u.family_id, gen_random_uuid(), run.id, 'NEW', '{}', 1, 200, 200 from used u, run returning *
    ), line as (
        insert into draft_line (family_id, draft_id, position, member_id, service_id, tariff_id, label_fr, label_en,
            first_day, last_day, quantity, unit_cents, cents, cesu_eligible, explanation)
        select u.family_id, d.id, 1, u.member_id, u.service_id, u.tariff_id, 'Repas', 'Meals', u.day, u.day, 2, 100,
            200, true, '{"fr": "Prix unique.", "en": "One price."}'
        from used u join draft d using (family_id)
    )
    insert into billing_check (family_id, run_id, id, code, tariff_id, day, before_cents, now_cents, member_id)
    select u.family_id, run.id, gen_random_uuid(), 'DIFFERENCE', u.tariff_id, u.day, 100, 200, u.member_id
    from used u, run
"""
OUTCOME_OF_A_RUN = """
    insert into billing_run (id, period, service_id, kind, state, started_at, drafted_at, published_at, told_at,
        discarded_at, issued_on, due_on, first_number, last_number, failed_at, failed_because)
    select gen_random_uuid(), '2025-12-01', s.id, 'ADJUSTMENT', 'DISCARDED', now(), now(), now(), now(), now(),
        '2026-01-02', '2026-02-02', '2026-000001', '2026-000002', now(), 'DiskFullError'
    from service s where s.code = 'cantine'
"""
DEBITS = (
    """insert into mandate (family_id, id, rum, ics, account_id, sealed_account, account_hmac, country, iban_end,
           text_hash, signed_at, signed_on, ended_at, ended_reason)
       select a.family_id, gen_random_uuid(), 'ESSAI-' || f.number || '-' || e.n, 'FR72ZZZ123456', a.id, '\\x00',
           '\\x00', 'FR', '2606', '\\x00', now(), current_date, e.at, e.why
       from (select distinct on (family_id) family_id, id from account order by family_id, id) a
       join family f on f.id = a.family_id,
           (values (1, now(), 'REVOKED'), (2, null::timestamptz, null)) e(n, at, why)
       where e.at is not null
           or not exists (select from mandate m where m.family_id = a.family_id and m.ended_at is null)""",
    """insert into debit_batch (id, due_on, message_id, created_at, debits, cents, sealed_file, file_hash, filed_at)
       values (gen_random_uuid(), '2026-01-05', 'PES-20260105-1', now(), 1, 1, '\\x00', sha256(''), now())""",
    """insert into debit (family_id, id, invoice_id, mandate_id, cents, collect_on, end_to_end_id, announced_at, state,
           batch_id, sequence, return_reason, returned_on, return_recorded_at)
       select i.family_id, gen_random_uuid(), i.id, m.id, i.total_cents, '2026-01-05', i.number || '-' || s.n, now(),
           s.state, (select b.id from debit_batch b where s.n = 1), s.sequence, s.reason, s.day, s.at
       from (select distinct on (family_id) * from invoice where total_cents > 0 order by family_id, id) i
       join mandate m on m.family_id = i.family_id and m.ended_at is null,
           (values (1, 'RETURNED', 'FRST', 'AM04', current_date, now()),
               (2, 'ANNOUNCED', null, null, null, null::timestamptz)) s(n, state, sequence, reason, day, at)""",
    """insert into docket (id, year, number, made_on, created_at, invoices, cents, sealed_files, csv_hash, xml_hash,
           filed_at)
       values (gen_random_uuid(), 2026, 1, '2026-01-05', now(), 1, 1, '\\x00', sha256(''), sha256(''), now())""",
    """insert into handover (family_id, invoice_id, docket_id, cents, handed_on)
       select distinct on (i.family_id) i.family_id, i.id, d.id, 1, current_date from invoice i, docket d
       order by i.family_id, i.id""",
    """insert into debit_batch (id, due_on, message_id, created_at, debits, cents, sealed_file, file_hash, filed_at,
           withdrawn_at, booked_at)
       select gen_random_uuid(), '2026-02-05', 'PES-20260205-' || e.n, now(), 1, 1, '\\x00', sha256(''), now(), e.back,
           e.booked
       from (values (1, now(), null::timestamptz), (2, null, now())) e(n, back, booked)""",
    """insert into debit (family_id, id, invoice_id, mandate_id, cents, collect_on, end_to_end_id, announced_at, state,
           dropped_at, dropped_because)
       select family_id, gen_random_uuid(), invoice_id, mandate_id, cents, collect_on, end_to_end_id || '-x', now(),
           'DROPPED', now(), 'INVOICE_PAID'
       from debit where state = 'ANNOUNCED'""",
    """insert into agent_task (family_id, id, kind, roles, subject_id, created_at)
       select family_id, gen_random_uuid(), 'DEBIT_RETURNED', '{CASHIER,ADMIN}', id, now()
       from debit where state = 'RETURNED'""",
)


async def lines(connection: asyncpg.Connection, family_id: UUID, *cents: int, cesu: Sequence[int] = ()) -> list[Any]:
    """Make lines of these cents; those named in `cesu` by their positions may be paid by CESU."""
    service = await connection.fetchval(SERVICE)
    member = await connection.fetchval(MEMBER, family_id)
    why = {"fr": "Tarif de votre tranche de quotient.", "en": "Price of your quotient bracket."}
    return [
        money.Line(
            service,
            {"fr": f"Repas, ligne {n}", "en": f"Meals, line {n}"},
            1,
            each,
            member,
            first_day=date(2026, 10, 1),
            last_day=date(2026, 10, 31),
            cesu_eligible=n in cesu,
            explanation=why,
        )
        for n, each in enumerate(cents, 1)
    ]


async def invoice(
    connection: asyncpg.Connection,
    family_id: UUID,
    *cents: int,
    cesu: Sequence[int] = (),
    at: datetime | None = None,
    due_days: int = 30,
    replaces: UUID | None = None,
) -> money.Published:
    """Publish one invoice with lines of these cents."""
    now = at or utc_now()
    day = now.astimezone(PARIS).date()
    made = await lines(connection, family_id, *(cents or (1000,)), cesu=cesu)
    wanted = money.NewInvoice(family_id, day.replace(day=1), day + timedelta(days=due_days), made, replaces_id=replaces)
    async with connection.transaction():
        [published] = await money.publish(connection, [wanted], now)
    return published


async def pay(
    connection: asyncpg.Connection,
    family_id: UUID,
    cents: int,
    invoices: Sequence[UUID],
    *,
    means: str = "ONLINE_CARD",
    source: str = "CARD",
    at: datetime | None = None,
) -> money.Booked:
    """Book one payment."""
    received = money.Received(family_id, means, cents, source, at or utc_now(), "A1B2C3")
    async with connection.transaction():
        return await money.book(connection, received, invoices)


async def as_portal(connection: asyncpg.Connection) -> None:
    """Give a transaction the sight and the role of the portal, as the gateway has them."""
    await connection.execute("set local role kiosque_api")
    for name, value in SYSTEM_SIGHT.items():
        await connection.execute("select set_config($1, $2, true)", name, value)


async def household_accounts(connection: asyncpg.Connection) -> None:
    """Give every family with an account invoices in every state, payments of many kinds, an undone one, a refund."""
    await closed_day(connection)
    for row in await connection.fetch("select distinct family_id from account order by family_id"):
        family_id = row["family_id"]
        paid = await invoice(connection, family_id, 1250, 3300, cesu=(2,))
        part = await invoice(connection, family_id, 4400)
        wrong = await invoice(connection, family_id, 700, -200)
        await invoice(connection, family_id, 990, at=utc_now() - timedelta(days=90))
        await pay(connection, family_id, 2000, [paid.id], means="CESU", source="POST")
        await pay(connection, family_id, 2550, [paid.id])
        await pay(connection, family_id, 400, [part.id], means="CHEQUE", source="POST")
        twice = await pay(connection, family_id, 500, [wrong.id, paid.id])
        undone = await pay(connection, family_id, 300, [part.id], means="CHEQUE", source="POST")
        over = await pay(connection, family_id, 9999, [wrong.id], means="TRANSFER", source="POST")
        async with connection.transaction():
            now = utc_now()
            await money.unbook(connection, family_id, undone.payments[0], "Chèque sans provision.", now)
            await money.cancel(connection, family_id, wrong.id, "Repas non pris.", now)
            await money.refund(connection, family_id, over.payments[0], 777, "TRANSFER", "Trop perçu.", now)
        assert twice.credit_cents == 0
        await invoice(connection, family_id, 100, replaces=wrong.id)


async def closed_day(connection: asyncpg.Connection) -> None:
    """Close a day of the till behind which nobody can be named."""
    day = date(2026, 1, 5)
    async with connection.transaction():
        agent = await connection.fetchval("select id from agent limit 1")
        total = till.Total("CASH", 3, 4500, 0, 500)
        await till.close(connection, day, [total, till.Total("CHEQUE", 1, 9900, 0, 0)], agent, utc_now())


ATTEMPTS = """
    insert into card_attempt (family_id, id, reference, bank, bank_reference, status, end_reason, cents, redirect,
        created_at, expires_at, redirected_at, ended_at, settled_at)
    select p.family_id, p.id, upper(substr(replace(p.id::text, '-', ''), 1, 26)), 'systempay', p.id::text, s.status,
        case when s.status in ('CREATED', 'REDIRECTED') then null when s.status = 'EXPIRED' then 'TIME' else 'BANK' end,
        p.cents, case s.status when 'REDIRECTED' then '{"url": "https://bank.example"}'::json end,
        p.received_at, p.received_at + interval '15 minutes', p.received_at,
        case when s.status not in ('CREATED', 'REDIRECTED') then p.received_at end,
        case when s.status = 'PAID' then p.received_at end
    from (select *, row_number() over (partition by family_id order by id) - 1 as n from payment) p
        join unnest('{PAID,REFUSED,CANCELLED,EXPIRED,REDIRECTED,CREATED}'::text[]) with ordinality s (status, n)
            on s.n = p.n % 6 + 1
"""
PARTS = """
    insert into card_attempt_invoice (family_id, attempt_id, invoice_id, position, cents, live)
    select a.family_id, a.id, i.id, 1, a.cents, false from card_attempt a, lateral (
        select id from invoice where family_id = a.family_id order by id limit 1) i
"""
WORDS = """
    insert into bank_message (family_id, id, attempt_id, bank, source, verdict, bank_status, cents, transaction_id,
        fingerprint, payment_id, first_at, last_at)
    select a.family_id, a.id, a.id, a.bank, 'NOTIFICATION', case a.status when 'PAID' then 'BOOKED' else 'AMOUNT' end,
        'AUTHORISED', a.cents, a.id::text, sha256(a.id::text::bytea), case a.status when 'PAID' then a.id end,
        a.created_at, a.created_at
    from card_attempt a where a.status in ('PAID', 'REFUSED')
"""


async def card_payments(connection: asyncpg.Connection) -> None:
    """Give every payment an attempt at a bank, in every state, and some words of the bank."""
    for statement in (ATTEMPTS, PARTS, WORDS):
        await connection.execute(statement)


async def thaw(connection: asyncpg.Connection) -> None:
    """Let tests mark rows that never change."""
    for table in ("invoice", "invoice_line", "payment", "allocation", "refund", "daily_closing", "daily_total"):
        await connection.execute(f"alter table {table} disable trigger keep")
