"""The demo city's services, its staff and its catalogue of procedures."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.kinds import Document
from gateway.demo.forms import Field, Schema, form
from gateway.demo.names import CITY, CITY_DOMAIN, POSTCODE, phone

HOURS = ("Du lundi au vendredi, 8 h 30 - 17 h", "Monday to Friday, 8:30 - 17:00")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the city."""

    code: str
    fr: str
    en: str
    line: int
    """Its telephone extension, 0 to 99."""
    street: str
    """Where its office is, without the town."""

    @property
    def address(self) -> str:
        """Postal address of its office."""
        return f"{self.street}, {POSTCODE} {CITY}"

    @property
    def phone(self) -> str:
        """Number of its office."""
        return phone(self.line)

    @property
    def email(self) -> str:
        """Address of its office."""
        return f"{self.code}@{CITY_DOMAIN}"


SERVICES = (
    Service("cantine", "Restauration scolaire", "School canteen", 10, "12 place du Marché"),
    Service("periscolaire", "Vie scolaire et périscolaire", "Schools and after-school care", 20, "12 place du Marché"),
    Service("centre-loisirs", "Centre de loisirs", "Leisure centre", 30, "45 chemin de la Garenne"),
    Service("petite-enfance", "Petite enfance", "Early childhood", 40, "8 allée des Arbousiers"),
    Service("etat-civil", "État civil", "Civil registry", 50, "1 place du Marché"),
    Service("urbanisme-voirie", "Urbanisme et voirie", "Town planning and roads", 60, "27 rue du Lavoir"),
    Service("vie-associative", "Vie associative", "Associations", 70, "3 rue de la Vieille Forge"),
)
EVERY_SERVICE = tuple(service.code for service in SERVICES)


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of the city's staff."""

    email: str
    name: str
    roles: tuple[str, ...]
    services: tuple[str, ...]


AGENTS = (
    Agent(f"admin@{CITY_DOMAIN}", "Hélène Dubreuil", ("AGENT", "ADMIN"), EVERY_SERVICE),
    Agent(
        f"scolaire@{CITY_DOMAIN}",
        "Thomas Lalanne",
        ("AGENT",),
        ("cantine", "periscolaire", "centre-loisirs", "petite-enfance"),
    ),
    Agent(f"etat.civil@{CITY_DOMAIN}", "Nadia Haddad", ("AGENT",), ("etat-civil",)),
    Agent(f"voirie@{CITY_DOMAIN}", "Julien Castaing", ("AGENT",), ("urbanisme-voirie",)),
    Agent(f"associations@{CITY_DOMAIN}", "Claire Dupouy", ("AGENT", "EDITOR"), ("vie-associative",)),
    Agent(f"regie@{CITY_DOMAIN}", "Marc Etcheverry", ("CASHIER",), ("cantine", "periscolaire", "centre-loisirs")),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """An entry of the catalogue of procedures."""

    code: str
    service: str
    title: tuple[str, str]
    summary: tuple[str, str]
    fields: Sequence[Field]
    """The short words that its form is made of; the demo's answers follow them too."""
    form: Schema
    documents: tuple[Document, ...]
    decision_months: int
    silence_means: str
    profiles: tuple[str, ...]
    """Who files it in the demo city."""
    concerns_child: bool
    weight: int
    """How often it is filed there."""


ATTESTATION = (
    "J'atteste sur l'honneur l'exactitude des renseignements fournis. Je sais qu'une fausse déclaration est punie "
    "par la loi (article 441-7 du code pénal).",
    "I certify that the information given is true. I know that a false declaration is punishable by law (article 441-7 "
    "of the French criminal code).",
)

with (Path(__file__).with_name("data") / "kinds.toml").open("rb") as stream:
    _GIVEN: dict[str, Any] = tomllib.load(stream)

OPTIONS: Mapping[str, Sequence[Sequence[str]]] = _GIVEN["options"]
"""The lists that fields choose from: value, French and English title of each option."""


def _document(given: Mapping[str, Any]) -> Document:
    french, english = given["label"]
    help_fr, help_en = given.get("help", (None, None))
    return Document(given["code"], french, english, help_fr, help_en, given.get("required", True))


def _kind(given: Mapping[str, Any]) -> Kind:
    french, english = given["title"]
    return Kind(
        given["code"],
        given["service"],
        (french, english),
        (given["summary"][0], given["summary"][1]),
        given["fields"],
        form(given["title"], given["fields"], OPTIONS),
        tuple(_document(each) for each in given["documents"]),
        given.get("months", 2),
        given["silence"],
        tuple(given["profiles"]),
        given.get("child", False),
        given["weight"],
    )


# Silence for two months means acceptance (CRPA L231-1; so the city's terms say for canteen and after-school). It means
# refusal where the law excepts from that rule (CRPA L231-4 and L231-5): permits to use public streets and premises,
# requests for money, places that are few, and copies and documents of the civil registry.
KINDS = tuple(_kind(each) for each in _GIVEN["kind"])
