"""The second half of an agent's sign-in."""

from typing import Annotated

import strawberry

from resolvers import agent_sign_in
from resolvers.second_factor import Answer
from schema.access import EVERYBODY
from schema.declare import mutation
from schema.relay import Info
from schema.scalars import JSON
from schema.sessions import SessionTransport, SignInPayload, payload_of


@strawberry.type
class AgentSignInMutations:
    """Commands of agents who are not signed in yet."""

    @mutation(may=EVERYBODY.always, description="Show the second factor that `signIn` asked for, and open the session.")
    async def confirm_sign_in(
        info: Info,
        challenge: Annotated[str, strawberry.argument(description="The challenge that `signIn` gave.")],
        code: Annotated[
            str | None, strawberry.argument(description="Six digits of the app, or a recovery code.")
        ] = None,
        passkey: Annotated[
            JSON | None, strawberry.argument(description="What `navigator.credentials.get` gave, in its JSON form.")
        ] = None,
        transport: Annotated[
            SessionTransport, strawberry.argument(description="How the tokens travel.")
        ] = SessionTransport.TOKENS,
    ) -> SignInPayload:
        """ASVS 5.0, 6.3.3."""
        in_cookies = transport is SessionTransport.COOKIES
        answer = Answer(code, passkey)
        confirmed = await agent_sign_in.confirm(info.context, challenge, answer, in_cookies=in_cookies)
        payload = payload_of(info, confirmed.grant)
        payload.recovery_codes = confirmed.recovery_codes
        return payload
