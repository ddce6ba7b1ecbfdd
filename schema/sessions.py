"""Sessions: signing in and out, on which devices."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import sessions
from resolvers.reading.identity import make_id
from schema.access import EVERYBODY, SIGNED_IN
from schema.declare import Payload, column, mutation, stored
from schema.payloads import AccountPayload
from schema.relay import Info, Node

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


@strawberry.enum(description="As whom one signs in.")
class SignInAs(Enum):
    """A person may be both."""

    FAMILY = strawberry.enum_value("FAMILY", description="A login of a family.")
    AGENT = strawberry.enum_value("AGENT", description="City staff.")


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
class SessionMutations:
    """Commands about sessions."""

    @mutation(may=EVERYBODY.always, description="Open a session.")
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

    @mutation(
        may=EVERYBODY.always, description="Exchange a refresh token for new tokens; each refresh token works once."
    )
    async def refresh_session(
        info: Info, refresh_token: Annotated[str, strawberry.argument(description="The refresh token.")]
    ) -> SignInPayload:
        """Rotation with reuse detection."""
        return _tokens(info, await sessions.refresh(info.context, refresh_token))

    @mutation(may=SIGNED_IN.always, description="End this session, at once and everywhere it is open (R21).")
    async def sign_out(info: Info) -> AccountPayload:
        """R21."""
        await sessions.sign_out(info.context, everywhere=False)
        return AccountPayload()

    @mutation(may=SIGNED_IN.always, description="End all sessions of this account.")
    async def sign_out_everywhere(info: Info) -> AccountPayload:
        """R21."""
        await sessions.sign_out(info.context, everywhere=True)
        return AccountPayload()
