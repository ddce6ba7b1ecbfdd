"""`POST /bank/{provider}/notification`, where a bank tells us; `GET|POST /bank/{provider}/return`, which only shows."""

import html
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from db.pool import DatabaseUnavailable
from resolvers import bank_messages, card_payments
from resolvers.bank_messages import TAKEN, Verdict
from resolvers.banks import BankUnavailable
from resolvers.context import Process
from resolvers.sentence import Sentence

AGAIN_SECONDS = "60"
FORM = "application/x-www-form-urlencoded"
STATUS_OF = {Verdict.UNKNOWN: 404}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
WORDS: Mapping[str, Sentence] = {
    "PAID": Sentence("Votre paiement est reçu. Merci.", "Your payment was received. Thank you."),
    "REFUSED": Sentence(
        "Votre banque a refusé le paiement. Rien n'a été débité ; vous pouvez réessayer.",
        "Your bank refused the payment. Nothing was debited; you can try again.",
    ),
    "CANCELLED": Sentence(
        "Le paiement est annulé. Vous pouvez le recommencer depuis votre espace.",
        "The payment was cancelled. You can start again from your space.",
    ),
    "EXPIRED": Sentence(
        "Le temps de ce paiement est écoulé. Vous pouvez le recommencer depuis votre espace.",
        "The time for this payment is over. You can start again from your space.",
    ),
    "WAITING": Sentence(
        "Nous attendons la réponse de la banque. Cette page s'actualise ; vous pouvez aussi la fermer.",
        "We are waiting for the bank. This page refreshes itself; you may also close it.",
    ),
}
"""What the page says, by status; anything else waits."""

PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}<title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{margin:0;font:16px/1.5 system-ui,sans-serif}}
main{{max-width:40rem;margin:3rem auto;padding:0 1rem}}h1{{font-size:1.5rem}}</style></head>
<body><main><h1>{title}</h1><p role="status">{words}</p><p>{help}</p></main></body></html>
"""
TITLE = Sentence("Paiement en ligne", "Online payment")
HELP = Sentence("Une question ? {phone}, {email}", "A question? {phone}, {email}")


class BankDoors:
    """Handlers over one process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def attach(self, app: web.Application) -> None:
        """Put the addresses on an application."""
        app.router.add_post("/bank/{provider}/notification", self.notification)
        for method in ("GET", "POST"):
            app.router.add_route(method, "/bank/{provider}/return", self.back)

    async def notification(self, request: web.Request) -> web.Response:
        """Take what a bank tells; 200 once it is done or changes nothing, 503 when it is to be sent again.

        The answer says the verdict, which the bank's back office shows to who looks for a fault.
        """
        name = request.match_info["provider"]
        bank = self._process.banks.get(name)
        if bank is None:
            return _answer("UNKNOWN", 404)
        try:
            message = await request.read()
            if request.content_type != FORM:
                message = b""
            if not message and request.query_string:  # PayFiP may put its one field into the address
                message = request.query_string.encode("ascii", "replace")
            heard = await bank_messages.notified(self._process, name, bank, message)
        except (BankUnavailable, DatabaseUnavailable):
            return _answer("LATER", 503, {"Retry-After": AGAIN_SECONDS})
        status = 200 if heard.verdict in TAKEN else STATUS_OF.get(heard.verdict, 400)
        return _answer(heard.verdict, status)

    async def back(self, request: web.Request) -> web.Response:
        """Show where a payment stands; nothing that the browser brings is believed, read or kept."""
        name, reference = request.match_info["provider"], request.query.get("payment", "")
        try:
            found = await card_payments.standing(self._process, name, reference) if len(reference) == 26 else None
        except DatabaseUnavailable:
            found = None
        app = self._process.settings.cards.return_url
        if app is not None:
            raise web.HTTPSeeOther(f"{app}?{urlencode(self._named(reference, found))}")
        return self._page(request, found[0] if found else "WAITING")

    def _named(self, reference: str, found: object) -> dict[str, str]:
        return {"payment": reference} if found else {}

    def _page(self, request: web.Request, status: str) -> web.Response:
        language = "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "fr"
        city, words = self._process.settings.city, WORDS.get(status, WORDS["WAITING"])
        waits = words is WORDS["WAITING"]
        text = PAGE.format(
            language=language,
            title=html.escape(TITLE.to(language)),
            words=html.escape(words.to(language)),
            help=html.escape(HELP.to(language).format(phone=city.contact_phone, email=city.contact_email)),
            refresh='<meta http-equiv="refresh" content="3">' if waits else "",
        )
        headers = {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Vary": "Accept-Language",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)


def _answer(text: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(text=f"{text}\n", status=status, headers={"Cache-Control": "no-store", **(headers or {})})
