"""One enrollment as aziot-certd makes it."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from nestor.doctor.enrollment import (
    certificate_of,
    failed,
    judge_bootstrap,
    judge_leftovers,
    judge_trial,
    left_behind,
)
from nestor.doctor.issued import Asked
from nestor.doctor.requests import Kind
from nestor.doctor.seen import Ending, Talk, Trial
from nestor.finding import Finding
from support import shapes, signing
from support.asking import NOW
from support.signing import CLIENT
from support.talks import answered, has, problems, refused, showing, warnings

_ROOT = signing.root("Root", end=NOW + timedelta(days=3650))
_KEY = shapes.p256()
_ASKED = Asked(Kind.EST_IDENTITY, "pump-1", _KEY, "an EST identity")
_ISSUED = _ROOT.sign("pump-1", key=_KEY, extensions=(CLIENT,)).certificate
_OTHER = _ROOT.sign("pump-1", extensions=(CLIENT,)).certificate
_CACERTS = showing(_ROOT.certificate)


def _judged(enrolled: Talk, cacerts: Talk = _CACERTS) -> list[Finding]:
    return judge_trial(_ASKED, Trial(enrolled, cacerts), NOW)


def test_one_certificate_for_the_key_is_fine() -> None:
    found = _judged(showing(_ISSUED))
    assert (problems(found), warnings(found), failed(found)) == ([], [], False)


@pytest.mark.parametrize(
    ("enrolled", "sentence"),
    [
        (showing(_ISSUED, status=201), "Asked for an EST identity, the server answers 201 Created"),
        (showing(_OTHER), "the server answers with a certificate for another key"),
        (showing(_ROOT.certificate, _ISSUED), "2 certificates instead of one, and aziot-certd takes the first one"),
        (showing(), "a PKCS #7 that holds no certificate"),
        (refused(45), "the server ends TLS with the alert certificate_expired (45)"),
        (Talk(Ending.SILENT, 30), "the server does not answer within 30 seconds"),
        (showing(_ISSUED, seconds=31), "An EST identity took 31 s"),
    ],
)
def test_what_certd_does_not_take(enrolled: Talk, sentence: str) -> None:
    found = _judged(enrolled)
    assert has(problems(found), sentence)
    assert failed(found)


def test_a_chain_behind_the_certificate_is_a_warning() -> None:
    assert has(warnings(_judged(showing(_ISSUED, _ROOT.certificate))), "another order would break it")


@pytest.mark.parametrize("cacerts", [answered(503), refused(80), Talk(Ending.CLOSED)])
def test_one_call_costs_the_other(cacerts: Talk) -> None:
    assert has(problems(_judged(showing(_ISSUED), cacerts)), "aziot-certd then throws away what was issued")


def test_the_slower_call_counts() -> None:
    assert has(warnings(_judged(showing(_ISSUED), showing(_ROOT.certificate, seconds=14))), "An EST identity took 14 s")


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [(10, 10, []), (16, 16, ["took 32 s together"]), (31, 1, [])],
)
def test_both_enrollments_of_a_bootstrap_have_one_patience(first: float, second: float, found: list[str]) -> None:
    trials = [Trial(showing(_ISSUED, seconds=seconds), _CACERTS) for seconds in (first, second)]
    assert has(problems(judge_bootstrap(*trials)), *found)


@pytest.mark.parametrize(
    ("enrolled", "kept", "left"),
    [
        (showing(_ISSUED), _ISSUED, _ISSUED),
        (showing(_ISSUED, status=201), None, _ISSUED),
        (showing(_ROOT.certificate, _ISSUED), None, _ISSUED),
        (showing(_OTHER), None, _OTHER),
        (answered(403), None, None),
        (refused(48), None, None),
    ],
)
def test_what_certd_keeps_and_what_is_left_behind(
    enrolled: Talk, kept: x509.Certificate | None, left: x509.Certificate | None
) -> None:
    trial = Trial(enrolled, _CACERTS)
    assert certificate_of(_ASKED, trial) == kept
    assert left_behind(_ASKED, trial) == left


def test_leftovers_are_named_and_short_lives_are_a_warning() -> None:
    def living(**life: Any) -> list[Finding]:
        end = NOW - timedelta(days=1) + timedelta(**life)
        return judge_leftovers([_ISSUED, _ROOT.sign("pump-1", end=end).certificate])

    assert judge_leftovers([]) == []
    assert f"{_ISSUED.serial_number:x} and" in living(days=30)[-1].sentence
    assert warnings(living(days=30)) == []
    assert has(warnings(living(days=2)), "They live 2 days")
