""" "Informations sur mesure": pages for this family, from its members, its open procedures and what it owes (R14)."""

from enum import Enum
from typing import Any

import strawberry

from resolvers.reading.mapping import Order
from schema.access import AFTER_TERMS
from schema.declare import column
from schema.invoices import TODAY


@strawberry.enum(description="Why a page is suggested to the family that looks.")
class SuggestionReason(Enum):
    """Reasons, the strongest first."""

    DRAFT = strawberry.enum_value("DRAFT", description="It prepares a procedure that the family is writing.")
    INVOICE = strawberry.enum_value(
        "INVOICE", description="It helps with an invoice that is due within 14 days, or whose due date has passed."
    )
    OPEN_PROCEDURE = strawberry.enum_value(
        "OPEN_PROCEDURE", description="It says what comes after a procedure that is open, or decided this month."
    )
    MEMBER = strawberry.enum_value("MEMBER", description="It is for members of this age, at school or not.")


PROCEDURES = """exists (select from procedure p join procedure_kind k on k.id = p.kind_id
    join page_kind l on l.kind_code = k.code
    where p.family_id = :family and l.page_id = PAGE and l.phase = 'PHASE' and WHICH)"""
OPEN = """(p.status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')
    or p.status in ('ACCEPTED', 'REJECTED', 'CLOSED') and p.updated_at > :now - interval '30 days')"""
MEMBERS = """exists (select from page_audience a join member m on m.family_id = :family and m.ended_at is null
        and m.birth_date is not null
    where a.page_id = PAGE
        and extract(year from age((:now at time zone 'Europe/Paris')::date, m.birth_date))
            between a.age_from and a.age_until - 1
        and (a.at_school is null or a.at_school = (m.school is not null)))"""

INVOICES = """exists (select from page_invoice b join invoice i on i.family_id = :family and i.cancelled_at is null
        and case b.moment when 'OVERDUE' then i.due_on < TODAY else i.due_on between TODAY and TODAY + 14 end
    where b.page_id = PAGE and i.total_cents > (select coalesce(sum(s.cents), 0) from allocation s
        where s.family_id = i.family_id and s.invoice_id = i.id and s.freed_at is null))""".replace("TODAY", TODAY)


@strawberry.enum(description="When an open invoice makes a page worth reading.")
class InvoiceMoment(Enum):
    """What table page_invoice knows."""

    DUE_SOON = strawberry.enum_value("DUE_SOON", description="It is due within 14 days.")
    OVERDUE = strawberry.enum_value("OVERDUE", description="Its due date has passed.")


def _of(row: str) -> dict[str, str]:
    """Give the condition of each reason for the page of a row."""
    page = f"{row}.page_id"
    return {
        "DRAFT": PROCEDURES.replace("PAGE", page).replace("PHASE", "BEFORE").replace("WHICH", "p.status = 'DRAFT'"),
        "INVOICE": INVOICES.replace("PAGE", page),
        "OPEN_PROCEDURE": PROCEDURES.replace("PAGE", page).replace("PHASE", "AFTER").replace("WHICH", OPEN),
        "MEMBER": MEMBERS.replace("PAGE", page),
    }


FOUND = (
    (
        """{o}.page_id in (
    select l.page_id from procedure p join procedure_kind k on k.id = p.kind_id join page_kind l on l.kind_code = k.code
    where p.family_id = :family
        and (l.phase = 'BEFORE' and p.status = 'DRAFT' or l.phase = 'AFTER' and OPEN)
    union select b.page_id from page_audience b where MEMBERS
    union select c.page_id from page_invoice c where INVOICES)"""
    )
    .replace("OPEN", OPEN)
    .replace("MEMBERS", _of("b")["MEMBER"])
    .replace("INVOICES", _of("c")["INVOICE"])
)
"""The same from the family's side, so that only its own rows are looked at, however many pages there are."""

WEIGHTS = {"DRAFT": 8, "INVOICE": 4, "OPEN_PROCEDURE": 2, "MEMBER": 1}
SCORE = " + ".join(f"case when {_of('{o}')[name]} then {weight} else 0 end" for name, weight in WEIGHTS.items())
BEST_FIRST = Order(((f"({SCORE})", "integer"), ("{o}.page_id", "uuid")), descending=True, name="/suggested")

REASONS = ", ".join(f"case when {condition} then '{name}' end" for name, condition in _of("{t}").items())


def reasons(description: str) -> Any:
    """Declare the reasons for which a page is suggested."""
    return column(description, f"to_json(array_remove(array[{REASONS}]::text[], null))", may=AFTER_TERMS)
