"""Certificates read before they are judged: usages, names, dates, issuers."""

from datetime import timedelta

import pytest
from cryptography import x509

from nestor.access.certificates import (
    alternative_names_of,
    check_dates,
    client_auth,
    extension_of,
    is_ca,
    is_issued_by,
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
