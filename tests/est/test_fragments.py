"""Names and extensions outside of a request, read as if they stood in one."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from cryptography import x509

from nestor.est import fragments
from support.asking import subject
from support.der import elements, sequence
from support.shapes import client_auth


def test_a_name_is_read_as_it_was_written() -> None:
    name = subject("device-1", ORGANIZATION_NAME="Contoso")
    assert fragments.read_name(name.public_bytes()) == name


def test_general_names_are_read_as_they_were_written() -> None:
    names = (x509.DNSName("a.example"), x509.IPAddress(ip_address("2001:db8::1")))
    ((_, content),) = elements(x509.SubjectAlternativeName(names).public_bytes())
    assert fragments.read_general_names(content) == names


def test_extensions_are_read_as_they_were_written() -> None:
    (extension,) = fragments.read_extensions(sequence(client_auth().der))
    assert extension.value == client_auth().value


@pytest.mark.parametrize("read", [fragments.read_name, fragments.read_extensions, fragments.read_general_names])
def test_what_is_broken_raises_what_the_parser_raises(read: Callable[[bytes], object]) -> None:
    with pytest.raises(ValueError, match=r"asn1|single-valued"):
        read(b"\x30\x01\x01")
