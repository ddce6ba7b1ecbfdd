"""Places of the city: where they are, when they are open."""

import re
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated

import strawberry

from db.places import Place as PlaceValues
from resolvers import places
from resolvers.hours import Exceptional, Rule
from resolvers.reading.mapping import Order
from schema.access import EDITOR, READ_BY_ALL
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.relay import OLDEST_FIRST, Connection, Info, Node
from schema.services import in_language
from schema.tags import Tag


@strawberry.enum(description="What a place offers to people with a disability.")
class Accessibility(Enum):
    """As the registre public d'accessibilité names it (CCH, R164-6)."""

    WHEELCHAIR = strawberry.enum_value("WHEELCHAIR", description="Step-free, with a door wide enough.")
    HEARING_LOOP = strawberry.enum_value("HEARING_LOOP", description="Hearing loop at the counter.")
    BRAILLE = strawberry.enum_value("BRAILLE", description="Signs in braille.")
    SIGN_LANGUAGE = strawberry.enum_value("SIGN_LANGUAGE", description="Somebody speaks French sign language.")
    PARKING = strawberry.enum_value("PARKING", description="Parking space for people with reduced mobility.")


@strawberry.enum(description="In which part of the school year weekly hours hold.")
class Season(Enum):
    """Seasons of the city's academic zone."""

    ALWAYS = strawberry.enum_value("ALWAYS", description="All year.")
    TERM = strawberry.enum_value("TERM", description="In school time.")
    HOLIDAYS = strawberry.enum_value("HOLIDAYS", description="In school holidays.")


def clock(name: str) -> str:
    """Give the template of a clock time as HH:MM; the last microsecond of a day stands for 24:00."""
    return f"case when {{t}}.{name} >= time '23:59:59' then '24:00' else to_char({{t}}.{name}, 'HH24:MI') end"


ANYBODY = {"*": "true"}


@stored("opening_rule", ANYBODY, tag=Tag.OPENING_RULE, key=("id",))
@strawberry.type(description="Weekly opening hours.")
class OpeningRule(Node):
    """Hours that come back every week."""

    weekday: int = column("1 for Monday … 7 for Sunday (ISO 8601).")
    opens: str = column("Opening time by the clocks of the city, HH:MM.", clock("opens"))
    closes: str = column("Closing time, HH:MM; 24:00 is midnight.", clock("closes"))
    season: Season = column("In which part of the school year.")
    valid_from: date | None = column("First day on which it holds, unless always.")
    valid_until: date | None = column("Last day on which it holds, unless for ever.")


@stored("exceptional_day", ANYBODY, tag=Tag.EXCEPTIONAL_DAY, key=("id",))
@strawberry.type(description="Days on which other hours hold than the weekly ones.")
class ExceptionalDay(Node):
    """A closure, or exceptional hours."""

    first_day: date = column("First day.")
    last_day: date = column("Last day.")
    opens: str | None = column("Opening time, HH:MM; none: closed.", clock("opens"))
    closes: str | None = column("Closing time, HH:MM.", clock("closes"))
    reason: str = column("Why, in the language of the viewer.", in_language("reason"))


@stored("opening_span", ANYBODY, tag=Tag.OPENING_SPAN, key=("id",))
@strawberry.type(description="A time during which a place is open.")
class OpeningSpan(Node):
    """Worked out from all rules, closures and holidays."""

    opens_at: datetime = column("From.")
    closes_at: datetime = column("Until; closed at this moment.")


def metres(row: str) -> str:
    """Give the template of the distance of a row from the point in the arguments (haversine on the mean sphere)."""
    return (
        f"6371008.8 * 2 * asin(least(1, sqrt(power(sin(radians({row}.latitude - :arg_latitude) / 2), 2) "
        f"+ cos(radians(:arg_latitude)) * cos(radians({row}.latitude)) "
        f"* power(sin(radians({row}.longitude - coalesce(:arg_longitude, {row}.longitude)) / 2), 2))))"
    )


NEAREST = Order(((f"round({metres('{o}')})::bigint", "bigint"), ("{o}.id", "uuid")), name="/near")


IS_OPEN = """coalesce((select s.closes_at > coalesce(:arg_at, now()) from opening_span s
    where s.place_id = {t}.id and s.opens_at <= coalesce(:arg_at, now()) order by s.opens_at desc limit 1), false)"""
"""Times of a place never meet (`resolvers.hours.spans`), so that the last that began decides: one step in an index."""


