"""GraphQL over HTTP: status codes, methods, and which transport a request is for.

`attach` puts the whole endpoint on an application.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from db.pool import DatabaseUnavailable
from gateway import caching, graphiql, sse, websocket
from gateway.connections import SERVER
from gateway.documents import Operation
from gateway.endpoint import Endpoint
from gateway.errors import RequestRefused, unavailable
from gateway.negotiation import ANSWERS, EVENTS, GRAPHQL, HTML, JSON, Choice, choose
from gateway.requests import CLIENT_HEADER, GraphQLRequest, is_upgrade, not_allowed

ANSWERED_200_AS_JSON = frozenset(
    {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "PERSISTED_QUERY_NOT_FOUND"}
)
"""Faults in the GraphQL, not in the HTTP: clients that ask for application/json read them from a 200."""

REFUSED_AT_ONCE = (405, 429)
"""Statuses that say something of the request itself, also to a client that wants events."""

ALLOWED_HEADERS = f"Accept, Authorization, Content-Type, {CLIENT_HEADER}"


def attach(app: web.Application, endpoint: Endpoint, path: str = "/graphql") -> None:
    """Serve an endpoint on an application: HTTP, WebSocket and events on one path, GraphiQL in development.

    At shutdown every live connection is closed with 1001.
    """
    app.router.add_route("*", path, View(endpoint).handle)
    app.on_response_prepare.append(_harden)

    async def stop(_: web.Application) -> None:
        await endpoint.sockets.stop()

    app.on_shutdown.append(stop)
    if endpoint.development:
        graphiql.attach(app)


class View:
    """The handler of the endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._methods: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "POST": self._post,
            "GET": self._get,
            "OPTIONS": self._options,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; a refusal becomes its status and a JSON body."""
        try:
            method = self._methods.get(request.method)
            if method is None:
                raise not_allowed("POST, GET" if self._endpoint.gate.free_get else "POST")
            return await method(request)
        except RequestRefused as refused:
            return self._refuse(request, refused)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        choice = choose(request.headers.get("Accept", ""), ANSWERS)
        gate = self._endpoint.gate
        gate.check_site(request)
        asked = await gate.read(request)
        return await self._run(request, asked, choice)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if is_upgrade(request):
            return await self._upgrade(request)
        gate = self._endpoint.gate
        if self._endpoint.development:
            choice = choose(request.headers.get("Accept", ""), (*ANSWERS, HTML))
            if choice.media == HTML:
                return graphiql.page()
        else:
            choice = choose(request.headers.get("Accept", ""), ANSWERS)
        gate.check_site(request)
        return await self._run(request, gate.read_query(request), choice)

    async def _run(self, request: web.Request, asked: GraphQLRequest, choice: Choice) -> web.StreamResponse:
        """Run an operation; what is refused before it starts is an event where events are wanted."""
        endpoint = self._endpoint
        context = await endpoint.make_context(request, request.headers.get("Authorization"))
        operation: Operation | RequestRefused
        try:
            operation = await endpoint.operation(asked, context, by_get=request.method == "GET")
        except RequestRefused as refused:
            if choice.media != EVENTS or refused.status in REFUSED_AT_ONCE:
                raise
            operation = refused
        except DatabaseUnavailable as error:
            raise unavailable() from error
        if isinstance(operation, Operation):
            if operation.kind == "subscription" and not choice.events:
                message = "Subscriptions are served over WebSocket, or here with Accept: text/event-stream."
                raise RequestRefused("BAD_REQUEST", message, status=406)
            if choice.media != EVENTS and operation.kind != "subscription":
                context.cookies.writable = True
                answer = await endpoint.answer(operation, asked, context)
                status = 200 if answer.has_data or choice.media == JSON else 400
                if answer.shared and endpoint.public_seconds and caching.is_public(request, asked, context.viewer):
                    return self._public(request, choice.media, answer.body)
                response = self._answer(request, status, choice.media, answer.body)
                endpoint.jar.write(response, context.cookies)
                return response
        line = sse.EventLine(endpoint, request, self._cross_origin(request))
        await line.run(asked, operation, context)
        return line.response

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        try:
            return await websocket.serve(self._endpoint, request)
        except web.HTTPBadRequest:
            raise RequestRefused("BAD_REQUEST", "The WebSocket handshake is not valid.") from None

    async def _options(self, request: web.Request) -> web.StreamResponse:
        """Answer the preflight of a listed origin; to anyone else the method is not allowed."""
        if request.headers.get("Origin") not in self._endpoint.gate.origins:
            raise not_allowed("POST")
        headers = self._headers(request) | {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": "600",
        }
        return web.Response(status=204, headers=headers)

    def _refuse(self, request: web.Request, refused: RequestRefused) -> web.Response:
        try:
            media = choose(request.headers.get("Accept", ""), (JSON, GRAPHQL)).media
        except RequestRefused:
            media = JSON
        status = refused.status
        if media == JSON and status == 400 and refused.code in ANSWERED_200_AS_JSON:
            status = 200
        answer = self._answer(request, status, media, refused.body())
        answer.headers.update(refused.headers)
        return answer

    def _answer(self, request: web.Request, status: int, media: str, body: bytes) -> web.Response:
        headers = self._headers(request)
        headers["Content-Type"] = f"{media}; charset=utf-8"
        return web.Response(status=status, body=body, headers=headers)

    def _public(self, request: web.Request, media: str, body: bytes) -> web.Response:
        """Give an answer that caches may keep, or say that the client has it already."""
        etag = caching.etag_of(media, body)
        headers = self._headers(request) | caching.headers(etag, self._endpoint.public_seconds)
        if caching.is_known(request, etag):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = f"{media}; charset=utf-8"
        return web.Response(body=body, headers=headers)

    def _headers(self, request: web.Request) -> dict[str, str]:
        """Give the headers of every answer."""
        return {"Cache-Control": caching.PRIVATE, "Vary": "Accept, Origin", **self._cross_origin(request)}

    def _cross_origin(self, request: web.Request) -> dict[str, str]:
        return cross_origin(request, self._endpoint)


def cross_origin(request: web.Request, endpoint: Endpoint) -> dict[str, str]:
    """Give the headers that let the page of a listed origin read an answer and send its cookies."""
    origin = request.headers.get("Origin")
    if origin is None or origin not in endpoint.gate.origins:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}


async def _harden(_: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer of the application what no page may do without."""
    response.headers["Server"] = SERVER
    response.headers["X-Content-Type-Options"] = "nosniff"
