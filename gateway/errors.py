"""What a client is told when something fails, and what it is not told.

A refusal has a stable code (see the contract) and a sentence. Anything that nobody foresaw becomes `INTERNAL` with
the request's id; the log gets the kind of failure and where it happened, never its words, which may hold personal data.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from traceback import walk_tb
from typing import Any, Protocol, TypeGuard

import asyncpg
import msgspec
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from graphql.language import VariableDefinitionNode

from db.pool import DatabaseUnavailable

STATUS = {
    "GRAPHQL_PARSE_FAILED": 400,
    "GRAPHQL_VALIDATION_FAILED": 400,
    "BAD_REQUEST": 400,
    "BAD_USER_INPUT": 400,
    "TOO_COSTLY": 400,
    "PERSISTED_QUERY_NOT_FOUND": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "TERMS_NOT_ACCEPTED": 403,
    "NOT_FOUND": 404,
    "THROTTLED": 429,
    "INTERNAL": 500,
    "MAINTENANCE": 503,
}
"""HTTP status of a request that was refused as a whole, by code."""

FRAMES_LOGGED = 12
MASKED = "Something went wrong on our side."
AWAY = "The portal cannot answer at the moment. Try again."
TOO_SLOW = "The request takes too long. Ask for less at once, or try again."

VALUES = (
    (re.compile(r"(cannot represent [^:]{0,40}value): .*?(?:\.( Did you mean .*))?$", re.S), r"\1.\2"),
    (re.compile(r"\bValue '.*' does not exist in", re.S), "The value does not exist in"),
    (re.compile(r"(?:, but encountered error '.*'; found|,? [Ff]ound): .*", re.S), "."),
    (re.compile(r"\b(String|BlockString|Int|Float) (?:'.*'|\".*\")\.$", re.S), r"\1."),
)
"""What graphql-core's sentences say of a value that somebody sent, and what is left of them without it: a password in
the wrong place must not come back, to be kept by whatever logs answers."""

log = structlog.get_logger(__name__)

Formatted = dict[str, Any]


class RequestRefused(Exception):
    """A whole request is refused: nothing of it was executed, or its answer may not be given.

    `errors` replaces the single error made of `code` and `message`; `headers` go into the HTTP answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        errors: Sequence[Formatted] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status or STATUS.get(code, 400)
        self.errors = list(errors) if errors is not None else [described(code, message)]
        self.headers = dict(headers or {})
        if self.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")

    def again(self) -> "RequestRefused":
        """Give an equal refusal to raise: a kept one would gather a traceback at each raise."""
        return RequestRefused(self.code, self.message, status=self.status, errors=self.errors, headers=self.headers)

    def body(self) -> bytes:
        """Give the JSON object that answers the request."""
        return msgspec.json.encode({"errors": self.errors})


def described(code: str, message: str, **more: Any) -> Formatted:
    """Make one error entry without a place in the document."""
    return {"message": message, "extensions": {"code": code, **more}}


def formatted(error: GraphQLError, request_id: str, code: str | None = None) -> Formatted:
    """Make the entry of one error of graphql-core; `code` is used where the error itself has none.

    An exception that is neither a refusal (with `code` and `message`) nor written for the client is masked and logged.
    """
    entry: Formatted = {"message": without_values(error.message)}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        entry["path"] = list(error.path)
    cause, own_code = _cause_of(error)
    if cause is None or error.path is None:
        entry["extensions"] = {"code": code or own_code or _code_of(error)}
    else:
        entry |= refused_by(cause, request_id).errors[0]
    return entry


def without_values(message: str) -> str:
    """Leave out of a sentence of graphql-core what somebody sent."""
    for pattern, left in VALUES:
        message = pattern.sub(left, message)
    return message


def formatted_all(errors: Sequence[GraphQLError], request_id: str, code: str | None = None) -> list[Formatted]:
    """Make the entries of several errors."""
    return [formatted(error, request_id, code) for error in errors]


def refused_by(failure: Exception, request_id: str) -> RequestRefused:
    """Turn any exception that ended a request into its refusal; masks and logs what nobody foresaw."""
    if isinstance(failure, RequestRefused):
        return failure
    if is_refusal(failure):
        return RequestRefused(failure.code, failure.message)
    if isinstance(failure, DatabaseUnavailable):
        return unavailable()
    log_failure(failure, request_id)
    if isinstance(failure, asyncpg.QueryCanceledError):
        # It is undone as a whole: a statement that took too long, or waited too long for somebody else's.
        return RequestRefused("TOO_COSTLY", TOO_SLOW, status=503)
    return RequestRefused("INTERNAL", MASKED, errors=[described("INTERNAL", MASKED, id=request_id)])


def unavailable() -> RequestRefused:
    """Say that the database is away for the moment."""
    return RequestRefused("INTERNAL", AWAY, status=503, headers={"Retry-After": "2"})


def is_unavailable(error: GraphQLError) -> bool:
    """Tell whether an error comes from the database being away."""
    return isinstance(_cause_of(error)[0], DatabaseUnavailable)


class Refusing(Protocol):
    """An exception that was written for the client."""

    code: str
    message: str


def is_refusal(failure: Any) -> TypeGuard[Refusing]:
    """Tell whether an exception was written for the client: it has a `code` and a `message`."""
    return isinstance(getattr(failure, "code", None), str) and isinstance(getattr(failure, "message", None), str)


def log_failure(failure: BaseException, request_id: str) -> None:
    """Log a failure by its kind and its frames only: its arguments may hold personal data."""
    frames = [
        f"{Path(frame.f_code.co_filename).name}:{line}:{frame.f_code.co_name}"
        for frame, line in walk_tb(failure.__traceback__)
    ]
    log.error("request_failed", id=request_id, kind=type(failure).__name__, frames=frames[-FRAMES_LOGGED:])


def _cause_of(error: GraphQLError) -> tuple[Any, str | None]:
    """Give the exception under nested GraphQL errors, and the code that one of them carries."""
    cause: Any = error
    code = None
    while isinstance(cause, GraphQLError):
        code = code or (cause.extensions or {}).get("code")
        cause = cause.original_error
    return cause, code


def _code_of(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    if error.path is None and not (error.nodes and isinstance(error.nodes[0], VariableDefinitionNode)):
        return "BAD_REQUEST"
    return "BAD_USER_INPUT"
