"""The dialect of JSON Schema 2020-12 in which forms are written: what clients can draw, in two languages, and no more.

An object has `properties` in the order of `x-order`; each field has a `title` and an `x-title-en`, and may have help
(`description` with `x-description-en`). A choice is `oneOf` of titled `const`s. JSON Schema takes the words with `x-`
as annotations. Everything is bounded, so that no form is a burden to those who check or draw it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import msgspec

from resolvers.forms import Fault
from resolvers.sentence import Sentence

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_FORM = 50_000
"""Characters of JSON."""
DEEPEST = 3
MOST_FIELDS = 100
MOST_CHOICES = 200
LONGEST_TEXT = 10_000
LONGEST_PATTERN = 200
MOST_FAULTS = 50
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
UNBOUNDED = re.compile(r"[*+]|,\}")
FORMATS = frozenset({"date", "time", "email"})
SOURCES = frozenset(
    {"member.first_name", "member.last_name", "member.birth_date", "member.school"}
    | {"family.name", "family.siret", "family.rna", "family.registry_number", "account.email", "answers", "none"}
)
"""What a field can be filled in from (`x-prefill`); earlier answers unless it says otherwise."""

WORDS = frozenset({"title", "x-title-en", "description", "x-description-en", "x-prefill"})
BY_TYPE: Mapping[str, frozenset[str]] = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format", "oneOf"}),
    "integer": frozenset({"minimum", "maximum"}),
    "number": frozenset({"minimum", "maximum"}),
    "boolean": frozenset({"const"}),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    "object": frozenset({"properties", "required", "additionalProperties", "x-order"}),
}

UNKNOWN_WORD = Sentence("Ce mot ne fait pas partie des formulaires.", "This keyword is not one of forms.")
WRONG = Sentence("Cette valeur n’est pas valable ici.", "This value is not valid here.")
MISSING = Sentence("Il manque cette indication.", "This is missing.")
TOO_LARGE = Sentence("Ce formulaire est trop grand.", "This form is too large.")
TOO_DEEP = Sentence("Ce formulaire a trop de niveaux.", "This form has too many levels.")
UNSAFE = Sentence(
    "Cette expression n’est pas admise : elle va de ^ à $, sans répétition dans une répétition.",
    "This expression is not allowed: it goes from ^ to $, without a repetition inside a repetition.",
)
BAD_ORDER = Sentence("L’ordre nomme chaque champ une fois.", "The order names each field once.")

Found = Iterator[Fault]


def form_faults(form: Any) -> list[Fault]:
    """Check a form as an editor gives it; give at most 50 faults, each with a JSON pointer into the form."""
    if not isinstance(form, dict):
        return [Fault("", WRONG)]
    if len(msgspec.json.encode(form)) > LONGEST_FORM:
        return [Fault("", TOO_LARGE)]
    found: list[Fault] = []
    for fault in _of_form(form):
        found.append(fault)
        if len(found) == MOST_FAULTS:
            break
    if not found and not jsonschema_rs.meta.is_valid(form):
        found.append(Fault("", WRONG))
    return found


def _of_form(form: dict[str, Any]) -> Found:
    if form.get("$schema") != DIALECT:
        yield Fault("/$schema", MISSING if "$schema" not in form else WRONG)
    if form.get("type") != "object":
        yield Fault("/type", WRONG)
    elif _count(form) > MOST_FIELDS:
        yield Fault("", TOO_LARGE)
    else:
        yield from _of_field({name: value for name, value in form.items() if name != "$schema"}, "", 0)


def _count(field: Any) -> int:
    """Count the fields below one, those of lists too; what is no object counts as nothing."""
    if not isinstance(field, dict):
        return 0
    below = field.get("properties")
    inside = list(below.values()) if isinstance(below, dict) else []
    return len(inside) + sum(map(_count, [*inside, field.get("items")]))


def _of_field(field: Any, at: str, depth: int) -> Found:
    if not isinstance(field, dict):
        yield Fault(at, WRONG)
        return
    kind = field.get("type")
    if not isinstance(kind, str) or kind not in BY_TYPE:
        yield Fault(f"{at}/type", MISSING if kind is None else WRONG)
        return
    yield from _of_words(field, at)
    for name in field:
        if name != "type" and name not in WORDS | BY_TYPE[kind]:
            yield Fault(f"{at}/{_escaped(name)}", UNKNOWN_WORD)
    yield from CHECKS[kind](field, at, depth)


def _of_words(field: dict[str, Any], at: str) -> Found:
    """Check titles and help: both languages, or neither where they may be missing."""
    for french, english, longest in (("title", "x-title-en", 200), ("description", "x-description-en", 1_000)):
        given = [name for name in (french, english) if name in field]
        for name in (french, english):
            if name not in field:
                if given or french == "title":
                    yield Fault(f"{at}/{name}", MISSING)
            elif not isinstance(field[name], str) or not 1 <= len(field[name].strip()) <= longest:
                yield Fault(f"{at}/{name}", WRONG)
    if field.get("x-prefill", "none") not in SOURCES:
        yield Fault(f"{at}/x-prefill", WRONG)


def _of_string(field: dict[str, Any], at: str, depth: int) -> Found:
    if "oneOf" in field:
        yield from _of_choices(field["oneOf"], f"{at}/oneOf")
    elif "format" in field:
        if field["format"] not in FORMATS:
            yield Fault(f"{at}/format", WRONG)
    elif "maxLength" not in field and ("pattern" not in field or UNBOUNDED.search(str(field["pattern"]))):
        yield Fault(f"{at}/maxLength", MISSING)
    yield from _of_bounds(field, at, ("minLength", "maxLength"), 0, LONGEST_TEXT)
    if "pattern" in field and not is_safe(field["pattern"]):
        yield Fault(f"{at}/pattern", UNSAFE)


def _of_choices(choices: Any, at: str) -> Found:
    if not isinstance(choices, list) or not 1 <= len(choices) <= MOST_CHOICES:
        yield Fault(at, WRONG)
        return
    seen: set[str] = set()
    for place, choice in enumerate(choices):
        if not isinstance(choice, dict):
            yield Fault(f"{at}/{place}", WRONG)
            continue
        value = choice.get("const")
        if not isinstance(value, str) or not 1 <= len(value) <= 100 or value in seen:
            yield Fault(f"{at}/{place}/const", WRONG)
        else:
            seen.add(value)
        yield from _of_words(choice, f"{at}/{place}")
        for name in choice:
            if name not in {"const", "title", "x-title-en", "description", "x-description-en"}:
                yield Fault(f"{at}/{place}/{_escaped(name)}", UNKNOWN_WORD)


def _of_number(field: dict[str, Any], at: str, depth: int) -> Found:
    yield from _of_bounds(field, at, ("minimum", "maximum"), -(10**12), 10**12, whole=field["type"] == "integer")


def _of_boolean(field: dict[str, Any], at: str, depth: int) -> Found:
    if field.get("const", True) is not True:
        yield Fault(f"{at}/const", WRONG)


def _of_array(field: dict[str, Any], at: str, depth: int) -> Found:
    yield from _of_bounds(field, at, ("minItems", "maxItems"), 0, 100)
    items = field.get("items")
    choices = isinstance(items, dict) and "oneOf" in items
    if "maxItems" not in field and not (choices and field.get("uniqueItems") is True):
        yield Fault(f"{at}/maxItems", MISSING)
    if not isinstance(field.get("uniqueItems", True), bool):
        yield Fault(f"{at}/uniqueItems", WRONG)
    if isinstance(items, dict) and items.get("type") in ("string", "object"):
        titled = {"title": field.get("title"), "x-title-en": field.get("x-title-en")}
        yield from _of_field({**titled, **items}, f"{at}/items", depth)
    else:
        yield Fault(f"{at}/items", MISSING if items is None else WRONG)


def _of_object(field: dict[str, Any], at: str, depth: int) -> Found:
    if depth == DEEPEST:
        yield Fault(at, TOO_DEEP)
        return
    if field.get("additionalProperties") is not False:
        yield Fault(f"{at}/additionalProperties", MISSING if "additionalProperties" not in field else WRONG)
    below = field.get("properties")
    if not isinstance(below, dict) or not below:
        yield Fault(f"{at}/properties", MISSING if below is None else WRONG)
        return
    required, order = field.get("required", []), field.get("x-order")
    if not _names(required) or not set(required) <= set(below):
        yield Fault(f"{at}/required", WRONG)
    if not isinstance(order, list) or not _names(order) or sorted(order) != sorted(below):
        yield Fault(f"{at}/x-order", MISSING if order is None else BAD_ORDER)
    for name, each in below.items():
        place = f"{at}/properties/{_escaped(name)}"
        if not NAME.fullmatch(name):
            yield Fault(place, WRONG)
        yield from _of_field(each, place, depth + 1)


CHECKS = {
    "string": _of_string,
    "integer": _of_number,
    "number": _of_number,
    "boolean": _of_boolean,
    "array": _of_array,
    "object": _of_object,
}


def _names(value: Any) -> bool:
    """Tell whether a value is a list of texts, each once."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)


