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
    Unauthenticated,
    Unavailable,
    UnknownPath,
)
from nestor.est.conveying import FORWARDER, REFUSED
from nestor.est.endings import signed
from nestor.upstream.faults import BadAnswer, Closed, NoAnchor, Untrusted, WrongHost
from nestor.upstream.judging import LONGEST_WAIT, of_refusal, of_silence
from nestor.upstream.refusals import refusal_of
from nestor.upstream.wire import Answer
from nestor.web.problems import status_of


def _told(status: int, **headers: str) -> NestorError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _down(status, "No.", "parent", **named)


def _down(status: int, body: str, server: str, **headers: str) -> NestorError:
    answer = Answer(status, {"Content-Type": "text/plain", **headers}, body.encode(), None)
    return of_refusal(refusal_of(answer, server, "simpleenroll"))


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


@pytest.mark.parametrize(("fault", "key"), [(NoAnchor, "upstream.anchors"), (WrongHost, "listener.hostnames")])
def test_an_operator_hears_of_the_keys_of_settings_and_of_no_command_line(fault: type[Untrusted], key: str) -> None:
    told = of_silence(fault("The certificate of est ...", "nestor est has --cacert."), sent=False, retry_after=5)
    assert key in told.hint
    assert "--cacert" not in told.text


_FOR_THE_ONE_BETWEEN = (
    "It is about the server that asked there, not about this device: its operator looks at its upstream settings and "
    "at its log."
)


def _over_hops(first: NestorError, hops: int) -> str:
    """What the body says after so many servers have passed a refusal down; their ids count from above."""
    body = signed(first.text, "0")
    fault = first
    for hop in range(1, hops + 1):
        headers = {"Retry-After": "5"}
        fault = _down(int(status_of(fault)), body, f"layer{hop}", **headers)
        body = signed(fault.text, f"{hop:x}")
    return body


@pytest.mark.parametrize(
    ("first", "statuses", "told"),
    [
        (
            of_silence(Closed("top closed."), sent=True, retry_after=5),
            (504, 504),
            "top closed. Send the same request again: it gets the same certificate.",
        ),
        (of_silence(Unavailable("top is away."), sent=False, retry_after=5), (503, 503), "top is away. Wait 5 s."),
        (Forbidden("gw-1 is not granted.", "Ask for gw-2."), (403, 403), "gw-1 is not granted. Ask for gw-2."),
        (
            Looped("It was here before.", "Look who is above whom."),
            (508, 508),
            "It was here before. Look who is above whom.",
        ),
        (Unauthenticated("Nobody knows it.", challenge=True), (502, 401), f"Nobody knows it. {_FOR_THE_ONE_BETWEEN}"),
        (
            Pending("To be approved.", "Its operator does.", retry_after=60),
            (503, 503),
            "To be approved. Its operator does.",
        ),
    ],
)
def test_over_several_hops_the_remedy_is_told_once_and_the_ids_in_the_order_of_the_hops(
    first: NestorError, statuses: tuple[int, int], told: str
) -> None:
    upper, lower = statuses
    way = f"layer2 refuses simpleenroll ({upper}): layer1 refuses simpleenroll ({lower}): "
    assert _over_hops(first, 2) == f"{way}{told} (request 2, 1, 0)"


def test_a_refusal_of_somebody_elses_server_gets_one_remedy_on_its_way_down() -> None:
    first = _down(503, "Maintenance.", "foreign", **{"Retry-After": "7"})
    assert _over_hops(first, 2) == (
        "layer2 refuses simpleenroll (503): layer1 refuses simpleenroll (503): foreign refuses simpleenroll (503): "
        "Maintenance. Wait 7 s. (request 2, 1, 0)"
    )


def test_eight_hops_have_room_and_whatever_is_told_stays_bounded() -> None:
    told = "The server of the layer above has not been reached since 12:18:20 UTC. It cannot be reached."
    assert told in _over_hops(ParentAway(told, "Wait 5 s."), 8)
    long = _over_hops(Forbidden("x" * 3_000, "Mend it."), 8)
    assert long.endswith("Mend it. (request 8, 7, 6, 5, 4, 3, 2, 1, 0)")
    assert len(long) < 1_200
