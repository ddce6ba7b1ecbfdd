"""Logins of a family: its accounts, and invitations to open one."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import invitations
from schema.access import AFTER_TERMS, EVERYBODY, FAMILY
from schema.declare import Payload, column, mutation, one, page, stored, written
from schema.members import Member
from schema.payloads import AccountPayload
from schema.provider_links import ProviderLink
from schema.relay import OLDEST_FIRST, OWN, Connection, Info, Node, key_of
from schema.scalars import EmailAddress
from schema.tags import Tag
from schema.terms import NEWEST_ACCEPTED_FIRST, TermsAcceptance


@stored("account", {"FAMILY": "{t}.family_id = :family and {t}.removed_at is null"}, tag=Tag.ACCOUNT)
@strawberry.type(description="One login of a family.")
class Account(Node):
    """A login; seen by its family only."""

    email: EmailAddress = column("Address that signs in and is told about security.")
    email_verified_at: datetime | None = column("When the address was verified.")
    language: str = column("`fr` or `en`: the language of messages and of refusals.")
    created_at: datetime = column("When it was opened.")
    member: Member | None = one(
        "The adult whose login it is, where it was said.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id",
        may=AFTER_TERMS,
    )
    acceptances: Connection[TermsAcceptance] = page(
        "Which versions of the terms of use it accepted, newest first (R4).",
        "{o}.family_id = {t}.family_id and {o}.account_id = {t}.id",
        NEWEST_ACCEPTED_FIRST,
    )
    linked_providers: Connection[ProviderLink] = page(
        "Providers by which one can sign in to it.",
        "{o}.family_id = {t}.family_id and {o}.account_id = {t}.id",
        OLDEST_FIRST,
        may=AFTER_TERMS,
    )


@stored("invitation", OWN, tag=Tag.INVITATION)
@strawberry.type(description="An adult invited by e-mail to have a login of its own.")
class Invitation(Node):
    """An invitation (R11)."""

    email: EmailAddress = column("Address that was invited.")
    member: Member | None = one(
        "The adult whose login it will be, where it was said.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id",
    )
    created_at: datetime = column("When it was sent.")
    expires_at: datetime = column("Until when its link opens a login.")
    accepted_at: datetime | None = column("When the login was opened.")
    revoked_at: datetime | None = column("When it was revoked, or replaced by a new one to the same address.")


@strawberry.type(description="What an invitation gives.")
class InvitationPayload(Payload):
    """Payload of inviteAdult and revokeInvitation."""

    invitation: Invitation | None = written("The invitation, unless refused.")


@strawberry.type
class LoginMutations:
    """Commands about logins."""

    @mutation(may=FAMILY, description="Invite an adult by e-mail to open its own login on the family's account.")
    async def invite_adult(
        info: Info,
        email: Annotated[EmailAddress, strawberry.argument(description="Its address.")],
        member: Annotated[
            strawberry.ID | None, strawberry.argument(description="Which adult of the family it is.")
        ] = None,
    ) -> InvitationPayload:
        """R11."""
        member_id = key_of(info.context, member, "Member", "member")[1] if member is not None else None
        family_id, invitation_id = await invitations.invite(info.context, email, member_id)
        return InvitationPayload(family_id=family_id, id=invitation_id)

    @mutation(may=FAMILY, description="Revoke an invitation that nobody accepted yet.")
    async def revoke_invitation(
        info: Info, invitation: Annotated[strawberry.ID, strawberry.argument(description="The invitation.")]
    ) -> InvitationPayload:
        """R11."""
        family_id, invitation_id = key_of(info.context, invitation, "Invitation", "invitation")
        await invitations.revoke(info.context, (family_id, invitation_id))
        return InvitationPayload(family_id=family_id, id=invitation_id)

    @mutation(may=EVERYBODY, description="Open one's own login with the token of the link in the invitation.")
    async def accept_invitation(
        info: Info,
        token: Annotated[str, strawberry.argument(description="The token in the link.")],
        password: Annotated[
            str, strawberry.argument(description="8 to 25 characters of at least three of the four kinds.")
        ],
        accepts_terms: Annotated[
            int | None, strawberry.argument(description="Version of the terms that is accepted at registration (R4).")
        ] = None,
    ) -> AccountPayload:
        """R11."""
        await invitations.accept(info.context, token, password, accepts_terms)
        return AccountPayload()

    @mutation(
        may=FAMILY,
        description="Remove another login of the family: its sessions end at once, and all addresses are told.",
    )
    async def remove_account(
        info: Info,
        account: Annotated[strawberry.ID, strawberry.argument(description="The login to remove.")],
        password: Annotated[str, strawberry.argument(description="One's own password, to prove who asks.")],
    ) -> AccountPayload:
        """R11."""
        family_id, account_id = key_of(info.context, account, "Account", "account")
        await invitations.remove_login(info.context, (family_id, account_id), password)
        return AccountPayload()
