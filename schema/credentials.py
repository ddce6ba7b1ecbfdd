"""Credentials: what a password must be, how it and the address are changed, recovered and protected."""

from enum import Enum
from typing import Annotated

import strawberry

from resolvers import credentials, email_change, recovery, unauthorized_use
from resolvers import password_policy as policy
from schema.access import EVERYBODY, FAMILY_BEFORE_TERMS
from schema.declare import Payload, column, embedded, mutation
from schema.payloads import AccountPayload
from schema.relay import Info
from schema.scalars import EmailAddress


@strawberry.enum(description="A kind of character of a password.")
class PasswordCharacters(Enum):
    """Kinds of characters (R17)."""

    LOWER = strawberry.enum_value("LOWER", description="Small letters, of any script that has them.")
    UPPER = strawberry.enum_value("UPPER", description="Capital letters.")
    DIGIT = strawberry.enum_value("DIGIT", description="Digits.")
    SPECIAL = strawberry.enum_value(
        "SPECIAL", description="Everything else: signs, spaces, letters of scripts without capitals."
    )


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@strawberry.type(
    description="What a password must be, the same for everybody. What is too common or too personal is told only when "
    "a password is chosen."
)
class PasswordPolicy:
    """The policy, for clients that explain it before a password is sent (R17, R19)."""

    id: strawberry.ID = column("Always the same, for caches.", "'password-policy'")
    shortest: int = column("Characters that it has at least.", str(policy.SHORTEST))
    longest: int = column("Characters that it has at the most.", str(policy.LONGEST))
    kinds_needed: int = column("How many kinds of characters it mixes at least.", str(policy.KINDS_NEEDED))
    kinds: list[PasswordCharacters] = column(
        "The kinds that count.", f"array_to_json(array[{', '.join(map(_text, policy.KINDS))}])"
    )
    sentence: str = column(
        "The whole policy as a sentence, in the language of the viewer.",
        f"case :language when 'en' then {_text(policy.SENTENCE.en)} else {_text(policy.SENTENCE.fr)} end",
    )


@strawberry.type
class CredentialQueries:
    """Root fields about credentials."""

    password_policy: PasswordPolicy = embedded("What a password must be.", may=EVERYBODY)


@strawberry.type(description="What confirming a change of address gives.")
class EmailChangePayload(Payload):
    """Payload of confirmEmailChange."""

    complete: bool = strawberry.field(
        default=False, description="True once both addresses have confirmed: the new one counts from now on."
    )


Password = Annotated[str, strawberry.argument(description="The present password.")]
NewPassword = Annotated[str, strawberry.argument(description="The new password; see `passwordPolicy`.")]
Token = Annotated[str, strawberry.argument(description="The token in the link.")]


@strawberry.type
class CredentialMutations:
    """Commands about credentials."""

    @mutation(may=FAMILY_BEFORE_TERMS.always, description="Change the password; every address of the family is told.")
    async def change_password(
        info: Info,
        current_password: Password,
        new_password: NewPassword,
        sign_out_others: Annotated[
            bool, strawberry.argument(description="End the other sessions of this login, at once.")
        ] = True,
    ) -> AccountPayload:
        """R17."""
        await credentials.change_password(info.context, current_password, new_password, sign_out_others=sign_out_others)
        return AccountPayload()

    @mutation(
        may=EVERYBODY.always,
        description="Ask for a link to choose a new password. It goes to the address of the login, if there is one: "
        "the answer is the same for everybody.",
    )
    async def request_password_reset(
        info: Info,
        identifier: Annotated[str, strawberry.argument(description="E-mail address or family number.")],
    ) -> AccountPayload:
        """Without enumeration."""
        await recovery.request_reset(info.context, identifier)
        return AccountPayload()

    @mutation(
        may=EVERYBODY.always,
        description="Choose a new password with the link: works once, for 30 minutes; all sessions end, a lock is "
        "lifted.",
    )
    async def reset_password(info: Info, token: Token, password: NewPassword) -> AccountPayload:
        """ASVS 5.0, 6.4.3."""
        await recovery.reset(info.context, token, password)
        return AccountPayload()

    @mutation(
        may=FAMILY_BEFORE_TERMS,
        description="Ask for another e-mail address of this login. Both addresses are sent a link; it counts once both "
        "have confirmed, within 24 hours.",
    )
    async def change_email(
        info: Info,
        email: Annotated[EmailAddress, strawberry.argument(description="The new address.")],
        password: Password,
    ) -> AccountPayload:
        """R16."""
        await email_change.request(info.context, email, password)
        return AccountPayload()

    @mutation(may=EVERYBODY, description="Confirm a change of address with the link that one of the two was sent.")
    async def confirm_email_change(info: Info, token: Token) -> EmailChangePayload:
        """R16."""
        return EmailChangePayload(complete=await email_change.confirm(info.context, token))

    @mutation(
        may=EVERYBODY.always, description="Cancel a change of address with the link that one of the two was sent."
    )
    async def cancel_email_change(info: Info, token: Token) -> AccountPayload:
        """R16."""
        await email_change.cancel(info.context, token)
        return AccountPayload()

    @mutation(
        may=EVERYBODY.always,
        description="Report that somebody else uses the login: all its sessions end, it is locked, the family and the "
        "city's staff are told (R20). A reset link asked for afterwards, or a new activation code, unlocks it.",
    )
    async def report_unauthorized_use(
        info: Info,
        token: Annotated[
            str | None,
            strawberry.argument(description="The token in the link of an alert; not needed when signed in."),
        ] = None,
    ) -> AccountPayload:
        """R20."""
        await unauthorized_use.report(info.context, token)
        return AccountPayload()
