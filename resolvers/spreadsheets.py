"""Dashboards as files: short links to statistics and revenue in CSV (RFC 4180), read with the sight of who asked."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from db import sessions as live
from db import statistics as stored
from db.keys import LinkRefused
from resolvers import sessions
from resolvers.cells import cell
from resolvers.context import Context, Process
from resolvers.viewer import SYSTEM_SIGHT, Viewer

DOWNLOAD = "download-spreadsheet"
MOST_SERVICES = 20
"""Named in one link, whose address must not grow too long."""

Name = Literal["statistics", "revenue"]
HEADINGS = {
    "statistics": (
        "month", "service", "kind", "title", "status", "submitted", "open", "decided", "accepted", "rejected",
        "median_hours", "p90_hours",
    ),
    "revenue": ("month", "service", "invoices", "families", "invoiced_cents", "paid_cents", "due_cents"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file holds; the arguments of the root field of its name."""

    name: Name
    by: Sequence[str]
    first: date | None
    last: date | None
    services: Sequence[str] | None


async def link(context: Context, wanted: Wanted) -> tuple[str, datetime]:
    """Give the address of a file for whoever has it, and when it ends: with the session, or after some minutes.

    Raises Refusal BAD_USER_INPUT for what would be more than `partners.spreadsheet_rows` lines.
    """
    process, settings = context.process, context.process.settings.partners
    if len(wanted.services or ()) > MOST_SERVICES:
        raise context.refusal("BAD_USER_INPUT", ["services"])
    if await _rows(process, context.viewer, wanted) is None:
        raise context.refusal("BAD_USER_INPUT", ["from"])
    until = process.clock() + timedelta(seconds=settings.spreadsheet_link_seconds)
    days = {"from": wanted.first and wanted.first.isoformat(), "until": wanted.last and wanted.last.isoformat()}
    what = {"name": wanted.name, "by": list(wanted.by), "services": wanted.services, **days}
    token = process.keys.link_token(DOWNLOAD, {"session": str(context.viewer.session_id), **what}, until)
    return f"{process.settings.server.url}/spreadsheets/{wanted.name}.csv?token={token}", until


async def asked(process: Process, name: str, token: str) -> tuple[Viewer, Wanted] | None:
    """Give who made a link, as they are now, and what for; None when it is not one of ours, or its session ended."""
    now = process.clock()
    try:
        claims = process.keys.read_link(DOWNLOAD, token, now)
        session_id = UUID(claims["session"])
    except (LinkRefused, KeyError, ValueError):
        return None
    if claims["name"] != name:
        return None
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        state = await live.state(tx, session_id, now)
    if state is None:
        return None
    first, last = (claims[each] and date.fromisoformat(claims[each]) for each in ("from", "until"))
    return sessions.viewer_of(state, state.expires_at), Wanted(
        claims["name"], claims["by"], first, last, claims["services"]
    )


async def written(process: Process, viewer: Viewer, wanted: Wanted) -> bytes | None:
    """Write the file; None when it would be too long by now."""
    rows = await _rows(process, viewer, wanted)
    if rows is None:
        return None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS[wanted.name])
    for row in rows:
        writer.writerow([cell(each) if isinstance(each, str) else each for each in row])
    return text.getvalue().encode()


async def _rows(process: Process, viewer: Viewer, wanted: Wanted) -> list[Any] | None:
    most = process.settings.partners.spreadsheet_rows
    what = (wanted.first, wanted.last, wanted.services, list(viewer.services))
    async with process.database.transaction(viewer.sight) as tx:
        if wanted.name == "revenue":
            rows = await stored.revenue(tx, *what, bool(viewer.roles & {"CASHIER", "ADMIN"}), most + 1)
        else:
            rows = await stored.counts(tx, wanted.by, *what, "ADMIN" in viewer.roles, viewer.language, most + 1)
    return rows if len(rows) <= most else None
