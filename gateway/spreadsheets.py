"""`GET /spreadsheets/{name}.csv?token=…`: statistics or revenue for who has a signed link.

What the link's maker may not see any more, a forged link and one that ended are the same 404.
"""

from aiohttp import web

from db.pool import DatabaseUnavailable
from gateway.giving import given, later, not_given
from resolvers import spreadsheets
from resolvers.context import Process
from resolvers.problems import Refusal
from schema.spreadsheets import SEES_REVENUE, SEES_STATISTICS

MAY = {"statistics": SEES_STATISTICS, "revenue": SEES_REVENUE}


class Spreadsheets:
    """Handlers over one process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def give(self, request: web.Request) -> web.Response:
        """Give the file that the link is for."""
        name = request.match_info["name"]
        try:
            found = await spreadsheets.asked(self._process, name, request.query.get("token", ""))
            if found is None:
                return not_given()
            MAY[name].permit(found[0])
            content = await spreadsheets.written(self._process, *found)
        except Refusal:
            return not_given()
        except DatabaseUnavailable:
            return later()
        if content is None:
            return not_given()
        return given(request, content, f"{name}.csv", "text/csv; charset=utf-8; header=present")
