"""What a server says instead of what was asked for, turned into our errors, its own sentence kept (RFC 7030, 4.2.3).

A Nestor tells a remedy, too: then none is added, however many hops the refusal has come down.
"""

import http
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aiohttp import hdrs

from nestor.errors import (
    CannotIssue,
    Conflicting,
    Forbidden,
    Malformed,
    NestorError,
    NotOffered,
    Pending,
    TooLarge,
    TooOften,
    Unauthenticated,
    UnknownPath,
    WrongMediaType,
)
from nestor.est.conveying import FORWARDER, REFUSED
from nestor.est.endings import ended, parted
from nestor.upstream.faults import BadAnswer
from nestor.upstream.wire import Answer

LONGEST_WAIT = timedelta(days=1)
"""Whatever a server asks for, nobody waits longer than this."""

_USUAL_WAIT = 60
_LONGEST_SENTENCE = 1000
"""Characters: eight hops have room. Of more, the middle is left out: the start says where, the end what to do."""

_LEFT_OUT = " ... "

_KINDS: dict[int, tuple[type[NestorError], str]] = {
    http.HTTPStatus.BAD_REQUEST: (Malformed, ""),
    http.HTTPStatus.FORBIDDEN: (Forbidden, ""),
    http.HTTPStatus.NOT_FOUND: (UnknownPath, "Check the URL and the label."),
    http.HTTPStatus.METHOD_NOT_ALLOWED: (UnknownPath, "Check the URL and the label."),
    http.HTTPStatus.CONFLICT: (Conflicting, ""),
    http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (TooLarge, ""),
    http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (WrongMediaType, ""),
    http.HTTPStatus.UNPROCESSABLE_ENTITY: (Forbidden, ""),
    http.HTTPStatus.NOT_IMPLEMENTED: (NotOffered, ""),
}


class NotLetIn(Unauthenticated):
    """It is this server that is refused, whoever asked here: it is not listed above, or its certificate is no good."""


class Failing(CannotIssue):
    """The server itself has a trouble; `status` says which (RFC 9110, 15.6)."""

    def __init__(self, sentence: str, hint: str = "", *, status: int, retry_after: int = 60) -> None:
        super().__init__(sentence, hint, retry_after=retry_after)
        self.status = status


def refusal_of(answer: Answer, server: str, what: str) -> NestorError:
    """The error that an answer other than 200 stands for; `what` was asked for."""
    told = f"{server} refuses {what} ({answer.status}): {said(answer)}"
    if answer.headers.get(REFUSED) == FORWARDER:
        return NotLetIn(told, "It is this server that is not let in: the operator there lists its forwarders.")
    if answer.status in _KINDS:
        kind, hint = _KINDS[answer.status]
        return kind(told, unless_told(told, hint))
    return _of_another_status(answer, server, what, told)


def same_again(wait: int) -> str:
    """What a server wants that has not decided yet (RFC 7030, 4.2.3)."""
    return f"Send the very same request again in {wait} s."


def unless_told(sentence: str, hint: str) -> str:
    """The hint, where the sentence is not of a Nestor, which tells its own."""
    return "" if parted(sentence)[1] else hint


def _of_another_status(answer: Answer, server: str, what: str, told: str) -> NestorError:
    wait = retry_after(answer.headers)
    match answer.status:
        case http.HTTPStatus.ACCEPTED:
            told = f"{server} has taken the request and decides later ({answer.status}): {said(answer)}"
            return Pending(told, same_again(wait), retry_after=wait)
        case http.HTTPStatus.UNAUTHORIZED:
            return _unauthenticated(answer, told)
        case http.HTTPStatus.TOO_MANY_REQUESTS:
            return TooOften(told, unless_told(told, f"Wait {wait} s."), retry_after=wait)
        case status if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.REQUEST_TIMEOUT:
            return Failing(told, unless_told(told, f"Wait {wait} s."), status=status, retry_after=wait)
        case _:
            return _unknown(answer, f"{server} answers {what}")


def retry_after(headers: Mapping[str, str]) -> int:
    """The whole seconds to wait, between 1 and a day; a date counts from the server's own clock (RFC 9110, 10.2.3)."""
    value = headers.get(hdrs.RETRY_AFTER, "").strip()
    seconds = value.isascii() and value.isdecimal()
    wait = int(value[:9]) if seconds else _until(value, headers.get(hdrs.DATE, ""))
    return max(1, min(wait, int(LONGEST_WAIT.total_seconds())))


def said(answer: Answer) -> str:
    """The server's sentence on one line, control characters escaped; of markup, only the status."""
    essence = answer.headers.get(hdrs.CONTENT_TYPE, "text/plain").partition(";")[0].strip().lower()
    text = answer.body[: 4 * _LONGEST_SENTENCE].decode("utf-8", "replace") if essence == "text/plain" else ""
    words, ids = parted(printable(" ".join(text.split())))
    return ended(_shortened(words) or _phrase(answer.status), ids)


def _shortened(words: str) -> str:
    if len(words) <= _LONGEST_SENTENCE:
        return words
    half = (_LONGEST_SENTENCE - len(_LEFT_OUT)) // 2
    return words[:half] + _LEFT_OUT + words[-half:]


def printable(text: str) -> str:
    """The text with everything escaped that could steer a terminal or forge a line of a log."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _until(date: str, server_date: str) -> int:
    try:
        wait = _aware(parsedate_to_datetime(date)) - _aware(parsedate_to_datetime(server_date))
    except (ValueError, OverflowError):
        return _USUAL_WAIT
    return int(wait.total_seconds())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unauthenticated(answer: Answer, told: str) -> Unauthenticated:
    """RFC 7030 (3.2.3) has a client that cannot answer the scheme stop here."""
    challenge = printable(answer.headers.get(hdrs.WWW_AUTHENTICATE, ""))
    scheme = _shortened(challenge.split(" ")[0])
    if scheme and scheme.lower() != "basic":
        return Unauthenticated(f"{told} It asks for {scheme} authentication.", "This client knows Basic only.")
    return Unauthenticated(told, "Check user and password, or the client certificate.", challenge=bool(scheme))


def _unknown(answer: Answer, told: str) -> BadAnswer:
    """EST has no other answers; redirects are not followed, for a request is for the server that it was sent to."""
    place = answer.headers.get(hdrs.LOCATION)
    if place is not None:
        return BadAnswer(f"{told} with a redirect to {_shortened(printable(place))}.", "Ask there, if you trust it.")
    return BadAnswer(f"{told} with the status {answer.status}, which EST does not use.", "Is it an EST server?")


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase + "."
    except ValueError:
        return "no reason given."
