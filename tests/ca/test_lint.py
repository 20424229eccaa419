"""The lint, against certificates that are wrong in one place each; all built-in profiles pass it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca import extensions as real
from nestor.ca.lint import check_signed, lint
from nestor.ca.prepare import Draft
from nestor.ca.tbs import encode_certificate, encode_tbs
from nestor.ca.usages import key_usage
from nestor.errors import OurFault
from nestor.model import KeyUsage
from support.asking import NOW, subject
from support.issuing import (
    BUILT_IN_NAMES,
    DAY,
    OWN,
    SERIAL,
    asked_for,
    catalog,
    content,
    draft,
    ec_key,
    root,
    rsa_key,
    sign,
)

DEVICE = content(catalog()["deviceIdentity"], asked_for("deviceIdentity"), (x509.DNSName("dev1"),))
EDGE = content(catalog()["edgeCa"], asked_for("edgeCa"))
OTHER_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def written(what: Any = DEVICE, *, swapped: tuple[x509.ExtensionType, bool] | None = None, **wishes: Any) -> Draft:
    """A draft with one thing in it that was not meant to be."""
    extensions = [one for one in real.extensions_of(what, root()) if swapped is None or one[0].oid != swapped[0].oid]
    fields: dict[str, Any] = {
        "serial": SERIAL,
        "algorithm": root().algorithm.der,
        "issuer": root().name,
        "not_before": NOW,
        "not_after": NOW + DAY,
        "subject": what.subject.public_bytes(),
        "spki": what.key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "extensions": extensions + ([swapped] if swapped else []),
    }
    return Draft(what, SERIAL, encode_tbs(**{**fields, **wishes}))


def finding(of: Draft) -> str:
    with pytest.raises(OurFault) as fault:
        lint(of, root(), OWN)
    assert "must not leave" in fault.value.sentence
    return str(fault.value.__cause__)


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
@pytest.mark.parametrize("key", [ec_key(), rsa_key()])
def test_what_the_built_in_profiles_issue_passes(name: str, key: Any) -> None:
    assert sign(draft(content(catalog()[name], asked_for(name, key))))


def test_what_is_written_by_hand_as_it_should_be_passes() -> None:
    lint(written(), root(), OWN)
    lint(written(EDGE), root(), OWN)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"serial": SERIAL + 1}, "serial number"),
        ({"issuer": subject("Root2").public_bytes()}, "issuer"),
        ({"subject": subject("dev2").public_bytes()}, "subject is not"),
        ({"not_before": NOW - 2 * DAY}, "its CA is not"),
        ({"not_after": NOW + 8000 * DAY}, "its CA is not"),
        ({"not_after": NOW + 31 * DAY}, "longer than its profile"),
        ({"not_after": NOW}, "longer than its profile"),
        ({"spki": OTHER_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}, "its key is not"),
        ({"extensions": ()}, "basic constraints"),
    ],
)
def test_a_field_that_is_wrong_is_found(wishes: dict[str, Any], said: str) -> None:
    assert said in finding(written(**wishes))


@pytest.mark.parametrize(
    ("extension", "said"),
    [
        ((x509.BasicConstraints(ca=True, path_length=0), True), "basic constraints"),
        ((x509.BasicConstraints(ca=False, path_length=None), False), "critical"),
        ((key_usage({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}), True), "keyCertSign"),
        ((key_usage({KeyUsage.KEY_AGREEMENT}), True), "key usage is not"),
        ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False), "beyond the profile"),
        ((x509.SubjectAlternativeName([x509.DNSName("dev2")]), False), "alternative names"),
        ((x509.SubjectKeyIdentifier.from_public_key(OTHER_KEY), False), "subject key identifier"),
        ((x509.AuthorityKeyIdentifier(b"other", None, None), False), "authority key identifier"),
        ((x509.NameConstraints([x509.DNSName("x")], None), True), "name constraints"),
        ((x509.OCSPNoCheck(), False), "no profile gives"),
    ],
)
def test_an_extension_that_is_wrong_is_found(extension: tuple[x509.ExtensionType, bool], said: str) -> None:
    assert said in finding(written(swapped=extension))


def test_an_edge_ca_that_may_issue_for_this_server_is_found() -> None:
    constraints = x509.NameConstraints(None, [x509.DNSName("other.example")])
    assert "name constraints" in finding(written(EDGE, swapped=(constraints, True)))


def test_an_edge_ca_with_a_longer_path_is_found() -> None:
    assert "basic constraints" in finding(written(EDGE, swapped=(x509.BasicConstraints(ca=True, path_length=1), True)))


def test_a_serial_number_that_is_too_short_is_found() -> None:
    assert "128 to 159" in finding(replace(draft(DEVICE, serial=77), serial=77))


def test_a_certificate_that_no_device_could_store_is_found() -> None:
    long = x509.SubjectAlternativeName([x509.DNSName("x" * 600) for _ in range(16)])
    assert "larger than any device" in finding(written(swapped=(long, False)))


def test_bytes_that_are_no_certificate_are_found() -> None:
    assert "read back" in finding(Draft(DEVICE, SERIAL, b"\x30\x00"))


def test_a_signature_of_another_key_never_leaves() -> None:
    drafted = draft(DEVICE)
    der = encode_certificate(drafted.tbs, root().algorithm.der, root("CN=Root", 10).sign(drafted.tbs))
    with pytest.raises(OurFault) as fault:
        check_signed(x509.load_der_x509_certificate(der), drafted, root())
    assert "does not verify" in str(fault.value.__cause__)


def test_a_certificate_that_names_another_algorithm_inside_never_leaves() -> None:
    drafted = written(algorithm=bytes.fromhex("300a06082a8648ce3d040303"))
    der = encode_certificate(drafted.tbs, root().algorithm.der, root().sign(drafted.tbs))
    with pytest.raises(OurFault):
        check_signed(x509.load_der_x509_certificate(der), drafted, root())


def test_bytes_that_changed_between_lint_and_signature_never_leave() -> None:
    drafted, other = draft(DEVICE), draft(DEVICE, now=NOW + timedelta(hours=1))
    der = encode_certificate(other.tbs, root().algorithm.der, root().sign(other.tbs))
    with pytest.raises(OurFault) as fault:
        check_signed(x509.load_der_x509_certificate(der), drafted, root())
    assert "not what was linted" in str(fault.value.__cause__)
