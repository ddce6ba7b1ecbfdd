"""The inbox live: the badge and the read marks, the same on every device."""

import strawberry

from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Stored
from schema.access import FAMILY
from schema.declare import column, followed_inbox, one, stored
from schema.families import Family

FAMILIES: Stored = Family.__stored__  # type: ignore[attr-defined]


@stored("family", {"FAMILY": FAMILIES.whose["FAMILY"]}, key=("id",))
@strawberry.type(description="The inbox as it stands now.")
class InboxChange:
    """What `inboxChanged` pushes."""

    id: strawberry.ID = column("Id of the family.", id_sql(FAMILIES))
    family: Family = one(
        "The family: its `unreadCount`, and of its `inbox` as much as the client shows.",
        "{o}.id = {t}.id",
        kept_by="it is the same row",
    )


@strawberry.type
class InboxSubscriptions:
    """Live inbox."""

    inbox_changed: InboxChange = followed_inbox(
        "The inbox at once, and again whenever something came or was marked as read, on whatever device. What comes "
        "together is told together.",
        may=FAMILY,
    )
