"""Sessions: signing in and out, on which devices."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import sessions
from resolvers.reading.identity import make_id
from resolvers.second_factor import Step
from resolvers.sign_in import sign_in
from schema.access import EVERYBODY, PEOPLE
from schema.declare import Payload, column, mutation, one, stored
from schema.logins import Account
from schema.payloads import AccountPayload
from schema.relay import Info, Node, key_of
from schema.second_factor import SecondFactorChallenge, challenge_of
from schema.tags import Tag

SESSION_SEEN = {
    "FAMILY": "{t}.family_id = :family and {t}.ended_at is null",
    "AGENT": "{t}.agent_id = :agent and {t}.ended_at is null",
}


@stored("session", SESSION_SEEN, tag=Tag.SESSION, key=("id",))
@strawberry.type(description="One sign-in on one device that has not ended.")
class Session(Node):
    """A live session (R21)."""

    device: str = column("What the device called itself.")
    shared_computer: bool = column("True when it was opened on a shared computer: short, and without refresh.")
    created_at: datetime = column("When it was opened.")
    used_at: datetime = column("When it was last refreshed.")
    expires_at: datetime = column("When it ends at the latest.")
    current: bool = column("True for the session that asks.", "{t}.id = :session")
    active: bool = column(
        "False once it has lain unused too long or has come to its end: nobody can use it any more.",
        "least({t}.expires_at, {t}.idle_ends_at) > now()",
    )
    account: Account | None = one(
        "The login that opened it, for families.", "{o}.family_id = {t}.family_id and {o}.id = {t}.account_id"
    )


@strawberry.type(description="What a client holds after it signed in.")
class SessionTokens:
    """Tokens of a session."""

    id: strawberry.ID = strawberry.field(description="Id of the session, as in the list of sessions.")
    access_token: str | None = strawberry.field(
        description="For `Authorization: Bearer …` and for `connection_init`; none when it is in a cookie."
    )
    expires_at: datetime = strawberry.field(description="When the access token ends; refresh before.")
    refresh_token: str | None = strawberry.field(
        description="For `refreshSession`, once; none on a shared computer and when it is in a cookie. "
        "Keep it where scripts cannot read it."
    )
    device_token: str | None = strawberry.field(
        description="For the next `signIn` on this device, also after a sign-out: it proves that the account knows the "
        "device. None on a shared computer, for agents, after a refresh, and when it is in a cookie."
    )


@strawberry.type(description="What signing in gives.")
class SignInPayload(Payload):
    """Payload of signIn and refreshSession."""

    session: SessionTokens | None = strawberry.field(
        default=None, description="The session, unless refused or a second factor is asked for."
    )
    second_factor: SecondFactorChallenge | None = strawberry.field(
        default=None, description="For agents: what `confirmSignIn` must answer; there is no session yet."
    )
    recovery_codes: list[str] | None = strawberry.field(
        default=None, description="When an agent’s first second factor was enrolled: ten codes, shown once."
    )


@strawberry.enum(description="As whom one signs in.")
class SignInAs(Enum):
    """A person may be both."""

    FAMILY = strawberry.enum_value("FAMILY", description="A login of a family.")
    AGENT = strawberry.enum_value("AGENT", description="City staff.")


@strawberry.enum(description="How the tokens of a session travel.")
class SessionTransport(Enum):
    """Web apps take cookies, all others tokens."""

    TOKENS = strawberry.enum_value("TOKENS", description="In the answer, for clients that can keep them safe.")
    COOKIES = strawberry.enum_value(
        "COOKIES",
        description="In cookies that no script can read; every request then needs the header `X-Portal-Client`.",
    )


def payload_of(info: Info, grant: sessions.Grant) -> SignInPayload:
    """Give what signing in gives, however it was done."""
    return SignInPayload(
        session=SessionTokens(
            id=strawberry.ID(make_id(info.context.reader.mapping, "Session", grant.session_id)),
            access_token=grant.access_token,
            expires_at=grant.expires_at,
            refresh_token=grant.refresh_token,
            device_token=grant.device_token,
        )
    )


@strawberry.type
class SessionMutations:
    """Commands about sessions."""

    @mutation(
        may=EVERYBODY.always,
        description="Open a session. The family is told of a device that the account does not know.",
    )
    async def sign_in(
        info: Info,
        identifier: Annotated[str, strawberry.argument(description="E-mail address or family number.")],
        password: Annotated[str, strawberry.argument(description="Password.")],
        sign_in_as: Annotated[SignInAs, strawberry.argument(description="As whom.")] = SignInAs.FAMILY,
        shared_computer: Annotated[
            bool,
            strawberry.argument(description="True on a computer that others use: a short session without refresh."),
        ] = False,
        transport: Annotated[
            SessionTransport, strawberry.argument(description="How the tokens travel.")
        ] = SessionTransport.TOKENS,
        device_token: Annotated[
            str | None, strawberry.argument(description="What an earlier sign-in gave this device, without cookies.")
        ] = None,
    ) -> SignInPayload:
        """R18."""
        outcome = await sign_in(
            info.context,
            identifier,
            password,
            as_agent=sign_in_as is SignInAs.AGENT,
            shared_computer=shared_computer,
            in_cookies=transport is SessionTransport.COOKIES,
            device_token=device_token,
        )
        if isinstance(outcome, Step):
            return SignInPayload(second_factor=challenge_of(outcome))
        return payload_of(info, outcome)

    @mutation(
        may=EVERYBODY.always,
        description="Exchange a refresh token for new tokens; each refresh token works once. "
        "Without one, that of the cookie is exchanged, into cookies.",
    )
    async def refresh_session(
        info: Info,
        refresh_token: Annotated[
            str | None, strawberry.argument(description="The refresh token, unless it is in a cookie.")
        ] = None,
    ) -> SignInPayload:
        """Rotation with reuse detection."""
        return payload_of(info, await sessions.refresh(info.context, refresh_token))

    @mutation(
        may=EVERYBODY.always,
        description="End this session, or another one of this account, at once and everywhere it is open (R21). "
        "Drops the cookies, also when the session has ended before.",
    )
    async def sign_out(
        info: Info,
        session: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Another session of this account; this one unless given."),
        ] = None,
    ) -> AccountPayload:
        """R21."""
        if session is None:
            await sessions.sign_out(info.context)
        else:
            [session_id] = key_of(info.context, session, "Session", "session")
            await sessions.sign_out_of(info.context, session_id)
        return AccountPayload()

    @mutation(may=PEOPLE.always, description="End all sessions of this account (R21).")
    async def sign_out_everywhere(info: Info) -> AccountPayload:
        """R21."""
        await sessions.sign_out_everywhere(info.context)
        return AccountPayload()
