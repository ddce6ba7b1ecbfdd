"""Outside providers of sign-in, and the accounts that are linked to them."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import identity
from schema.access import EVERYBODY, FAMILY
from schema.declare import Payload, column, mutation, one, page, stored, written
from schema.payloads import AccountPayload
from schema.relay import OLDEST_FIRST, OWN, PUBLIC, Connection, Info, Node, key_of
from schema.tags import Tag

RedirectUri = Annotated[
    str, strawberry.argument(description="Page of the web app that the browser comes back to; one of the settings’.")
]
State = Annotated[str, strawberry.argument(description="`state` of the address that the browser came back to.")]
Code = Annotated[str, strawberry.argument(description="`code` of that address.")]
Binding = Annotated[str, strawberry.argument(description="What this client kept since it began.")]


@stored("identity_provider", PUBLIC, tag=Tag.IDENTITY_PROVIDER, key=("id",))
@strawberry.type(description="A provider of sign-in, such as FranceConnect.")
class IdentityProvider(Node):
    """A provider of the settings."""

    name: str = column("Name, as families know it.")
    issuer: str = column("Its address, by which it is known (OpenID Connect issuer).")


@stored("provider_link", OWN, tag=Tag.PROVIDER_LINK)
@strawberry.type(description="An account’s link to a provider of sign-in.")
class ProviderLink(Node):
    """Who signs in there is stored as an HMAC: neither a name nor an address."""

    provider: IdentityProvider = one("The provider.", "{o}.id = {t}.provider_id")
    created_at: datetime = column("When it was made.")
    used_at: datetime | None = column("When somebody last signed in by it.")


@strawberry.type
class IdentityQueries:
    """Root fields about providers."""

    identity_providers: Connection[IdentityProvider] = page(
        "Providers by which families can sign in; begin with `startProviderSignIn`.",
        "{o}.retired_at is null",
        OLDEST_FIRST,
        may=EVERYBODY,
    )


@strawberry.type(description="Where to send the browser.")
class ProviderStartPayload(Payload):
    """Payload of startProviderSignIn and linkProvider."""

    url: str | None = strawberry.field(default=None, description="Address of the provider, for this browser, once.")
    binding: str | None = strawberry.field(
        default=None,
        description="Keep it in this browser until it comes back: nobody else can finish what it began.",
    )


@strawberry.type(description="A link to a provider.")
class ProviderLinkPayload(Payload):
    """Payload of finishProviderLink."""

    link: ProviderLink | None = written("The link.")


@strawberry.type
class ProviderLinkMutations:
    """Commands about links to a provider."""

    @mutation(may=FAMILY, description="Begin to link one’s account to the provider, so as to sign in by it.")
    async def link_provider(
        info: Info,
        redirect_uri: RedirectUri,
        password: Annotated[str, strawberry.argument(description="One’s password, once more.")],
    ) -> ProviderStartPayload:
        """An e-mail address never links."""
        started = await identity.start_link(info.context, redirect_uri, password)
        return ProviderStartPayload(url=started.url, binding=started.binding)

    @mutation(may=FAMILY, description="Link one’s account to who signed in at the provider; the family is told.")
    async def finish_provider_link(info: Info, state: State, code: Code, binding: Binding) -> ProviderLinkPayload:
        """The same account that began."""
        link_id = await identity.finish_link(info.context, state, code, binding)
        return ProviderLinkPayload(family_id=info.context.viewer.family, id=link_id)

    @mutation(may=FAMILY, description="Sign in by the provider no more; the family is told.")
    async def unlink_provider(
        info: Info, link: Annotated[strawberry.ID, strawberry.argument(description="Id of the link.")]
    ) -> AccountPayload:
        """One's own account's."""
        _, link_id = key_of(info.context, link, "ProviderLink", "link")
        await identity.unlink(info.context, link_id)
        return AccountPayload()
