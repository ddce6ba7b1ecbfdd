"""What tests of billing share: a town with services, tariffs and families, and a way to let jobs run."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from db.families import Quotient, record_quotient
from db.ids import uuid7
from resolvers.job_runner import Runner
from resolvers.jobs import REGISTRY
from tests.house import KEYS, House, Made

MARCH = date(2026, 3, 1)
"""A month before those that the demo city was billed for."""
MARCHS = [MARCH + timedelta(days=n) for n in range(31)]
NEW_YEAR = date(2026, 1, 1)
START = """mutation ($month: Date!, $service: String) { startBillingRun(month: $month, service: $service) {
    problems { code path } run { id kind state familiesTotal familiesDone invoiceCount total { cents } } } }"""
PUBLISH = """mutation ($run: ID!, $issued: Date, $due: Date) {
    publishBillingRun(run: $run, issuedOn: $issued, dueOn: $due) { problems { code path } run { id state } } }"""
DISCARD = "mutation ($run: ID!) { discardBillingRun(run: $run) { problems { code } run { state } } }"
CORRECT = """mutation ($member: ID!, $tariff: String!, $day: Date!, $quantity: Int!, $reason: String!) {
    correctConsumption(member: $member, tariff: $tariff, day: $day, quantity: $quantity, reason: $reason) {
        problems { code path }
        consumption { id quantity source changes { edges { node { reason toQuantity } } } } } }"""
RUN = """query ($id: ID!) { node(id: $id) { ... on BillingRun {
    kind state familiesTotal familiesDone invoiceCount total { cents formatted } cesu { cents } firstNumber lastNumber
    cancelledCount cancelled { cents } failedAt failedBecause
    leftOut invoicesTold toldAt issuedOn dueOn service { code }
    checks(first: 20) { edges { node { code day tariff { code } member { firstName } before { cents } now { cents }
        family { number } } } }
    drafts(first: 4) { edges { node { kind total { cents } family { number } lines(first: 6) { edges { node {
        position label quantity unitPrice { cents } amount { cents } cesuEligible explanation firstDay lastDay
        member { firstName } service { code } } } } } } }
    invoices(first: 10) { edges { node { number total { cents } } } } } } }"""
MINE = """{ invoices(first: 5) { edges { node {
    number status total { cents } open { cents } replaces lines(first: 5) { edges {
    node { label quantity unitPrice { cents } explanation cesuEligible } } } } } } }"""


@dataclass(slots=True)
class Village:
    """A town whose consumptions are billed."""

    house: House
    services: dict[str, UUID]
    tariffs: dict[str, UUID]
    agent: UUID

    async def do(self, statement: str, *values: Any) -> None:
        """Arrange as the superuser."""
        await self.house.connection.execute(statement, *values)

    async def see(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look as the superuser."""
        return [tuple(row) for row in await self.house.connection.fetch(statement, *values)]

    async def price(
        self, tariff: str, low: int, high: int | None, cents: int, since: date, until: date | None = None
    ) -> None:
        """Write one price."""
        await self.do(
            "insert into tariff_price (id, tariff_id, quotient_from, quotient_until, cents, valid_from, valid_until) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            uuid7(),
            self.tariffs[tariff],
            low,
            high,
            cents,
            since,
            until,
        )

    async def quotient(self, family: UUID, value: int, since: date, until: date | None = None) -> None:
        """Record a quotient."""
        known = Quotient(value, since, until, "CAF")
        await record_quotient(self.house.connection, KEYS, family, known, self.agent, self.house.clock())

    async def children(self, family: Made) -> list[UUID]:
        """Give the members of a family, in order."""
        rows = await self.see("select id from member where family_id = $1 order by first_name, id", family.id)
        return [row[0] for row in rows]

    async def used(self, family: Made, member: UUID, tariff: str, *days: date, quantity: int = 1) -> None:
        """Record what a member used on some days."""
        for day in days:
            await self.do(
                """insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source,
                    recorded_at, changed_at)
                select $1, $2, $3, t.id, $5, t.service_id, $6, 'IMPORT', now(), now() from tariff t where t.id = $4
                on conflict (family_id, day, member_id, tariff_id) do update set quantity = $6""",
                family.id,
                day,
                member,
                self.tariffs[tariff],
                uuid7(),
                quantity,
            )

    async def jobs(self, *kinds: str) -> dict[tuple[str, str], int]:
        """Do what is due."""
        assert self.house.opened is not None
        return dict(await Runner(self.house.opened.process, REGISTRY).run_due(kinds or BILLING_JOBS))

    async def drafted(self, token: str, month: date = MARCH, service: str | None = None) -> dict[str, Any]:
        """Start a run, let it be drafted, and give it."""
        run = (await self.house.do(START, token, month=str(month), service=service))["run"]
        await self.jobs()
        return await self.run(token, run["id"])

    async def run(self, token: str, run_id: str) -> dict[str, Any]:
        """Give a run as an agent sees it."""
        found: dict[str, Any] = (await self.house.ask(RUN, token, id=run_id)).data["node"]
        return {**found, "id": run_id}

    async def published(self, token: str, month: date = MARCH, service: str | None = None) -> dict[str, Any]:
        """Draft and publish a month, and let everything follow."""
        run = await self.drafted(token, month, service)
        await self.house.do(PUBLISH, token, run=run["id"])
        await self.jobs()
        return await self.run(token, run["id"])


BILLING_JOBS = ("draft_billing_run", "publish_billing_run", "issue_invoices", "drop_billing_drafts")
SERVICES = {"cantine": ("Cantine", "Canteen"), "centre-loisirs": ("Centre de loisirs", "Leisure centre")}
TARIFFS = {"repas": ("cantine", "Repas", "Meal", "NEVER"), "journee": ("centre-loisirs", "Journée", "Day", "UNDER_6")}


async def village(house: House) -> Village:
    """Make services, tariffs without prices, and an agent to record quotients."""
    services: dict[str, UUID] = {}
    tariffs: dict[str, UUID] = {}
    agent = uuid7()
    known = await house.connection.fetchval("select id from agent limit 1")
    made = Village(house, services, tariffs, known or agent)
    for code, (fr, en) in SERVICES.items():
        services[code] = await house.connection.fetchval("select id from service where code = $1", code) or uuid7()
        await made.do(
            "insert into service (id, code, name_fr, name_en, address, phone, email, hours_fr, hours_en) "
            "values ($1, $2, $3, $4, '', '', '', '', '') on conflict do nothing",
            services[code],
            code,
            fr,
            en,
        )
    for place, (code, (service, fr, en, cesu)) in enumerate(TARIFFS.items()):
        tariffs[code] = uuid7()
        await made.do(
            "insert into tariff (id, code, service_id, label_fr, label_en, unit_fr, unit_en, position, cesu, "
            "created_at) values ($1, $2, $3, $4, $5, '', '', $6, $7, now())",
            tariffs[code],
            code,
            services[service],
            fr,
            en,
            place,
            cesu,
        )
    return made


async def priced(house: House) -> Village:
    """Give a town with two tariffs, one of them in brackets."""
    made = await village(house)
    for low, high, cents in ((0, 600, 110), (600, 1200, 220), (1200, None, 420)):
        await made.price("repas", low, high, cents, NEW_YEAR)
    await made.price("journee", 0, None, 1500, NEW_YEAR)
    return made
