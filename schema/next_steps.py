"""What is expected next of a procedure, and of whom."""

from collections.abc import Mapping
from datetime import date
from enum import Enum

import strawberry

from schema.actors import Actor
from schema.declare import column


@strawberry.enum(description="What is expected next.")
class ExpectedStep(Enum):
    """The step that each status waits for."""

    SUBMIT = strawberry.enum_value("SUBMIT", description="The draft is completed and sent.")
    TAKE = strawberry.enum_value("TAKE", description="An agent takes charge.")
    DECIDE = strawberry.enum_value("DECIDE", description="An agent decides or asks.")
    ANSWER = strawberry.enum_value("ANSWER", description="The family answers the information request.")
    NONE = strawberry.enum_value("NONE", description="Nothing: it has ended.")


STEPS: Mapping[str, tuple[str, str | None, str, str]] = {
    "DRAFT": (
        "SUBMIT",
        "FAMILY",
        "Complétez votre démarche et envoyez-la.",
        "Complete your procedure and send it.",
    ),
    "SUBMITTED": (
        "TAKE",
        "AGENT",
        "Le service va prendre en charge votre démarche.",
        "The service will take charge of your procedure.",
    ),
    "IN_REVIEW": (
        "DECIDE",
        "AGENT",
        "Le service examine votre démarche.",
        "The service is examining your procedure.",
    ),
    "AWAITING_FAMILY": (
        "ANSWER",
        "FAMILY",
        "Répondez à la demande du service.",
        "Answer what the service asks.",
    ),
}
"""Status → step, who takes it, and the same in French and English; every other status is an end."""

END = ("NONE", None, "La démarche est terminée.", "The procedure has ended.")


def _case(place: int) -> str:
    """Give the template of one of the values of STEPS."""

    def text(value: str | None) -> str:
        return "null" if value is None else "'" + value.replace("'", "''") + "'"

    whens = " ".join(f"when '{status}' then {text(step[place])}" for status, step in STEPS.items())
    return f"case {{t}}.status {whens} else {text(END[place])} end"


@strawberry.type(description="What is expected next of a procedure, and of whom; R12.")
class NextStep:
    """The next step."""

    id: strawberry.ID = column("One for each procedure, for caches.", "'next-step ' || {t}.id")
    step: ExpectedStep = column("What is expected.", _case(0))
    by: Actor | None = column("Of whom; null once it has ended.", _case(1))
    sentence: str = column(
        "The same as a sentence, in the language of the viewer.",
        f"case :language when 'en' then {_case(3)} else {_case(2)} end",
    )
    due_on: date | None = column(
        "By which day, where silence would decide after it.",
        "case when {t}.status in ('SUBMITTED', 'IN_REVIEW') then {t}.implied_decision_on end",
    )
