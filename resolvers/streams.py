"""Live streams: which news a viewer may follow, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from db import card_payments, news
from db import procedures as stored_procedures
from db.news import NewsRow
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Follow:
    """What one subscription follows: a family's stream after a number, narrowed to topics or to one procedure."""

    context: Context
    family_id: UUID
    procedure_id: UUID | None
    topics: frozenset[str]
    types: frozenset[str]
    """Empty: all."""
    after: int
    subject_id: UUID | None = None
    """The one thing that is followed, such as a payment."""

    def wants(self, row: NewsRow) -> bool:
        """Tell whether an item of the family's stream belongs to this one."""
        right_kind = row.topic in self.topics and (not self.types or row.type in self.types)
        right_subject = self.subject_id in (None, row.subject_id)
        return right_kind and right_subject and self.procedure_id in (None, row.procedure_id)

    async def missed(self, seq: int) -> list[NewsRow]:
        """Give what came after a number, oldest first, 500 at the most."""
        async with self.context.look() as tx:
            topics, types = sorted(self.topics), sorted(self.types)
            return await news.after(tx, self.family_id, seq, self.procedure_id, topics, types, self.subject_id)


async def follow(
    context: Context,
    family_id: UUID | None,
    procedure_id: UUID | None,
    topics: Sequence[str],
    types: Sequence[str],
    after: str | None,
    payment_id: UUID | None = None,
) -> Follow:
    """Begin a stream at a cursor, or now.

    An agent follows one procedure of its services, a family may follow one of its card payments. Raises Refusal:
    NOT_FOUND, BAD_USER_INPUT for a cursor that is none.
    """
    if family_id is None:
        raise context.refusal("BAD_USER_INPUT", ["procedure"])
    async with context.look() as tx:
        if procedure_id is not None and not await stored_procedures.seen(tx, family_id, procedure_id):
            raise context.refusal("NOT_FOUND", ["procedure"])
        if payment_id is not None and not await card_payments.seen(tx, family_id, payment_id):
            raise context.refusal("NOT_FOUND", ["payment"])
        last = await news.last(tx, family_id)
    if last is None:
        raise context.refusal("NOT_FOUND", ["procedure"])
    seq = last if after is None else _seq(context, after, last)
    return Follow(
        context, family_id, procedure_id, _shared(frozenset(topics)), _shared(frozenset(types)), seq, payment_id
    )


@lru_cache(maxsize=1000)
def _shared(names: frozenset[str]) -> frozenset[str]:
    """Give one object for equal sets: thousands of streams name the same topics."""
    return names


def _seq(context: Context, cursor: str, last: int) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19 and int(cursor) <= last):
        raise context.refusal("BAD_USER_INPUT", ["after"])
    return int(cursor)
