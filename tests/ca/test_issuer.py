"""A CA that can sign: its dates, its room, its identifiers."""

from cryptography import x509

from nestor.ca.hierarchy import make_intermediate, make_root
from nestor.ca.issuer import Issuer, fingerprint_of, key_identifier_of, named
from support.asking import NOW
from support.issuing import DAY, SERIAL, ec_key, root
from support.signing import sign


def test_a_chain_lives_as_long_as_its_shortest_link() -> None:
    top = make_root(ec_key(), "CN=Top", lifetime=10 * DAY, now=NOW, serial=SERIAL)
    issuer = Issuer(root().certificate, root().key, (top.certificate,))
    assert issuer.end == NOW + 10 * DAY
    assert issuer.start == top.certificate.not_valid_before_utc


def test_a_root_has_room_for_any_number_of_cas_and_an_intermediate_for_one() -> None:
    middle = make_intermediate(root(), ec_key(), "CN=Middle", lifetime=DAY, now=NOW, serial=SERIAL)
    below = make_intermediate(middle, ec_key(), "CN=Below", lifetime=DAY, now=NOW, serial=SERIAL)
    assert (root().room, middle.room, below.room) == (None, 1, 0)


def test_a_ca_says_when_it_cannot_issue() -> None:
    assert root().problem(NOW) is None
    assert "valid from" in (root().problem(NOW - 2 * DAY) or "")
    assert "ended at" in (root().problem(NOW + 21 * 365 * DAY) or "")


def test_the_key_is_not_shown() -> None:
    assert "key" not in repr(root())


def test_a_certificate_without_a_key_identifier_is_pointed_to_by_its_key() -> None:
    bare = sign("Bare", ca=True)
    assert (
        key_identifier_of(bare.certificate) == x509.SubjectKeyIdentifier.from_public_key(bare.key.public_key()).digest
    )


def test_a_ca_without_a_subject_is_named_by_its_fingerprint() -> None:
    nameless = sign(x509.Name([])).certificate
    assert named(nameless) == fingerprint_of(nameless)
