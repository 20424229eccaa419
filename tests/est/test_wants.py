"""The pieces of what is wanted, each in both forms."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.errors import SettingsError
from nestor.est import wants
from nestor.est.der import BadDER
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.model import KeyType
from support.der import bits, elements, integer, octets, oid, sequence, set_of, tlv


@pytest.mark.parametrize(("kind", "bits_wanted"), [(KeyType.EC_P256, 256), (KeyType.RSA, 0), (KeyType.RSA, 1 << 20)])
def test_a_size_that_no_key_has_cannot_be_wanted(kind: KeyType, bits_wanted: int) -> None:
    with pytest.raises(SettingsError, match="has no size"):
        WantedKey(kind, bits_wanted)


def test_a_key_without_parameters_is_asked_for_by_an_empty_set() -> None:
    assert wants.write_key(WantedKey(KeyType.ED25519)) == sequence(oid("1.3.101.112"), set_of())


@pytest.mark.parametrize("values", [b"", oid("1.3.132.0.10"), integer(256)])
def test_a_curve_that_is_not_known_is_not_wanted(values: bytes) -> None:
    assert wants.read_key(x509.ObjectIdentifier("1.2.840.10045.2.1"), values) is None


def test_a_size_is_written_as_a_modulus_of_that_size() -> None:
    (algorithm, placeholder) = elements(wants.write_key_template(WantedKey(KeyType.RSA, 2048)))
    assert algorithm[0] == 0x30
    assert len(placeholder[1]) > 256
    assert wants.read_key_template(wants.write_key_template(WantedKey(KeyType.RSA, 2047))) == WantedKey(
        KeyType.RSA, 2047
    )


@pytest.mark.parametrize("content", [b"", sequence(), sequence(oid("1.2.840.113549.1.1.1")) + bits(b"\1")])
def test_a_broken_key_template_is_refused(content: bytes) -> None:
    with pytest.raises(BadDER):
        wants.read_key_template(content)


def test_a_subject_keeps_its_order_and_its_gaps() -> None:
    subject = (WantedName(NameOID.ORGANIZATION_NAME, "Ü"), WantedName(NameOID.COMMON_NAME))
    ((_, content),) = elements(wants.write_subject(subject))
    assert wants.read_subject(content) == subject


def test_a_part_with_several_attributes_is_read_one_by_one() -> None:
    parts = (
        sequence(oid("2.5.4.3")),
        sequence(oid("2.5.4.10"), tlv(0x13, b"x")),
        sequence(oid("2.5.4.11"), integer(1)),
    )
    found = wants.read_subject(set_of(*parts))
    assert [(one.type.dotted_string, one.value) for one in found] == [
        ("2.5.4.3", None),
        ("2.5.4.10", "x"),
        ("2.5.4.11", None),
    ]


def test_an_extension_is_whole_only_if_its_value_can_be_read() -> None:
    kind = x509.SubjectAlternativeName.oid
    whole = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    found = WantedExtension(kind, True, whole.public_bytes()).extension
    assert (found.value, found.critical) == (whole, True) if found else False
    assert WantedExtension(kind).extension is None
    assert WantedExtension(kind, value=sequence(tlv(0x87))).extension is None


def test_an_extension_with_more_than_its_three_parts_is_refused() -> None:
    with pytest.raises(BadDER, match="bytes follow"):
        wants.read_extensions(sequence(oid("2.5.29.37"), octets(b""), octets(b"")))
