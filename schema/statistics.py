"""Statistics: how many procedures stand where, and how long decisions take."""

from datetime import date
from enum import Enum

import strawberry

from resolvers.reading.mapping import Order
from schema.access import ANY_AGENT, and_partner
from schema.declare import Arg, column, one, report, stored
from schema.procedures import ProcedureStatus
from schema.relay import Connection, Node
from schema.services import Service
from schema.tags import Tag

BY_GROUP = Order((("{o}.id", "text"),))
TITLE = """(select case :language when 'en' then k.title_en else k.title_fr end from procedure_kind k
    where k.code = {t}.kind_code order by k.version desc limit 1)"""


def count_sql(name: str) -> str:
    """Give the template of a count, within what an Int holds."""
    return f"greatest(least({{t}}.{name}, 2147483647), 0)::integer"


@strawberry.enum(description="By what procedures are counted.")
class StatisticsGroup(Enum):
    """Groups of statistics; any combination."""

    KIND = strawberry.enum_value("KIND", description="Kind of procedure, all its versions together.")
    STATUS = strawberry.enum_value("STATUS", description="Where procedures stand now.")
    SERVICE = strawberry.enum_value("SERVICE", description="Service in charge.")
    MONTH = strawberry.enum_value("MONTH", description="Month of submission, by the days of Paris.")


COUNTED = """(select s.*, array(select distinct g from unnest(%(by)s) g order by g) as grouped_by,
    case when %(since)s > date '0001-01-01' then %(since)s end as since,
    case when %(until)s < date '9999-12-31' then %(until)s end as until, case when %(codes)s is not null
        then array(select v.code from service v where v.code = any (%(codes)s) order by v.code) end as codes
    from statistics(%(by)s, %(since)s, %(until)s, %(codes)s, :services, :admin) s)"""
"""The rows that answer a question, each with the question: the same groups and services in another order, twice, or
with a service that there is not, are the same; so are the first and the last day there is, and no day."""


@stored(
    "statistics",
    {"AGENT": "true", "PARTNER": "'STATISTICS_READ' = any(:scopes)"},
    tag=Tag.STATISTICS_ROW,
    key=("id", "grouped_by", "since", "until", "codes"),
    types={"id": "text", "grouped_by": "text[]", "since": "date", "until": "date", "codes": "text[]"},
    again=COUNTED % {"by": "{k}.grouped_by", "since": "{k}.since", "until": "{k}.until", "codes": "{k}.codes"},
)
@strawberry.type(
    description="Procedures submitted in a time, counted. Delays are hours from submission to decision (accepted, "
    "rejected or closed); they are read from classes and wrong by 5 % and 3 minutes at the most."
)
class StatisticsRow(Node):
    """One group of the answer to one question; a family is never named, and drafts are not counted."""

    id: strawberry.ID = column(
        "Opaque id, the same for the same group counted by the same, in the same time, of the same services.", "{t}.id"
    )
    month: date | None = column("First day of the month, when counted by MONTH.", "{t}.month::date")
    service: Service | None = one("The service, when counted by SERVICE.", "{o}.id = {t}.service_id")
    kind_code: str | None = column("Code of the kind, when counted by KIND.", "{t}.kind_code::text")
    kind_title: str | None = column("Title of the kind, in the language of the viewer.", TITLE)
    status: ProcedureStatus | None = column("The status, when counted by STATUS.", "{t}.status::text")
    submitted: int = column("How many were submitted.", count_sql("submitted"))
    open: int = column(
        "The backlog: how many wait for a decision (SUBMITTED, IN_REVIEW, AWAITING_FAMILY).", count_sql("open")
    )
    decided: int = column(
        "How many were decided.", "(select coalesce(sum(u.n), 0)::integer from unnest({t}.classes) u(n))"
    )
    accepted: int = column("How many were accepted.", count_sql("accepted"))
    rejected: int = column("How many were rejected.", count_sql("rejected"))
    median_hours: float | None = column(
        "Half of the decisions took no longer than so many hours; null when there is none.",
        "round(delay_at({t}.classes, 0.5)::numeric, 2)::float8",
    )
    p90_hours: float | None = column(
        "Nine of ten decisions took no longer than so many hours.",
        "round(delay_at({t}.classes, 0.9)::numeric, 2)::float8",
    )


@strawberry.type
class StatisticsQueries:
    """Root fields about statistics."""

    statistics: Connection[StatisticsRow] = report(
        "Procedures of the agent's or the partner's services, of all for administrators: counts, backlog and delays, "
        "in order of month, service, kind and status.",
        COUNTED % {"by": ":arg_groupBy", "since": ":arg_from", "until": ":arg_until", "codes": ":arg_services"},
        BY_GROUP,
        may=and_partner(ANY_AGENT, "STATISTICS_READ"),
        group_by=Arg(list[StatisticsGroup], "By what to count; nothing: one row for all.", "text[]"),
        **{"from": Arg(date | None, "First day of submission.", "date")},
        until=Arg(date | None, "Last day of submission.", "date"),
        services=Arg(list[str] | None, "Only these services, by their codes.", "text[]"),
    )
