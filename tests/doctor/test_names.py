"""Names of certificates, held against those that OpenSSL takes."""

import pytest

from nestor.doctor.names import Match, match, names_of
from support import pki
from support.openssl import run

_CA = pki.authority()


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (["est.plant"], "est.plant"),
        (["EST.Plant"], "est.plant"),
        (["est.plant"], "est.plant.example"),
        (["*.plant.example"], "est.plant.example"),
        (["*.plant.example"], "est.line1.plant.example"),
        (["*.plant.example"], "plant.example"),
        (["*.example"], "plant.example"),
        ([], "common"),
        (["10.0.0.5"], "common"),
        (["est.plant"], "common"),
        (["10.0.0.5"], "10.0.0.5"),
        (["10.0.0.5"], "10.0.0.6"),
        (["fd00::5"], "fd00:0::5"),
        (["est.plant"], "10.0.0.5"),
    ],
)
def test_a_host_matches_where_openssl_says_so(names: list[str], host: str) -> None:
    certificate = _CA.issue("common", alternative_names=names, server=True).certificate
    option = "-checkip" if host[0].isdigit() or ":" in host else "-checkhost"
    told = run("x509", "-noout", option, host, say=pki.pem(certificate))
    assert (match(certificate, host) is not Match.NONE) is (b"does match" in told)


def test_a_star_stands_for_a_whole_label() -> None:
    """OpenSSL would take more, and aziot-certd has told it not to."""
    certificate = _CA.issue("common", alternative_names=["e*.plant.example"], server=True).certificate
    assert match(certificate, "est.plant.example") is Match.NONE


def test_the_common_name_is_told_apart() -> None:
    bare = _CA.issue("est.plant", server=True).certificate
    assert match(bare, "est.plant") is Match.COMMON_NAME
    assert names_of(bare) == []


def test_all_names_are_listed() -> None:
    certificate = _CA.issue("x", alternative_names=["est.plant", "10.0.0.5", "fd00::5"], server=True).certificate
    assert names_of(certificate) == ["est.plant", "10.0.0.5", "fd00::5"]
