"""`/unsubscribe`: the page of the link in e-mails, and the one click of mail programs (RFC 8058).

Opening the page changes nothing: scanners and previews open every link. Only a POST with the field of RFC 8058 does,
from a mail program or from the page's button.
"""

import html

from aiohttp import web

from db.keys import LinkRefused
from db.pool import DatabaseUnavailable
from resolvers import unsubscribing
from resolvers.context import Process
from resolvers.sentence import Sentence
from resolvers.unsubscribing import Wish

FIELD, ONE_CLICK = "List-Unsubscribe", "One-Click"

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}

PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{margin:0;font:16px/1.5 system-ui,sans-serif}}
main{{max-width:40rem;margin:3rem auto;padding:0 1rem}}h1{{font-size:1.5rem;line-height:1.25}}
button{{padding:.75rem 1.5rem;border:0;border-radius:6px;color:#fff;background:#1f5fa8;font:inherit;font-weight:600}}
:focus-visible{{outline:3px solid #1f5fa8;outline-offset:2px}}</style></head>
<body><main><h1>{title}</h1><p role="status">{words}</p>{form}<p>{help}</p></main></body></html>
"""
FORM = """<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<p><button type="submit">{button}</button></p></form>"""

TITLE = Sentence("Courriels du Kiosque famille", "E-mails of the family portal")
ASK = Sentence("Ne plus recevoir de courriels sur : {about} ?", "Get no more e-mails about: {about}?")
DONE = Sentence(
    "C’est fait : plus de courriels sur {about}. Vous retrouvez ces messages dans votre espace, où vous pouvez "
    "revenir sur ce choix. Ce que la loi nous demande de vous écrire arrivera encore.",
    "Done: no more e-mails about {about}. You still find these messages in your space, where you can change this. "
    "What the law asks us to write to you will still come.",
)
REFUSED = Sentence(
    "Ce lien n’est plus valable. Choisissez vos moyens de contact dans votre espace.",
    "This link is no longer valid. Choose how to be told in your space.",
)
BUTTON = Sentence("Ne plus recevoir ces courriels", "Stop these e-mails")
HELP = Sentence("Une question ? {phone}, {email}", "A question? {phone}, {email}")


class Unsubscribing:
    """Handlers over one process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def routes(self) -> list[web.RouteDef]:
        """Give the addresses."""
        return [web.get("/unsubscribe", self.show), web.post("/unsubscribe", self.end)]

    async def show(self, request: web.Request) -> web.Response:
        """Ask whether it is meant."""
        wish = self._wish(request)
        return self._page(ASK, wish, asks=True) if wish else self._refused()

    async def end(self, request: web.Request) -> web.Response:
        """Do it."""
        wish = self._wish(request)
        if wish is None:
            return self._refused()
        if (await request.post()).get(FIELD) != ONE_CLICK:
            return web.Response(status=400, text="List-Unsubscribe=One-Click is missing.\n", headers=HEADERS)
        try:
            await unsubscribing.end_email(self._process, wish)
        except DatabaseUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        return self._page(DONE, wish)

    def _wish(self, request: web.Request) -> Wish | None:
        try:
            return unsubscribing.read(self._process, request.query.get("token", ""))
        except LinkRefused:
            return None

    def _refused(self) -> web.Response:
        return self._page(REFUSED, None, status=404)

    def _page(self, words: Sentence, wish: Wish | None, *, asks: bool = False, status: int = 200) -> web.Response:
        language, city = wish.language if wish else "fr", self._process.settings.city
        text = PAGE.format(
            language=language,
            title=html.escape(TITLE.to(language)),
            words=html.escape(words.to(language).format(about=wish.about if wish else "")),
            form=FORM.format(button=html.escape(BUTTON.to(language))) if asks else "",
            help=html.escape(HELP.to(language).format(phone=city.contact_phone, email=city.contact_email)),
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
