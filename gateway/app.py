"""The gateway at a glance: every address that it answers."""

from aiohttp import web

from gateway import files, http, jwks, web_push_key
from gateway.bank_files import BankFiles
from gateway.banks.endpoint import BankDoors
from gateway.bounce_hook import BounceHook
from gateway.certificates import Certificates
from gateway.downloads import Downloads
from gateway.hooks import Hooks
from gateway.invoices import Invoices
from gateway.oauth import TokenEndpoint
from gateway.partner_documents import PartnerDocuments
from gateway.portal import Portal
from gateway.receipts import Receipts
from gateway.spreadsheets import Spreadsheets
from gateway.unsubscribing import Unsubscribing


def make_app(portal: Portal) -> web.Application:
    """Make the application of a gateway."""
    app = web.Application(client_max_size=portal.process.settings.limits.body_bytes)
    http.attach(app, portal.endpoint)
    app.router.add_get("/.well-known/jwks.json", jwks.handler(portal.process.tokens))
    app.router.add_post("/oauth/token", TokenEndpoint(portal.process).handle)
    app.router.add_post("/partner/documents", PartnerDocuments(portal.process, portal.endpoint).register)
    files.attach(app, portal.process, portal.endpoint)
    app.router.add_get(
        "/exports/{id}", Downloads(portal.process, portal.endpoint.make_context).export, allow_head=False
    )
    app.router.add_get("/.well-known/web-push-key", web_push_key.handler(portal.process))
    app.add_routes(Hooks(portal.process).routes())
    app.add_routes(BounceHook(portal.process).routes())
    app.add_routes(Unsubscribing(portal.process).routes())
    give = Certificates(portal.process, portal.endpoint.make_context).give
    app.router.add_get("/procedures/{reference}/certificate.pdf", give, allow_head=False)
    receipt = Receipts(portal.process, portal.endpoint.make_context).give
    app.router.add_get("/receipts/{id}.pdf", receipt, allow_head=False)
    give = Invoices(portal.process, portal.endpoint.make_context).give
    app.router.add_get(r"/invoices/{number:\d{4}-\d{6}}.pdf", give, allow_head=False)
    BankDoors(portal.process).attach(app)
    of_bank = BankFiles(portal.endpoint.make_context)
    app.router.add_get("/debits/{id}.xml", of_bank.debits, allow_head=False)
    app.router.add_get("/dockets/{id}.{ending:csv|xml}", of_bank.dockets, allow_head=False)
    spreadsheet = Spreadsheets(portal.process).give
    app.router.add_get("/spreadsheets/{name:statistics|revenue}.csv", spreadsheet, allow_head=False)
    app.router.add_get("/live", portal.health.alive)
    app.router.add_get("/ready", portal.health.ready)
    app.router.add_get("/metrics", portal.health.metrics)
    return app
