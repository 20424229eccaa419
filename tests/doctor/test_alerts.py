"""TLS alerts in words, and the page that lists them."""

import re
from pathlib import Path

import pytest

from nestor.doctor.alerts import MEANINGS, demands_certificate, meaning_of, name_of
from nestor.doctor.seen import Alert, Ending, Talk
from support.talks import answered, refused, shaken

_PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


def test_every_alert_has_a_sentence_and_a_remedy() -> None:
    for number, meaning in MEANINGS.items():
        assert name_of(Alert(number)) == f"{meaning.name} ({number})"
        assert re.fullmatch(r"[a-z0-9_]+", meaning.name)
        assert meaning.cause
        assert not meaning.cause.endswith(".")
        assert meaning.remedy.endswith(".")


def test_an_alert_that_no_standard_knows_is_told_by_its_number() -> None:
    assert name_of(Alert(200)) == "number 200"
    assert meaning_of(Alert(200)).cause == "no standard says what that means"


def test_the_page_on_troubleshooting_lists_every_alert() -> None:
    rows = re.findall(r"^\| `[a-z0-9_]+` \| \d+ \|.*", _PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [
        f"| `{meaning.name}` | {number} | {meaning.cause} | {meaning.remedy} |" for number, meaning in MEANINGS.items()
    ]


@pytest.mark.parametrize(
    ("talk", "demanded"),
    [
        (refused(116, wanted=True), True),
        (refused(40, wanted=True), True),
        (refused(42, wanted=True), True),
        (refused(40, wanted=False), False),
        (refused(48, wanted=True), False),
        (refused(70, wanted=True, sent=True), False),
        (Talk(Ending.CLOSED, wanted_certificate=True), True),
        (Talk(Ending.SILENT, wanted_certificate=True), False),
        (shaken(wanted=True, answer=answered().answer), False),
    ],
)
def test_a_server_demands_a_certificate_where_it_asked_and_broke_off(talk: Talk, demanded: bool) -> None:
    assert demands_certificate(talk) is demanded
