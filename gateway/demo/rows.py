"""The demo city's families as rows of tables: what `city.py` copies."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from stdnum import iban as ibans

from db import mandates, outbox
from db import procedures as stored
from db.families import sealed_quotient
from db.ids import SeededIds
from db.keys import Keys
from db.legal_clock import Acknowledgement, Submitted
from db.settings import City
from gateway.demo.conversations import Said, asked, said
from gateway.demo.histories import History, Step
from gateway.demo.households import Household
from resolvers import activation_codes, legal_clock, news, sepa

Row = tuple[Any, ...]

COLUMNS: Mapping[str, str] = {
    "service": "id code name_fr name_en address phone email hours_fr hours_en",
    "agent": "id email name password_hash roles services created_at",
    "partner": "id name contact_email language scopes services created_by created_at expires_at",
    "partner_secret": "partner_id id digest hint created_at",
    "terms": "version effective_at published_at body_fr body_en hash",
    "procedure_kind": "id code version service_id title_fr title_en summary_fr summary_en form attestation_fr "
    "attestation_en decision_months silence_means published_at",
    "required_document": "kind_id id position code label_fr label_en help_fr help_en required",
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
    "tariff": "id code service_id label_fr label_en unit_fr unit_en position cesu created_at",
    "tariff_price": "id tariff_id quotient_from quotient_until cents valid_from",
    "page_tariff": "page_id tariff_id position",
    "page_audience": "page_id age_from age_until at_school",
    "page_invoice": "page_id moment",
    "family": "id number profile name language siret rna activated_at created_at news_seq",
    "member": "family_id id role first_name last_name birth_date school child_id created_at",
    "quotient_familial": "family_id id sealed_value valid_from valid_until source recorded_by recorded_at",
    "activation_code": "family_id id code_hmac expires_at used_at created_at",
    "account": "family_id id email email_verified_at password_hash language created_at",
    "terms_acceptance": "family_id account_id version hash manner accepted_at",
    "mandate": "family_id id rum ics account_id sealed_account account_hmac country iban_end text_hash signed_at "
    "signed_on",
    "address": "family_id id account_id channel value verified_at created_at",
    "channel_preference": "family_id topic channels updated_at",
    "data_choice": "family_id datum id keep changed_at",
    "service_opt_in": "family_id service_id id opted_in changed_at",
    "procedure": "family_id id reference kind_id service_id member_id status event_count answers attestation "
    "submitted_at implied_decision_on paused_days assigned_agent_id message_count created_at updated_at",
    "acknowledgement": "family_id procedure_id id service_id received_at implied_decision_on silence_means service "
    "content content_sha256",
    "procedure_event": "family_id procedure_id number id service_id from_status to_status actor agent_id message "
    "occurred_at",
    "information_request": "family_id id procedure_id service_id event_number documents message asked_by asked_at "
    "answers answered_at",
    "procedure_message": "family_id procedure_id number id service_id author account_id agent_id body request_key "
    "posted_at read_at",
    "news": "family_id seq id topic type subject_id service_id procedure_id procedure_event_number data "
    "occurred_at read_at",
    "delivery": "family_id id news_seq subject_id channel address status next_channels attempts next_try_at "
    "sent_at receipt created_at",
}
"""Tables in the order in which foreign keys allow them, and their columns."""

AGREED = hashlib.sha256(b"").digest()
"""Of the words that families of the demonstration agreed to: nobody showed them any."""

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


def made_up_iban(number: int) -> str:
    """Give an account of the bank 99999, which nobody has."""
    bank, branch = 99_999, 1
    key = 97 - (89 * bank + 15 * branch + 3 * number) % 97
    basic = f"{bank:05d}{branch:05d}{number:011d}{key:02d}"
    return f"FR{ibans.calc_check_digits(f'FR00{basic}')}{basic}"


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
        self._account_id: UUID | None = None
        """Its first login."""

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
        if self._account_id is not None and family.index % 5 == 1:
            self._mandate(self._account_id)

    def _mandate(self, account_id: UUID) -> None:
        """Add the mandate of a family that pays by direct debit, for an account of a bank that there is not."""
        at, family, keys = self._activated_at, self._household, self._house.keys
        holder = mandates.Holder(made_up_iban(family.index), None, family.name)
        sealed = mandates.sealed(keys, self._id, holder)
        known = (sealed, mandates.digest(keys, self._id, holder.iban), "FR", holder.iban[-4:], AGREED, at, at.date())
        rum = f"PES-{family.number}-001"
        self._tables.add("mandate", self._id, self._ids.at(at), rum, sepa.DEMO_IDENTIFIER, account_id, *known)

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
        self._account_id = self._account_id or account_id
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
        language = 0 if self._household.language == "fr" else 1
        messages = list(said(self._random, history, language))
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
            _paused_days(history),
            agent_id if any(step.actor == "AGENT" for step in history.steps) else None,
            len(messages),
            created_at,
            history.steps[-1].at if history.steps else created_at,
        )
        receipt = self._receipt(procedure, kind, history) if history.submitted_at else None
        if receipt:
            self._tables.add("acknowledgement", *astuple(receipt))
        for number, step in enumerate(history.steps, 1):
            by = agent_id if step.actor == "AGENT" else None
            event = (kind.service_id, step.before, step.status, step.actor, by, step.message, step.at)
            self._tables.add("procedure_event", self._id, procedure.id, number, self._ids.at(step.at), *event)
        for each in asked(history, language):
            about = (self._ids.at(each.asked_at), procedure.id, kind.service_id, each.number, [each.document])
            answer = "{}" if each.answered_at else None
            answered = (each.message, agent_id, each.asked_at, answer, each.answered_at)
            self._tables.add("information_request", self._id, *about, *answered)
        for number, message in enumerate(messages, 1):
            self._message(procedure, number, message, agent_id)
        steps = [_told(procedure, kind, number, step, receipt) for number, step in enumerate(history.steps, 1)]
        return steps + [news.message(procedure, kind, each.author, each.body, each.at) for each in messages]

    def _receipt(self, procedure: stored.Procedure, kind: stored.Kind, history: History) -> Acknowledgement:
        """Give the acknowledgement that the portal would have made when it was submitted."""
        assert procedure.submitted_at is not None, "the caller has looked"
        person = history.person
        submitted = Submitted(
            self._household.number,
            self._household.name,
            procedure.reference,
            kind.code,
            1,
            *(kind.title["fr"], kind.title["en"]),
            *(person.first_name, person.last_name),
            procedure.answers,
            kind.attestation[self._household.language],
            procedure.submitted_at,
            kind.id,
        )
        key = (procedure.family_id, procedure.id)
        return legal_clock.acknowledgement_of(key, submitted, kind, self._ids.at(procedure.submitted_at))

    def _message(self, procedure: stored.Procedure, number: int, message: Said, agent_id: UUID) -> None:
        """Add a message; the other side has read what is not quite new."""
        read = message.at < self._house.now - READ_AFTER
        by = (self._account_id, None) if message.author == "FAMILY" else (None, agent_id)
        self._tables.add(
            "procedure_message",
            self._id,
            procedure.id,
            number,
            self._ids.at(message.at),
            procedure.service_id,
            message.author,
            *by,
            message.body,
            f"demo-message-{number}",
            message.at,
            message.at + timedelta(hours=5) if read else None,
        )

    def _news(self, seq: int, emails: list[str], told: outbox.Told) -> None:
        """Add one item of the family's stream and the proof that it was sent."""
        at = told.occurred_at
        read_at = at + timedelta(hours=self._random.randint(1, 90)) if at < self._house.now - READ_AFTER else None
        data = json.dumps(told.data, ensure_ascii=False)
        about = (told.subject_id, told.service_id, told.procedure_id, told.procedure_event_number)
        self._tables.add("news", self._id, seq, self._ids.at(at), told.topic, told.type, *about, data, at, read_at)
        channel, values, rest = outbox.route(
            ("IN_APP",) if told.inbox_only else self._household.preference or outbox.DEFAULT_CHANNELS,
            [("EMAIL", email) for email in emails],
            self._household.number,
        )
        status, receipt = ("DELIVERED", "inbox") if channel == "IN_APP" else ("SENT", "250 2.0.0 Ok: queued")
        for value in values:
            sent_at = at + timedelta(milliseconds=self._random.randint(30, 2_500))
            sent = (channel, value, status, rest, 1, at, sent_at, receipt, at)
            self._tables.add("delivery", self._id, self._ids.at(at), seq, told.subject_id, *sent)


def _paused_days(history: History) -> int:
    if history.submitted_at is None or history.implied_decision_on is None:
        return 0
    first = legal_clock.implied_decision(history.submitted_at, history.plan.kind.decision_months)
    return (history.implied_decision_on - first).days


def _told(
    procedure: stored.Procedure, kind: stored.Kind, number: int, step: Step, receipt: Acknowledgement | None
) -> outbox.Told:
    """Say what the portal would have said when it happened."""
    before = replace(procedure, status=step.before)
    if receipt and step.status == "SUBMITTED":
        return news.submitted(before, kind, number, receipt, City().court)
    if step.actor == "CLOCK":
        return news.decided_by_silence(before, kind, number, step.status, step.at)
    return news.moved(before, kind, number, step.status, step.message, step.at)
