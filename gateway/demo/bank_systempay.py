"""SystemPay on this machine: the signed form, the notification (IPN), and the enquiry service `Order/Get` (REST V4)."""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from db.clock import Clock
from gateway.demo.bank import GIVEN_UP, REFUSED, TAKEN, Counter, Paying, Post

SITE_ID = "12345678"
KEY = "demoKeyOfTheForm1"
REST_PASSWORD = "demo-rest-password"
MODE = "PRODUCTION"
LIVES = timedelta(minutes=15)

STATUS = {TAKEN: "AUTHORISED", REFUSED: "REFUSED", GIVEN_UP: "ABANDONED"}
RESULT = {TAKEN: ("00", "00"), REFUSED: ("05", "51"), GIVEN_UP: ("17", "")}
"""`vads_result` and `vads_auth_result`."""

NEEDED = (
    "vads_action_mode", "vads_amount", "vads_ctx_mode", "vads_currency", "vads_page_action", "vads_payment_config",
    "vads_site_id", "vads_trans_date", "vads_trans_id", "vads_version", "signature",
)  # fmt: skip

CARD = {
    "vads_card_brand": "CB",
    "vads_card_number": "497010XXXXXX0055",
    "vads_card_country": "FR",
    "vads_expiry_month": "6",
    "vads_expiry_year": "2031",
    "vads_bank_label": "Banque de démonstration",
    "vads_cust_name": "CAMILLE DURAND",
}
"""What the real bank tells of the card, and we must not keep (R35)."""


def signature(fields: Mapping[str, str], key: str = KEY) -> str:
    """Sign the fields `vads_*`: HMAC-SHA-256 of their values in the order of names, joined with `+`, and the key."""
    values = [fields[name] for name in sorted(fields) if name.startswith("vads_")]
    text = "+".join([*values, key])
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def signed(fields: Mapping[str, str], key: str = KEY) -> str:
    """Give a notification as it travels."""
    return urlencode({**fields, "signature": signature(fields, key)})


@dataclass(slots=True)
class OrderAtBank:
    """A form that was taken, and what came of it."""

    form: dict[str, str]
    at: datetime
    tries: list[dict[str, str]] = field(default_factory=list)
    """The fields of its notifications."""


