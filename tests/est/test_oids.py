"""Object identifiers: each thing has one, and each has one name."""

from cryptography import x509

from nestor.est import oids


def test_no_identifier_has_two_names() -> None:
    named = [one for one in vars(oids).values() if isinstance(one, x509.ObjectIdentifier)]
    assert len(named) == len(set(named)) > 30
