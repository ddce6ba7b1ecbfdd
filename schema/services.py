"""Services of the city."""

import strawberry

from schema.declare import column, stored
from schema.relay import PUBLIC, Node
from schema.tags import Tag


def in_language(name: str) -> str:
    """Give the template of a text that exists in French and English."""
    return f"case :language when 'en' then {{t}}.{name}_en else {{t}}.{name}_fr end"


@stored("service", PUBLIC, tag=Tag.SERVICE, key=("id",))
@strawberry.type(description="A service of the city, such as the canteen or the civil registry.")
class Service(Node):
    """A service of the city."""

    code: str = column("Stable code, e.g. restauration-scolaire.")
    name: str = column("Name, in the language of the viewer.", in_language("name"))
    address: str = column("Postal address.")
    phone: str = column("Telephone.")
    email: str = column("E-mail address.")
    hours: str = column("When it can be reached, in the language of the viewer.", in_language("hours"))
