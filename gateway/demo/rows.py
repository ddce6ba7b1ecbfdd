"""The demo city's families as rows of tables: what `city.py` copies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from db import outbox
from db import procedures as stored
from db.families import sealed_quotient
from db.ids import SeededIds
from db.keys import Keys
from gateway.demo.histories import History, Step
from gateway.demo.households import Household
from resolvers import activation_codes, news
from resolvers.procedures import implied_decision

Row = tuple[Any, ...]

COLUMNS: Mapping[str, str] = {
    "service": "id code name_fr name_en address phone email hours_fr hours_en",
    "agent": "id email name password_hash roles services created_at",
    "terms": "version effective_at published_at body_fr body_en hash",
    "procedure_kind": "id code version service_id title_fr title_en summary_fr summary_en form attestation_fr "
    "attestation_en decision_months silence_means published_at",
    "place": "id code name_fr name_en address latitude longitude access_fr access_en accessibility phone email "
    "open_on_public_holidays created_at",
    "opening_rule": "id place_id weekday opens closes season",
    "exceptional_day": "id place_id first_day last_day reason_fr reason_en",
    "opening_span": "place_id opens_at closes_at",
    "page_category": "id code parent_id title_fr title_en position",
    "page": "id slug category_id created_at",
    "page_version": "id page_id number category_id slug title_fr summary_fr body_fr html_fr plain_fr title_en "
    "summary_en body_en html_en plain_en visible_from edited_by created_at",
    "page_place": "page_id place_id position",
    "page_kind": "page_id kind_code phase position",
    "family": "id number profile name language siret rna activated_at created_at news_seq",
    "member": "family_id id role first_name last_name birth_date school child_id created_at",
    "quotient_familial": "family_id id sealed_value valid_from valid_until source recorded_by recorded_at",
    "activation_code": "family_id id code_hmac expires_at used_at created_at",
    "account": "family_id id email email_verified_at password_hash language created_at",
    "terms_acceptance": "family_id account_id version hash manner accepted_at",
    "address": "family_id id account_id channel value verified_at created_at",
    "channel_preference": "family_id topic channels updated_at",
    "data_choice": "family_id datum id keep changed_at",
    "service_opt_in": "family_id service_id id opted_in changed_at",
    "procedure": "family_id id reference kind_id service_id member_id status event_count answers attestation "
    "submitted_at implied_decision_on assigned_agent_id created_at updated_at",
    "procedure_event": "family_id procedure_id number id service_id from_status to_status actor agent_id message "
    "occurred_at",
    "news": "family_id seq id topic type subject_id service_id procedure_id procedure_event_number data "
    "occurred_at read_at",
    "delivery": "family_id id news_seq subject_id channel address status next_channels attempts next_try_at "
    "sent_at receipt created_at",
}
"""Tables in the order in which foreign keys allow them, and their columns."""

PREFERRED_FOR = "PROCEDURE_STATUS"
READ_AFTER = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class House:
    """What all families of the city have in common."""

    keys: Keys
    now: datetime
    password_hash: str
    terms_version: int
    terms_hash: str
    kinds: Mapping[str, stored.Kind]
    agents: Mapping[str, UUID]
    """By service: who works on its procedures."""


class Tables(dict[str, list[Row]]):
    """Rows by table, in the order of COLUMNS."""

    def __init__(self) -> None:
        super().__init__((table, []) for table in COLUMNS)

    def add(self, table: str, *values: Any) -> None:
        """Add a row; the values stand in the order of COLUMNS."""
        self[table].append(values)


class FamilyRows:
    """Turns one household and its histories into rows."""

    def __init__(self, tables: Tables, house: House, household: Household, seed: int) -> None:
        random = Random(f"{seed}/rows/{household.index}")
        self._tables = tables
        self._house = house
        self._household = household
        self._random = random
        self._ids = SeededIds(random)
        self._created_at = house.now - timedelta(seconds=random.randint(800 * 86_400, 1_200 * 86_400))
        self._activated_at = house.now - timedelta(seconds=random.randint(366 * 86_400, 700 * 86_400))
        self._id = self._ids.at(self._created_at)
        self._members: dict[Any, UUID] = {}

    def write(self, histories: Iterable[tuple[str, History]]) -> None:
        """Add all rows of the family; each history comes with its reference."""
        self._people()
        self._quotients()
        self._code()
        addresses = [self._account(email) for email in self._household.emails]
        if not addresses:
            self._address(None, "POST", self._household.postal, None)
        if self._household.preference:
            channels = list(self._household.preference)
            self._tables.add("channel_preference", self._id, PREFERRED_FOR, channels, self._activated_at)
        told = [item for reference, history in histories for item in self._procedure(reference, history)]
        told.sort(key=lambda item: item.occurred_at)
        for seq, item in enumerate(told, 1):
            self._news(seq, addresses, item)
        active = self._activated_at if addresses else None
        family = self._household
        values = (family.number, family.profile, family.name, family.language, family.siret, family.rna)
        self._tables.add("family", self._id, *values, active, self._created_at, len(told))
        self._choices({item.service_id for item in told if item.service_id})

    def _choices(self, used: set[UUID]) -> None:
        """Add what the family keeps (most do, to fill in the next form), and the services that it uses (R2)."""
        at = self._activated_at
        if self._household.emails and self._household.index % 4:
            self._tables.add("data_choice", self._id, "ANSWERS", self._ids.at(at), True, at)
        for service_id in sorted(used):
            self._tables.add("service_opt_in", self._id, service_id, self._ids.at(at), True, at)

    def _people(self) -> None:
        for person in self._household.people:
            member_id = self._ids.at(self._created_at)
            self._members[person] = member_id
            values = (person.role, person.first_name, person.last_name, person.birth_date, person.school)
            child_id = self._shared_child() if person in self._household.shared else None
            self._tables.add("member", self._id, member_id, *values, child_id, self._created_at)

    def _shared_child(self) -> UUID:
        """Give the id that a child has in both of its families."""
        ids = SeededIds(Random(f"{self._household.elder}/child"))
        return ids.at(self._house.now - timedelta(days=800))

    def _quotients(self) -> None:
        """Add what the CAF said of the last two years, for the households that gave it."""
        if self._household.profile != "INDIVIDUAL" or self._random.random() < 0.15:
            return
        value, agent_id = self._random.randint(150, 2_400), self._house.agents["cantine"]
        for years in (1, 0):
            begun = date(self._house.now.year - years, 1, 1)
            at = self._house.now - timedelta(days=300 + 365 * years)
            sealed = sealed_quotient(self._house.keys, self._id, value + self._random.randint(-90, 90))
            known = (sealed, begun, begun.replace(month=12, day=31), "CAF", agent_id, at)
            self._tables.add("quotient_familial", self._id, self._ids.at(at), *known)

    def _code(self) -> None:
        issued_at = self._activated_at if self._household.emails else self._house.now
        issued_at -= timedelta(days=self._random.randint(3, 60))
        digest = activation_codes.digest(self._house.keys, self._household.number, self._household.code)
        used_at = self._activated_at if self._household.emails else None
        expires_at = issued_at + timedelta(days=365)
        self._tables.add("activation_code", self._id, self._ids.at(issued_at), digest, expires_at, used_at, issued_at)

    def _account(self, email: str) -> str:
        at, house, account_id = self._activated_at, self._house, self._ids.at(self._activated_at)
        language = self._household.language
        self._tables.add("account", self._id, account_id, email, at, house.password_hash, language, at)
        self._address(account_id, "EMAIL", email, at)
        if self._household.accepted:
            manner = self._random.choice(("REGISTRATION", "EXPLICIT"))
            accepted = (house.terms_version, house.terms_hash, manner, at)
            self._tables.add("terms_acceptance", self._id, account_id, *accepted)
        return email

    def _address(self, account_id: UUID | None, channel: str, value: str, verified_at: datetime | None) -> None:
        created_at = verified_at or self._created_at
        address_id = self._ids.at(created_at)
        self._tables.add("address", self._id, address_id, account_id, channel, value, verified_at, created_at)

    def _procedure(self, reference: str, history: History) -> list[outbox.Told]:
        """Add a procedure and its events; give what the family is told of it."""
        kind = self._house.kinds[history.plan.kind.code]
        agent_id = self._house.agents[history.plan.kind.service]
        answers = json.dumps(history.answers, ensure_ascii=False)
        created_at = history.plan.created_at
        procedure = stored.Procedure(
            self._id,
            self._ids.at(created_at),
            reference,
            kind.id,
            kind.service_id,
            history.status,
            len(history.steps),
            answers,
            history.submitted_at,
            history.implied_decision_on,
        )
        self._tables.add(
            "procedure",
            self._id,
            procedure.id,
            reference,
            kind.id,
            kind.service_id,
            self._members[history.person],
            history.status,
            len(history.steps),
            answers,
            kind.attestation[self._household.language] if history.submitted_at else None,
            history.submitted_at,
            history.implied_decision_on,
            agent_id if any(step.actor == "AGENT" for step in history.steps) else None,
            created_at,
            history.steps[-1].at if history.steps else created_at,
        )
        for number, step in enumerate(history.steps, 1):
            by = agent_id if step.actor == "AGENT" else None
            event = (kind.service_id, step.before, step.status, step.actor, by, step.message, step.at)
            self._tables.add("procedure_event", self._id, procedure.id, number, self._ids.at(step.at), *event)
        return [_told(procedure, kind, number, step) for number, step in enumerate(history.steps, 1)]

    def _news(self, seq: int, emails: list[str], told: outbox.Told) -> None:
        """Add one item of the family's stream and the proof that it was sent."""
        at = told.occurred_at
        read_at = at + timedelta(hours=self._random.randint(1, 90)) if at < self._house.now - READ_AFTER else None
        data = json.dumps(told.data, ensure_ascii=False)
        about = (told.subject_id, told.service_id, told.procedure_id, told.procedure_event_number)
        self._tables.add("news", self._id, seq, self._ids.at(at), told.topic, told.type, *about, data, at, read_at)
        channel, values, rest = outbox.route(
            self._household.preference or outbox.DEFAULT_CHANNELS,
            [("EMAIL", email) for email in emails],
            self._household.number,
        )
        status, receipt = ("DELIVERED", "inbox") if channel == "IN_APP" else ("SENT", "250 2.0.0 Ok: queued")
        for value in values:
            sent_at = at + timedelta(milliseconds=self._random.randint(30, 2_500))
            sent = (channel, value, status, rest, 1, at, sent_at, receipt, at)
            self._tables.add("delivery", self._id, self._ids.at(at), seq, told.subject_id, *sent)


def _told(procedure: stored.Procedure, kind: stored.Kind, number: int, step: Step) -> outbox.Told:
    """Say what the portal would have said when it happened."""
    before = replace(procedure, status=step.before)
    if step.status == "SUBMITTED":
        implied_on = implied_decision(step.at, kind.decision_months)
        return news.submitted(before, kind, number, step.at, implied_on.isoformat())
    return news.moved(before, kind, number, step.status, step.message, step.at)
