"""The certificate that a server shows."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.doctor.certificate import judge_certificate, weakness
from nestor.finding import Finding
from support import signing
from support.asking import NOW
from support.signing import CLIENT, SERVER
from support.talks import has, problems, warnings

_ROOT = signing.root(end=NOW + timedelta(days=3650))
_NAMES = x509.SubjectAlternativeName([x509.DNSName("est.plant")])


def _judged(host: str = "est.plant", **wishes: Any) -> list[Finding]:
    usual = {"extensions": (_NAMES, SERVER), **wishes}
    return judge_certificate([_ROOT.sign("est", **usual).certificate, _ROOT.certificate], host, NOW)


def test_a_sound_certificate_is_fine() -> None:
    found = _judged()
    assert (problems(found), warnings(found)) == ([], [])
    assert found[0].sentence == "The server's certificate CN=est is valid until 2026-06-30 12:00 UTC, for 29 days."
    assert found[1].sentence == "It is good for est.plant."


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"start": NOW - timedelta(days=9), "end": NOW - timedelta(days=1)}, "certificate_expired (45)"),
        ({"start": NOW + timedelta(hours=1)}, "is not valid before 2026-06-01 13:00 UTC"),
        ({"extensions": (_NAMES, CLIENT)}, "It lacks serverAuth in its extended key usage"),
        ({"extensions": (_NAMES, signing.key_usage("key_agreement"))}, "It lacks digitalSignature in its key usage"),
        ({"host": "10.0.0.5"}, "It is not good for 10.0.0.5: it is good for est.plant"),
        ({"extensions": (SERVER,)}, "It is not good for est.plant: it carries no alternative name"),
        ({"key": signing.rsa_key(1024)}, "CN=est is too weak for the OpenSSL of current systems: its RSA key has 1024"),
        ({"key": ec.generate_private_key(ec.SECP192R1())}, "its key is on the curve secp192r1"),
    ],
)
def test_what_a_device_does_not_take(wishes: dict[str, Any], sentence: str) -> None:
    assert has(problems(_judged(**wishes)), sentence)


def test_what_will_be_a_problem_is_a_warning() -> None:
    assert has(warnings(_judged(end=NOW + timedelta(days=3))), "expires in 3 days, on 2026-06-04 12:00 UTC")
    assert has(warnings(_judged("est", extensions=(SERVER,))), "It names est as common name only")


def test_a_certificate_for_any_purpose_is_a_servers_too() -> None:
    anything = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.5.29.37.0")])
    assert problems(_judged(extensions=(_NAMES, anything))) == []
    assert problems(_judged(extensions=(_NAMES,))) == []


def test_an_expired_issuer_in_the_chain_is_found() -> None:
    old = signing.root("Old", end=NOW - timedelta(hours=1))
    leaf = old.sign("est", extensions=(_NAMES, SERVER))
    found = judge_certificate([leaf.certificate, old.certificate], "est.plant", NOW)
    assert has(problems(found), "The CA certificate CN=Old above it is valid from 2026-05-31")


def test_the_signature_of_a_root_is_nobodys_weakness() -> None:
    assert weakness(_ROOT.certificate) == ""
