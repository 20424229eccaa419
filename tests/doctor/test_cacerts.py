"""What /cacerts shows."""

from datetime import timedelta
from typing import Any

import pytest

from nestor.doctor.cacerts import Detour, ca_certificates, judge_cacerts, judge_csr_attributes, path_up
from nestor.doctor.seen import Talk
from nestor.finding import Finding
from support import signing
from support.asking import NOW
from support.signing import Signed
from support.talks import answered, has, problems, refused, showing, warnings

_FAR = NOW + timedelta(days=3650)
_ROOT = signing.root("Root", end=_FAR)
_BELOW = _ROOT.sign("Issuing", ca=True, path_length=1, end=_FAR)


def _judged(*shown: Signed, edge_ca: bool = False, **changes: Any) -> list[Finding]:
    return judge_cacerts(showing(*(one.certificate for one in shown), **changes), [], NOW, edge_ca=edge_ca)


def test_an_issuing_ca_and_its_root_are_fine() -> None:
    found = _judged(_BELOW, _ROOT, edge_ca=True)
    assert (problems(found), warnings(found)) == ([], [])
    assert [(one.sentence, one.remedy) for one in found] == [
        ("/cacerts shows 2 certificates: CN=Issuing and CN=Root.", "")
    ]


def test_a_root_before_its_ca_is_remarked() -> None:
    (told,) = _judged(_ROOT, _BELOW)
    assert told.remedy.startswith("On a device they follow the issued certificate in this order")


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ((_BELOW,), "/cacerts shows no root"),
        ((_BELOW, _ROOT, signing.root("Old", end=_FAR)), "/cacerts shows chains below CN=Old and CN=Root"),
        ((_BELOW, _ROOT, _ROOT.sign("est")), "CN=est in /cacerts is not a CA certificate"),
        ((_ROOT.sign("Soon", ca=True, end=NOW + timedelta(days=9)), _ROOT), "CN=Soon in /cacerts expires in 9 days"),
        ((signing.root("Late", start=NOW + timedelta(hours=1)),), "CN=Late in /cacerts is not valid before"),
        ((_ROOT.sign("Full", ca=True, path_length=0, end=_FAR), _ROOT), "no room for an Edge CA below CN=Full"),
    ],
)
def test_what_devices_stumble_over(shown: tuple[Signed, ...], sentence: str) -> None:
    found = _judged(*shown)
    assert problems(found) == []
    assert has(warnings(found), sentence)


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ((signing.root("Gone", end=NOW - timedelta(hours=1)),), "CN=Gone in /cacerts expired on"),
        ((signing.root("Weak", key=signing.rsa_key(1024), end=_FAR),), "CN=Weak in /cacerts is too weak"),
        ((_ROOT.sign("Full", ca=True, path_length=0, end=_FAR), _ROOT), "no room for an Edge CA below CN=Full"),
    ],
)
def test_what_a_gateway_cannot_live_with(shown: tuple[Signed, ...], sentence: str) -> None:
    assert has(problems(_judged(*shown, edge_ca=True)), sentence)


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (answered(500), "On /cacerts the server answers 500 Internal Server Error"),
        (answered(200, b"x"), "On /cacerts the server answers without a Content-Type"),
        (refused(48), "On /cacerts the server ends TLS with the alert unknown_ca (48)"),
        (showing(_ROOT.certificate, seconds=31), "/cacerts took 31 s"),
    ],
)
def test_an_answer_that_certd_does_not_take(talk: Talk, sentence: str) -> None:
    assert has(problems(judge_cacerts(talk, [], NOW, edge_ca=False)), sentence)


def test_the_detour_that_leads_there_is_the_remedy() -> None:
    detours = [Detour("Not this one.", answered(404)), Detour("This one.", showing(_ROOT.certificate))]
    (told,) = judge_cacerts(answered(404), detours, NOW, edge_ca=False)
    assert told.remedy == "This one."


def test_csr_attributes_are_nobodys_fault() -> None:
    for talk in (answered(200), answered(204), answered(404), answered(401), refused(116)):
        found = judge_csr_attributes(talk)
        assert (problems(found), warnings(found), len(found)) == ([], [], 1)


def test_a_path_goes_as_far_up_as_the_pool_reaches() -> None:
    leaf = _BELOW.sign("leaf").certificate
    both = [_ROOT.certificate, _BELOW.certificate]
    assert path_up(leaf, both) == [leaf, _BELOW.certificate, _ROOT.certificate]
    assert path_up(leaf, both[1:]) == [leaf, _BELOW.certificate]
    assert path_up(leaf, []) == [leaf]


def test_certificates_are_those_of_an_answer_that_is_taken() -> None:
    assert ca_certificates(showing(_ROOT.certificate)) == (_ROOT.certificate,)
    assert ca_certificates(showing(_ROOT.certificate, status=201)) == ()
    assert ca_certificates(refused(48)) == ()
    assert ca_certificates(None) == ()
