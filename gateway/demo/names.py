"""What the demo city's families, schools and streets are called: common words combined at random, no real person.

E-mail addresses use the domains that RFC 2606 reserves, telephone numbers the blocks that Arcep keeps for fiction.
"""

import tomllib
import unicodedata
from pathlib import Path
from random import Random

CITY = "Pessac"
POSTCODE = "33600"
FAMILY_DOMAIN = "example.org"
CITY_DOMAIN = "mairie.example"
FICTION_PHONE = "+33 5 36 49 "
"""Arcep decision 2018-0881: numbers in 05 36 49 are never assigned."""

with (Path(__file__).with_name("data") / "names.toml").open("rb") as stream:
    _WORDS: dict[str, list[str]] = tomllib.load(stream)

FIRST_NAMES_F = _WORDS["first_names_f"]
FIRST_NAMES_M = _WORDS["first_names_m"]
SURNAMES = _WORDS["surnames"]
STREETS = _WORDS["streets"]
SCHOOLS = _WORDS["schools"]
TRADES = _WORDS["trades"]
CLUBS = _WORDS["clubs"]


def address_name(text: str) -> str:
    """Write a name as it stands in an e-mail address: lower case, without accents and blanks."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(character for character in plain if character.isalnum() or character == "-")


def postal_address(random: Random) -> str:
    """Make the postal address of a household."""
    return f"{random.randint(1, 140)} {random.choice(STREETS)}, {POSTCODE} {CITY}"


def phone(line: int) -> str:
    """Give one of the hundred numbers of the city's offices."""
    return f"{FICTION_PHONE}{line // 10:02d} {line % 10:02d}"
