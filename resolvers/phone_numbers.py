"""Telephone numbers in the one form in which they are stored and compared: E.164, mobiles of France and its overseas
parts.
"""

from collections.abc import Collection

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

LONGEST = 40
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
"""No other kind is sent to: not premium and shared-cost numbers, nor voice boxes, pagers and landlines."""


def normalised_phone(text: str, regions: Collection[str]) -> str:
    """Give a number in E.164. A number without its country is looked for in each of the regions, in their order: the
    overseas departments share one way of writing with the mainland, as in 0690 12 34 56.

    Raises ValueError unless it is a mobile number of one of the regions (ISO 3166).
    """
    if len(text) > LONGEST:
        raise ValueError("not a telephone number")
    for region in regions:
        found = _read(text, region)
        if found is not None and _is_mobile(found, regions):
            return phonenumbers.format_number(found, PhoneNumberFormat.E164)
    raise ValueError("not a mobile number of these regions")


def masked(number: str) -> str:
    """Give a number (E.164) as it may stand in a message: its country and its last two digits."""
    return f"{number[:3]} … {number[-2:]}"


def _read(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _is_mobile(number: PhoneNumber, regions: Collection[str]) -> bool:
    return (
        not number.extension
        and phonenumbers.is_valid_number(number)
        and phonenumbers.region_code_for_number(number) in regions
        and phonenumbers.number_type(number) in MOBILE
    )
