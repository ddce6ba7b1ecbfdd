"""Accounts: the logins of families; who asks."""

from typing import Annotated

import strawberry

from resolvers import accounts
from schema.access import AFTER_TERMS, EVERYBODY
from schema.agents import Agent
from schema.declare import column, embedded, mutation, one, page
from schema.families import Family
from schema.logins import Account
from schema.pages import Page
from schema.partners import Partner
from schema.payloads import AccountPayload
from schema.privacy import Export
from schema.relay import NEWEST_FIRST, Connection, Info
from schema.scalars import EmailAddress
from schema.sessions import Session
from schema.suggestions import BEST_FIRST, FOUND


@strawberry.type(description="Who asks. One of the parts is there, none for somebody who has not signed in.")
class Viewer:
    """The viewer: union-free, so that every client can select what it knows."""

    id: strawberry.ID = column(
        "Id of the login, agent or partner that asks, for caches; `anonymous` for nobody.",
        "coalesce(:account::text, :agent::text, :partner::text, 'anonymous')",
    )
    account: Account | None = one("The login, for families.", "{o}.family_id = :family and {o}.id = :account")
    family: Family | None = one("The family.", "{o}.id = :family", may=AFTER_TERMS)
    exports: Connection[Export] = page(
        "Copies of the family's data that this login asked for, newest first; also before the terms are accepted.",
        "{o}.family_id = :family and {o}.account_id = :account",
        NEWEST_FIRST,
    )
    suggested_pages: Connection[Page] = page(
        "Information for this family, the most useful first: before what it is writing, after what it has filed, and "
        "for members of the ages of its own (R14). Empty for anybody else.",
        FOUND,
        BEST_FIRST,
        may=AFTER_TERMS,
    )
    agent: Agent | None = one("The agent, for city staff.", "{o}.id = :agent")
    partner: Partner | None = one("The partner, for API clients of organisations.", "{o}.id = :partner")
    sessions: Connection[Session] = page(
        "One's own sign-ins that have not ended, newest first (R21).",
        "({o}.family_id = :family and {o}.account_id = :account or {o}.agent_id = :agent)",
        NEWEST_FIRST,
    )


@strawberry.type
class AccountQueries:
    """Root fields about accounts."""

    viewer: Viewer = embedded("Who asks.", may=EVERYBODY)


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
