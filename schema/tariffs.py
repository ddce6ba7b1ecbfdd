"""Tariffs: what services cost by quotient, and what the family that looks pays (R14)."""

from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry

from db.tariffs import Price
from db.tariffs import Tariff as TariffValues
from resolvers import tariffs
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Order, Stored
from schema.access import AFTER_TERMS, EDITOR, EVERYBODY
from schema.declare import Arg, Payload, column, computed, mutation, one, page, stored, written
from schema.money import Money, money, money_made
from schema.relay import PUBLIC, Connection, Info, Node
from schema.services import Service, in_language
from schema.tags import Tag

TODAY = "(:now at time zone 'Europe/Paris')::date"
MEMBER = Stored("member", {}, tag=Tag.MEMBER)
BY_POSITION = Order((("{o}.position", "integer"), ("{o}.id", "uuid")))
BY_QUOTIENT = Order((("{o}.valid_from::text", "text"), ("{o}.quotient_from", "integer"), ("{o}.id", "uuid")))

QUOTIENT = """(select json_build_object('sealed', translate(encode(q.sealed_value, 'base64'), E'\\n', ''),
        'valid_from', q.valid_from, 'source', q.source)::text
    from (select * from quotient_familial f where f.family_id = :family and f.valid_from <= TODAY
        order by f.valid_from desc, f.id desc limit 1) q
    where q.valid_until is null or q.valid_until >= TODAY)""".replace("TODAY", TODAY)
PRICES = """(select coalesce(json_agg(json_build_object('quotient_from', p.quotient_from,
        'quotient_until', p.quotient_until, 'cents', p.cents) order by p.quotient_from), '[]')::text
    from tariff_price p where p.tariff_id = {t}.id and p.valid_from <= TODAY
        and (p.valid_until is null or p.valid_until >= TODAY))""".replace("TODAY", TODAY)
ASKED = """case when :arg_member is null then '' else (select m.first_name from member m where m.family_id = :family
    and m.ended_at is null and ID = :arg_member) end""".replace("ID", id_sql(MEMBER).replace("{t}", "m"))
"""The first name of the member that is asked for; empty when none is, null when it is not the family's."""


@stored("tariff_price", PUBLIC, tag=Tag.TARIFF_PRICE, key=("id",))
@strawberry.type(description="One price: for a bracket of quotients, from one day to another.")
class TariffPrice(Node):
    """A price."""

    quotient_from: int = column("Lowest quotient of the bracket, in euros a month.")
    quotient_until: int | None = column("Quotients are below this; none: without end.")
    price: Money = money("Price of one unit.", "{t}.cents")
    valid_from: date = column("First day on which it holds.")
    valid_until: date | None = column("Last day, where it is known.")


@strawberry.type(description="What the family that looks pays, and why.")
class OwnPrice:
    """R14."""

    id: strawberry.ID = strawberry.field(description="One for each tariff and member, for caches.")
    price: Money = strawberry.field(description="Price of one unit today.")
    quotient: int | None = strawberry.field(
        description="The quotient that counts, in euros a month; none where it is unknown or does not matter."
    )
    quotient_valid_from: date | None = strawberry.field(description="Since when that quotient counts.")
    quotient_from: int = strawberry.field(description="Lowest quotient of the bracket.")
    quotient_until: int | None = strawberry.field(description="Quotients of the bracket are below this.")
    explanation: str = strawberry.field(
        description="How the price came about, in a sentence in the language of the viewer."
    )


def _own_price(keys: Any, language: str, *given: Any) -> OwnPrice | None:
    name, family_id, quotient, prices, unit, member = given
    found = tariffs.own_price(keys, family_id, quotient, prices, language, unit, member)
    if found is None:
        return None
    price: Any = money_made({"cents": found.cents, "formatted": tariffs.formatted(found.cents, language)})
    low, high = found.bracket.quotient_from, found.bracket.quotient_until
    return OwnPrice(
        id=strawberry.ID(name),
        price=price,
        quotient=found.quotient,
        quotient_valid_from=found.valid_from,
        quotient_from=low,
        quotient_until=high,
        explanation=found.explanation,
    )


@strawberry.enum(description="Whether CESU vouchers pay for it.")
class TariffCesu(Enum):
    """Code du travail L1271-1."""

    NEVER = strawberry.enum_value("NEVER", description="Never, as for the canteen.")
    UNDER_6 = strawberry.enum_value("UNDER_6", description="For children under six on the day.")
    ALWAYS = strawberry.enum_value("ALWAYS", description="Always.")


