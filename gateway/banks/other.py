"""Any other bank that eopayment knows, by settings alone.

Libraries differ in what they compare, so that the settings must say in which fields of its messages this bank names
amount, currency, site, operation, status and transaction. A comparison that is not named cannot be made, and what
cannot be compared is never booked: a bank that has no such field at all is named `=value`, as in `currency = "=978"`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from db.settings_money import OtherBank as OtherBankSettings
from gateway.banks.threads import Threads, backend
from resolvers.banks import BankUnavailable, Contract, NotAMessage, Order, Outcome, Redirect, Statement

URL, FORM = 1, 3
OUTCOMES = {
    2: Outcome.PAID,
    3: Outcome.PAID,
    4: Outcome.REFUSED,
    5: Outcome.CANCELLED,
    7: Outcome.EXPIRED,
}
"""By the library's result; anything else waits."""


class OtherBank:
    """A bank by settings; see `resolvers.banks.Bank`."""

    def __init__(self, settings: OtherBankSettings, address: str, test: bool, threads: Threads) -> None:
        self._settings = settings
        self._address = address
        self._threads = threads
        mode = "TEST" if test else "PRODUCTION"
        self.contract = Contract(settings.site, mode, frozenset(settings.paid))

    def _backend(self, return_to: str = "") -> Any:
        addresses = {
            "normal_return_url": f"{self._address}/return{return_to}",
            "automatic_return_url": f"{self._address}/notification",
        }
        assert self._settings.backend is not None, "the settings name it"
        return backend(self._settings.backend, {**self._settings.options, **addresses})

    async def order(self, order: Order) -> Redirect:
        """Let the library prepare the payment: an address, or a form."""

        def ordered() -> Redirect:
            made = self._backend(f"?payment={order.reference}")
            transaction, kind, data = made.request(
                Decimal(order.cents) / 100, email=order.email, orderid=order.reference, subject=order.subject
            )
            if kind == URL:
                return Redirect(str(data), "GET", {}, transaction)
            if kind == FORM:
                fields = {str(field["name"]): str(field["value"]) for field in data.fields}
                return Redirect(data.url, data.method.upper(), fields, transaction)
            raise BankUnavailable("it answers with a page of its own, which a web app cannot send on")

        return await self._threads.ask(ordered)

    def named(self, message: bytes) -> str:
        """Let the library read the message, which for these banks asks nobody."""
        try:
            return str(self._response(message).order_id)
        except NotAMessage:
            raise
        except Exception as error:
            raise NotAMessage(type(error).__name__) from None

    async def read(self, message: bytes, age: timedelta) -> Statement:
        """Read a notification; see `_statement` for what is taken from it."""
        answer = await self._threads.read(lambda: self._response(message))
        return self._statement(answer)

    async def enquire(self, bank_reference: str, age: timedelta) -> Statement | None:
        """Ask the bank where the library can."""

        def asked() -> Any:
            made = self._backend()
            if not made.has_payment_status:
                return None
            return made.payment_status(bank_reference, transaction_date=datetime.now(UTC) - age)

        answer = await self._threads.ask(asked)
        return self._statement(answer) if answer is not None else None

    async def look(self) -> str:
        """See that the library takes the settings."""
        await self._threads.ask(self._backend)
        return f"{self._settings.backend}, not asked"

    def _response(self, message: bytes) -> Any:
        return self._backend().response(message.decode("ascii"))

    def _statement(self, answer: Any) -> Statement:
        compared, data = self._settings.compared, answer.bank_data or {}

        def value(name: str) -> str:
            field = compared.get(name, "")
            return field[1:] if field.startswith("=") else _text(data, field)

        return Statement(
            bank_reference=str(answer.order_id),
            outcome=OUTCOMES.get(answer.result, Outcome.WAITING),
            signed=answer.signed is True,
            mode="TEST" if answer.test else "PRODUCTION",
            site=value("site"),
            currency=value("currency"),
            cents=_cents(value("amount"), self._settings.amounts),
            operation=value("operation"),
            status=value("status"),
            transaction=value("transaction") or None,
            authorisation=value("authorisation") or None,
        )


def _text(data: Mapping[str, Any], field: str) -> str:
    found = data.get(field, "")
    return str(found[0] if isinstance(found, list) and len(found) == 1 else found)


def _cents(text: str, unit: str) -> int | None:
    """Read an amount in cents or in euros; None for what is no exact number of cents."""
    try:
        cents = Decimal(text) * (100 if unit == "euros" else 1)
    except InvalidOperation:
        return None
    return int(cents) if cents.is_finite() and cents == cents.to_integral_value() else None
