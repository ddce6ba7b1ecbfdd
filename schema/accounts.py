"""Families and their accounts: who they are, how they sign in, what they accept."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import accounts, sessions
from resolvers.reading.identity import make_id
from resolvers.reading.mapping import Order
from schema.access import ANY_AGENT, EVERYBODY, FAMILY_BEFORE_TERMS, SIGNED_IN
from schema.declare import Arg, Payload, aggregate, column, embedded, mutation, one, page, stored
from schema.news import ChannelPreference, Delivery, NewsItem
from schema.procedures import Procedure, ProcedureStatus
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_STAFF, PUBLIC, Connection, Info, Node
from schema.scalars import EmailAddress
from schema.services import Agent, in_language


@strawberry.enum(description="What a family is.")
class Profile(Enum):
    """R6."""

    INDIVIDUAL = strawberry.enum_value("INDIVIDUAL", description="A household.")
    PROFESSIONAL = strawberry.enum_value("PROFESSIONAL", description="A professional, with a SIRET.")
    ASSOCIATION = strawberry.enum_value("ASSOCIATION", description="An association, with an RNA number.")


@strawberry.enum(description="What a member is in its family.")
class MemberRole(Enum):
    """Adults answer, children are registered."""

    ADULT = strawberry.enum_value("ADULT", description="An adult.")
    CHILD = strawberry.enum_value("CHILD", description="A child.")


@stored("member", OWN_OR_STAFF, tag=3)
@strawberry.type(description="An adult or a child of a family.")
class Member(Node):
    """A member of a family (R11)."""

    role: MemberRole = column("Adult or child.")
    first_name: str = column("First name.")
    last_name: str = column("Last name.")
    birth_date: date | None = column("Day of birth.")
    school: str | None = column("School, for a child that goes to one.")


@stored("account", {"FAMILY": "{t}.family_id = :family"}, tag=4)
@strawberry.type(description="One login of a family.")
class Account(Node):
    """A login; seen by its family only."""

    email: EmailAddress = column("Address that signs in and is told about security.")
    email_verified_at: datetime | None = column("When the address was verified.")
    language: str = column("`fr` or `en`: the language of messages and of refusals.")
    created_at: datetime = column("When it was opened.")


SESSION_SEEN = {
    "FAMILY": "{t}.family_id = :family and {t}.ended_at is null",
    "AGENT": "{t}.agent_id = :agent and {t}.ended_at is null",
}


@stored("session", SESSION_SEEN, tag=5, key=("id",))
@strawberry.type(description="One sign-in on one device that has not ended.")
class Session(Node):
    """A live session (R21)."""

    device: str = column("What the device called itself.")
    shared_computer: bool = column("True when it was opened on a shared computer: short, and without refresh.")
    created_at: datetime = column("When it was opened.")
    used_at: datetime = column("When it was last refreshed.")
    expires_at: datetime = column("When it ends at the latest.")
    current: bool = column("True for the session that asks.", "{t}.id = :session")


@stored("family", {"FAMILY": "{t}.id = :family", "AGENT": "true"}, tag=6, key=("id",))
@strawberry.type(description="A household, professional or association: it owns procedures and invoices.")
class Family(Node):
    """A family (famille)."""

    number: str = column("Family number, as printed on invoices; never a secret.")
    profile: Profile = column("What the family is.")
    name: str = column("Name.")
    language: str = column("`fr` or `en`: the language of its messages.")
    activated_at: datetime | None = column("When its first account was opened.")
    members: Connection[Member] = page("Adults and children.", "{o}.family_id = {t}.id", OLDEST_FIRST)
    procedures: Connection[Procedure] = page(
        "Procedures, newest first.",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
        status=Arg(list[ProcedureStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)"),
    )
    sessions: Connection[Session] = page("Sign-ins that have not ended.", "{o}.family_id = {t}.id", NEWEST_FIRST)
    notification_settings: Connection[ChannelPreference] = page(
        "Ordered channels, one entry a topic on which the family made a choice.",
        "{o}.family_id = {t}.id",
        Order((("{o}.topic", "text"),)),
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


@stored("terms", PUBLIC, tag=13, key=("id",))
@strawberry.type(description="A version of the terms of use (CGU).")
class Terms(Node):
    """Terms of use (R3–R5)."""

    version: int = column("Number of the version.")
    effective_at: datetime = column("From when on it is in force.")
    body: str = column("Text (Markdown), in the language of the viewer.", in_language("body"))
    hash: str = column("SHA-256 of the French text, kept with every acceptance.")
    accepted: bool = column(
        "True when the account that asks has accepted this version.",
        "exists (select from terms_acceptance c "
        "where c.family_id = :family and c.account_id = :account and c.version = {t}.version)",
    )


@strawberry.type(description="Who asks. One of the parts is there, none for somebody who has not signed in.")
class Viewer:
    """The viewer: union-free, so that every client can select what it knows."""

    id: strawberry.ID = column(
        "Id of the login or agent that asks, for caches; `anonymous` for nobody.",
        "coalesce(:account::text, :agent::text, 'anonymous')",
    )
    account: Account | None = one("The login, for families.", "{o}.family_id = :family and {o}.id = :account")
    family: Family | None = one("The family.", "{o}.id = :family")
    agent: Agent | None = one("The agent, for city staff.", "{o}.id = :agent")


@strawberry.type(description="What a client holds after it signed in.")
class SessionTokens:
    """Tokens of a session."""

    id: strawberry.ID = strawberry.field(description="Id of the session, as in the list of sessions.")
    access_token: str = strawberry.field(description="For `Authorization: Bearer …` and for `connection_init`.")
    expires_at: datetime = strawberry.field(description="When the access token ends; refresh before.")
    refresh_token: str | None = strawberry.field(
        description="For `refreshSession`, once; none on a shared computer. Keep it where scripts cannot read it."
    )


@strawberry.type(description="What signing in gives.")
class SignInPayload(Payload):
    """Payload of signIn and refreshSession."""

    session: SessionTokens | None = strawberry.field(default=None, description="The session, unless refused.")


@strawberry.type(description="What a change of one's account gives.")
class AccountPayload(Payload):
    """Payload of mutations that give nothing but their success."""


@strawberry.type(description="A new activation code.")
class ActivationCodePayload(Payload):
    """Payload of issueActivationCode."""

    code: str | None = strawberry.field(default=None, description="The code, shown once: it is stored as an HMAC.")
    expires_on: date | None = strawberry.field(default=None, description="The last day on which it can be used.")


@strawberry.enum(description="As whom one signs in.")
class SignInAs(Enum):
    """A person may be both."""

    FAMILY = strawberry.enum_value("FAMILY", description="A login of a family.")
    AGENT = strawberry.enum_value("AGENT", description="City staff.")


@strawberry.type
class AccountQueries:
    """Root fields about accounts."""

    viewer: Viewer = embedded("Who asks.", may=EVERYBODY)
    terms: Terms | None = one(
        "The terms of use in force, or a given version.",
        "{o}.version = coalesce(:arg_version, (select max(v.version) from terms v where v.effective_at <= now()))",
        may=EVERYBODY,
        version=Arg(int | None, "A version; the one in force unless given.", "integer"),
    )
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
            "Beginning of the number or of the name.",
            filters="({o}.number like :arg_search || '%' or {o}.name ilike :arg_search || '%')",
        ),
    )


def _tokens(info: Info, grant: sessions.Grant) -> SignInPayload:
    return SignInPayload(
        session=SessionTokens(
            id=strawberry.ID(make_id(info.context.reader.mapping, "Session", grant.session_id)),
            access_token=grant.access_token,
            expires_at=grant.expires_at,
            refresh_token=grant.refresh_token,
        )
    )


@strawberry.type
class AccountMutations:
    """Commands about accounts."""

    @mutation(
        may=EVERYBODY,
        description="Open a family's account with its number and activation code; "
        "a mail to verify the address follows (R15, R16).",
    )
    async def activate_account(
        info: Info,
        family_number: Annotated[str, strawberry.argument(description="Family number, as printed on invoices.")],
        activation_code: Annotated[
            str, strawberry.argument(description="Activation code; capitals and dashes do not matter.")
        ],
        email: Annotated[EmailAddress, strawberry.argument(description="Address of the account.")],
        password: Annotated[
            str, strawberry.argument(description="8 to 25 characters of at least three of the four kinds.")
        ],
        accepts_terms: Annotated[
            int | None, strawberry.argument(description="Version of the terms that is accepted at registration (R4).")
        ] = None,
    ) -> AccountPayload:
        """R15."""
        await accounts.activate(info.context, family_number, activation_code, email, password, accepts_terms)
        return AccountPayload()

    @mutation(may=EVERYBODY, description="Verify an e-mail address with the token of the link that was sent to it.")
    async def verify_email(
        info: Info, token: Annotated[str, strawberry.argument(description="The token in the link.")]
    ) -> AccountPayload:
        """R16."""
        await accounts.verify_email(info.context, token)
        return AccountPayload()

    @mutation(may=EVERYBODY, description="Open a session.")
    async def sign_in(
        info: Info,
        identifier: Annotated[str, strawberry.argument(description="E-mail address or family number.")],
        password: Annotated[str, strawberry.argument(description="Password.")],
        sign_in_as: Annotated[SignInAs, strawberry.argument(description="As whom.")] = SignInAs.FAMILY,
        shared_computer: Annotated[
            bool,
            strawberry.argument(description="True on a computer that others use: a short session without refresh."),
        ] = False,
    ) -> SignInPayload:
        """R18."""
        as_agent = sign_in_as is SignInAs.AGENT
        return _tokens(
            info,
            await sessions.sign_in(
                info.context, identifier, password, as_agent=as_agent, shared_computer=shared_computer
            ),
        )

    @mutation(may=EVERYBODY, description="Exchange a refresh token for new tokens; each refresh token works once.")
    async def refresh_session(
        info: Info, refresh_token: Annotated[str, strawberry.argument(description="The refresh token.")]
    ) -> SignInPayload:
        """Rotation with reuse detection."""
        return _tokens(info, await sessions.refresh(info.context, refresh_token))

    @mutation(may=SIGNED_IN, description="End this session, at once and everywhere it is open (R21).")
    async def sign_out(info: Info) -> AccountPayload:
        """R21."""
        await sessions.sign_out(info.context, everywhere=False)
        return AccountPayload()

    @mutation(may=SIGNED_IN, description="End all sessions of this account.")
    async def sign_out_everywhere(info: Info) -> AccountPayload:
        """R21."""
        await sessions.sign_out(info.context, everywhere=True)
        return AccountPayload()

    @mutation(may=FAMILY_BEFORE_TERMS, description="Accept the terms of use in force (R3).")
    async def accept_terms(
        info: Info, version: Annotated[int, strawberry.argument(description="The version that was read.")]
    ) -> AccountPayload:
        """R3, R4."""
        await accounts.accept_terms(info.context, version)
        return AccountPayload()

    @mutation(may=ANY_AGENT, description="Issue a new activation code for a family at the counter or by phone (R15).")
    async def issue_activation_code(
        info: Info, family_number: Annotated[str, strawberry.argument(description="Family number.")]
    ) -> ActivationCodePayload:
        """R15."""
        code, last_day = await accounts.issue_activation_code(info.context, family_number)
        return ActivationCodePayload(code=code, expires_on=last_day)
