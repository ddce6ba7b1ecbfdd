"""The forms of the demo city's procedures: JSON Schema 2020-12, one dialect that clients can draw.

`title` and `description` are French; `x-title-en` and `x-description-en` say the same in English. JSON Schema takes
unknown keywords as annotations, so that every validator accepts them. Properties stand in the order they are asked.
"""

from typing import Any

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLATE = "^[A-Z]{2}-[0-9]{3}-[A-Z]{2}$"


def titled(schema: Schema, fr: str, en: str) -> Schema:
    """Give a field its titles."""
    return {"title": fr, "x-title-en": en, **schema}


def text(fr: str, en: str, longest: int = 200) -> Schema:
    """A text that is not empty; `longest` in characters."""
    return titled({"type": "string", "minLength": 1, "maxLength": longest}, fr, en)


def written(fr: str, en: str, pattern: str) -> Schema:
    """A text written in a certain way; `pattern` is a regular expression of ECMA-262."""
    return titled({"type": "string", "pattern": pattern}, fr, en)


def day(fr: str, en: str) -> Schema:
    """A date, YYYY-MM-DD."""
    return titled({"type": "string", "format": "date"}, fr, en)


def yes_no(fr: str, en: str) -> Schema:
    """A choice between yes and no."""
    return titled({"type": "boolean"}, fr, en)


def number(fr: str, en: str, least: int, most: int) -> Schema:
    """A whole number between two bounds."""
    return titled({"type": "integer", "minimum": least, "maximum": most}, fr, en)


def choice(fr: str, en: str, options: dict[str, tuple[str, str]]) -> Schema:
    """One of several options; each has a value and its two titles."""
    constants = [titled({"const": value}, *titles) for value, titles in options.items()]
    return titled({"type": "string", "oneOf": constants}, fr, en)


def several(fr: str, en: str, options: dict[str, tuple[str, str]]) -> Schema:
    """At least one of several options."""
    constants = [titled({"const": value}, *titles) for value, titles in options.items()]
    items = {"type": "string", "oneOf": constants}
    return titled({"type": "array", "items": items, "minItems": 1, "uniqueItems": True}, fr, en)


def form(fr: str, en: str, fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """A whole form; every field is required but the optional ones, and no other is taken."""
    required = [name for name in fields if name not in optional]
    shape = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {"$schema": DIALECT, **titled(shape, fr, en)}


DAYS = {
    "MONDAY": ("Lundi", "Monday"),
    "TUESDAY": ("Mardi", "Tuesday"),
    "WEDNESDAY": ("Mercredi", "Wednesday"),
    "THURSDAY": ("Jeudi", "Thursday"),
    "FRIDAY": ("Vendredi", "Friday"),
}
DIETS = {
    "STANDARD": ("Menu ordinaire", "Standard menu"),
    "VEGETARIAN": ("Menu végétarien", "Vegetarian menu"),
    "NO_PORK": ("Sans porc", "No pork"),
}
LEVELS = {
    "NURSERY": ("Maternelle", "Nursery school"),
    "CP": ("CP", "Year 1 (CP)"),
    "CE1": ("CE1", "Year 2 (CE1)"),
    "CE2": ("CE2", "Year 3 (CE2)"),
    "CM1": ("CM1", "Year 4 (CM1)"),
    "CM2": ("CM2", "Year 5 (CM2)"),
}
ACTS = {
    "BIRTH": ("Acte de naissance", "Birth certificate"),
    "MARRIAGE": ("Acte de mariage", "Marriage certificate"),
    "DEATH": ("Acte de décès", "Death certificate"),
}
COPIES = {
    "FULL_COPY": ("Copie intégrale", "Full copy"),
    "EXTRACT_WITH_PARENTS": ("Extrait avec filiation", "Extract naming the parents"),
    "EXTRACT": ("Extrait sans filiation", "Extract without the parents"),
}
ROOMS = {
    "GRANDE_SALLE": ("Grande salle (120 places)", "Main hall (120 seats)"),
    "ATELIER": ("Salle des ateliers (30 places)", "Workshop room (30 seats)"),
    "REUNION": ("Salle de réunion (15 places)", "Meeting room (15 seats)"),
}

CANTEEN = form(
    "Inscription à la restauration scolaire",
    "School canteen registration",
    {
        "school": text("École", "School"),
        "starts_on": day("Premier repas le", "First meal on"),
        "days": several("Jours de présence", "Days", DAYS),
        "diet": choice("Régime", "Diet", DIETS),
        "allergy": yes_no("Un protocole d'accueil (PAI) existe", "A care plan (PAI) exists"),
        "remark": text("Remarque", "Remark", 500),
    },
    optional=("remark",),
)
SCHOOL = form(
    "Inscription scolaire",
    "School enrolment",
    {
        "level": choice("Niveau demandé", "Level", LEVELS),
        "school_year": written("Année scolaire", "School year", "^20[0-9]{2}-20[0-9]{2}$"),
        "wished_school": text("École souhaitée", "Wished school"),
        "sibling_there": yes_no("Un frère ou une sœur y est inscrit", "A brother or sister goes there"),
        "after_school": yes_no("Accueil périscolaire du soir", "After-school care"),
    },
)
CIVIL_COPY = form(
    "Demande de copie d'acte d'état civil",
    "Copy of a civil status certificate",
    {
        "act": choice("Acte", "Certificate", ACTS),
        "copy": choice("Forme", "Form", COPIES),
        "first_names": text("Prénoms de la personne concernée", "First names of the person"),
        "last_name": text("Nom de la personne concernée", "Last name of the person"),
        "event_on": day("Date de l'événement", "Date of the event"),
        "copies": number("Nombre d'exemplaires", "Number of copies", 1, 5),
    },
)
PARKING = form(
    "Stationnement résident",
    "Resident parking permit",
    {
        "street": text("Adresse", "Address"),
        "plate": written("Immatriculation (AA-123-AA)", "Number plate (AA-123-AA)", PLATE),
        "starts_on": day("À partir du", "From"),
        "months": number("Durée en mois", "Months", 1, 12),
        "electric": yes_no("Véhicule électrique", "Electric vehicle"),
    },
)
ROOM = form(
    "Réservation d'une salle municipale",
    "Booking of a municipal room",
    {
        "room": choice("Salle", "Room", ROOMS),
        "on": day("Date", "Date"),
        "purpose": text("Objet de la réunion", "Purpose", 500),
        "people": number("Nombre de personnes", "Number of people", 1, 120),
        "open_to_public": yes_no("Ouvert au public", "Open to the public"),
    },
)
