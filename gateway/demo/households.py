"""One family of the demo city: the same for the same seed, place in the row and day, however large the city is."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from stdnum import luhn

from gateway.demo import names
from resolvers import activation_codes

FIRST_NUMBER = 1_000_000
NUMBERS = 8_999_993
STRIDE = 48_271
"""Has no factor in common with NUMBERS, so that family numbers look at random and none comes twice."""

SHOWN_ACTIVE = 0
"""The family that the demo signs in as."""

SHOWN_NOT_ACTIVE = (1, 2, 3)
"""Families left for trying the activation."""

_PROFILES = ("INDIVIDUAL", "PROFESSIONAL", "ASSOCIATION")
_PREFERENCES = (None, None, ("EMAIL", "IN_APP"), ("IN_APP", "EMAIL"), ("IN_APP",), ("EMAIL",))


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a family."""

    role: str
    first_name: str
    last_name: str
    birth_date: date
    school: str | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """A family before it has any row."""

    index: int
    number: str
    profile: str
    name: str
    language: str
    people: tuple[Person, ...]
    emails: tuple[str, ...]
    """Verified addresses of its accounts; none while it is not active."""
    accepted: bool
    """Whether its accounts accepted the terms."""
    preference: tuple[str, ...] | None
    """Channels for news of procedures, or None for the city's default."""
    code: str
    """Its activation code, used when it is active."""
    postal: str
    siret: str | None
    rna: str | None
    contact: str
    """Address that the city has on file."""
    shared: tuple[Person, ...] = ()
    """Children that it has with a neighbour of the row."""
    elder: int = 0
    """Place of the first of the two families that share them."""


def family_number(index: int) -> str:
    """Give the number of a family by its place in the row."""
    return str(FIRST_NUMBER + index * STRIDE % NUMBERS)


def household(seed: int, index: int, today: date) -> Household:
    """Make one family; some share a child with the family before, as separated parents do (R11)."""
    made = _alone(seed, index, today)
    elder, younger = (index - 1, index) if index % 25 == 7 else (index, index + 1)
    if younger % 25 != 7 or _alone(seed, younger, today).profile != "INDIVIDUAL":
        return made
    children = [person for person in _alone(seed, elder, today).people if person.role == "CHILD"]
    people = (*made.people, *children[:1]) if index == younger else made.people
    return replace(made, people=people, shared=tuple(children[:1]), elder=elder)


def _alone(seed: int, index: int, today: date) -> Household:
    random = Random(f"{seed}/household/{index}")
    profile = "INDIVIDUAL" if index < 4 else random.choices(_PROFILES, (85, 8, 7))[0]
    surname = random.choice(names.SURNAMES)
    people = _people(random, profile, surname, today, parents=2 if index == SHOWN_ACTIVE else random.choice((1, 2, 2)))
    active = index == SHOWN_ACTIVE or (index not in SHOWN_NOT_ACTIVE and random.random() < 0.5)
    adults = [person for person in people if person.role == "ADULT"]
    logins = adults if random.random() < 0.2 else adults[:1]
    return Household(
        index=index,
        number=family_number(index),
        profile=profile,
        name=_name(random, profile, people),
        language="en" if index != SHOWN_ACTIVE and random.random() < 0.06 else "fr",
        people=people,
        emails=tuple(_email(person, index) for person in logins) if active else (),
        accepted=active and (index == SHOWN_ACTIVE or random.random() < 0.93),
        preference=random.choice(_PREFERENCES) if active and index != SHOWN_ACTIVE else None,
        code=activation_codes.shown("".join(random.choices(activation_codes.ALPHABET, k=activation_codes.LENGTH))),
        postal=names.postal_address(random),
        siret=_siret(seed, index) if profile == "PROFESSIONAL" else None,
        rna=f"W{751_000_000 + index}" if profile == "ASSOCIATION" else None,
        contact=_email(people[0], index),
    )


def _siret(seed: int, index: int) -> str:
    """Make a SIRET that passes its check; the first establishment of an invented company."""
    siren = f"{Random(f'{seed}/siren/{index}').randrange(10_000_000, 100_000_000)}"
    siren += luhn.calc_check_digit(siren)
    return f"{siren}0001{luhn.calc_check_digit(f'{siren}0001')}"


def _email(person: Person, index: int) -> str:
    first, last = names.address_name(person.first_name), names.address_name(person.last_name)
    return f"{first}.{last}{index + 1}@{names.FAMILY_DOMAIN}"


def _name(random: Random, profile: str, people: tuple[Person, ...]) -> str:
    if profile == "PROFESSIONAL":
        return f"{random.choice(names.TRADES)} {people[0].last_name}"
    if profile == "ASSOCIATION":
        return random.choice(names.CLUBS)
    surnames = dict.fromkeys(person.last_name for person in people if person.role == "ADULT")
    return " - ".join(surnames)


def _people(random: Random, profile: str, surname: str, today: date, parents: int) -> tuple[Person, ...]:
    if profile != "INDIVIDUAL":
        return (_adult(random, random.choice((names.FIRST_NAMES_F, names.FIRST_NAMES_M)), surname, today),)
    adults = [_adult(random, names.FIRST_NAMES_F, surname, today)]
    if parents == 2:
        other = surname if random.random() < 0.7 else random.choice(names.SURNAMES)
        adults.append(_adult(random, names.FIRST_NAMES_M, other, today))
    first_names = random.sample(names.FIRST_NAMES_F + names.FIRST_NAMES_M, random.choice((1, 1, 2, 2, 3)))
    children = [_child(random, first_name, adults[-1].last_name, today) for first_name in first_names]
    return (*adults, *children)


def _adult(random: Random, first_names: list[str], surname: str, today: date) -> Person:
    born = today - timedelta(days=random.randint(25 * 366, 50 * 365))
    return Person("ADULT", random.choice(first_names), surname, born)


def _child(random: Random, first_name: str, surname: str, today: date) -> Person:
    age = random.uniform(1, 12)
    kind = "maternelle" if age < 6 else "élémentaire"
    schools = [school for school in names.SCHOOLS if kind in school or "primaire" in school]
    school = random.choice(schools) if age >= 3 else None
    return Person("CHILD", first_name, surname, today - timedelta(days=round(age * 365.25)), school)
