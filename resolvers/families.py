"""Families: what they are (R6), and the quotient familial that prices are computed from."""

import base64
from datetime import date, timedelta
from uuid import UUID

from db import families as stored
from db import members
from db.families import Quotient
from db.keys import Keys
from resolvers import identifiers
from resolvers.context import Context
from resolvers.family_news import confirm
from resolvers.members import held, served
from resolvers.viewer import Kind

HIGHEST_QUOTIENT = 100_000
OLDEST_QUOTIENT = timedelta(days=10 * 366)
FARTHEST_QUOTIENT = timedelta(days=366)


async def identify(
    context: Context,
    family: UUID | None,
    profile: str | None,
    siret: str | None,
    rna: str | None,
    registry_number: str | None,
) -> UUID:
    """Write a family's identifiers, all of them; only an agent changes the profile. Gives the family.

    Raises Refusal: NOT_FOUND, FORBIDDEN, SIRET_NOT_VALID, RNA_NOT_VALID, REGISTRY_NUMBER_NOT_VALID, IDENTIFIER_MISSING,
    IDENTIFIER_NOT_FOR_PROFILE, CHILD_NOT_ALLOWED.
    """
    family_id = served(context, family, "family")
    checked = (
        _checked(context, siret, identifiers.siret_of, "siret"),
        _checked(context, rna, identifiers.rna_of, "rna"),
        _checked(context, registry_number, identifiers.registry_number_of, "registryNumber"),
    )
    async with context.transaction() as tx:
        before = await held(tx, context, family_id, "family")
        if profile not in (None, before.profile) and context.viewer.kind is not Kind.AGENT:
            raise context.refusal("FORBIDDEN", ["profile"])
        wanted = profile or before.profile
        fault = identifiers.fault_of(wanted, *checked)
        if fault:
            raise context.refusal(fault, ["siret" if wanted == "PROFESSIONAL" else "rna"])
        if wanted != "INDIVIDUAL" and any(m.role == "CHILD" for m in await members.current(tx, family_id)):
            raise context.refusal("CHILD_NOT_ALLOWED", ["profile"])
        if (wanted, *checked) != (before.profile, before.siret, before.rna, before.registry_number):
            await stored.identify(tx, family_id, wanted, *checked)
            await confirm(tx, context, family_id, family_id, "IDENTIFIER_CHANGED")
            await context.record(tx, "family_identified", family=family_id, profile=wanted)
    return family_id


def _checked(context: Context, text: str | None, check: identifiers.Check, argument: str) -> str | None:
    if not (text or "").strip():
        return None
    try:
        return check(text or "")
    except identifiers.NotValid as error:
        raise context.refusal(str(error), [argument]) from error


async def record_quotient(
    context: Context, family_id: UUID, value: int, valid_from: date, valid_until: date | None, source: str
) -> tuple[UUID, UUID]:
    """Record a quotient familial beside those known (euros, from a day on); give its key.

    Raises Refusal: NOT_FOUND, QUOTIENT_NOT_VALID, IDENTIFIER_NOT_FOR_PROFILE for who is no household.
    """
    now = context.process.clock()
    today = now.date()
    if not 0 <= value <= HIGHEST_QUOTIENT:
        raise context.refusal("QUOTIENT_NOT_VALID", ["value"])
    if not today - OLDEST_QUOTIENT <= valid_from <= today + FARTHEST_QUOTIENT:
        raise context.refusal("QUOTIENT_NOT_VALID", ["validFrom"])
    if valid_until is not None and valid_until < valid_from:
        raise context.refusal("QUOTIENT_NOT_VALID", ["validUntil"])
    quotient = Quotient(value, valid_from, valid_until, source)
    async with context.transaction() as tx:
        family = await held(tx, context, family_id, "family")
        if family.profile != "INDIVIDUAL":
            raise context.refusal("IDENTIFIER_NOT_FOR_PROFILE", ["family"])
        agent_id = context.viewer.agent
        quotient_id = await stored.record_quotient(tx, context.process.keys, family_id, quotient, agent_id, now)
        await confirm(tx, context, family_id, quotient_id, "QUOTIENT_RECORDED")
        await context.record(tx, "quotient_recorded", family=family_id, subject=quotient_id, source=source)
    return family_id, quotient_id


def quotient_value(keys: Keys, family_id: str, sealed: str) -> int:
    """Give the value of a quotient as a read brings it along: the family, and base64 of what is sealed."""
    return stored.opened(keys, family_id, base64.b64decode(sealed))
