"""The log: one line per event, whatever the event holds."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from nestor.cloud import LinkState
from nestor.events import (
    Adopted,
    Answered,
    Enrolled,
    Event,
    Fatal,
    HandshakeFailed,
    LinkChanged,
    Note,
    Refused,
    Revoked,
    SettingsApplied,
    SettingsRefused,
    Trouble,
    TurnedAway,
)
from nestor.model import Entry, Method, Refusal
from nestor.ops.log import describe, log_event, set_up_log
from nestor.ops.settings import LogSettings

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

ENTRY = Entry(
    serial=0xABC,
    sha256=b"s" * 32,
    der=b"DER",
    device="gw3",
    subject="CN=gw3",
    profile="deviceIdentity",
    label="default",
    not_before=NOON,
    not_after=NOON,
    issued_at=NOON,
    method=Method.PASSWORD,
    requester="line1",
    origin=Method.PASSWORD,
    via=None,
    address="10.0.0.7",
    csr_sha256=b"c",
    spki_sha256=b"k",
    request_id="0011",
)
REFUSAL = Refusal(NOON, "10.0.0.7", "default", "simpleenroll", None, "", "CN=a\nb", "Forbidden", "No.", "0012")

EVENTS: list[Event] = [
    Enrolled(ENTRY, replayed=True),
    Refused(REFUSAL),
    TurnedAway("10.0.0.7", "GET /\x1b[2J", "UnknownPath", "There is nothing here.", "0013"),
    HandshakeFailed("10.0.0.7", "The client does not know this CA."),
    Adopted(ENTRY),
    Revoked(ENTRY, "direct method"),
    SettingsApplied("abc"),
    SettingsRefused("ca: wrong"),
    Trouble("ledger", "The disk is full."),
    Note("started", "Serving.", NOON),
    LinkChanged(LinkState(connected=False, since=NOON, sentence="edgeHub does not answer.")),
    Answered("10.0.0.7", "GET /\x1b[2J", "other", 404, 0.00151, "0013"),
    Fatal("The event loop has not turned for 60 s."),
]
UNTOLD = 2  # of these, at the usual level


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    root, level = logging.getLogger(), logging.getLogger("nestor").level
    handlers, root_level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(root_level)
    logging.getLogger("nestor").setLevel(level)


def lines(capsys: pytest.CaptureFixture[str], document: str, events: list[Event]) -> list[str]:
    set_up_log(LogSettings.model_validate_json(document))
    for event in events:
        log_event(event)
    return capsys.readouterr().out.splitlines()


def test_every_event_is_one_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, "{}", EVENTS)
    assert len(told) == len(EVENTS) - UNTOLD
    assert "enrolled: device=gw3 profile=deviceIdentity" in told[0]
    assert "serial=abc" in told[0]
    assert "replayed=True" in told[0]


def test_what_mends_itself_weighs_less_than_what_an_operator_has_to_mend() -> None:
    assert describe(Trouble("edgeHub", "It is away.", passing=True))[0] == logging.WARNING
    assert describe(Trouble("ledger", "The disk is full."))[0] == logging.ERROR


def test_every_event_is_one_object_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = [json.loads(line) for line in lines(capsys, '{"format": "json"}', EVENTS)]
    assert [line["event"] for line in told][:3] == ["enrolled", "refused", "turned away"]
    assert told[1]["subject"] == "CN=a\nb"


def test_a_line_break_in_a_name_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = lines(capsys, "{}", [Refused(REFUSAL)])
    assert r"CN=a\nb" in line


def test_escape_sequences_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = lines(capsys, "{}", [Trouble("x", "\x1b[31mred\u202e")])
    assert "\x1b" not in line
    assert "\u202e" not in line


def _failed() -> ValueError:
    """An error as it is caught: with the place that raised it, and the error before it."""
    with pytest.raises(ValueError, match="linted") as caught:
        _fail()
    return caught.value


def _fail() -> None:
    try:
        int("x")
    except ValueError as error:
        raise ValueError("not what was\nlinted") from error


def test_the_cause_of_a_trouble_is_told_to_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = lines(capsys, "{}", [Trouble("bug", "It was withheld.", _failed())])
    assert r"ValueError: not what was\nlinted (test_log.py:" in line
    assert "after ValueError: invalid literal" in line


@pytest.mark.parametrize(("level", "number"), [("debug", 13), ("info", 11), ("warning", 7), ("error", 3), ("fatal", 1)])
def test_every_level_leaves_out_what_weighs_less(capsys: pytest.CaptureFixture[str], level: str, number: int) -> None:
    assert len(lines(capsys, f'{{"level": "{level}"}}', EVENTS)) == number


def test_debug_tells_every_request_that_was_answered(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, '{"level": "debug"}', EVENTS)
    assert r'DEBUG   answered: status=404 asked="GET /\x1b[2J" from=10.0.0.7 ms=1.5 request=0013' in told[-2]


_OF_THE_RUNTIME = re.compile(
    r"<(?P<severity>\d)> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 \[(?P<short>[A-Z]{3})\] - (?P<told>\S.*)"
)
"""A line as Logger.cs of the IoT Edge runtime writes it, and edgeAgent's GetModuleLogs reads it."""


def test_every_event_is_one_line_as_the_runtime_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(capsys, '{"format": "runtime", "level": "debug"}', EVENTS)
    found = [_OF_THE_RUNTIME.fullmatch(line) for line in told]
    assert len(found) == len(EVENTS)
    weights = [(line["severity"], line["short"]) for line in found if line]
    debug, info, warning, error = ("7", "DBG"), ("6", "INF"), ("4", "WRN"), ("3", "ERR")
    assert weights == [
        info, warning, info, warning, warning, warning, info, error, error, info, debug, debug, ("0", "FTL"),
    ]  # fmt: skip
    assert found[8] is not None
    assert found[8]["told"] == 'ledger: why="The disk is full."'


def test_libraries_are_heard_on_one_line_with_the_place_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log(LogSettings.model_validate_json("{}"))
    try:
        _fail()
    except ValueError:
        logging.getLogger("aiohttp.server").exception("It failed\nbadly")
    (line,) = capsys.readouterr().out.splitlines()
    assert r"ERROR   It failed\nbadly: cause=" in line
    assert "(test_log.py:" in line


@pytest.mark.parametrize(("level", "heard"), [("debug", 1), ("info", 0)])
def test_warnings_of_libraries_are_for_those_who_debug(
    capsys: pytest.CaptureFixture[str], level: str, heard: int
) -> None:
    set_up_log(LogSettings.model_validate_json(f'{{"level": "{level}"}}'))
    logging.getLogger("aiohttp.server").warning("Trying again.")
    assert len(capsys.readouterr().out.splitlines()) == heard
