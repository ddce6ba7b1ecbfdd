"""`/demo/pay`: a stand-in for the page of the families' web app where invoices are chosen and paid."""

from pathlib import Path

import jinja2
from aiohttp import web

PAGES = Path(__file__).parent / "pages"


def routes(bank: str) -> list[web.RouteDef]:
    """Give the routes of the page; `bank` is the address of the banks, where its form may go."""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none';"
        f" form-action {bank}; frame-ancestors 'none'"
    )
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined
    )

    async def page(request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return web.Response(text=templates.get_template("pay.html").render(), content_type="text/html", headers=headers)

    async def script(request: web.Request) -> web.Response:
        text = (PAGES / "pay.js").read_text(encoding="utf-8")
        return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "no-store"})

    return [web.get("/demo/pay", page), web.get("/demo/pay.js", script)]
