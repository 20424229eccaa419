"""Which certificates of a /cacerts answer count, and which are strangers."""

import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from nestor.upstream.rollover import sort_out
from support import pki
from support.signing import Signed, root, sign


def _cross(subject: Signed, issuer: Signed) -> x509.Certificate:
    """The key of one under the signature of the other."""
    return issuer.sign(subject.certificate.subject, ca=True, key=subject.key).certificate


def test_a_root_and_its_intermediates_count_in_any_order() -> None:
    top = pki.authority()
    below = top.intermediate("Issuing")
    lowest = below.intermediate("Plant")
    for order in itertools.permutations([top.certificate, below.certificate, lowest.certificate]):
        found = sort_out(order)
        assert found.trusted == (top.certificate, below.certificate, lowest.certificate)
        assert found.strangers == ()


@pytest.mark.conformance("CL-7")
def test_while_a_ca_changes_its_key_the_root_that_lasts_longest_vouches_for_the_old_one() -> None:
    old = root("CA")
    new = root("CA", end=old.certificate.not_valid_after_utc.replace(year=2099))
    four = [old.certificate, _cross(old, new), _cross(new, old), new.certificate]
    for order in itertools.permutations(four):
        found = sort_out(order)
        assert found.root == new.certificate
        assert set(found.linked) == set(four) - {new.certificate}


def test_an_old_root_that_nothing_links_to_the_new_one_is_a_stranger() -> None:
    old = root("CA")
    new = root("CA", end=old.certificate.not_valid_after_utc.replace(year=2099))
    found = sort_out([old.certificate, new.certificate])
    assert (found.trusted, found.strangers) == ((new.certificate,), (old.certificate,))


def test_somebody_elses_certificate_is_a_stranger() -> None:
    top, other = pki.authority(), pki.authority("Other")
    below = other.intermediate("Below the other")
    found = sort_out([below.certificate, top.certificate])
    assert (found.root, found.strangers) == (top.certificate, (below.certificate,))


def test_without_a_root_everything_is_a_stranger() -> None:
    below = pki.authority().intermediate("Issuing")
    found = sort_out([below.certificate])
    assert (found.root, found.trusted, found.strangers) == (None, (), (below.certificate,))


@pytest.mark.parametrize("shown", [1, 2])
def test_a_certificate_that_is_shown_twice_counts_once(shown: int) -> None:
    top = pki.authority()
    found = sort_out([top.certificate] * shown)
    assert found.trusted == (top.certificate,)
    assert found.strangers == ()


def test_a_name_alone_links_nothing() -> None:
    top = root("CA")
    forged = sign("Below", issuer_name=top.certificate.subject, ca=True)
    assert sort_out([top.certificate, forged.certificate]).strangers == (forged.certificate,)
    assert top.certificate.fingerprint(hashes.SHA256()) != forged.certificate.fingerprint(hashes.SHA256())
