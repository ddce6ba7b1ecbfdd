"""Scalars of the contract. PostgreSQL writes their JSON; here they are read from arguments and passed through."""

from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry

LONGEST_JSON = 100_000


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("DateTime is a string (RFC 3339)")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("DateTime needs a time zone (RFC 3339)")
    return moment.astimezone(UTC)


def _day(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError("Date is a string (ISO 8601)")
    return date.fromisoformat(value)


def _same(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


DateTimeScalar = strawberry.scalar(
    name="DateTime",
    description="A moment in UTC, e.g. 2026-11-22T09:30:00+00:00 (RFC 3339).",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    serialize=_same,
    parse_value=_moment,
)
DateScalar = strawberry.scalar(
    name="Date",
    description="A day, e.g. 2026-11-22 (ISO 8601).",
    specified_by_url="https://scalars.graphql.org/andimarek/local-date",
    serialize=_same,
    parse_value=_day,
)

JSON = NewType("JSON", object)
JSONScalar = strawberry.scalar(
    name="JSON",
    description="Any JSON value: the answers to a form, and the form itself (JSON Schema 2020-12).",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
    serialize=lambda value: value,
    parse_value=lambda value: value,
)

EmailAddress = NewType("EmailAddress", str)
EmailAddressScalar = strawberry.scalar(
    name="EmailAddress",
    description="An e-mail address (RFC 5321).",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc5321",
    serialize=str,
    parse_value=str,
)

PhoneNumber = NewType("PhoneNumber", str)
PhoneNumberScalar = strawberry.scalar(
    name="PhoneNumber",
    description="A telephone number: given as people write it, shown in E.164, e.g. +33612345678.",
    specified_by_url="https://www.itu.int/rec/T-REC-E.164",
    serialize=str,
    parse_value=str,
)

SCALARS: dict[object, Any] = {
    datetime: DateTimeScalar,
    date: DateScalar,
    JSON: JSONScalar,
    EmailAddress: EmailAddressScalar,
    PhoneNumber: PhoneNumberScalar,
}
