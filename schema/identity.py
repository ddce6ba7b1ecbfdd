"""Signing in by an outside provider (OpenID Connect)."""

from typing import Annotated

import strawberry

from resolvers import identity
from schema.access import EVERYBODY
from schema.declare import mutation
from schema.provider_links import Binding, Code, ProviderStartPayload, RedirectUri, State
from schema.relay import Info
from schema.sessions import SessionTransport, SignInPayload, payload_of


@strawberry.type
class IdentityMutations:
    """Commands about sign-in by a provider."""

    @mutation(may=EVERYBODY.always, description="Begin to sign in by the provider (authorisation code with PKCE).")
    async def start_provider_sign_in(
        info: Info,
        redirect_uri: RedirectUri,
        shared_computer: Annotated[
            bool,
            strawberry.argument(description="True on a computer that others use: a short session without refresh."),
        ] = False,
    ) -> ProviderStartPayload:
        """OpenID Connect Core 1.0, section 3.1.2."""
        started = await identity.start_sign_in(info.context, redirect_uri, shared_computer=shared_computer)
        return ProviderStartPayload(url=started.url, binding=started.binding)

    @mutation(may=EVERYBODY.always, description="Open the session of the account linked to who signed in there.")
    async def finish_provider_sign_in(
        info: Info,
        state: State,
        code: Code,
        binding: Binding,
        transport: Annotated[
            SessionTransport, strawberry.argument(description="How the tokens travel.")
        ] = SessionTransport.TOKENS,
        device_token: Annotated[
            str | None, strawberry.argument(description="What an earlier sign-in gave this device, without cookies.")
        ] = None,
    ) -> SignInPayload:
        """OpenID Connect Core 1.0, section 3.1.3."""
        in_cookies = transport is SessionTransport.COOKIES
        grant = await identity.finish_sign_in(
            info.context, state, code, binding, in_cookies=in_cookies, device_token=device_token
        )
        return payload_of(info, grant)