@stored("place", {"*": "{t}.archived_at is null"}, tag=Tag.PLACE, key=("id",))
@strawberry.type(description="A place: town hall, school, pool …")
class Place(Node):
    """A place of the city."""

    code: str = column("Stable code, e.g. mairie.")
    name: str = column("Name, in the language of the viewer.", in_language("name"))
    address: str = column("Postal address.")
    latitude: float = column("Degrees north (WGS 84).")
    longitude: float = column("Degrees east (WGS 84).")
    access: str = column("How to get there, in the language of the viewer.", in_language("access"))
    accessibility: list[Accessibility] = column(
        "What it offers to people with a disability.", "to_json({t}.accessibility)"
    )
    phone: str = column("Telephone.")
    email: str = column("E-mail address.")
    is_open: bool = column(
        "Whether it is open at a moment, known for a month back and thirteen ahead.",
        IS_OPEN,
        at=Arg(datetime | None, "The moment; now unless given.", "timestamptz"),
    )
    next_opening: datetime | None = column(
        "When it opens the next time after a moment; null when it does not within thirteen months.",
        "(select s.opens_at from opening_span s where s.place_id = {t}.id "
        "and s.opens_at > coalesce(:arg_at, now()) order by s.opens_at limit 1)",
        at=Arg(datetime | None, "The moment; now unless given.", "timestamptz"),
    )
    hours: Connection[OpeningSpan] = page(
        "When it is open, in order of time.",
        "{o}.place_id = {t}.id",
        Order((("{o}.opens_at", "timestamptz"),)),
        since=Arg(datetime | None, "Only what ends after this moment.", "timestamptz", "{o}.closes_at > :arg_since"),
        until=Arg(datetime | None, "Only what begins before it.", "timestamptz", "{o}.opens_at < :arg_until"),
    )
    weekly_hours: Connection[OpeningRule] = page("Weekly hours.", "{o}.place_id = {t}.id", OLDEST_FIRST)
    exceptional_days: Connection[ExceptionalDay] = page(
        "Closures and exceptional hours that are not past.",
        "{o}.place_id = {t}.id and {o}.last_day >= (now() at time zone 'Europe/Paris')::date - 1",
        OLDEST_FIRST,
    )
    distance: int = column(
        "Metres from a point, as the crow flies.",
        f"round({metres('{t}')})::integer",
        latitude=Arg(float, "Degrees north of the point.", "float8"),
        longitude=Arg(float, "Degrees east of the point.", "float8"),
    )


@strawberry.type
class PlaceQueries:
    """Root fields about places."""

    places: Connection[Place] = page(
        "Places of the city; the nearest first when a point is given.",
        "true",
        OLDEST_FIRST,
        may=READ_BY_ALL,
        latitude=Arg(float | None, "Degrees north of the point.", "float8", ranks=NEAREST),
        longitude=Arg(float | None, "Degrees east of the point.", "float8"),
        open_at=Arg(
            datetime | None,
            "Only places that are open at this moment.",
            "timestamptz",
            "exists (select from opening_span s where s.place_id = {o}.id "
            "and s.opens_at <= :arg_openAt and :arg_openAt < s.closes_at)",
        ),
    )
    place: Place | None = one(
        "A place by its code.", "{o}.code = :arg_code", may=READ_BY_ALL, code=Arg(str, "Code of the place.")
    )


@strawberry.input(description="Weekly opening hours, as an editor gives them.")
class OpeningRuleInput:
    """Input of savePlace."""

    weekday: int = strawberry.field(description="1 for Monday … 7 for Sunday.")
    opens: str = strawberry.field(description="HH:MM.")
    closes: str = strawberry.field(description="HH:MM; 24:00 is midnight.")
    season: Season = strawberry.field(default=Season.ALWAYS, description="In which part of the school year.")
    valid_from: date | None = strawberry.field(default=None, description="First day on which it holds.")
    valid_until: date | None = strawberry.field(default=None, description="Last day on which it holds.")


@strawberry.input(description="Days on which other hours hold.")
class ExceptionalDayInput:
    """Input of savePlace."""

    first_day: date = strawberry.field(description="First day.")
    last_day: date = strawberry.field(description="Last day, a year later at the most.")
    reason_fr: str = strawberry.field(description="Why, in French.")
    reason_en: str = strawberry.field(description="Why, in English.")
    opens: str | None = strawberry.field(default=None, description="HH:MM; none: closed.")
    closes: str | None = strawberry.field(default=None, description="HH:MM; 24:00 is midnight.")


@strawberry.input(description="A place, as an editor gives it.")
class PlaceInput:
    """Input of savePlace."""

    code: str = strawberry.field(description="Stable code: small letters, digits and dashes.")
    name_fr: str = strawberry.field(description="Name in French.")
    name_en: str = strawberry.field(description="Name in English.")
    address: str = strawberry.field(description="Postal address.")
    latitude: float = strawberry.field(description="Degrees north (WGS 84).")
    longitude: float = strawberry.field(description="Degrees east (WGS 84).")
    access_fr: str = strawberry.field(default="", description="How to get there, in French.")
    access_en: str = strawberry.field(default="", description="How to get there, in English.")
    accessibility: list[Accessibility] = strawberry.field(default_factory=list, description="What it offers.")
    phone: str = strawberry.field(default="", description="Telephone.")
    email: str = strawberry.field(default="", description="E-mail address.")
    open_on_public_holidays: bool = strawberry.field(
        default=False, description="True when weekly hours also hold on public holidays."
    )
    weekly_hours: list[OpeningRuleInput] = strawberry.field(
        default_factory=list, description="All weekly hours; those before are replaced."
    )
    exceptional_days: list[ExceptionalDayInput] = strawberry.field(
        default_factory=list, description="All exceptional days; of several that meet the last one holds."
    )


