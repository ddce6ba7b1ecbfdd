"""Tariffs: what editors save, and the price of one family with the reason for it (R14).

The rule: the price of the bracket in which the family's quotient of that day lies; the highest one when the city does
not know a quotient, or the one it knew has run out.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from babel.dates import format_date

from db import families
from db import tariffs as stored
from db.ids import uuid7
from db.keys import Keys
from db.tariffs import Price
from resolvers.context import Context
from resolvers.sentence import Sentence

CODE = re.compile(r"[a-z][a-z0-9-]{1,59}")
MOST_BRACKETS = 50
HIGHEST_CENTS = 10_000_000
HIGHEST_QUOTIENT = 100_000
EARLIEST = date(2000, 1, 1)
FRENCH = str.maketrans(",.", "\N{NARROW NO-BREAK SPACE},")

IN_BRACKET = Sentence(
    "Votre quotient familial de {quotient} € (connu depuis le {since}, {source}) est dans la tranche {bracket} : "
    "{price} {unit}.",
    "Your quotient familial of €{quotient} (known since {since}, {source}) is in the bracket {bracket}: "
    "{price} {unit}.",
)
UNKNOWN = Sentence(
    "La mairie ne connaît pas votre quotient familial d’aujourd’hui : le prix le plus élevé s’applique, "
    "{price} {unit}. Transmettez votre attestation pour payer selon vos revenus.",
    "The city does not know your quotient familial of today: the highest price applies, {price} {unit}. Send your "
    "certificate to pay according to your income.",
)
SAME_FOR_ALL = Sentence(
    "Le prix est le même pour tous : {price} {unit}.", "The price is the same for all: {price} {unit}."
)
FOR_MEMBER = Sentence("Pour {member}. ", "For {member}. ")
FROM_TO = Sentence("de {low} à moins de {high} €", "from €{low} to below €{high}")
FROM = Sentence("à partir de {low} €", "from €{low}")
SOURCES = {
    "CAF": Sentence("CAF", "CAF"),
    "MSA": Sentence("MSA", "MSA"),
    "TAX_NOTICE": Sentence("avis d’imposition", "tax notice"),
    "OTHER": Sentence("autre document", "another document"),
}


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """The price of one family, and how it came about."""

    cents: int
    quotient: int | None
    """Euros a month; none where it does not matter or is not known."""

    valid_from: date | None
    """Since when that quotient counts."""

    bracket: Price
    explanation: str


async def save(
    context: Context,
    service: str,
    given: stored.Tariff,
    prices: Sequence[Price],
    valid_from: date,
    valid_until: date | None,
) -> UUID:
    """Write a tariff and the prices that hold from a day on; give its id. What held until then stays as it was.

    The brackets must leave no quotient without a price: the first begins at 0, each where the one before ends, the last
    has no end. Raises Refusal: BAD_USER_INPUT with the path of the fault, NOT_FOUND for the service.
    """
    now = context.process.clock()
    for path, good in (
        (["tariff", "code"], CODE.fullmatch(given.code) is not None),
        (["tariff", "labelFr"], 1 <= len(given.label[0]) <= 200),
        (["tariff", "labelEn"], 1 <= len(given.label[1]) <= 200),
        (["tariff", "unitFr"], len(given.unit[0]) <= 60),
        (["tariff", "unitEn"], len(given.unit[1]) <= 60),
        (["tariff", "validUntil"], valid_until is None or valid_until >= valid_from),
        (["tariff", "validFrom"], valid_from >= EARLIEST),
    ):
        if not good:
            raise context.refusal("BAD_USER_INPUT", path)
    fault = fault_of(prices)
    if fault is not None:
        raise context.refusal("TARIFF_NOT_VALID", ["tariff", "prices", *fault])
    async with context.transaction() as tx:
        tariff_id = await stored.save(tx, uuid7(now), service, given, now)
        if tariff_id is None:
            raise context.refusal("NOT_FOUND", ["tariff", "service"])
        await stored.replace_prices(tx, tariff_id, [(uuid7(now), price) for price in prices], valid_from, valid_until)
        await context.record(tx, "tariff_saved", family=None, subject=tariff_id, valid_from=valid_from.isoformat())
    return tariff_id


def fault_of(prices: Sequence[Price]) -> list[str] | None:
    """Give the path of the first fault in a list of brackets; None when they are right."""
    if not 1 <= len(prices) <= MOST_BRACKETS:
        return []
    expected: int | None = 0
    for place, price in enumerate(prices):
        if price.quotient_from != expected:
            return [str(place), "quotientFrom"]
        if not 0 <= price.cents <= HIGHEST_CENTS:
            return [str(place), "cents"]
        expected = price.quotient_until
        if expected is not None and not price.quotient_from < expected <= HIGHEST_QUOTIENT:
            return [str(place), "quotientUntil"]
    return None if expected is None else [str(len(prices) - 1), "quotientUntil"]


def price_of(prices: Sequence[Price], quotient: int | None) -> Price | None:
    """Give the price for a quotient (euros a month), the highest one when it is unknown; None without any price."""
    if quotient is None:
        return max(prices, key=lambda price: price.cents, default=None)
    for price in prices:
        if price.quotient_from <= quotient and (price.quotient_until is None or quotient < price.quotient_until):
            return price
    return max(prices, key=lambda price: price.cents, default=None)


async def price_on(tx: Any, keys: Keys, family_id: UUID, code: str, day: date) -> Price | None:
    """Give what a family pays for one unit of a tariff on a day: for bills. None when it has no price that day."""
    quotient = await families.quotient_on(tx, keys, family_id, day)
    return price_of(await stored.prices_on(tx, code, day), quotient.value if quotient else None)


def own_price(
    keys: Keys, family_id: str | None, quotient: str | None, prices: str, language: str, unit: str, member: str | None
) -> OwnPrice | None:
    """Give the price of the family that looks, from what a read brings along; None for anybody else.

    `quotient` is JSON of what counts today: `{sealed, valid_from, source}`; `prices` JSON of the brackets of today;
    `member` the first name of the member asked for, empty when none was, null when it is not the family's.
    """
    brackets = [Price(**each) for each in msgspec.json.decode(prices)]
    if family_id is None or member is None or not brackets:
        return None
    known = msgspec.json.decode(quotient) if quotient else None
    value = families.opened(keys, family_id, base64.b64decode(known["sealed"])) if known else None
    bracket = price_of(brackets, value)
    assert bracket is not None, "there are brackets"
    facts = {"price": formatted(bracket.cents, language), "unit": unit, "bracket": _bracket(bracket, language)}
    since = date.fromisoformat(known["valid_from"]) if known else None
    if len(brackets) == 1:
        sentence, value, since = SAME_FOR_ALL, None, None
    elif known is None or since is None:
        sentence = UNKNOWN
    else:
        sentence = IN_BRACKET
        facts |= {
            "quotient": str(value),
            "since": _day(since, language),
            "source": SOURCES[known["source"]].to(language),
        }
    for_member = FOR_MEMBER.to(language).format(member=member) if member else ""
    explanation = for_member + sentence.to(language).format(**facts)
    return OwnPrice(bracket.cents, value, since, bracket, explanation.replace(" .", "."))


def formatted(cents: int, language: str) -> str:
    """Write an amount as people do, the same as `formatted_money` of the database: 1 234,50 € or €1,234.50."""
    sign, text = "-" if cents < 0 else "", f"{abs(cents) / 100:,.2f}"
    return f"{sign}€{text}" if language == "en" else sign + text.translate(FRENCH) + "\N{NO-BREAK SPACE}€"


def _bracket(price: Price, language: str) -> str:
    if price.quotient_until is None:
        return FROM.to(language).format(low=price.quotient_from)
    return FROM_TO.to(language).format(low=price.quotient_from, high=price.quotient_until)


def _day(day: date, language: str) -> str:
    return format_date(day, "d MMMM y", {"fr": "fr_FR", "en": "en_GB"}[language])
