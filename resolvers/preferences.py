"""How a family wants to be told (R13), and its inbox."""

import re
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from db import addresses, digests
from db import preferences as stored
from db.ids import uuid7
from db.outbox import Told, tell
from db.quiet import URGENT, QuietHours
from resolvers.addresses import envelope
from resolvers.context import Context
from resolvers.family_news import confirm
from resolvers.members import held, served
from resolvers.phone_numbers import masked
from resolvers.push import DEVICES

RING = ("SMS", "WEB_PUSH", "MOBILE_PUSH")
"""Channels that quiet hours hold back."""

OF_LOGINS = ("EMAIL", "POST")
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


async def set_channels(context: Context, topic: str, channels: Sequence[str]) -> UUID:
    """Set the ordered channels of a topic: the first that can reach the family is used, the next when it fails.

    Raises Refusal: BAD_USER_INPUT for an empty list or a channel named twice, CHANNEL_NOT_AVAILABLE.
    """
    family_id = context.viewer.family
    if not channels or len(set(channels)) != len(channels):
        raise context.refusal("BAD_USER_INPUT", ["channels"])
    async with context.transaction() as tx:
        reachable = {"IN_APP"} | await stored.reached_by(tx, family_id)
        if not set(channels) <= reachable:
            raise context.refusal("CHANNEL_NOT_AVAILABLE", ["channels"])
        await stored.set_channels(tx, family_id, topic, channels, context.process.clock())
    return family_id


async def set_quiet_hours(context: Context, starts: str | None, ends: str | None) -> UUID:
    """Set the hours in which nothing rings at the family, by the clocks of the city; without any, the city's count.

    Raises Refusal BAD_USER_INPUT for what is no time of day, or for one without the other.
    """
    family_id = context.viewer.family
    if (starts is None) != (ends is None):
        raise context.refusal("BAD_USER_INPUT", ["ends" if ends is None else "starts"])
    hours = None
    if starts is not None and ends is not None:
        hours = _time(context, starts, "starts"), _time(context, ends, "ends")
    async with context.transaction() as tx:
        await stored.set_quiet_hours(tx, family_id, hours, context.process.clock())
    return family_id


async def set_daily_message(context: Context, hour: int | None, topics: Sequence[str]) -> UUID:
    """Let what can wait of some topics come in one message a day, at an hour by the clocks of the city (R13).

    Without topics there is none; what waits for it comes at once. Raises Refusal BAD_USER_INPUT for an hour that is
    none, for topics without an hour, and for one that cannot wait.
    """
    family_id = context.viewer.family
    if len(set(topics)) != len(topics) or not set(topics) <= set(digests.TOPICS):
        raise context.refusal("BAD_USER_INPUT", ["topics"])
    if (hour is None) != (not topics) or (hour is not None and not 0 <= hour <= 23):
        raise context.refusal("BAD_USER_INPUT", ["hour"])
    async with context.transaction() as tx:
        await digests.choose(tx, family_id, hour, sorted(topics))
    return family_id


def waits_until(
    _: object, now: str, daily: str, channel: str, hour: str | None, topic: str, quiet: str, zone: str
) -> datetime | None:
    """Give until when news of a topic would wait on one step of its way; None when it goes at once.

    `quiet` is from when to when nothing rings, `hour` that of the daily message; all as a read brings them along.
    """
    at, clocks = datetime.fromisoformat(now), ZoneInfo(zone)
    if daily == "true":
        at = digests.next_time(at, int(hour or 0), clocks)
    if channel not in RING or topic in URGENT:
        return at if daily == "true" else None
    starts, ends = map(time.fromisoformat, quiet.split())
    over = QuietHours(starts, ends, clocks).until(at)
    return over or (at if daily == "true" else None)


def _time(context: Context, text: str, argument: str) -> time:
    if not TIME_OF_DAY.fullmatch(text):
        raise context.refusal("BAD_USER_INPUT", [argument])
    return time.fromisoformat(text)


