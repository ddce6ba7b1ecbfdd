"""Families: households, professionals and associations; their identifiers and quotients."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import accounts, families
from resolvers.reading.mapping import Order
from schema.access import ANY_AGENT, COUNTER, FAMILY_OR_COUNTER, FAMILY_OR_TILL
from schema.addresses import Address
from schema.declare import Arg, Payload, aggregate, column, computed, mutation, one, page, stored, written
from schema.documents import Document
from schema.invoices import OF_PERIOD, OF_STATUS, Invoice
from schema.logins import Account, Invitation
from schema.mandates import Mandate
from schema.members import Member, family_key
from schema.money import Money, money
from schema.news import ChannelPreference, Delivery, NewsItem, RoutingStep, Topic, preview_routing
from schema.payments import Payment
from schema.privacy import DataChoice, Export, ServiceOptIn
from schema.procedures import Procedure, ProcedureStatus
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN, Connection, Info, Node, key_of
from schema.sessions import Session
from schema.statements import AccountEntry, statement
from schema.tags import Tag
from schema.terms import NEWEST_ACCEPTED_FIRST, TermsAcceptance

SEALED = "encode({t}.sealed_value, 'base64')"
IN_FORCE = """{o}.family_id = {t}.id and {o}.id = (
    select q.id from quotient_familial q
    where q.family_id = {t}.id and q.valid_from <= (now() at time zone 'Europe/Paris')::date
    order by q.valid_from desc, q.id desc limit 1
) and ({o}.valid_until is null or {o}.valid_until >= (now() at time zone 'Europe/Paris')::date)"""
"""The last quotient to begin counts, and of these the last that was recorded."""

BALANCE = """(
    (select coalesce(sum(i.total_cents), 0) from invoice i where i.family_id = {t}.id and i.cancelled_at is null)
    - (select coalesce(sum(p.cents), 0) from payment p where p.family_id = {t}.id and p.undone_at is null)
    + (select coalesce(sum(r.cents), 0) from refund r where r.family_id = {t}.id))::integer"""

FOUND = """{o}.id = any (array(
    select f.id from family f where starts_with(f.number, :arg_search)
    union all
    select f.id from family f where :arg_search !~ '^[0-9]{6}' and f.search like all (
        array(select '% ' || word || '%' from unnest(string_to_array(btrim(folded(:arg_search)), ' ')) word))))"""
"""By the number's index; or every word begins a word of the name, which is one pass over the table: row-level security
lets `like` use no index of words (it is not leakproof). Two selects, so that each has its own plan."""


@strawberry.enum(description="What a family is.")
class Profile(Enum):
    """R6."""

    INDIVIDUAL = strawberry.enum_value("INDIVIDUAL", description="A household.")
    PROFESSIONAL = strawberry.enum_value("PROFESSIONAL", description="A professional, with a SIRET.")
    ASSOCIATION = strawberry.enum_value("ASSOCIATION", description="An association, with an RNA or registry number.")


@strawberry.enum(description="What a quotient familial was read from.")
class QuotientSource(Enum):
    """Where the value comes from."""

    CAF = strawberry.enum_value("CAF", description="Certificate of the family allowance office.")
    MSA = strawberry.enum_value("MSA", description="Certificate of the farmers' social insurance.")
    TAX_NOTICE = strawberry.enum_value("TAX_NOTICE", description="Computed from the tax notice.")
    OTHER = strawberry.enum_value("OTHER", description="Another document.")


@stored(
    "quotient_familial",
    {**OWN, "AGENT": "'{AGENT,CASHIER}'::text[] && :roles"},
    tag=Tag.QUOTIENT_FAMILIAL,
)
@strawberry.type(description="A dated income index, from which prices are computed; kept encrypted.")
class QuotientFamilial(Node):
    """A quotient familial (QF); history is never overwritten."""

    value: int = computed("Euros a month.", families.quotient_value, "{t}.family_id::text", SEALED)
    valid_from: date = column("First day on which it counts.")
    valid_until: date | None = column("Last day, where it is known.")
    source: QuotientSource = column("What it was read from.")
    recorded_at: datetime = column("When an agent recorded it.")


@stored("family", {"FAMILY": "{t}.id = :family", "AGENT": "true"}, tag=Tag.FAMILY, key=("id",))
@strawberry.type(description="A household, professional or association: it owns procedures and invoices.")
class Family(Node):
    """A family (famille)."""

    number: str = column("Family number, as printed on invoices; never a secret.")
    profile: Profile = column("What the family is.")
    name: str = column("Name.")
    language: str = column("`fr` or `en`: the language of its messages.")
    activated_at: datetime | None = column("When its first account was opened.")
    closed_at: datetime | None = column("When its last login left (R10); a new activation opens it again.")
    terminated_at: datetime | None = column("When the city ended its access (R22).")
    termination_reason: str | None = column("Why, in the words that the family was told.")
    erased_at: datetime | None = column("When everything that named it was erased.")
    siret: str | None = column("SIRET of a professional, or of an association that has one.")
    rna: str | None = column("RNA number of an association.")
    registry_number: str | None = column(
        "Volume and folio of an association of Alsace-Moselle, or a SIREN.", "{t}.registry_number"
    )
    members: Connection[Member] = page(
        "Adults and children.", "{o}.family_id = {t}.id and {o}.ended_at is null", OLDEST_FIRST
    )
    former_members: Connection[Member] = page(
        "Those who left the family and whom a procedure names.",
        "{o}.family_id = {t}.id and {o}.ended_at is not null",
        OLDEST_FIRST,
    )
    quotient_familial: QuotientFamilial | None = one(
        "The quotient that counts today; none: the highest price.", IN_FORCE
    )
    quotients: Connection[QuotientFamilial] = page(
        "All quotients, the last recorded first.", "{o}.family_id = {t}.id", NEWEST_FIRST
    )
    accounts: Connection[Account] = page("Logins of the family.", "{o}.family_id = {t}.id", OLDEST_FIRST)
    invitations: Connection[Invitation] = page(
        "Invitations to open a login, newest first.", "{o}.family_id = {t}.id", NEWEST_FIRST
    )
    procedures: Connection[Procedure] = page(
        "Procedures, newest first.",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
        status=Arg(list[ProcedureStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)"),
    )
    invoices: Connection[Invoice] = page(
        "Invoices, newest first.", "{o}.family_id = {t}.id", NEWEST_FIRST, status=OF_STATUS, period=OF_PERIOD
    )
    payments: Connection[Payment] = page("Payments, newest first.", "{o}.family_id = {t}.id", NEWEST_FIRST)
    statement: Connection[AccountEntry] = statement()
    balance: Money = money(
        "What the family owes the city; below zero where the city holds more than is owed.",
        BALANCE,
        may=FAMILY_OR_TILL,
    )
    sessions: Connection[Session] = page("Sign-ins that have not ended.", "{o}.family_id = {t}.id", NEWEST_FIRST)
    notification_settings: Connection[ChannelPreference] = page(
        "Ordered channels, one entry a topic on which the family made a choice.",
        "{o}.family_id = {t}.id",
        Order((("{o}.topic", "text"),)),
    )
    quiet_starts: str | None = column(
        "From when on nothing rings, HH:MM by the clocks of the city; none: the city's hours.",
        "to_char({t}.quiet_starts, 'HH24:MI')",
    )
    quiet_ends: str | None = column("Until when, HH:MM.", "to_char({t}.quiet_ends, 'HH24:MI')")
    daily_message_hour: int | None = column(
        "At which hour its daily message comes, by the clocks of the city; none: it has none.", "{t}.digest_hour"
    )
    daily_message_topics: list[Topic] = column(
        "Topics of which the daily message tells what can wait.", "to_json({t}.digest_topics)"
    )
    preview_routing: Connection[RoutingStep] = preview_routing()
    addresses: Connection[Address] = page(
        "Where the family can be told things, oldest first; also what is not proven yet, or retired.",
        "{o}.family_id = {t}.id",
        OLDEST_FIRST,
    )
    inbox: Connection[NewsItem] = page(
        "Everything the family was told, newest first.",
        "{o}.family_id = {t}.id",
        Order((("{o}.seq", "bigint"),), descending=True),
    )
    unread_count: int = aggregate(
        "How many items of the inbox nobody has marked as read.",
        "NewsItem",
        "count(*)",
        "{o}.family_id = {t}.id and {o}.read_at is null",
    )
    deliveries: Connection[Delivery] = page(
        "The proof: what was sent, where, when, and whether it arrived; newest first.",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
    )
    terms: Connection[TermsAcceptance] = page(
        "Which versions of the terms of use its logins accepted, newest first (R4).",
        "{o}.family_id = {t}.id",
        NEWEST_ACCEPTED_FIRST,
    )
    documents: Connection[Document] = page(
        "Documents that are not erased, newest first; agents see those filed with their services.",
        "{o}.family_id = {t}.id and {o}.erased_at is null",
        NEWEST_FIRST,
    )
    data_choices: Connection[DataChoice] = page(
        "What it chose to keep in its account, one entry a datum on which it made a choice (R2).",
        "{o}.family_id = {t}.id",
        Order((("{o}.datum", "text"),)),
    )
    service_opt_ins: Connection[ServiceOptIn] = page(
        "Services that it uses, or has left (R2).", "{o}.family_id = {t}.id", OLDEST_FIRST
    )
    mandates: Connection[Mandate] = page(
        "Mandates for direct debits, newest first; one is in force at the most (R26).",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
    )
    exports: Connection[Export] = page(
        "Copies of its data, newest first; each is deleted after some days.", "{o}.family_id = {t}.id", NEWEST_FIRST
    )


@strawberry.type(description="A new activation code.")
class ActivationCodePayload(Payload):
    """Payload of issueActivationCode."""

    code: str | None = strawberry.field(default=None, description="The code, shown once: it is stored as an HMAC.")
    expires_on: date | None = strawberry.field(default=None, description="The last day on which it can be used.")


@strawberry.type(description="What a change of a family gives.")
class FamilyPayload(Payload):
    """Payload of setFamilyIdentifier."""

    family: Family | None = written("The family, unless refused.", "{o}.id = :source_family_id")


@strawberry.type(description="What recording a quotient gives.")
class QuotientPayload(Payload):
    """Payload of setQuotientFamilial."""

    quotient: QuotientFamilial | None = written("The quotient, unless refused.")


@strawberry.type
class FamilyQueries:
    """Root fields about families."""

    family: Family | None = one(
        "A family by its number, for agents.",
        "{o}.number = :arg_number",
        may=ANY_AGENT,
        number=Arg(str, "Family number."),
    )
    families: Connection[Family] = page(
        "Families, for agents.",
        "true",
        OLDEST_FIRST,
        may=ANY_AGENT,
        search=Arg(
            str | None,
            "Beginning of the number, or of words of the name; accents and capitals do not matter.",
            filters=FOUND,
        ),
    )


@strawberry.type
class FamilyMutations:
    """Commands about families."""

    @mutation(may=ANY_AGENT, description="Issue a new activation code for a family at the counter or by phone (R15).")
    async def issue_activation_code(
        info: Info, family_number: Annotated[str, strawberry.argument(description="Family number.")]
    ) -> ActivationCodePayload:
        """R15."""
        code, last_day = await accounts.issue_activation_code(info.context, family_number)
        return ActivationCodePayload(code=code, expires_on=last_day)

    @mutation(
        may=FAMILY_OR_COUNTER,
        description="Write the identifiers of a professional (SIRET) or association (RNA or registry number), R6. "
        "What is not given is emptied.",
    )
    async def set_family_identifier(
        info: Info,
        siret: Annotated[str | None, strawberry.argument(description="SIRET, 14 digits.")] = None,
        rna: Annotated[str | None, strawberry.argument(description="RNA number, W and 9 digits.")] = None,
        registry_number: Annotated[
            str | None, strawberry.argument(description="Volume/folio in Alsace-Moselle, or a SIREN.")
        ] = None,
        profile: Annotated[
            Profile | None, strawberry.argument(description="What the family is; changed by agents only.")
        ] = None,
        family: Annotated[
            strawberry.ID | None, strawberry.argument(description="The family; agents say which one they serve.")
        ] = None,
    ) -> FamilyPayload:
        """R6."""
        wanted = profile.name if profile is not None else None
        family_id = family_key(info, family)
        found = await families.identify(info.context, family_id, wanted, siret, rna, registry_number)
        return FamilyPayload(family_id=found)

    @mutation(may=COUNTER, description="Record the quotient familial of a household; those known before are kept.")
    async def set_quotient_familial(
        info: Info,
        family: Annotated[strawberry.ID, strawberry.argument(description="The family.")],
        value: Annotated[int, strawberry.argument(description="Euros a month, 0 to 100,000.")],
        valid_from: Annotated[date, strawberry.argument(description="First day on which it counts.")],
        valid_until: Annotated[date | None, strawberry.argument(description="Last day, where it is known.")] = None,
        source: Annotated[
            QuotientSource, strawberry.argument(description="What it was read from.")
        ] = QuotientSource.CAF,
    ) -> QuotientPayload:
        """QF."""
        [wanted] = key_of(info.context, family, "Family", "family")
        family_id, quotient_id = await families.record_quotient(
            info.context, wanted, value, valid_from, valid_until, source.name
        )
        return QuotientPayload(family_id=family_id, id=quotient_id)
