"""What the demo city's families answer in their forms."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from gateway.demo import forms
from gateway.demo.households import Household, Person
from gateway.demo.names import SCHOOLS

Answers = dict[str, Any]
Writer = Callable[[Random, Household, Person, date], Answers]

_PURPOSES = ("Assemblée générale", "Répétition", "Repas de quartier", "Réunion d'information", "Atelier du samedi")
_PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"


def _canteen(random: Random, household: Household, person: Person, day: date) -> Answers:
    answers: Answers = {
        "school": person.school or random.choice(SCHOOLS),
        "starts_on": str(day + timedelta(days=random.randint(3, 30))),
        "days": random.sample(list(forms.DAYS), random.randint(1, 5)),
        "diet": random.choices(list(forms.DIETS), (7, 2, 1))[0],
        "allergy": random.random() < 0.08,
    }
    if random.random() < 0.2:
        answers["remark"] = "Merci de prévenir un des parents en cas de retard."
    return answers


def _school(random: Random, household: Household, person: Person, day: date) -> Answers:
    year = day.year if day.month < 9 else day.year + 1
    return {
        "level": random.choice(list(forms.LEVELS)),
        "school_year": f"{year}-{year + 1}",
        "wished_school": person.school or random.choice(SCHOOLS),
        "sibling_there": random.random() < 0.4,
        "after_school": random.random() < 0.6,
    }


def _civil_copy(random: Random, household: Household, person: Person, day: date) -> Answers:
    return {
        "act": "BIRTH",
        "copy": random.choice(list(forms.COPIES)),
        "first_names": person.first_name,
        "last_name": person.last_name,
        "event_on": str(person.birth_date),
        "copies": random.randint(1, 3),
    }


def _parking(random: Random, household: Household, person: Person, day: date) -> Answers:
    first, last = ("".join(random.choices(_PLATE_LETTERS, k=2)) for _ in range(2))
    return {
        "street": household.postal,
        "plate": f"{first}-{random.randint(1, 999):03d}-{last}",
        "starts_on": str(day + timedelta(days=random.randint(1, 40))),
        "months": random.choice((3, 6, 12)),
        "electric": random.random() < 0.25,
    }


def _room(random: Random, household: Household, person: Person, day: date) -> Answers:
    return {
        "room": random.choice(list(forms.ROOMS)),
        "on": str(day + timedelta(days=random.randint(20, 120))),
        "purpose": random.choice(_PURPOSES),
        "people": random.randint(5, 110),
        "open_to_public": random.random() < 0.3,
    }


WRITERS: Mapping[str, Writer] = {
    "cantine": _canteen,
    "inscription-scolaire": _school,
    "acte-etat-civil": _civil_copy,
    "stationnement-resident": _parking,
    "reservation-salle": _room,
}
