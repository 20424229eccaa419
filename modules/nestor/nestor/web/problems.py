"""The one table from errors to HTTP: status, headers, body (RFC 7030, 4.2.3).

The body is one line that certd prints in its journal: a sentence, a remedy, and the id under which the log has the same
request, with its ids at the servers above where it came to them.
"""

import http

from aiohttp import web

from nestor.errors import (
    CannotIssue,
    Conflicting,
    Forbidden,
    ForwarderForbidden,
    Looped,
    Malformed,
    NestorError,
    NotAForwarder,
    NotOffered,
    ParentSilent,
    ParentUnusable,
    Pending,
    RouteClosed,
    RouteFailed,
    RouteLate,
    TooLarge,
    TooOften,
    TooSlow,
    Unauthenticated,
    UnknownPath,
    WrongMediaType,
    WrongMethod,
)
from nestor.est.conveying import FORWARDER, REFUSED
from nestor.est.endings import signed

SERVER = "Nestor"
"""What every answer calls this server; its version is nobody's business."""

CHALLENGE = 'Basic realm="Nestor EST", charset="UTF-8"'
_OURS = "Nestor failed on this request by a fault of its own. Its operator finds the cause in the log."

_STATUS: dict[type[NestorError], http.HTTPStatus] = {
    Malformed: http.HTTPStatus.BAD_REQUEST,
    Forbidden: http.HTTPStatus.FORBIDDEN,
    Conflicting: http.HTTPStatus.CONFLICT,
    UnknownPath: http.HTTPStatus.NOT_FOUND,
    WrongMethod: http.HTTPStatus.METHOD_NOT_ALLOWED,
    TooSlow: http.HTTPStatus.REQUEST_TIMEOUT,
    TooLarge: http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    WrongMediaType: http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooOften: http.HTTPStatus.TOO_MANY_REQUESTS,
    Looped: http.HTTPStatus.LOOP_DETECTED,
    NotOffered: http.HTTPStatus.NOT_IMPLEMENTED,
    CannotIssue: http.HTTPStatus.SERVICE_UNAVAILABLE,
    ParentSilent: http.HTTPStatus.GATEWAY_TIMEOUT,
    ParentUnusable: http.HTTPStatus.BAD_GATEWAY,
    RouteLate: http.HTTPStatus.GATEWAY_TIMEOUT,
    RouteClosed: http.HTTPStatus.SERVICE_UNAVAILABLE,
    RouteFailed: http.HTTPStatus.BAD_GATEWAY,
    Pending: http.HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(fault: NestorError) -> http.HTTPStatus:
    """The status of an error; 401 only where a challenge helps (RFC 9110, 15.5.2), 500 only for our own faults.

    202 is for those alone who will repeat the same request (RFC 7030, 4.2.3).
    """
    if isinstance(fault, Unauthenticated):
        return http.HTTPStatus.UNAUTHORIZED if fault.challenge else http.HTTPStatus.FORBIDDEN
    if isinstance(fault, Pending) and fault.accepted:
        return http.HTTPStatus.ACCEPTED
    for kind, status in _STATUS.items():
        if isinstance(fault, kind):
            return status
    return http.HTTPStatus.INTERNAL_SERVER_ERROR


def respond_to(fault: NestorError, request_id: str) -> web.Response:
    """The response that tells an error."""
    status = status_of(fault)
    text = _OURS if status is http.HTTPStatus.INTERNAL_SERVER_ERROR else fault.text
    return text_response(status, signed(text, request_id), _headers(fault))


def text_response(status: http.HTTPStatus, line: str, headers: dict[str, str] | None = None) -> web.Response:
    """One line of plain text that no cache keeps."""
    return web.Response(
        status=status,
        text=f"{line}\n",
        content_type="text/plain",
        headers={"Cache-Control": "no-store", "Server": SERVER, **(headers or {})},
    )


def _headers(fault: NestorError) -> dict[str, str]:
    match fault:
        case Unauthenticated(challenge=True):
            return {"WWW-Authenticate": CHALLENGE}
        case NotAForwarder() | ForwarderForbidden():
            return {REFUSED: FORWARDER}
        case WrongMethod(allowed=allowed):
            return {"Allow": ", ".join(allowed)}
        case TooOften(retry_after=seconds) | CannotIssue(retry_after=seconds) | Pending(retry_after=seconds):
            return {"Retry-After": str(seconds)}
        case _:
            return {}
