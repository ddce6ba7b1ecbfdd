"""What the demo city's agents asked families for, and what both wrote to each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from gateway.demo.histories import History

GREETED = 4
"""One procedure of so many begins with a word of the agent."""

GREETING = (
    "Bonjour, votre dossier est entre nos mains. Écrivez-nous ici si votre situation change.",
    "Hello, your file is in our hands. Write to us here if your situation changes.",
)
ANSWER = (
    "Bonjour, voici ce que vous demandiez. Merci de me dire s'il manque encore quelque chose.",
    "Hello, here is what you asked for. Please tell me whether anything is still missing.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An information request: the number of its event, the document that was missing, and when it was answered."""

    number: int
    document: str
    message: str | None
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message."""

    author: str
    body: str
    at: datetime


def asked(history: History, language: int) -> Iterator[Asked]:
    """Give what the agent asked for; `language` is 0 for French, 1 for English."""
    documents = [(each.label_fr, each.label_en)[language] for each in history.plan.kind.documents]
    for number, step in enumerate(history.steps, 1):
        if step.status == "AWAITING_FAMILY":
            after = history.steps[number] if number < len(history.steps) else None
            answered_at = after.at if after and after.actor == "FAMILY" else None
            yield Asked(number, documents[0], step.message, step.at, answered_at)


def said(random: Random, history: History, language: int) -> Iterator[Said]:
    """Give what both sides wrote, in order."""
    greeted = random.randrange(GREETED) == 0
    for before, step in pairwise(history.steps):
        if step.status == "IN_REVIEW" and before.status == "SUBMITTED" and greeted:
            yield Said("AGENT", GREETING[language], step.at)
        if step.status == "IN_REVIEW" and before.status == "AWAITING_FAMILY":
            yield Said("FAMILY", ANSWER[language], max(before.at, step.at - timedelta(minutes=1)))
