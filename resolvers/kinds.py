"""Kinds of procedure: what editors write, and when one may be started."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from babel.dates import format_date

from db import kinds as stored
from db.clock import PARIS
from db.ids import uuid7
from db.procedures import Kind
from resolvers.context import Context
from resolvers.form_dialect import form_faults
from resolvers.problems import Refusal, refusals_of
from resolvers.sentences import SENTENCES

LOCALES = {"fr": "fr_FR", "en": "en_GB"}


async def save(
    context: Context,
    content: stored.Content,
    service: str,
    form: Any,
    documents: Sequence[stored.Document],
    version: int | None,
) -> UUID:
    """Write the next version of a kind, and offer it; the same as it stands changes nothing. Give the version's id.

    `version` is the one that the editor started from: 0 for a new kind, None where it does not matter. Raises Refusal:
    NOT_FOUND for the service, one FORM_NOT_VALID per fault of the form, KIND_CHANGED.
    """
    now = context.process.clock()
    found = form_faults(form)
    if found:
        faults = [(fault.sentence.to(context.viewer.language), ["kind", "form", fault.pointer]) for fault in found]
        raise refusals_of("FORM_NOT_VALID", faults)
    async with context.transaction() as tx:
        service_id = await stored.service_by_code(tx, service)
        if service_id is None:
            raise context.refusal("NOT_FOUND", ["kind", "service"])
        content = replace(content, service_id=service_id, form=msgspec.json.encode(form).decode())
        await stored.hold_code(tx, content.code)
        current = await stored.current(tx, content.code)
        if version is not None and version != (current.version if current else 0):
            raise context.refusal("KIND_CHANGED", ["kind", "version"])
        if current is not None and _same(current, content, documents):
            return current.id
        kind_id = uuid7(now)
        await stored.insert(tx, kind_id, content, documents, now)
        if content.capacity is not None:
            await stored.open_intake(tx, content.code, content.intake)
        await context.record(tx, "procedure_kind_saved", family=None, subject=kind_id, code=content.code)
    return kind_id


def _same(current: stored.Current, content: stored.Content, documents: Sequence[stored.Document]) -> bool:
    before, after = asdict(current.content), asdict(content)
    forms = [json_order(msgspec.json.decode(each.pop("form"))) for each in (before, after)]
    return before == after and forms[0] == forms[1] and list(current.documents) == list(documents)


def json_order(value: Any) -> Any:
    """Give a JSON value so that two are equal when the order of their keys is too."""
    if isinstance(value, dict):
        return [(name, json_order(each)) for name, each in value.items()]
    return [json_order(each) for each in value] if isinstance(value, list) else value


async def retire(context: Context, code: str) -> UUID:
    """Offer a kind no longer; what runs goes on in its version. Give the version's id. Raises Refusal: NOT_FOUND."""
    async with context.transaction() as tx:
        await stored.hold_code(tx, code)
        current = await stored.current(tx, code)
        if current is None:
            raise context.refusal("NOT_FOUND", ["code"])
        await stored.retire(tx, code, context.process.clock())
        await context.record(tx, "procedure_kind_retired", family=None, subject=current.id, code=code)
    return current.id


async def check_open(tx: Any, context: Context, kind: Kind | None, path: str, now: datetime, *, hold: bool) -> Kind:
    """Give the kind on offer if it may be started on this day (Paris) and has a place left.

    `hold` keeps the number of places until the transaction ends, so that exactly as many are given as there are.
    Raises Refusal: KIND_NOT_OPEN, which says when it opens or closed; KIND_FULL.
    """
    if kind is None:
        raise context.refusal("KIND_NOT_OPEN", [path])
    today = now.astimezone(PARIS).date()
    if kind.opens_on is not None and today < kind.opens_on:
        raise _not_open(context, "KIND_NOT_OPEN_YET", kind.opens_on, path)
    if kind.closes_on is not None and today > kind.closes_on:
        raise _not_open(context, "KIND_CLOSED", kind.closes_on, path)
    if kind.capacity is not None:
        taken = await stored.taken(tx, kind.code, kind.opens_on or stored.ALWAYS_OPEN, hold=hold)
        if taken >= kind.capacity:
            raise context.refusal("KIND_FULL", [path])
    return kind


def _not_open(context: Context, sentence: str, day: date, path: str) -> Refusal:
    language = context.viewer.language
    written = format_date(day, "long", LOCALES[language])
    return Refusal("KIND_NOT_OPEN", SENTENCES[sentence].to(language).format(day=written), [path])
