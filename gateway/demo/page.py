"""The pages under `/demo/`: what was sent on every channel, and a stand-in for the families' web app."""

from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from gateway.demo.links import LINK_PAGES
from gateway.demo.peer import Got
from gateway.demo.peers import Peers
from gateway.demo.smtp import Catcher, Caught

PAGES = Path(__file__).parent / "pages"
KINDS = {"demo.css": "text/css", "link.js": "text/javascript"}

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A message is a stranger: no script, no form, nothing loaded. Its style is inside, as mail programs want it.
MESSAGE_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def routes(catcher: Catcher, peers: Peers | None = None) -> list[web.RouteDef]:
    """Give the routes of the demo's pages."""
    pages = Pages(catcher, peers)
    return [
        web.get("/demo/", pages.list_messages),
        web.get("/demo/messages.json", pages.messages_as_json),
        web.get(r"/demo/messages/{id:\d{1,9}}", pages.show_message),
        web.get(r"/demo/messages/{id:\d{1,9}}/html", pages.show_html),
        web.get(r"/demo/messages/{peer:phones|smsc|push|fcm}-{id:\d{1,9}}", pages.show_other),
        web.post("/demo/devices", pages.make_devices),
        *(web.get(f"/demo/{name}", pages.open_link) for name in LINK_PAGES),
        web.get("/demo/exports/{id}", pages.download),
        web.get("/demo/receipts/{id}.pdf", pages.download),
        web.get(r"/demo/{name:demo\.css|link\.js}", pages.asset),
    ]


class Pages:
    """Handlers over the mail catcher and the other peers."""

    def __init__(self, catcher: Catcher, peers: Peers | None) -> None:
        self._catcher = catcher
        self._peers = peers
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined
        )

    async def list_messages(self, request: web.Request) -> web.Response:
        """Show what was caught, newest first."""
        return self._page("list.html", messages=self._newest_first())

    async def messages_as_json(self, request: web.Request) -> web.Response:
        """Give what was caught, newest first."""
        return web.json_response({"messages": self._newest_first()}, headers={"Cache-Control": "no-store"})

    async def show_message(self, request: web.Request) -> web.Response:
        """Show one message: as it looks, as text, and its headers."""
        return self._page("message.html", message=described(self._wanted(request)))

    async def show_other(self, request: web.Request) -> web.Response:
        """Show one text or push message."""
        peer, wanted = request.match_info["peer"], int(request.match_info["id"])
        for name, got in self._peers.messages() if self._peers else ():
            if (name, got.id) == (peer, wanted):
                return self._page("message.html", message=described_other(name, got))
        raise web.HTTPNotFound(text="No such message; only the last ones are kept.")

    async def make_devices(self, request: web.Request) -> web.Response:
        """Make a browser and an app to register: `registerPush` takes what this gives."""
        if self._peers is None:
            raise web.HTTPNotFound
        return web.json_response(self._peers.new_devices(), headers={"Cache-Control": "no-store"})

    async def show_html(self, request: web.Request) -> web.Response:
        """Give the HTML of one message, for the frame in its page."""
        html = self._wanted(request).part("html") or "<!doctype html><p>–"
        return _answer(html, "text/html", MESSAGE_POLICY)

    async def open_link(self, request: web.Request) -> web.Response:
        """Show what the link of a message offers to do."""
        return self._page("link.html", page=LINK_PAGES[request.path.removeprefix("/demo/")])

    async def download(self, request: web.Request) -> web.Response:
        """Go where the portal itself gives the file: a web app would lead its visitors there too."""
        raise web.HTTPFound(request.rel_url.with_path(request.path.removeprefix("/demo")).with_query(request.query))

    async def asset(self, request: web.Request) -> web.Response:
        """Give the style or the script of the pages."""
        name = request.match_info["name"]
        return _answer((PAGES / name).read_text(encoding="utf-8"), KINDS[name], PAGE_POLICY)

    def _newest_first(self) -> list[dict[str, Any]]:
        others = self._peers.messages() if self._peers else ()
        found = [described(caught) for caught in self._catcher.messages]
        found += [described_other(name, got) for name, got in others]
        return sorted(found, key=lambda message: str(message["received_at"]), reverse=True)

    def _wanted(self, request: web.Request) -> Caught:
        wanted = int(request.match_info["id"])
        for caught in self._catcher.messages:
            if caught.id == wanted:
                return caught
        raise web.HTTPNotFound(text="No such message; only the last ones are kept.")

    def _page(self, template: str, **shown: Any) -> web.Response:
        return _answer(self._templates.get_template(template).render(shown), "text/html", PAGE_POLICY)


def described(caught: Caught) -> dict[str, Any]:
    """Give a message as JSON has it."""
    message = caught.message
    return {
        "id": caught.id,
        "channel": "EMAIL",
        "received_at": caught.received_at.isoformat(),
        "sender": caught.sender,
        "to": caught.recipient,
        "subject": str(message["Subject"] or ""),
        "message_id": str(message["Message-ID"] or ""),
        "headers": [(name, str(value)) for name, value in message.items()],
        "text": caught.part("plain"),
        "html": caught.part("html"),
    }


def described_other(peer: str, got: Got) -> dict[str, Any]:
    """Give a text or push message as JSON has it."""
    text = str(got.details.get("body") or got.text)
    return {
        "id": f"{peer}-{got.id}",
        "channel": got.channel,
        "received_at": got.received_at.isoformat(),
        "sender": str(got.details.get("sender") or got.provider or peer),
        "to": got.to,
        "subject": got.text,
        "message_id": got.reference,
        "headers": [(name, str(value)) for name, value in got.details.items()],
        "text": text,
        "html": "",
    }


def _answer(text: str, kind: str, policy: str) -> web.Response:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=headers)
