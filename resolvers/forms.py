"""Answers to a form, checked against its JSON Schema 2020-12; each fault names its place and is told in a sentence."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from resolvers.sentence import Sentence

MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: a JSON pointer (RFC 6901) into the answers, and what is wrong there."""

    pointer: str
    sentence: Sentence


@lru_cache(maxsize=500)
def _validator(form: str) -> jsonschema_rs.Draft202012Validator:
    # The engine without going back: no answer makes a pattern slow.
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft202012Validator(msgspec.json.decode(form), validate_formats=True, pattern_options=options)


def faults(form: str, answers: Any) -> list[Fault]:
    """Check answers against a form (JSON text); give at most 50 faults, none when they are right."""
    found = []
    for error in _validator(form).iter_errors(answers):
        found.append(Fault(_pointer(error), _sentence(error)))
        if len(found) == MOST_FAULTS:
            break
    return found


def _pointer(error: Any) -> str:
    """Give where the fault is; a missing answer is named itself, not the object that lacks it."""
    path = list(error.instance_path)
    if error.kind.name == "required":
        path.append(error.kind.property)
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


SENTENCES = {
    "required": Sentence("Cette réponse est obligatoire.", "This answer is required."),
    "enum": Sentence("Choisissez l’une des réponses proposées.", "Choose one of the answers on offer."),
    "oneOf": Sentence("Choisissez l’une des réponses proposées.", "Choose one of the answers on offer."),
    "const": Sentence("Cette réponse n’est pas celle attendue.", "This is not the expected answer."),
    "type": Sentence("Cette réponse n’est pas de la bonne sorte.", "This answer is not of the right kind."),
    "format": Sentence("Cette réponse n’est pas écrite comme il faut.", "This answer is not written as it must be."),
    "pattern": Sentence("Cette réponse n’est pas écrite comme il faut.", "This answer is not written as it must be."),
    "minLength": Sentence("Cette réponse est trop courte.", "This answer is too short."),
    "maxLength": Sentence("Cette réponse est trop longue.", "This answer is too long."),
    "minimum": Sentence("Ce nombre est trop petit.", "This number is too small."),
    "maximum": Sentence("Ce nombre est trop grand.", "This number is too large."),
    "minItems": Sentence("Il manque des réponses.", "There are too few answers."),
    "maxItems": Sentence("Il y a trop de réponses.", "There are too many answers."),
    "uniqueItems": Sentence("Une réponse est donnée deux fois.", "An answer is given twice."),
    "additionalProperties": Sentence(
        "Une réponse n’est pas demandée par ce formulaire.", "An answer is not asked for by this form."
    ),
}
OTHER = Sentence("Cette réponse n’est pas valable.", "This answer is not valid.")


def _sentence(error: Any) -> Sentence:
    return SENTENCES.get(error.kind.name, OTHER)