@strawberry.type(description="What saving a place gives.")
class PlacePayload(Payload):
    """Payload of commands on places."""

    place: Place | None = written("The place as it stands now, unless refused.", on="{o}.id = :source_id")


@strawberry.type
class PlaceMutations:
    """Commands about places."""

    @mutation(may=EDITOR, description="Write a place and its hours, new or known by its code.")
    async def save_place(
        info: Info, place: Annotated[PlaceInput, strawberry.argument(description="The place.")]
    ) -> PlacePayload:
        """Places and hours."""
        context = info.context
        rules = [_rule(info, each, n) for n, each in enumerate(place.weekly_hours)]
        days = [_exceptional(info, each, n) for n, each in enumerate(place.exceptional_days)]
        return PlacePayload(id=await places.save(context, _values(info, place), rules, days))

    @mutation(may=EDITOR, description="Take a place out of all lists.")
    async def archive_place(
        info: Info, code: Annotated[str, strawberry.argument(description="Code of the place.")]
    ) -> PlacePayload:
        """Places."""
        await places.archive(info.context, code)
        return PlacePayload()


CODE = re.compile(r"[a-z][a-z0-9-]{1,59}")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _checked(info: Info, good: bool, *path: str) -> None:
    if not good:
        raise info.context.refusal("BAD_USER_INPUT", ["place", *path])


def _values(info: Info, given: PlaceInput) -> PlaceValues:
    """Check a place; raises Refusal BAD_USER_INPUT with the path of the fault."""
    _checked(info, CODE.fullmatch(given.code) is not None, "code")
    _checked(info, 1 <= len(given.name_fr) <= 200, "nameFr")
    _checked(info, 1 <= len(given.name_en) <= 200, "nameEn")
    _checked(info, 1 <= len(given.address) <= 500, "address")
    _checked(info, -90 <= given.latitude <= 90, "latitude")
    _checked(info, -180 <= given.longitude <= 180, "longitude")
    for name, text in (("accessFr", given.access_fr), ("accessEn", given.access_en)):
        _checked(info, len(text) <= 2000, name)
    _checked(info, len(given.phone) <= 40, "phone")
    _checked(info, len(given.email) <= 254, "email")
    return PlaceValues(
        given.code,
        (given.name_fr, given.name_en),
        given.address,
        given.latitude,
        given.longitude,
        (given.access_fr, given.access_en),
        sorted({each.name for each in given.accessibility}),
        given.phone,
        given.email,
        given.open_on_public_holidays,
    )


def _rule(info: Info, given: OpeningRuleInput, number: int) -> Rule:
    path = ("weeklyHours", str(number))
    _checked(info, 1 <= given.weekday <= 7, *path, "weekday")
    opens, closes = _hours(info, given.opens, given.closes, *path)
    ordered = given.valid_from is None or given.valid_until is None or given.valid_from <= given.valid_until
    _checked(info, ordered, *path, "validUntil")
    return Rule(given.weekday, opens, closes, given.season.name, given.valid_from, given.valid_until)


def _exceptional(info: Info, given: ExceptionalDayInput, number: int) -> places.ExceptionalDay:
    path = ("exceptionalDays", str(number))
    _checked(info, 0 <= (given.last_day - given.first_day).days <= 366, *path, "lastDay")
    _checked(info, 1 <= len(given.reason_fr) <= 300, *path, "reasonFr")
    _checked(info, 1 <= len(given.reason_en) <= 300, *path, "reasonEn")
    _checked(info, (given.opens is None) == (given.closes is None), *path, "closes")
    days = Exceptional(given.first_day, given.last_day)
    if given.opens is not None and given.closes is not None:
        days = Exceptional(given.first_day, given.last_day, *_hours(info, given.opens, given.closes, *path))
    return places.ExceptionalDay(days, (given.reason_fr, given.reason_en))


def _hours(info: Info, opens: str, closes: str, *path: str) -> tuple[time, time]:
    """Read a pair of clock times; midnight at the end of the day is 00:00 of Python."""
    _checked(info, CLOCK.fullmatch(opens) is not None, *path, "opens")
    _checked(info, closes == "24:00" or CLOCK.fullmatch(closes) is not None, *path, "closes")
    begin, end = time.fromisoformat(opens), time(0) if closes == "24:00" else time.fromisoformat(closes)
    _checked(info, closes == "24:00" or begin < end, *path, "closes")
    return begin, end
