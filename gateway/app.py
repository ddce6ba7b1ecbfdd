"""The gateway at a glance: every address that it answers."""

from aiohttp import web

from gateway import http, jwks
from gateway.downloads import Downloads
from gateway.portal import Portal


def make_app(portal: Portal) -> web.Application:
    """Make the application of a gateway."""
    app = web.Application(client_max_size=portal.process.settings.limits.body_bytes)
    http.attach(app, portal.endpoint)
    app.router.add_get("/.well-known/jwks.json", jwks.handler(portal.process.tokens))
    app.router.add_get(
        "/exports/{id}", Downloads(portal.process, portal.endpoint.make_context).export, allow_head=False
    )
    app.router.add_get("/live", portal.health.alive)
    app.router.add_get("/ready", portal.health.ready)
    app.router.add_get("/metrics", portal.health.metrics)
    return app
