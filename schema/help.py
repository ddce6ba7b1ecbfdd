"""Help: whom a family calls or writes to (R40)."""

import strawberry

from db.settings import City
from resolvers.legal_clock import APPEAL
from schema.access import EVERYBODY
from schema.declare import column, embedded


@strawberry.type(description="The city's help desk.")
class Contact:
    """R40: also in every message, and in refusals that a family cannot mend alone."""

    id: strawberry.ID = column("Always the same, for caches.", "'contact'")
    city: str = column("Name of the city.", ":city_name")
    phone: str = column("Telephone.", ":contact_phone")
    email: str = column("E-mail address.", ":contact_email")
    hours: str = column(
        "When it can be reached, in the language of the viewer.",
        "case :language when 'en' then :contact_hours_en else :contact_hours end",
    )


def constants(city: City) -> dict[str, str]:
    """Give what the contact and the ways of appeal are made of, for the reader."""
    return {
        "city_name": city.name,
        "contact_phone": city.contact_phone,
        "contact_email": city.contact_email,
        "contact_hours": city.contact_hours,
        "contact_hours_en": city.contact_hours_en,
        "appeal_fr": APPEAL.fr.format(court=city.court),
        "appeal_en": APPEAL.en.format(court=city.court),
    }


@strawberry.type
class HelpQueries:
    """Root fields about help."""

    contact: Contact = embedded("Who helps, by phone and by e-mail.", may=EVERYBODY)
