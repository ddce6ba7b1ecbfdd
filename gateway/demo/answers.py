"""What the demo city's families answer in their forms: by the examples of `data/kinds.toml`, or at random."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from gateway.demo.forms import Field
from gateway.demo.households import Household, Person
from gateway.demo.kinds import OPTIONS
from gateway.demo.names import CITY, SCHOOLS

Answers = dict[str, Any]
OPTIONAL_SHARE = 0.2
_PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"


def answers(random: Random, household: Household, person: Person, day: date, fields: Sequence[Field]) -> Answers:
    """Fill in a form on a day; what is optional is given now and then."""
    known = _known(random, household, person, day)
    return {
        field["name"]: _answer(random, field, known, day)
        for field in fields
        if not field.get("optional") or random.random() < OPTIONAL_SHARE
    }


def _known(random: Random, household: Household, person: Person, day: date) -> Mapping[str, str]:
    """Give what examples may name in braces."""
    first, last = ("".join(random.choices(_PLATE_LETTERS, k=2)) for _ in range(2))
    year = day.year if day.month < 9 else day.year + 1
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "birth_date": str(person.birth_date),
        "school": person.school or random.choice(SCHOOLS),
        "family": household.name,
        "address": household.postal,
        "city": CITY,
        "plate": f"{first}-{random.randint(1, 999):03d}-{last}",
        "school_year": f"{year}-{year + 1}",
    }


def _answer(random: Random, field: Field, known: Mapping[str, str], day: date) -> Any:
    if "examples" in field:
        return random.choice(field["examples"]).format_map(known)
    by_sort: Mapping[str, Callable[[], Any]] = {
        "day": lambda: str(day + timedelta(days=random.randint(*field["ahead"]))),
        "yes_no": lambda: random.random() < field["share"],
        "number": lambda: random.randint(field["least"], min(field["most"], field["least"] * 10 + 100)),
        "choice": lambda: random.choice(OPTIONS[field["options"]])[0],
        "several": lambda: _several(random, [value for value, *_ in OPTIONS[field["options"]]]),
        "object": lambda: {each["name"]: _answer(random, each, known, day) for each in field["fields"]},
    }
    return by_sort[field["is"]]()


def _several(random: Random, values: Sequence[str]) -> list[str]:
    return random.sample(values, random.randint(1, len(values)))
