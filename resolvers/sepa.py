"""SEPA: which accounts can be debited, on which days banks work, and who the creditor is.

Sources: EPC016-06, SEPA Core Direct Debit scheme rulebook; EPC409-09, list of SEPA countries; T2 calendar of the ECB.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError

from db.configuration import SettingsError
from db.settings import Settings

EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)
OUTSIDE_EEA = frozenset(("AD", "AL", "CH", "GB", "GI", "MC", "MD", "ME", "MK", "RS", "SM", "VA"))
"""For these a debit needs the BIC and the address of the debtor (rulebook, AT-D006 and AT-P005; regulation
(EU) 2015/847)."""

DEMO_IDENTIFIER = "FR72ZZZ123456"
DEMO_IBAN = "FR7630006000011234567890189"
DEMO_BIC = "AGRIFRPP"
"""Made up, as documentation has them: for development and the demonstration."""


class NotValid(ValueError):
    """An account that cannot be debited; the text is the code of the refusal."""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account as a mandate names it."""

    iban: str
    """Without blanks."""
    bic: str | None

    @property
    def country(self) -> str:
        """The two letters that the IBAN begins with."""
        return self.iban[:2]

    @property
    def needs_address(self) -> bool:
        """Whether banks ask for the debtor's address too."""
        return self.country in OUTSIDE_EEA


def account_of(iban: str, bic: str | None) -> BankAccount:
    """Check an account as somebody typed it.

    Raises NotValid: IBAN_NOT_VALID (form, length or check digits), IBAN_NOT_SEPA, BIC_NOT_VALID (form, other country
    than the IBAN's, or missing for a bank outside the European Economic Area).
    """
    number = _iban(iban)
    if number[:2] not in EEA | OUTSIDE_EEA:
        raise NotValid("IBAN_NOT_SEPA")
    code = _bic(bic) if bic and bic.strip() else None
    if code is None and number[:2] in OUTSIDE_EEA:
        raise NotValid("BIC_NOT_VALID")
    return BankAccount(number, code)


def _iban(text: str) -> str:
    try:
        number: str = ibans.validate(text)
    except ValidationError as error:
        raise NotValid("IBAN_NOT_VALID") from error
    if not number.isascii():
        raise NotValid("IBAN_NOT_VALID")
    return number


def _bic(text: str) -> str:
    try:
        code: str = bics.validate(text)
    except ValidationError as error:
        raise NotValid("BIC_NOT_VALID") from error
    if not code.isascii():
        raise NotValid("BIC_NOT_VALID")
    return code


@dataclass(frozen=True, slots=True)
class Creditor:
    """Who collects: the city as its bank knows it."""

    name: str
    identifier: str
    """ICS."""
    iban: str
    bic: str | None


def creditor_of(settings: Settings) -> Creditor | None:
    """Give the creditor of the settings; in production None where they name none: no debit is offered then.

    Raises SettingsError for an ICS, IBAN or BIC with a wrong check digit: better no start than a refused file.
    """
    given = settings.debit
    name = given.creditor_name or settings.city.name
    if given.creditor_identifier is None and not settings.server.production:
        return Creditor(name, DEMO_IDENTIFIER, DEMO_IBAN, DEMO_BIC)
    if not given.creditor_identifier or not given.creditor_iban:
        return None
    try:
        identifier: str = at_02.validate(given.creditor_identifier)
        account = account_of(given.creditor_iban, given.creditor_bic)
    except (ValidationError, NotValid) as error:
        raise SettingsError(f"debit: the creditor's identifier, IBAN or BIC is not valid ({error})") from error
    return Creditor(name, identifier, account.iban, account.bic)


def bank_day_from(day: date) -> date:
    """Give the first day from a day on, itself included, on which banks settle (T2 calendar)."""
    while not is_bank_day(day):
        day += timedelta(days=1)
    return day


def bank_days_after(day: date, count: int) -> date:
    """Give the `count`-th day after a day on which banks settle."""
    for _ in range(count):
        day = bank_day_from(day + timedelta(days=1))
    return day


def is_bank_day(day: date) -> bool:
    """Tell whether banks settle on a day: not at weekends and on the six holidays of the T2 calendar."""
    return day.weekday() < 5 and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    from holidays import financial_holidays  # it takes a while to load, and only debits need it

    return frozenset(financial_holidays("ECB", years=year))
