"""SystemPay (Caisse d'Épargne, Banque Populaire; R34) and its twin PayZen.

The form and the notification are eopayment's; what eopayment leaves open is closed here and in
`resolvers/bank_messages.py`: HMAC-SHA-256 instead of SHA-1, the mode, the site, the amount, the currency, the operation
and the bank's own status. Enquiries go to the REST service `Order/Get` (V4), which eopayment does not speak.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import msgspec

from db.settings_money import Systempay as SystempaySettings
from gateway.banks.threads import Threads, backend
from resolvers.banks import EURO, BankUnavailable, Contract, NotAMessage, Order, Outcome, Redirect, Statement

PRODUCTION, TEST = "PRODUCTION", "TEST"
PAID = frozenset({"AUTHORISED", "CAPTURED"})
OUTCOMES = {
    **dict.fromkeys(PAID, Outcome.PAID),
    "REFUSED": Outcome.REFUSED,
    "ABANDONED": Outcome.CANCELLED,
    "CANCELLED": Outcome.CANCELLED,
    "EXPIRED": Outcome.EXPIRED,
}
"""By `vads_trans_status`; anything else waits for a decision of the bank."""

LARGEST_ANSWER = 256 * 1024
CONTRADICTION = "CONTRADICTION"
"""Our word where the bank's two ways to say that something was paid do not agree."""

UNKNOWN_ORDER = "PSP_010"
NEVER_PAID_AFTER = timedelta(hours=2)


