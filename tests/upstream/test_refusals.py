"""What a server says instead, and which of our errors it becomes."""

import pytest
from multidict import CIMultiDict

from nestor.errors import (
    CannotIssue,
    Conflicting,
    Forbidden,
    Malformed,
    NestorError,
    NotOffered,
    Pending,
    TooOften,
    Unauthenticated,
    UnknownPath,
    WrongMediaType,
)
from nestor.upstream.faults import BadAnswer
from nestor.upstream.refusals import Failing, refusal_of, retry_after, said
from nestor.upstream.wire import Answer

_NOW = "Sun, 06 Nov 1994 08:49:37 GMT"


def _answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), body, None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (202, Pending),
        (302, BadAnswer),
        (400, Malformed),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, UnknownPath),
        (405, UnknownPath),
        (409, Conflicting),
        (415, WrongMediaType),
        (418, BadAnswer),
        (429, TooOften),
        (500, Failing),
        (501, NotOffered),
        (503, Failing),
        (201, BadAnswer),
        (999, Failing),
    ],
)
def test_every_status_becomes_the_error_that_it_means(status: int, kind: type[NestorError]) -> None:
    assert type(refusal_of(_answer(status), "est", "simpleenroll")) is kind


def test_the_sentence_of_the_server_is_kept() -> None:
    answer = _answer(
        403, b"gw2 is not granted.\nAsk for gw1. (request 12ab)\n", Content_Type="text/plain; charset=utf-8"
    )
    fault = refusal_of(answer, "est", "simpleenroll")
    assert fault.sentence == "est refuses simpleenroll (403): gw2 is not granted. Ask for gw1. (request 12ab)"


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert said(_answer(400, b"\x1b[2Jgone\x00\xff")) == "\\x1b[2Jgone\\x00\N{REPLACEMENT CHARACTER}"
    assert said(_answer(400, "right\N{RIGHT-TO-LEFT OVERRIDE}left".encode())) == "right\\u202eleft"
    redirect = refusal_of(_answer(302, Location="https://evil\x1b[1m"), "est", "cacerts")
    assert "https://evil\\x1b[1m" in redirect.sentence


def test_what_stands_in_a_header_is_no_longer_than_what_is_said() -> None:
    redirect = refusal_of(_answer(302, Location="https://" + "\xff" * 8000), "est", "cacerts")
    challenge = refusal_of(_answer(401, WWW_Authenticate="\x01" * 8000), "est", "cacerts")
    assert max(len(redirect.sentence), len(challenge.sentence)) < 1200


def test_of_markup_only_the_status_is_told() -> None:
    assert said(_answer(502, b"<html>Bad Gateway</html>", Content_Type="text/html")) == "Bad Gateway."
    assert said(_answer(999)) == "no reason given."


def test_a_nestor_has_told_a_remedy_and_none_is_added() -> None:
    for status in (404, 429, 503, 504):
        told = refusal_of(_answer(status, b"It is away. Wait 5 s. (request 12ab, 34cd)\n"), "est", "simpleenroll")
        assert told.text == f"est refuses simpleenroll ({status}): It is away. Wait 5 s. (request 12ab, 34cd)"
        assert refusal_of(_answer(status, b"It is away."), "est", "simpleenroll").hint


def test_of_a_long_story_the_middle_is_left_out_and_the_ids_stay() -> None:
    told = said(_answer(400, b"Here: " + b"x" * 2_000 + b" Wait. (request 12ab)"))
    assert (told[:6], told[-21:], len(told)) == ("Here: ", " Wait. (request 12ab)", 1000 - 1 + len(" (request 12ab)"))
    assert len(said(_answer(400, b"x" * 10_000))) < 1000


@pytest.mark.conformance("CL-10")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("-5", 60),
        ("9" * 400, 86_400),
        ("", 60),
        ("soon", 60),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
        ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
        ("Sun Nov  6 08:51:37 1994", 120),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 1),
        ("Sun, 06 Nov 2094 08:49:37 GMT", 86_400),
        ("Sun, 99 Nov 1994 08:49:37 GMT", 60),
    ],
)
def test_the_time_to_wait_is_read_in_every_form_and_bounded(value: str, seconds: int) -> None:
    assert retry_after({"Retry-After": value, "Date": _NOW}) == seconds


def test_a_date_without_the_servers_clock_means_the_usual_time() -> None:
    assert retry_after({"Retry-After": _NOW}) == 60


def test_the_time_to_wait_travels_with_the_error() -> None:
    for status in (202, 429, 503):
        fault = refusal_of(_answer(status, Retry_After="17"), "est", "simpleenroll")
        assert isinstance(fault, CannotIssue | TooOften | Pending)
        assert fault.retry_after == 17


def test_a_scheme_that_is_not_spoken_here_is_named() -> None:
    fault = refusal_of(_answer(401, WWW_Authenticate="Negotiate"), "est", "simpleenroll")
    assert "It asks for Negotiate authentication." in fault.sentence
    assert "Basic only" in fault.hint


def test_a_basic_challenge_asks_to_check_the_password() -> None:
    fault = refusal_of(_answer(401, WWW_Authenticate='Basic realm="est"'), "est", "simpleenroll")
    assert isinstance(fault, Unauthenticated)
    assert fault.challenge
    assert fault.hint == "Check user and password, or the client certificate."