async def mark_read(context: Context, news_ids: Sequence[UUID]) -> UUID:
    """Mark items of the inbox as read; those already read stay as they are."""
    family_id = context.viewer.family
    async with context.transaction() as tx:
        await stored.mark_read(tx, family_id, news_ids, context.process.clock())
    return family_id


async def send_test(context: Context, topic: str, address_id: UUID | None = None) -> UUID:
    """Tell the family a test message, to one of its addresses or the way it chose for a topic.

    Raises Refusal NOT_FOUND for an address that is not proven, or retired.
    """
    family_id, now = context.viewer.family, context.process.clock()
    data = {"summary_fr": "Ceci est un message d’essai.", "summary_en": "This is a test message."}
    async with context.transaction() as tx:
        to = [await _place(tx, context, address_id)] if address_id is not None else []
        await tell(tx, Told(family_id, topic, "test", uuid7(now), data, now, to=to))
    return family_id


async def _place(tx: Any, context: Context, address_id: UUID) -> tuple[str, str]:
    address = await addresses.hold(tx, context.viewer.family, address_id)
    if address is None or not address.verified or address.retired:
        raise context.refusal("NOT_FOUND", ["address"])
    return address.channel, address.value


async def set_postal_address(context: Context, text: str, family: UUID | None = None) -> tuple[UUID, UUID]:
    """Set where letters to the family go; it is confirmed (R16). An agent names the family that it serves.

    Raises Refusal: NOT_FOUND, BAD_USER_INPUT for more or less than an envelope holds.
    """
    viewer, now = context.viewer, context.process.clock()
    family_id = served(context, family, "family")
    try:
        value = envelope(text)
    except ValueError as error:
        raise context.refusal("BAD_USER_INPUT", ["address"]) from error
    async with context.transaction() as tx:
        await held(tx, context, family_id, "family")
        address = await addresses.set_postal(tx, family_id, uuid7(now), viewer.account_id, value, now)
        await confirm(tx, context, family_id, address, "ADDRESS_ADDED", value.splitlines()[-1])
        await context.record(tx, "postal_address_set", family=family_id, subject=address)
    return family_id, address


async def use_again(context: Context, address_id: UUID) -> tuple[UUID, UUID]:
    """Write again to the e-mail address of a login, which proved dead and works now; every address is told (R16).

    Repeated, it changes nothing; should it bounce, it is retired again. Raises Refusal NOT_FOUND for any other address.
    """
    viewer = context.viewer
    async with context.transaction() as tx:
        address = await addresses.hold(tx, viewer.family, address_id)
        if address is None or address.channel != "EMAIL":
            raise context.refusal("NOT_FOUND", ["address"])
        if address.retired:
            email = await addresses.use_again(tx, viewer.family, address_id)
            if email is None:
                raise context.refusal("NOT_FOUND", ["address"])
            await confirm(tx, context, viewer.family, address_id, "ADDRESS_ADDED", email)
            await context.record(tx, "address_used_again", family=viewer.family, subject=address_id)
    return viewer.family, address_id


async def remove_address(context: Context, address_id: UUID) -> tuple[UUID, UUID]:
    """Send nothing more to an address: what waits for it takes its next channel. Repeated, it changes nothing.

    Raises Refusal: NOT_FOUND, ADDRESS_IN_USE for an e-mail address, which is that of a login, and for a postal one.
    """
    viewer, now = context.viewer, context.process.clock()
    async with context.transaction() as tx:
        address = await addresses.hold(tx, viewer.family, address_id)
        if address is None:
            raise context.refusal("NOT_FOUND", ["address"])
        if address.channel in OF_LOGINS:
            raise context.refusal("ADDRESS_IN_USE", ["address"])
        if not address.retired:
            await addresses.remove(tx, viewer.family, address_id, now)
            shown = masked(address.value) if address.channel == "SMS" else DEVICES[address.channel]
            await confirm(tx, context, viewer.family, address_id, "ADDRESS_REMOVED", shown)
            await context.record(tx, "address_removed", family=viewer.family, subject=address_id)
    return viewer.family, address_id