class Systempay:
    """One shop at the bank; see `resolvers.banks.Bank`."""

    def __init__(
        self, settings: SystempaySettings, address: str, test: bool, threads: Threads, http: aiohttp.ClientSession
    ) -> None:
        self._settings = settings
        self._address = address
        self._threads = threads
        self._http = http
        self.contract = Contract(settings.site_id or "", TEST if test else PRODUCTION, PAID)

    def _backend(self, return_to: str = "") -> Any:
        """Make the library's object; the key of the other mode stays unknown to it."""
        settings, mode = self._settings, self.contract.mode
        return backend(
            settings.platform,
            {
                "service_url": settings.form_url,
                "secret_test": settings.key if mode == TEST else None,
                "secret_production": settings.key if mode == PRODUCTION else None,
                "signature_algo": "hmac_sha256",
                "vads_ctx_mode": mode,
                "vads_site_id": self.contract.site,
                "normal_return_url": f"{self._address}/return{return_to}",
                "automatic_return_url": f"{self._address}/notification",
                "vads_return_mode": "NONE",  # else what the bank says of the card stands in the browser's history
                "vads_capture_delay": "0",  # R32
                "vads_validation_mode": "0",
            },
        )

    async def order(self, order: Order) -> Redirect:
        """Sign the form; the bank is not asked."""

        def signed() -> Redirect:
            made = self._backend(f"?payment={order.reference}")
            _, _, form = made.request(
                Decimal(order.cents) / 100,
                email=order.email,
                orderid=order.reference,
                info1=order.subject,
            )
            fields = {str(field["name"]): str(field["value"]) for field in form.fields}
            return Redirect(form.url, "POST", fields, order.reference)

        return await self._threads.ask(signed)

    def named(self, message: bytes) -> str:
        """Give the order of a notification."""
        return _fields(message)["vads_order_id"]

    async def read(self, message: bytes, age: timedelta) -> Statement:
        """Read a notification (IPN): eopayment computes the signature, we compare everything else."""
        fields = _fields(message)
        if fields["vads_ctx_mode"] != self.contract.mode:  # no key to look at its signature with
            return _statement(fields, signed=False)
        answer = await self._threads.read(lambda: self._backend().response(message.decode("ascii")))
        statement = _statement(fields, signed=answer.signed is True)
        if statement.outcome is Outcome.PAID and not answer.is_paid():
            return replace(statement, status=CONTRADICTION)
        return statement

    async def enquire(self, bank_reference: str, age: timedelta) -> Statement | None:
        """Ask `Order/Get` (REST V4) for the payments of an order; None without a password of that service."""
        settings = self._settings
        if settings.rest_password is None:
            return None
        answer = await self._rest("Order/Get", {"orderId": bank_reference})
        if answer["status"] != "SUCCESS":
            if answer["answer"].get("errorCode") != UNKNOWN_ORDER:
                raise BankUnavailable("its enquiry service refuses")
            never = Outcome.EXPIRED if age >= NEVER_PAID_AFTER else Outcome.WAITING
            return self._nothing(bank_reference, never)
        return self._told(bank_reference, answer["answer"])

    async def look(self) -> str:
        """Ask the enquiry service for its test answer; without its password, whether the bank's page answers."""
        settings = self._settings
        if settings.rest_password is not None:
            answer = await self._rest("Charge/SDKTest", {"value": "kiosque"})
            if answer["status"] != "SUCCESS" or answer["answer"].get("value") != "kiosque":
                raise BankUnavailable("its enquiry service refuses")
            return f"shop {self.contract.site}, enquiry service answers"
        try:
            async with self._http.head(settings.form_url, allow_redirects=False) as response:
                return (
                    f"shop {self.contract.site}, its page answers {response.status}; no enquiries without rest_password"
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BankUnavailable(type(error).__name__) from error

    async def _rest(self, service: str, asked: Mapping[str, str]) -> dict[str, Any]:
        settings = self._settings
        login = base64.b64encode(f"{self.contract.site}:{settings.rest_password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        url = f"{settings.rest_url.rstrip('/')}/V4/{service}"
        try:
            async with self._http.post(url, json=asked, headers=headers, allow_redirects=False) as response:
                body = await response.content.read(LARGEST_ANSWER)
                if response.status != 200:
                    raise BankUnavailable(f"status {response.status}")
            answer = msgspec.json.decode(body, type=dict[str, Any])
            if not isinstance(answer.get("answer"), dict) or "status" not in answer:
                raise BankUnavailable("its answer cannot be read")
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise BankUnavailable(type(error).__name__) from error
        return answer

    def _told(self, bank_reference: str, answer: Mapping[str, Any]) -> Statement:
        """Give what the bank says of the payment that succeeded, else of the last try."""
        tries = [each for each in answer.get("transactions", ()) if isinstance(each, dict)]
        if not tries:
            return self._nothing(bank_reference, Outcome.WAITING)
        paid = [each for each in tries if each.get("detailedStatus") in PAID]
        told = (paid or tries)[-1]
        status, amount = str(told.get("detailedStatus")), told.get("amount")
        card = (told.get("transactionDetails") or {}).get("cardDetails") or {}
        return Statement(
            bank_reference=str((answer.get("orderDetails") or {}).get("orderId")),
            outcome=OUTCOMES.get(status, Outcome.WAITING),
            signed=True,
            mode=str((answer.get("orderDetails") or {}).get("mode")),
            site=str(told.get("shopId")),
            currency=EURO if told.get("currency") == "EUR" else str(told.get("currency")),
            cents=amount if isinstance(amount, int) else None,
            operation=str(told.get("operationType")),
            status=status,
            transaction=told.get("uuid"),
            authorisation=(card.get("authorizationResponse") or {}).get("authorizationNumber"),
        )

    def _nothing(self, bank_reference: str, outcome: Outcome) -> Statement:
        contract = self.contract
        return Statement(bank_reference, outcome, True, contract.mode, contract.site, EURO, None, "", "NONE", None)


def _fields(message: bytes) -> dict[str, str]:
    """Read a form strictly: each name once, and what every notification has. Raises NotAMessage."""
    try:
        pairs = parse_qsl(
            message.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=200
        )
    except (ValueError, UnicodeError) as error:
        raise NotAMessage("not a form") from error
    fields = dict(pairs)
    needed = ("signature", "vads_ctx_mode", "vads_order_id", "vads_trans_status", "vads_auth_result")
    if len(fields) != len(pairs) or not all(name in fields for name in needed):
        raise NotAMessage("not a notification")
    return fields


def _statement(fields: Mapping[str, str], *, signed: bool) -> Statement:
    status = fields["vads_trans_status"]
    return Statement(
        bank_reference=fields["vads_order_id"],
        outcome=OUTCOMES.get(status, Outcome.WAITING),
        signed=signed,
        mode=fields["vads_ctx_mode"],
        site=fields.get("vads_site_id", ""),
        currency=_agreed(fields, "vads_currency", "vads_effective_currency"),
        cents=_cents(_agreed(fields, "vads_amount", "vads_effective_amount")),
        operation=fields.get("vads_operation_type", ""),
        status=status,
        transaction=fields.get("vads_trans_uuid") or None,
        authorisation=fields.get("vads_auth_number") or None,
    )


def _agreed(fields: Mapping[str, str], ordered: str, debited: str) -> str:
    """Give what was ordered where what was debited is the same or not said; else nothing."""
    value = fields.get(ordered, "")
    return value if value == (fields.get(debited) or value) else ""


def _cents(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
