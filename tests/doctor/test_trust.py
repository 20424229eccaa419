"""Whether a device would believe a server."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from nestor.doctor.trust import By, believe, is_believed, judge_belief
from support import pki, signing
from support.talks import has, problems, warnings

_ROOT = pki.authority("Plant Root")
_BELOW = _ROOT.intermediate("Plant Issuing")
_SHOWN = _BELOW.issue("est", alternative_names=["est.plant"], server=True)
_CHAIN = (_SHOWN.certificate, *_SHOWN.chain)
_ALONE = (_SHOWN.certificate,)
_NAMES = x509.SubjectAlternativeName([x509.DNSName("est.plant")])
_NOW = pki.yesterday() + timedelta(days=1)


def test_a_chain_below_a_trusted_root_is_fine() -> None:
    found = judge_belief(_CHAIN, [_ROOT.certificate], _NOW)
    assert (problems(found), warnings(found)) == ([], [])
    assert found[0].sentence == "It comes from CN=Plant Root, which --cacert trusts."


def test_a_missing_intermediate_is_a_problem_for_who_trusts_the_root_alone() -> None:
    both = [_ROOT.certificate, _BELOW.certificate]
    assert has(
        warnings(judge_belief(_ALONE, both, _NOW)), "A device that trusts the root alone does not believe the server"
    )
    found = judge_belief(_ALONE, [_ROOT.certificate], _NOW)
    assert has(problems(found), "It comes from CN=Plant Issuing, which --cacert does not trust")
    assert "let the server show its issuing CAs" in found[0].remedy


@pytest.mark.parametrize(
    ("anchors", "sentence"),
    [
        (None, "which the store of this machine does not trust"),
        ([_BELOW.certificate], "--cacert holds a CA above it, but not the root above that CA"),
        ([pki.authority("Other").certificate], "which --cacert does not trust"),
        ([pki.authority("Plant Root").certificate], "another CA than the one of the same name, CN=Plant Root"),
    ],
)
def test_a_server_that_is_not_believed(anchors: list[x509.Certificate] | None, sentence: str) -> None:
    found = judge_belief((*_ALONE, _BELOW.certificate), anchors, _NOW)
    assert has(problems(found), sentence)
    assert "unknown_ca (48)" in found[0].sentence


def test_the_store_of_the_system_counts_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(_ROOT.write(tmp_path)))
    assert ssl.get_default_verify_paths().cafile == str(tmp_path / "anchor.pem")
    for anchors in (None, [pki.authority("Other").certificate]):
        assert believe(_CHAIN, anchors).by is By.SYSTEM
        found = judge_belief(_CHAIN, anchors, _NOW)
        assert problems(found) == []
        assert "which the store of this machine trusts" in found[0].sentence


def test_a_device_goes_on_where_chain_name_and_dates_are_right() -> None:
    anchors = [_ROOT.certificate]
    assert is_believed(_CHAIN, "est.plant", anchors, _NOW)
    assert not is_believed(_ALONE, "est.plant", anchors, _NOW)
    assert not is_believed(_CHAIN, "10.0.0.5", anchors, _NOW)
    assert not is_believed(_CHAIN, "est.plant", anchors, _NOW + timedelta(days=31))
    assert not is_believed(_CHAIN, "est.plant", anchors, _NOW - timedelta(days=2))


def test_a_device_does_not_take_another_device_for_the_server() -> None:
    device = _BELOW.issue("pump-1", alternative_names=["est.plant"])
    assert not is_believed((device.certificate, *device.chain), "est.plant", [_ROOT.certificate], _NOW)


def test_a_root_that_has_expired_is_found_though_the_server_does_not_show_it() -> None:
    old = signing.root("Old", start=_NOW - timedelta(days=9), end=_NOW - timedelta(days=1))
    shown = old.sign("est", extensions=(_NAMES,), start=_NOW - timedelta(days=9), end=_NOW + timedelta(days=90))
    found = judge_belief([shown.certificate], [old.certificate], _NOW)
    assert has(problems(found), "The CA certificate CN=Old above it is valid from")
    assert not is_believed([shown.certificate], "est.plant", [old.certificate], _NOW)
