"""Short links to dashboards as CSV."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from resolvers import spreadsheets
from resolvers.spreadsheets import Wanted
from schema.access import ANY_AGENT, TILL, and_partner
from schema.declare import Payload, mutation
from schema.relay import Info
from schema.statistics import StatisticsGroup

SEES_STATISTICS = and_partner(ANY_AGENT, "STATISTICS_READ")
SEES_REVENUE = and_partner(TILL, "INVOICES_AGGREGATE")

First = Annotated[date | None, strawberry.argument(name="from", description="As of the root field of the same name.")]
Last = Annotated[date | None, strawberry.argument(description="As of the root field of the same name.")]
Services = Annotated[
    list[str] | None, strawberry.argument(description="Only these services, by their codes; 20 at most.")
]


@strawberry.type(description="A link to a file.")
class SpreadsheetLinkPayload(Payload):
    """Payload of statisticsLink and revenueLink."""

    url: str | None = strawberry.field(
        default=None, description="Gives the file (CSV, RFC 4180) to whoever has it, without signing in."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it ends, five minutes later unless the city sets another time; or with the session.",
    )


@strawberry.type
class SpreadsheetMutations:
    """Commands about files for spreadsheets."""

    @mutation(may=SEES_STATISTICS, description="Make a short link to `statistics` as CSV: the same rows, all of them.")
    async def statistics_link(
        info: Info,
        group_by: Annotated[list[StatisticsGroup], strawberry.argument(description="By what to count.")],
        first: First = None,
        until: Last = None,
        services: Services = None,
    ) -> SpreadsheetLinkPayload:
        """Read anew when it is fetched."""
        by = [each.name for each in group_by]
        url, ends = await spreadsheets.link(info.context, Wanted("statistics", by, first, until, services))
        return SpreadsheetLinkPayload(url=url, expires_at=ends)

    @mutation(may=SEES_REVENUE, description="Make a short link to `revenue` as CSV: the same rows, all of them.")
    async def revenue_link(
        info: Info, first: First = None, until: Last = None, services: Services = None
    ) -> SpreadsheetLinkPayload:
        """Read anew when it is fetched."""
        url, ends = await spreadsheets.link(info.context, Wanted("revenue", [], first, until, services))
        return SpreadsheetLinkPayload(url=url, expires_at=ends)
