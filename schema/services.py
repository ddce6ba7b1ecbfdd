"""Services of the city, and the agents who work there."""

import strawberry

from schema.declare import column, stored
from schema.relay import PUBLIC, Node


def in_language(name: str) -> str:
    """Give the template of a text that exists in French and English."""
    return f"case :language when 'en' then {{t}}.{name}_en else {{t}}.{name}_fr end"


@stored("service", PUBLIC, tag=1, key=("id",))
@strawberry.type(description="A service of the city, such as the canteen or the civil registry.")
class Service(Node):
    """A service of the city."""

    code: str = column("Stable code, e.g. restauration-scolaire.")
    name: str = column("Name, in the language of the viewer.", in_language("name"))
    address: str = column("Postal address.")
    phone: str = column("Telephone.")
    email: str = column("E-mail address.")
    hours: str = column("When it can be reached, in the language of the viewer.", in_language("hours"))


@stored("agent", {"AGENT": "{t}.id = :agent"}, tag=2, key=("id",))
@strawberry.type(description="A member of the city's staff; seen by itself only.")
class Agent(Node):
    """City staff."""

    name: str = column("Name.")
    email: str = column("E-mail address.")
    roles: list[str] = column("Roles: AGENT, CASHIER, EDITOR, ADMIN.", "to_json({t}.roles)")