class DemoSystempay:
    """One shop."""

    def __init__(self, clock: Clock, counter: Counter, post: Post) -> None:
        self._clock = clock
        self._counter = counter
        self._post = post
        self.orders: dict[str, OrderAtBank] = {}
        """By order id."""
        self._seen: set[str] = set()

    def settings(self, url: str) -> dict[str, Any]:
        """Give what a portal must know of it."""
        return {
            "site_id": SITE_ID,
            "key": KEY,
            "form_url": f"{url}/vads-payment/",
            "rest_url": f"{url}/api-payment",
            "rest_password": REST_PASSWORD,
        }

    def routes(self) -> list[web.RouteDef]:
        """Give its addresses."""
        return [
            web.head("/vads-payment/", self.hello),
            web.post("/vads-payment/", self.enter),
            web.post("/api-payment/V4/Order/Get", self.order_get),
            web.post("/api-payment/V4/Charge/SDKTest", self.sdk_test),
        ]

    async def hello(self, request: web.Request) -> web.Response:
        """Answer who only looks."""
        return web.Response()

    async def enter(self, request: web.Request) -> web.Response:
        """Take a signed form and lead to the page."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        raise web.HTTPSeeOther(self.take(form))

    def take(self, form: dict[str, str]) -> str:
        """Check a form as the bank does; give the path of the page. Raises HTTPBadRequest."""
        fault = self._fault(form)
        if fault:
            raise web.HTTPBadRequest(text=f"Formulaire refusé : {fault}")
        self._seen.add(form["vads_trans_date"][:8] + form["vads_trans_id"])
        reference = form["vads_order_id"]
        self.orders[reference] = OrderAtBank(form, self._clock())
        paying = Paying(
            secrets.token_urlsafe(12),
            "SystemPay (démonstration)",
            f"boutique {SITE_ID}",
            int(form["vads_amount"]),
            form.get("vads_order_info", ""),
            form.get("vads_url_return", "/"),
        )
        return self._counter.open(paying, lambda _, choice, way: self.decide(reference, choice))

    def _fault(self, form: Mapping[str, str]) -> str | None:
        missing = [name for name in NEEDED if name not in form]
        if missing:
            return f"{missing[0]} manque"
        if not hmac.compare_digest(signature(form), form["signature"]):
            return "signature"
        if (form["vads_site_id"], form["vads_ctx_mode"], form["vads_currency"]) != (SITE_ID, MODE, "978"):
            return "boutique, mode ou monnaie"
        if not form["vads_amount"].isdigit() or int(form["vads_amount"]) < 1:
            return "montant"
        if form["vads_trans_date"][:8] + form["vads_trans_id"] in self._seen:
            return "vads_trans_id déjà utilisé"
        return None

    def decide(self, reference: str, choice: str) -> None:
        """Let a payment come out as chosen, and notify."""
        fields = self.message(reference, choice)
        self.orders[reference].tries.append(fields)
        self._post.send(self.orders[reference].form.get("vads_url_check", ""), signed(fields))

    def message(self, reference: str, choice: str, **changed: str) -> dict[str, str]:
        """Give the fields of a notification; `changed` replaces some, for tests of what must not count."""
        form = self.orders[reference].form
        result, authorisation = RESULT[choice]
        fields = {name: value for name, value in form.items() if name.startswith("vads_")}
        now = self._clock()
        return fields | {
            **CARD,
            "vads_trans_status": STATUS[choice],
            "vads_result": result,
            "vads_auth_result": authorisation,
            "vads_extra_result": "",
            "vads_auth_mode": "FULL",
            "vads_auth_number": f"{secrets.randbelow(10**6):06d}" if choice == TAKEN else "",
            "vads_effective_amount": form["vads_amount"],
            "vads_effective_currency": form["vads_currency"],
            "vads_effective_creation_date": f"{now:%Y%m%d%H%M%S}",
            "vads_operation_type": "DEBIT",
            "vads_payment_src": "EC",
            "vads_sequence_number": "1",
            "vads_threeds_enrolled": "Y",
            "vads_threeds_status": "Y",
            "vads_trans_uuid": uuid.uuid4().hex,
            "vads_url_check_src": "PAY",
            "vads_warranty_result": "YES",
            "vads_hash": secrets.token_hex(32),
            **changed,
        }

    async def sdk_test(self, request: web.Request) -> web.Response:
        """Answer with what was sent (Charge/SDKTest)."""
        asked = await self._asked(request)
        return _answer("SUCCESS", {"value": asked.get("value"), "_type": "V4/Charge/SDKTestResponse"})

    async def order_get(self, request: web.Request) -> web.Response:
        """Tell what became of an order (Order/Get)."""
        asked = await self._asked(request)
        order = self.orders.get(str(asked.get("orderId")))
        if order is None or not order.tries:
            return _answer("ERROR", {"errorCode": "PSP_010", "errorMessage": "Transaction not found"})
        paid = any(each["vads_trans_status"] == "AUTHORISED" for each in order.tries)
        details = {
            "orderId": asked["orderId"],
            "orderTotalAmount": int(order.form["vads_amount"]),
            "orderCurrency": "EUR",
            "mode": order.form["vads_ctx_mode"],
            "_type": "V4/OrderDetails",
        }
        answer = {
            "shopId": SITE_ID,
            "orderCycle": "CLOSED",
            "orderStatus": "PAID" if paid else "UNPAID",
            "orderDetails": details,
            "transactions": [_transaction(each) for each in order.tries],
        }
        return _answer("SUCCESS", answer)

    async def _asked(self, request: web.Request) -> dict[str, Any]:
        login = "Basic " + base64.b64encode(f"{SITE_ID}:{REST_PASSWORD}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("Authorization", ""), login):
            raise web.HTTPUnauthorized
        asked: dict[str, Any] = await request.json()
        return asked


def _transaction(fields: Mapping[str, str]) -> dict[str, Any]:
    response = {
        "amount": int(fields["vads_effective_amount"]),
        "currency": "EUR",
        "authorizationNumber": fields["vads_auth_number"],
        "authorizationResult": fields["vads_auth_result"],
    }
    card = {
        "pan": CARD["vads_card_number"],
        "expiryMonth": 6,
        "expiryYear": 2031,
        "effectiveBrand": "CB",
        "cardHolderName": CARD["vads_cust_name"],
        "authorizationResponse": response,
    }
    return {
        "shopId": fields["vads_site_id"],
        "uuid": fields["vads_trans_uuid"],
        "amount": int(fields["vads_effective_amount"]),
        "currency": "EUR",
        "paymentMethodType": "CARD",
        "status": "PAID" if fields["vads_trans_status"] == "AUTHORISED" else "UNPAID",
        "detailedStatus": fields["vads_trans_status"],
        "operationType": fields["vads_operation_type"],
        "transactionDetails": {"cardDetails": card},
        "_type": "V4/PaymentTransaction",
    }


def _answer(status: str, answer: dict[str, Any]) -> web.Response:
    return web.json_response({"version": "V4", "status": status, "mode": MODE, "answer": answer})
