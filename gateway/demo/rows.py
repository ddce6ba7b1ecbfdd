"""The demo city's families as rows of tables: what `city.py` copies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from db import outbox
from db.ids import SeededIds
from db.keys import Keys
from gateway.demo.histories import History
from gateway.demo.households import Household
from gateway.demo.kinds import ATTESTATION
from resolvers import activation_codes

Row = tuple[Any, ...]

COLUMNS: Mapping[str, str] = {
    "service": "id code name_fr name_en phone email hours_fr hours_en",
    "agent": "id email name password_hash roles services created_at",
    "terms": "version effective_at published_at body_fr body_en hash",
    "procedure_kind": "id code version service_id title_fr title_en summary_fr summary_en form attestation_fr "
    "attestation_en decision_months silence_means published_at",
    "family": "id number profile name language activated_at created_at news_seq",
    "member": "family_id id role first_name last_name birth_date school created_at",
    "activation_code": "family_id id code_hmac expires_at used_at created_at",
    "account": "family_id id email email_verified_at password_hash language created_at",
    "terms_acceptance": "family_id account_id version hash manner accepted_at",
    "address": "family_id id account_id channel value verified_at created_at",
    "channel_preference": "family_id topic channels updated_at",
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

TOPIC = "PROCEDURE_STATUS"
READ_AFTER = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class House:
    """What all families of the city have in common."""

    keys: Keys
    now: datetime
    password_hash: str
    terms_version: int
    terms_hash: str
    services: Mapping[str, UUID]
    kinds: Mapping[str, UUID]
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
        self._code()
        addresses = [self._account(email) for email in self._household.emails]
        if not addresses:
            self._address(None, "POST", self._household.postal, None)
        if self._household.preference:
            channels = list(self._household.preference)
            self._tables.add("channel_preference", self._id, TOPIC, channels, self._activated_at)
        moves = [move for reference, history in histories for move in self._procedure(reference, history)]
        moves.sort(key=lambda move: move["at"])
        for seq, move in enumerate(moves, 1):
            self._news(seq, addresses, **move)
        active = self._activated_at if addresses else None
        family = self._household
        values = (family.number, family.profile, family.name, family.language)
        self._tables.add("family", self._id, *values, active, self._created_at, len(moves))

    def _people(self) -> None:
        for person in self._household.people:
            member_id = self._ids.at(self._created_at)
            self._members[person] = member_id
            values = (person.role, person.first_name, person.last_name, person.birth_date, person.school)
            self._tables.add("member", self._id, member_id, *values, self._created_at)

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

    def _procedure(self, reference: str, history: History) -> list[dict[str, Any]]:
        """Add a procedure and its events; give what the family is told of it."""
        kind = history.plan.kind
        procedure_id = self._ids.at(history.plan.created_at)
        service_id, agent_id = self._house.services[kind.service], self._house.agents[kind.service]
        taken = any(step.actor == "AGENT" for step in history.steps)
        attestation = ATTESTATION[0 if self._household.language == "fr" else 1] if history.submitted_at else None
        self._tables.add(
            "procedure",
            self._id,
            procedure_id,
            reference,
            self._house.kinds[kind.code],
            service_id,
            self._members[history.person],
            history.status,
            len(history.steps),
            json.dumps(history.answers, ensure_ascii=False),
            attestation,
            history.submitted_at,
            history.implied_decision_on,
            agent_id if taken else None,
            history.plan.created_at,
            history.steps[-1].at if history.steps else history.plan.created_at,
        )
        moves = []
        for number, step in enumerate(history.steps, 1):
            by = agent_id if step.actor == "AGENT" else None
            event = (service_id, step.before, step.status, step.actor, by, step.message, step.at)
            self._tables.add("procedure_event", self._id, procedure_id, number, self._ids.at(step.at), *event)
            data = {
                "reference": reference,
                "kind": kind.code,
                "title": {"fr": kind.title[0], "en": kind.title[1]},
                "from": step.before,
                "to": step.status,
                "message": step.message,
            }
            moves.append(
                {"at": step.at, "procedure_id": procedure_id, "service_id": service_id, "number": number, "data": data}
            )
        return moves

    def _news(
        self,
        seq: int,
        addresses: list[str],
        *,
        at: datetime,
        procedure_id: UUID,
        service_id: UUID,
        number: int,
        data: dict[str, Any],
    ) -> None:
        """Add one item of the family's stream and the proof that it was sent."""
        read_at = at + timedelta(hours=self._random.randint(1, 90)) if at < self._house.now - READ_AFTER else None
        text = json.dumps(data, ensure_ascii=False)
        told = (TOPIC, "procedure_moved", procedure_id, service_id, procedure_id, number, text, at, read_at)
        self._tables.add("news", self._id, seq, self._ids.at(at), *told)
        channel, values, rest = outbox.route(
            self._household.preference or outbox.DEFAULT_CHANNELS,
            [("EMAIL", email) for email in addresses],
            self._household.number,
        )
        status, receipt = ("DELIVERED", "inbox") if channel == "IN_APP" else ("SENT", "250 2.0.0 Ok: queued")
        for value in values:
            sent_at = at + timedelta(milliseconds=self._random.randint(30, 2_500))
            sent = (channel, value, status, rest, 1, at, sent_at, receipt, at)
            self._tables.add("delivery", self._id, self._ids.at(at), seq, procedure_id, *sent)
