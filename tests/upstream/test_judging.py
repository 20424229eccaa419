"""What a device is told when the server above did not give what was asked of it."""

import pytest

from nestor.errors import (
    Conflicting,
    Forbidden,
    Looped,
    Malformed,
    NestorError,
    ParentAway,
    ParentSilent,
    ParentUnusable,
    Pending,
    Unavailable,
    UnknownPath,
)
from nestor.est.conveying import FORWARDER, REFUSED
from nestor.upstream.faults import BadAnswer, Closed, Untrusted
from nestor.upstream.judging import LONGEST_WAIT, of_refusal, of_silence
from nestor.upstream.refusals import refusal_of
from nestor.upstream.wire import Answer


def _told(status: int, **headers: str) -> NestorError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(status, {"Content-Type": "text/plain", **named}, b"No.", None)
    return of_refusal(refusal_of(answer, "parent", "simpleenroll"))


@pytest.mark.conformance("RA-14")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Malformed),
        (403, Forbidden),
        (404, UnknownPath),
        (409, Conflicting),
        (422, Forbidden),
        (401, ParentUnusable),
        (405, UnknownPath),
        (408, ParentSilent),
        (413, ParentUnusable),
        (415, ParentUnusable),
        (429, ParentAway),
        (500, ParentUnusable),
        (501, ParentUnusable),
        (502, ParentUnusable),
        (503, ParentAway),
        (504, ParentSilent),
        (508, Looped),
        (202, Pending),
    ],
)
def test_a_refusal_for_the_device_goes_down_and_one_for_this_server_does_not(
    status: int, kind: type[NestorError]
) -> None:
    assert type(_told(status)) is kind


@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_that_is_aimed_at_this_server_does_not_blame_the_device(status: int) -> None:
    assert type(_told(status, **{REFUSED.replace("-", "_"): FORWARDER})) is ParentUnusable


@pytest.mark.parametrize("status", [202, 429, 503])
def test_nobody_is_sent_away_for_longer_than_an_hour(status: int) -> None:
    told = _told(status, Retry_After="1000000000")
    assert isinstance(told, ParentAway | Pending)
    assert told.retry_after == LONGEST_WAIT
    short = _told(status, Retry_After="7")
    assert isinstance(short, ParentAway | Pending)
    assert short.retry_after == 7


@pytest.mark.parametrize(
    ("fault", "sent", "kind"),
    [
        (Unavailable("It has nobody listening."), False, ParentAway),
        (Unavailable("It did not answer."), True, ParentSilent),
        (Closed("It closed."), True, ParentSilent),
        (Closed("It closed."), False, ParentAway),
        (Untrusted("Its certificate has expired."), False, ParentUnusable),
        (Untrusted("It refuses the client certificate."), True, ParentUnusable),
        (BadAnswer("It answers with a picture."), True, ParentUnusable),
    ],
)
def test_what_was_sent_is_told_from_what_was_not(fault: Unavailable, sent: bool, kind: type[NestorError]) -> None:
    assert type(of_silence(fault, sent=sent, retry_after=5)) is kind
