"""Which device a name belongs to, and how names are read and shown."""

from cryptography import x509
from hypothesis import strategies as st

from nestor.access.names import is_ca_name, names_of, printable, text_of
from nestor.model import NewNames
from support.asking import csr, subject

ALPHABET = st.text("ab*?\\[].-", max_size=12)


def test_the_prefix_of_an_edge_ca_is_known_in_whatever_case() -> None:
    assert is_ca_name("AZIOT-EDGE ca x")
    assert not is_ca_name("aziot-edge")


def test_new_names_replace_those_of_the_request() -> None:
    old = (x509.DNSName("a"),)
    assert names_of(csr("a", alternative_names=old)) == (subject("a"), old)
    new = NewNames(subject("b"), (x509.DNSName("b"),))
    assert names_of(csr("a", alternative_names=old, new_names=new)) == (subject("b"), (x509.DNSName("b"),))


def test_kinds_of_names_that_have_no_text_have_none() -> None:
    import ipaddress

    assert text_of(x509.IPAddress(ipaddress.ip_address("2001:db8::1"))) == "2001:db8::1"
    assert text_of(x509.UniformResourceIdentifier("urn:a")) == "urn:a"
    assert text_of(x509.RFC822Name("a@b.example")) == "a@b.example"
    assert text_of(x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))) is None
    assert text_of(x509.DirectoryName(subject("a"))) is None
    assert text_of(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")) is None


def test_what_cannot_be_printed_is_not_shown() -> None:
    assert printable("a\nb\u202ec") == "a?b?c"
