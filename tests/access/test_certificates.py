"""Certificates read before they are judged: usages, names, dates, issuers."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from nestor.access.certificates import (
    alternative_names_of,
    check_dates,
    client_auth,
    extension_of,
    is_ca,
    is_issued_by,
    plausible,
    sha256_of,
    spki_of,
)
from nestor.errors import Unauthenticated
from support.asking import NOW
from support.signing import CLIENT, SERVER, root, sign

SECOND = timedelta(seconds=1)


def test_what_a_certificate_may_do_is_read_from_its_extensions() -> None:
    assert client_auth(sign("a", extensions=[CLIENT]).certificate) is True
    assert client_auth(sign("a", extensions=[SERVER]).certificate) is False
    assert client_auth(sign("a").certificate) is None
    assert is_ca(root().certificate)
    assert not is_ca(sign("a").certificate)
    assert not is_ca(sign("a", ca=None).certificate)


def test_alternative_names_are_read_in_their_order() -> None:
    names = (x509.DNSName("b"), x509.DNSName("a"))
    assert alternative_names_of(sign("a", extensions=[x509.SubjectAlternativeName(names)]).certificate) == names
    assert alternative_names_of(sign("a").certificate) == ()


def test_dates_hold_to_the_second_at_both_ends() -> None:
    certificate = sign("a").certificate
    check_dates(certificate, certificate.not_valid_before_utc)
    check_dates(certificate, certificate.not_valid_after_utc)
    with pytest.raises(Unauthenticated, match="valid from"):
        check_dates(certificate, certificate.not_valid_before_utc - SECOND)
    with pytest.raises(Unauthenticated, match="expired at"):
        check_dates(certificate, certificate.not_valid_after_utc + SECOND)
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_an_issuer_is_told_by_name_and_key() -> None:
    ca, twin, stranger = root("CA"), root("CA"), root("Other")
    leaf = ca.sign("a").certificate
    assert is_issued_by(leaf, ca.certificate)
    assert not is_issued_by(leaf, twin.certificate)
    assert not is_issued_by(leaf, stranger.certificate)
    renamed = sign("a", issuer=ca, issuer_name=stranger.certificate.subject).certificate
    assert not is_issued_by(renamed, ca.certificate)


def test_extensions_that_cannot_be_read_are_no_crash() -> None:
    broken = x509.UnrecognizedExtension(x509.BasicConstraints.oid, b"\x30\x80")
    certificate = sign("a", ca=None, extensions=[broken]).certificate
    with pytest.raises(Unauthenticated, match="cannot be read"):
        extension_of(certificate, x509.BasicConstraints)


def test_digests_tell_twins_apart() -> None:
    one, other = sign("a", serial=7), sign("a", serial=7)
    assert sha256_of(one.certificate) != sha256_of(other.certificate)
    assert spki_of(one.certificate) != spki_of(other.certificate)


def test_of_what_a_peer_sends_beside_its_certificate_five_links_are_looked_at() -> None:
    links = [sign(f"link-{number}").certificate for number in range(85)]
    assert plausible(links) == links[:5]


def test_links_whose_keys_take_long_to_verify_with_are_left_out() -> None:
    """An exponent as long as the modulus makes each signature cost milliseconds, and whoever sends it pays nothing."""
    honest = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    slow = rsa.RSAPublicNumbers(honest.n - 2 | 1, honest.n).public_key()
    large = rsa.RSAPublicNumbers(65537, (1 << 9000) + 1).public_key()
    keys = [slow, rsa.RSAPublicNumbers(65537, honest.n).public_key(), large]
    links = [_certified(key) for key in keys]
    assert plausible(links) == [links[1]]


def _certified(key: rsa.RSAPublicKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Factory Root")])
    builder = x509.CertificateBuilder(name, name, key, 1000, NOW, NOW + SECOND)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
