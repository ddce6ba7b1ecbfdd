"""News: the inbox, the choice of channels, the proof of delivery, and what is live."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from db.settings import Settings
from resolvers import preferences
from resolvers.news import PROCEDURE_NEWS
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Order, Stored
from schema.access import FAMILY, FAMILY_OR_AGENT
from schema.declare import Arg, Payload, column, computed, feed, mutation, one, page, report, stored
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
    DAILY_MESSAGE = strawberry.enum_value(
        "DAILY_MESSAGE", description="The one message a day of families that chose it (setDailyMessage)."
    )


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
    email_ended_at: datetime | None = column(
        "Since when e-mail is passed over, because somebody followed the link in one; what the law or safety requires "
        "still goes by the order. Choosing channels anew takes it back."
    )
    updated_at: datetime = column("When it was chosen.")


@strawberry.enum(description="What a channel is for a topic, as things stand.")
class ChannelUse(Enum):
    """What `channel_routes` gives."""

    DAILY = strawberry.enum_value(
        "DAILY", description="What can wait goes there once a day, with the other news; the other steps show the rest."
    )
    FIRST = strawberry.enum_value("FIRST", description="News goes there.")
    FALLBACK = strawberry.enum_value("FALLBACK", description="News goes there when those before it fail.")
    REQUIRED_ONLY = strawberry.enum_value(
        "REQUIRED_ONLY",
        description="Only what law or safety requires goes there: the link in an e-mail was followed, or nothing but "
        "the post reaches the family.",
    )
    UNREACHABLE = strawberry.enum_value("UNREACHABLE", description="Passed over: no proven address is left.")


IN_ORDER_OF_CHOICE = Order((("{o}.place", "integer"), ("{o}.id", "text")))


@stored(
    "channel_routes",
    OWN,
    tag=Tag.ROUTING_STEP,
    types={"id": "text"},
    again="(select r.* from family f, channel_routes(f.id, split_part({k}.id, ':', 1)) r where f.id = {k}.family_id)",
)
@strawberry.type(description="One channel of the way that news of a topic would take now.")
class RoutingStep(Node):
    """What would be sent where, and why (R13)."""

    channel: Channel = column("The channel.", "{t}.channel::text")
    use: ChannelUse = column("What it is used for.", "{t}.state::text")
    addresses: int = column("How many proven addresses it reaches; all of them get the message.", "({t}.addresses)")
    waits_in_quiet_hours: bool = column(
        "Whether quiet hours hold it back.", "({t}.channel in ('SMS', 'WEB_PUSH', 'MOBILE_PUSH'))"
    )
    waits_until: datetime | None = computed(
        "Until when news of this moment would wait: the end of the quiet hours, or the hour of the daily message.",
        preferences.waits_until,
        ":now::text",
        "({t}.state = 'DAILY')::text",
        "{t}.channel",
        "(select f.digest_hour::text from family f where f.id = {t}.family_id)",
        "split_part({t}.id, ':', 1)",
        "(select coalesce(f.quiet_starts::text || ' ' || f.quiet_ends, :quiet_hours) from family f "
        "where f.id = {t}.family_id)",
        ":city_time_zone",
    )


def preview_routing() -> Any:
    """Declare the routing of the family that holds the field."""
    return report(
        "Where news of a topic would go now, in order, the inbox last; for the family itself.",
        "channel_routes({t}.id, :arg_topic)",
        IN_ORDER_OF_CHOICE,
        may=FAMILY_OR_AGENT,
        topic=Arg(Topic, "The topic.", "text"),
    )


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
    provider: str | None = column("Which provider took it, for channels that have several.")
    segments: int | None = column("How many text messages it was paid as.")
    arrived_at: datetime | None = column("When the provider says that it arrived.")


CURSOR = "{t}.seq::text"


def constants(settings: Settings) -> dict[str, str]:
    """Give what the ways of news depend on beside the family: the city's quiet hours and its clocks."""
    quiet = settings.quiet
    return {"quiet_hours": f"{quiet.starts} {quiet.ends}", "city_time_zone": settings.city.time_zone}


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
    awaits_daily_message: bool = column("Whether the daily message will tell it.", "{t}.awaits_digest")
    unread_count: int = column(
        "How many items of the inbox are unread, this one included: a badge that is live with `news`.",
        "(select count(*)::integer from news u where u.family_id = {t}.family_id and u.read_at is null)",
    )
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

    @mutation(
        may=FAMILY,
        description="Choose the hours in which text and push messages wait; security and what was asked for do not.",
    )
    async def set_quiet_hours(
        info: Info,
        starts: Annotated[
            str | None,
            strawberry.argument(description="From, HH:MM by the city's clocks; none: the city's hours."),
        ] = None,
        ends: Annotated[
            str | None, strawberry.argument(description="Until, HH:MM; the same as the start: never quiet.")
        ] = None,
    ) -> PreferencesPayload:
        """R13."""
        await preferences.set_quiet_hours(info.context, starts, ends)
        return PreferencesPayload()

    @mutation(
        may=FAMILY,
        description="Choose one message a day for what can wait of some topics; acknowledgements, debts, security and "
        "the rest of what law requires still come at once, and the inbox shows everything at once.",
    )
    async def set_daily_message(
        info: Info,
        topics: Annotated[
            list[Topic],
            strawberry.argument(
                description="PROCEDURE_STATUS, PROCEDURE_MESSAGE, INVOICE_ISSUED; none: no daily message."
            ),
        ],
        hour: Annotated[
            int | None, strawberry.argument(description="Hour from 0 to 23 by the city's clocks; needed with topics.")
        ] = None,
    ) -> PreferencesPayload:
        """R13."""
        await preferences.set_daily_message(info.context, hour, [topic.name for topic in topics])
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
        info: Info,
        topic: Annotated[Topic, strawberry.argument(description="The topic.")],
        address: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="One proven address to send it to, instead of the topic's channels."),
        ] = None,
    ) -> PreferencesPayload:
        """R13."""
        key = key_of(info.context, address, "Address", "address")[1] if address is not None else None
        await preferences.send_test(info.context, topic.name, key)
        return PreferencesPayload()
