"""The demo city's services, its staff and its catalogue of procedures."""

from dataclasses import dataclass

from gateway.demo import forms
from gateway.demo.forms import Schema
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
    form: Schema
    decision_months: int
    silence_means: str
    profiles: tuple[str, ...]
    """Who files it in the demo city."""
    concerns_child: bool = False
    weight: int = 1
    """How often it is filed there."""


ATTESTATION = (
    "J'atteste sur l'honneur l'exactitude des renseignements fournis. Je sais qu'une fausse déclaration est punie "
    "par la loi (article 441-7 du code pénal).",
    "I certify that the information given is true. I know that a false declaration is punishable by law (article 441-7 "
    "of the French criminal code).",
)

# Silence for two months means acceptance (CRPA L231-1; so the city's terms say for canteen and after-school). It means
# refusal where the law excepts from that rule (CRPA L231-4 and L231-5): permits to use public streets and premises,
# and copies from the civil registry.
KINDS = (
    Kind(
        "cantine",
        "cantine",
        ("Inscription à la cantine", "School canteen registration"),
        (
            "Inscrire un enfant à la restauration scolaire pour l'année. Sans réponse sous deux mois, la demande est "
            "acceptée.",
            "Register a child for school meals for the year. Without an answer within two months the request is "
            "accepted.",
        ),
        forms.CANTEEN,
        2,
        "ACCEPTED",
        ("INDIVIDUAL",),
        concerns_child=True,
        weight=8,
    ),
    Kind(
        "inscription-scolaire",
        "periscolaire",
        ("Inscription scolaire et périscolaire", "School enrolment and after-school care"),
        (
            "Demander une place dans une école de la ville et l'accueil du soir. Sans réponse sous deux mois, la "
            "demande est acceptée.",
            "Ask for a place in a school of the city and for after-school care. Without an answer within two months "
            "the request is accepted.",
        ),
        forms.SCHOOL,
        2,
        "ACCEPTED",
        ("INDIVIDUAL",),
        concerns_child=True,
        weight=5,
    ),
    Kind(
        "acte-etat-civil",
        "etat-civil",
        ("Copie d'un acte d'état civil", "Copy of a civil status certificate"),
        (
            "Obtenir la copie ou l'extrait d'un acte de naissance, de mariage ou de décès dressé dans la ville.",
            "Obtain a copy or extract of a birth, marriage or death certificate drawn up in the city.",
        ),
        forms.CIVIL_COPY,
        2,
        "REJECTED",
        ("INDIVIDUAL", "PROFESSIONAL"),
        weight=4,
    ),
    Kind(
        "stationnement-resident",
        "urbanisme-voirie",
        ("Stationnement résident", "Resident parking permit"),
        (
            "Obtenir un abonnement de stationnement à proximité de son domicile ou de son commerce.",
            "Obtain a parking permit near one's home or shop.",
        ),
        forms.PARKING,
        2,
        "REJECTED",
        ("INDIVIDUAL", "PROFESSIONAL"),
        weight=4,
    ),
    Kind(
        "reservation-salle",
        "vie-associative",
        ("Réservation d'une salle municipale", "Booking of a municipal room"),
        (
            "Réserver une salle de la ville pour une réunion, une répétition ou une fête d'association.",
            "Book a municipal room for a meeting, a rehearsal or an association's festivity.",
        ),
        forms.ROOM,
        2,
        "REJECTED",
        ("INDIVIDUAL", "PROFESSIONAL", "ASSOCIATION"),
        weight=2,
    ),
)
