"""Credentials: what a password must be."""

from enum import Enum

import strawberry

from resolvers import password_policy as policy
from schema.access import EVERYBODY
from schema.declare import column, embedded


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
