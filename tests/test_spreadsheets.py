"""Dashboards as CSV, by a short link: the rows of the field, no formula, and for nobody else."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from resolvers.cells import cell
from tests.conftest import Database
from tests.counters import cashier
from tests.house import House, opened
from tests.test_partners import REVOKE, admin, made, partner, service_id, token
from tests.test_revenue import publish
from tests.test_revenue import read as revenue
from tests.test_statistics import read as statistics

STATISTICS = """mutation ($by: [StatisticsGroup!]!, $services: [String!]) {
    statisticsLink(groupBy: $by, services: $services) { problems { code path } url expiresAt } }"""
REVENUE = "mutation { revenueLink { problems { code path } url } }"


async def fetched(house: House, url: str) -> tuple[int, str, Any]:
    """Follow a link without a token."""
    path = url[url.index("/spreadsheets") :]
    async with house.http.get(house.url + path) as answer:
        return answer.status, (await answer.read()).decode(), answer.headers


def table(text: str) -> list[dict[str, str]]:
    """Read a file by another implementation."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_file_of_statistics_has_the_rows_of_the_field(house: House) -> None:
    access = await partner(house)
    link = await house.do(STATISTICS, access, by=["MONTH", "SERVICE", "KIND", "STATUS"])
    status, text, headers = await fetched(house, link["url"])
    assert status == 200 and headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert 'filename="statistics.csv"' in headers["Content-Disposition"] and "no-store" in headers["Cache-Control"]
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    found, wanted = table(text), await statistics(house, access, "MONTH", "SERVICE", "KIND", "STATUS")
    assert len(found) == len(wanted) > 10
    for row, node in zip(found, wanted, strict=True):
        assert row["month"] == node["month"] and row["service"] == node["service"]["code"]
        assert (row["kind"], row["title"], row["status"]) == (node["kindCode"], node["kindTitle"], node["status"])
        assert [int(row[name]) for name in ("submitted", "open", "decided")] == [
            node[name] for name in ("submitted", "open", "decided")
        ]
        assert (float(row["median_hours"]) if row["median_hours"] else None) == node["medianHours"]


async def test_a_file_of_revenue_keeps_small_sums_from_partners(house: House) -> None:
    family, _ = await house.member()
    await publish(house, family.id, {"cantine": [1250], "etat-civil": [99]}, date(2031, 3, 1), cesu=False)
    access, till = await partner(house), await cashier(house)
    for who, sums in ((access, ""), (till, "1250")):
        _, text, _ = await fetched(house, (await house.do(REVENUE, who))["url"])
        rows, wanted = table(text), await revenue(house, who)
        assert [(row["month"], row["service"]) for row in rows] == [
            (each["month"], each["service"]["code"]) for each in wanted
        ]
        [row] = [each for each in rows if each["month"] == "2031-03-01" and each["service"] == "cantine"]
        assert row["invoices"] == "1" and row["invoiced_cents"] == row["due_cents"] == sums
        assert ("etat-civil" in text) == (who == till)


async def test_a_link_is_nobody_elses_and_ends(house: House) -> None:
    link = (await house.do(STATISTICS, await partner(house), by=[]))["url"]
    base, _, signed = link.partition("?token=")
    revenue_path = base.replace("statistics", "revenue")
    other = (await house.do(REVENUE, await partner(house)))["url"].partition("?token=")[2]
    for url in (base, f"{base}?token=", f"{base}?token={signed[:-4]}AAAA", f"{base}?token={other}",
                f"{revenue_path}?token={signed}"):  # fmt: skip
        status, text, _ = await fetched(house, url)
        assert status == 404 and "submitted" not in text and "invoices" not in text
    assert (await fetched(house, link))[0] == 200
    house.clock.ahead += timedelta(seconds=301)
    assert (await fetched(house, link))[0] == 404


async def test_a_link_ends_with_its_partner_and_with_the_scope(house: House) -> None:
    global_id, client, secret = await made(house, scopes=["STATISTICS_READ"])
    access = (await token(house, {}, (client, secret))).access
    link = (await house.do(STATISTICS, access, by=["SERVICE"]))["url"]
    assert (await fetched(house, link))[0] == 200
    await house.do(REVOKE, await admin(house), id=global_id)
    assert (await fetched(house, link))[0] == 404


async def test_without_the_scope_nobody_gets_a_link(house: House) -> None:
    _, family = await house.member()
    service = await service_id(house, "cantine")
    _, client, secret = await made(house, scopes=["PROCEDURES_READ"], services=[service])
    other = (await token(house, {}, (client, secret))).access
    for access in (other, family):
        assert (await house.ask(STATISTICS, access, by=[])).codes == ["FORBIDDEN"]
        assert (await house.ask(REVENUE, access)).codes == ["FORBIDDEN"]
    assert (await house.ask(REVENUE, await house.agent())).codes == ["FORBIDDEN"]
    services = [f"service-{n}" for n in range(21)]
    assert await house.problems(STATISTICS, await partner(house), by=[], services=services) == ["BAD_USER_INPUT"]


@pytest.fixture
async def small(city: Database) -> AsyncIterator[House]:
    """Give a portal whose files are short."""
    async with opened(city.dsn, partners={"spreadsheet_rows": 3}) as running:
        yield running


async def test_a_file_that_would_be_too_long_is_refused_and_never_cut(small: House) -> None:
    access = await partner(small)
    assert await small.problems(STATISTICS, access, by=["KIND", "STATUS", "MONTH"]) == ["BAD_USER_INPUT"]
    assert (await fetched(small, (await small.do(STATISTICS, access, by=[]))["url"]))[0] == 200


async def test_a_file_that_grew_too_long_after_its_link_is_not_given(city: Database, small: House) -> None:
    """Another node allows longer files: what it links to is too long here."""
    async with opened(city.dsn) as other:
        link = (await other.do(STATISTICS, await partner(other), by=["KIND", "STATUS", "MONTH"]))["url"]
        assert (await fetched(other, link))[0] == 200
    assert (await fetched(small, link))[0] == 404


async def test_a_title_is_never_a_formula_and_keeps_its_quotes(house: House) -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert cell(text) == f"'{text}"
    assert [cell(text) for text in ("", "-", "Cantine", "1=1")] == ["", "-", "Cantine", "1=1"]
    title = '=HYPERLINK("https://example.org","Cantine, midi")'
    await house.connection.execute("update procedure_kind set title_fr = $1 where code = 'cantine'", title)
    link = (await house.do(STATISTICS, await partner(house), by=["KIND"]))["url"]
    rows = table((await fetched(house, link))[1])
    assert [row["title"] for row in rows if row["kind"] == "cantine"] == [f"'{title}"]