def _of_bounds(
    field: dict[str, Any], at: str, names: tuple[str, str], least: int, most: int, *, whole: bool = True
) -> Found:
    """Check a pair of bounds: numbers within bounds of their own, the lower one first."""
    kinds: tuple[type, ...] = (int,) if whole else (int, float)
    good = []
    for name in names:
        if name not in field:
            continue
        value: Any = field[name]
        if type(value) not in kinds or not least <= value <= most:
            yield Fault(f"{at}/{name}", WRONG)
        else:
            good.append(value)
    if len(good) == 2 and good[0] > good[1]:
        yield Fault(f"{at}/{names[1]}", WRONG)


def is_safe(pattern: Any) -> bool:
    """Tell whether a regular expression takes time that grows with the text only, here and in browsers, which go back.

    Anchored at both ends, of the linear engine's kind (no look-around, no references), and no repetition inside one
    (CWE-1333).
    """
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
        return False
    if not (pattern.startswith("^") and pattern.endswith("$")) or _repeats_inside(pattern):
        return False
    options = jsonschema_rs.RegexOptions()
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options).is_valid("")
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?:)?|\)|[*+?]|\{\d*,?\d*\}|.", re.DOTALL)


def _repeats_inside(pattern: str) -> bool:
    """Tell whether a group that repeats, or that has alternatives, is itself repeated without a small bound."""
    groups = [False]
    closed = False
    for part in TOKEN.findall(pattern):
        many = part in "*+" or (part[0] == "{" and (part.endswith(",}") or max(_numbers(part)) > 20))
        if many and closed:
            return True
        if many or part == "|":
            groups[-1] = True
        closed = False
        if part in ("(", "(?:"):
            groups.append(False)
        elif part == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] = groups[-1] or closed
    return False


def _numbers(part: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", part)] or [0]


def _escaped(name: str) -> str:
    """Write a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