@stored("tariff", PUBLIC, tag=Tag.TARIFF, key=("id",))
@strawberry.type(description="Something that has a price: a meal, a half-day.")
class Tariff(Node):
    """A tariff (tarif)."""

    code: str = column("Stable code, e.g. repas-cantine.")
    label: str = column("What it is, in the language of the viewer.", in_language("label"))
    unit: str = column("For what one price is, e.g. « le repas ».", in_language("unit"))
    cesu: TariffCesu = column("Whether CESU vouchers pay for it.")
    service: Service = one("Service that provides it.", "{o}.id = {t}.service_id")
    prices: Connection[TariffPrice] = page(
        "Prices by day and bracket: those that hold today or later unless a day is given.",
        "{o}.tariff_id = {t}.id and ({o}.valid_until is null "
        f"or {{o}}.valid_until >= coalesce(:arg_day, {TODAY})) and (:arg_day is null or {{o}}.valid_from <= :arg_day)",
        BY_QUOTIENT,
        day=Arg(date | None, "Only prices that hold on this day.", "date"),
    )
    your_price: OwnPrice | None = computed(
        "What the signed-in family pays today, with the reason; null for anybody else, for a member of another family, "
        "and where there is no price today. The highest price when the city knows no quotient.",
        _own_price,
        ":language",
        "concat_ws(' ', 'own-price', {t}.code, :arg_member)",
        ":family::text",
        QUOTIENT,
        PRICES,
        in_language("unit"),
        ASKED,
        may=AFTER_TERMS,
        member=Arg(strawberry.ID | None, "The member that it is for, to be named in the reason."),
    )


@strawberry.type
class TariffQueries:
    """Root fields about tariffs."""

    tariffs: Connection[Tariff] = page(
        "What services cost.",
        "true",
        BY_POSITION,
        may=EVERYBODY,
        service=Arg(
            str | None,
            "Only those of this service, by its code.",
            filters="{o}.service_id = (select s.id from service s where s.code = :arg_service)",
        ),
    )
    tariff: "Tariff | None" = one(
        "A tariff by its code.", "{o}.code = :arg_code", may=EVERYBODY, code=Arg(str, "Code of the tariff.")
    )


@strawberry.input(description="A price, as an editor gives it.")
class TariffPriceInput:
    """Part of TariffInput."""

    quotient_from: int = strawberry.field(description="Lowest quotient of the bracket, in euros a month.")
    quotient_until: int | None = strawberry.field(
        default=None, description="Quotients are below this; nothing in the last bracket."
    )
    cents: int = strawberry.field(description="Price of one unit, in cents.")


@strawberry.input(description="A tariff, as an editor gives it.")
class TariffInput:
    """Input of saveTariff."""

    code: str = strawberry.field(description="Stable code: small letters, digits and dashes.")
    service: str = strawberry.field(description="Code of the service.")
    label_fr: str = strawberry.field(description="What it is, in French.")
    label_en: str = strawberry.field(description="The same in English.")
    unit_fr: str = strawberry.field(default="", description="For what one price is, in French.")
    unit_en: str = strawberry.field(default="", description="The same in English.")
    position: int = strawberry.field(default=0, description="Place among the tariffs of its service, small first.")
    cesu: TariffCesu | None = strawberry.field(
        default=None, description="Whether CESU vouchers pay for it; nothing: as it was, never for a new one."
    )
    valid_from: date = strawberry.field(
        description="First day of these prices; those before end the day before, those from this day on are replaced."
    )
    valid_until: date | None = strawberry.field(default=None, description="Last day, where it is known.")
    prices: list[TariffPriceInput] = strawberry.field(
        description="Brackets in order and without gap, the first from 0, the last without end; 50 at the most."
    )


@strawberry.type(description="What saving a tariff gives.")
class TariffPayload(Payload):
    """Payload of saveTariff."""

    tariff: Tariff | None = written("The tariff as it stands now, unless refused.", "{o}.id = :source_id")


@strawberry.type
class TariffMutations:
    """Commands about tariffs."""

    @mutation(may=EDITOR, description="Write a tariff and the prices that hold from a day on.")
    async def save_tariff(
        info: Info, tariff: Annotated[TariffInput, strawberry.argument(description="The tariff.")]
    ) -> TariffPayload:
        """R14."""
        labels, units = (tariff.label_fr, tariff.label_en), (tariff.unit_fr, tariff.unit_en)
        cesu = tariff.cesu.name if tariff.cesu else None
        given = TariffValues(tariff.code, labels, units, tariff.position, cesu)
        prices = [Price(each.quotient_from, each.quotient_until, each.cents) for each in tariff.prices]
        saved = await tariffs.save(info.context, tariff.service, given, prices, tariff.valid_from, tariff.valid_until)
        return TariffPayload(id=saved)
