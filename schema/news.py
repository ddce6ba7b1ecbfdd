"""News: the inbox, the choice of channels, the proof of delivery, and what is live."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import preferences
from resolvers.news import PROCEDURE_NEWS
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Stored
from schema.access import FAMILY, FAMILY_OR_AGENT
from schema.declare import Payload, column, feed, mutation, one, page, stored
from schema.procedures import Procedure, ProcedureEvent
from schema.relay import NEWEST_FIRST, OWN, OWN_OR_SERVICE, Connection, Info, Node, key_of
from schema.tags import Tag


@strawberry.enum(description="What one may be told about.")
class Topic(Enum):
    """Topics of news."""

    PROCEDURE_STATUS = strawberry.enum_value("PROCEDURE_STATUS", description="A procedure moved.")
    PROCEDURE_MESSAGE = strawberry.enum_value("PROCEDURE_MESSAGE", description="A message about a procedure.")
    INVOICE_ISSUED = strawberry.enum_value("INVOICE_ISSUED", description="A new invoice.")
    PAYMENT = strawberry.enum_value("PAYMENT", description="A payment was received, refused or paid back.")
    DIRECT_DEBIT = strawberry.enum_value("DIRECT_DEBIT", description="A direct debit is announced or came back.")
    ACCOUNT_SECURITY = strawberry.enum_value("ACCOUNT_SECURITY", description="Sign-ins and changes of credentials.")
    TERMS = strawberry.enum_value("TERMS", description="New terms of use.")
    MAINTENANCE = strawberry.enum_value("MAINTENANCE", description="The portal pauses.")
    CITY_INFORMATION = strawberry.enum_value("CITY_INFORMATION", description="Information of the city.")


@strawberry.enum(description="How one is told.")
class Channel(Enum):
    """Channels (R13)."""

    IN_APP = strawberry.enum_value("IN_APP", description="The inbox of the portal and its live subscription.")
    EMAIL = strawberry.enum_value("EMAIL", description="E-mail.")
    SMS = strawberry.enum_value("SMS", description="Text message.")
    WEB_PUSH = strawberry.enum_value("WEB_PUSH", description="Push message of a browser.")
    MOBILE_PUSH = strawberry.enum_value("MOBILE_PUSH", description="Push message of the mobile app.")
    POST = strawberry.enum_value("POST", description="Letter.")


@strawberry.enum(description="What became of a delivery.")
class DeliveryStatus(Enum):
    """States of a delivery."""

    PENDING = strawberry.enum_value("PENDING", description="Waits to be sent, or to be tried again.")
    SENT = strawberry.enum_value("SENT", description="Handed over to the provider.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="The provider says that it arrived.")
    FAILED = strawberry.enum_value("FAILED", description="Failed for good; the next channel was tried.")
    DEAD_LETTER = strawberry.enum_value(
        "DEAD_LETTER", description="Put aside after repeated crashes; staff looks at it."
    )


@stored("channel_preference", OWN, tag=Tag.CHANNEL_PREFERENCE)
@strawberry.type(description="The ordered channels of one topic.")
class ChannelPreference(Node):
    """A choice of the family (R13)."""

    topic: Topic = column("The topic.")
    channels: list[Channel] = column(
        "The first that can reach the family is used, the next when it fails.", "to_json({t}.channels)"
    )
    updated_at: datetime = column("When it was chosen.")


@stored("delivery", OWN, tag=Tag.DELIVERY)
@strawberry.type(description="One message to one address.")
class Delivery(Node):
    """The proof that the family sees."""

    channel: Channel = column("How it is sent.")
    address: str = column("Where to.")
    status: DeliveryStatus = column("What became of it.")
    attempts: int = column("How often it was tried.")
    created_at: datetime = column("When it was decided.")
    sent_at: datetime | None = column("When it was handed over.")
    receipt: str | None = column("What the provider answered.")
    problem: str | None = column("Why it failed or waits.")


CURSOR = "{t}.seq::text"


NEWS_ITEM = Stored("news", OWN_OR_SERVICE, tag=Tag.NEWS_ITEM)


@stored(NEWS_ITEM.table, NEWS_ITEM.whose, tag=Tag.NEWS_ITEM)
@strawberry.type(description="One thing that a family was told.")
class NewsItem(Node):
    """An item of the family's stream."""

    cursor: str = column("For `after` of the subscriptions.", CURSOR)
    topic: Topic = column("What it is about.")
    type: str = column("What happened, e.g. procedure_moved.")
    summary: str | None = column(
        "What happened, in a sentence in the language of the viewer.",
        "{t}.data ->> case :language when 'en' then 'summary_en' else 'summary_fr' end",
    )
    occurred_at: datetime = column("When.")
    read_at: datetime | None = column("When it was marked as read.")
    procedure: Procedure | None = one(
        "The procedure it is about.", "{o}.family_id = {t}.family_id and {o}.id = {t}.procedure_id"
    )
    deliveries: Connection[Delivery] = page(
        "Where it was sent.", "{o}.family_id = {t}.family_id and {o}.news_seq = {t}.seq", NEWEST_FIRST
    )


@stored("news", OWN_OR_SERVICE)
@strawberry.type(description="A procedure moved.")
class ProcedureStatusChange:
    """What `procedureStatusChanged` pushes."""

    id: strawberry.ID = column("Id of the item of news that tells it.", id_sql(NEWS_ITEM))
    cursor: str = column("For `after`, to resume behind this event.", CURSOR)
    procedure: Procedure = one(
        "The procedure as it stands now.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.procedure_id",
        kept_by="the stream carries only news that tells an event of a procedure",
    )
    event: ProcedureEvent = one(
        "What happened.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.procedure_id "
        "and {o}.number = {t}.procedure_event_number",
        kept_by="the stream carries only news that tells an event of a procedure",
    )


@strawberry.type
class NewsSubscriptions:
    """Live streams."""

    procedure_status_changed: ProcedureStatusChange = feed(
        "Each change of status of the family's procedures, or of one procedure (agents name one), as it is committed.",
        may=FAMILY_OR_AGENT,
        types=PROCEDURE_NEWS,
        takes=("procedure", "after"),
    )
    news: NewsItem = feed(
        "Everything that the family may be told, as it is committed.",
        may=FAMILY,
        takes=("topics", "after"),
        topic_type=Topic,
    )


@strawberry.type(description="What a change of preferences gives.")
class PreferencesPayload(Payload):
    """Payload of commands on preferences."""


@strawberry.type
class NewsMutations:
    """Commands about news."""

    @mutation(may=FAMILY, description="Choose the ordered channels of a topic (R13).")
    async def set_channel_preferences(
        info: Info,
        topic: Annotated[Topic, strawberry.argument(description="The topic.")],
        channels: Annotated[list[Channel], strawberry.argument(description="Channels in order, each once.")],
    ) -> PreferencesPayload:
        """R13."""
        await preferences.set_channels(info.context, topic.name, [channel.name for channel in channels])
        return PreferencesPayload()

    @mutation(may=FAMILY, description="Mark items of the inbox as read.")
    async def mark_read(
        info: Info,
        items: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of the items, 100 at the most.")],
    ) -> PreferencesPayload:
        """Read marks."""
        if len(items) > 100:
            raise info.context.refusal("BAD_USER_INPUT", ["items"])
        await preferences.mark_read(
            info.context, [key_of(info.context, item, "NewsItem", "items")[1] for item in items]
        )
        return PreferencesPayload()

    @mutation(may=FAMILY, description="Send oneself a test message the way a topic is routed.")
    async def send_test_notification(
        info: Info, topic: Annotated[Topic, strawberry.argument(description="The topic.")]
    ) -> PreferencesPayload:
        """R13."""
        await preferences.send_test(info.context, topic.name)
        return PreferencesPayload()
