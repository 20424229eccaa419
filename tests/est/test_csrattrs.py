"""What /csrattrs says: the worked examples to the byte, both forms, and what no server may ask for."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed, SettingsError
from nestor.est.csrattrs import MOST_BYTES, CsrAttributes, decode, encode, size_warning, unmet
from nestor.est.pkcs10 import build, read
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.model import KeyType
from support import shapes
from support.der import integer, octets, oid, sequence, set_of, tlv
from support.est_vectors import VECTORS

CLIENT_AUTH = WantedExtension(
    x509.ExtendedKeyUsage.oid, value=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]).public_bytes()
)
P256 = WantedKey(KeyType.EC_P256)
DEVICE = CsrAttributes(key=P256, signature_hash="sha256", extensions=(CLIENT_AUTH,))
CONTOSO = (WantedName(NameOID.COMMON_NAME), WantedName(NameOID.ORGANIZATION_NAME, "Contoso OT"))
MAC_ADDRESS = x509.ObjectIdentifier("1.3.6.1.1.1.1.22")
EXAMPLE = CsrAttributes(challenge_password=True, key=WantedKey(KeyType.EC_P384), signature_hash="sha384")
TEMPLATE, EXTENSIONS, EXTENSIONS_TEMPLATE = (
    "1.2.840.113549.1.9.16.2.61",
    "1.2.840.113549.1.9.14",
    "1.2.840.113549.1.9.16.2.62",
)


@pytest.mark.parametrize(
    ("vector", "attributes"),
    [
        ("O1", CsrAttributes()),
        ("O2", CsrAttributes(challenge_password=True)),
        ("O4", replace(EXAMPLE, other=(MAC_ADDRESS,))),
        ("O5", DEVICE),
        ("O6", CsrAttributes(key=WantedKey(KeyType.RSA, 3072), signature_hash="sha256")),
        ("O7", CsrAttributes(key=WantedKey(KeyType.RSA))),
    ],
)
def test_the_old_form_is_written_and_read_to_the_byte(vector: str, attributes: CsrAttributes) -> None:
    assert encode(attributes) == VECTORS[vector]
    assert decode(VECTORS[vector]) == attributes


def test_an_edge_ca_is_asked_for_to_the_byte() -> None:
    usage = shapes.key_usage("digital_signature", "key_cert_sign").value
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    extensions = tuple(WantedExtension(one.oid, True, one.public_bytes()) for one in (usage, constraints))
    assert encode(replace(DEVICE, extensions=extensions)) == VECTORS["O8"]
    assert decode(VECTORS["O8"]) == replace(DEVICE, extensions=extensions)


def test_the_misprinted_example_of_rfc_7030_is_read_all_the_same() -> None:
    assert decode(VECTORS["O3"]) == EXAMPLE


def test_both_forms_stand_side_by_side_where_a_template_is_needed() -> None:
    assert encode(replace(DEVICE, subject=CONTOSO)) == VECTORS["T5"]


@pytest.mark.parametrize("vector", ["T1", "T5"])
def test_a_template_is_all_that_counts_where_there_is_one(vector: str) -> None:
    assert decode(VECTORS[vector]) == replace(DEVICE, signature_hash=None, subject=CONTOSO)


def test_the_example_of_rfc_9908_is_read() -> None:
    found = decode(VECTORS["T2"])
    department = [WantedName(NameOID.ORGANIZATIONAL_UNIT_NAME, name) for name in ("myDept", "myGroup")]
    assert found.subject == (WantedName(NameOID.COMMON_NAME), *department)
    names, usage, purpose = found.extensions
    assert (names.oid, names.extension) == (x509.SubjectAlternativeName.oid, None)
    assert (usage.oid, usage.critical, usage.extension is None) == (x509.KeyUsage.oid, True, False)
    assert purpose == WantedExtension(x509.ExtendedKeyUsage.oid)


def test_the_smallest_template_wants_nothing() -> None:
    assert decode(VECTORS["T3"]) == CsrAttributes()


def test_a_template_tells_the_size_of_an_rsa_key_by_a_placeholder() -> None:
    assert decode(VECTORS["T4"]) == CsrAttributes(key=WantedKey(KeyType.RSA, 3072))


def test_the_linking_is_heard_beside_a_template() -> None:
    wanted = CsrAttributes(challenge_password=True, subject=CONTOSO)
    assert decode(encode(wanted)) == wanted


def test_values_with_gaps_have_an_attribute_of_their_own() -> None:
    gap = WantedExtension(x509.SubjectAlternativeName.oid)
    der = encode(CsrAttributes(extensions=(CLIENT_AUTH, gap)))
    assert bytes.fromhex("060b2a864886f70d010910023e") in der
    assert decode(der) == CsrAttributes(extensions=(CLIENT_AUTH, gap))


@pytest.mark.parametrize("kind", KeyType)
def test_every_kind_of_key_can_be_asked_for_in_both_forms(kind: KeyType) -> None:
    for wanted in (CsrAttributes(key=WantedKey(kind)), CsrAttributes(key=WantedKey(kind), subject=CONTOSO)):
        assert decode(encode(wanted)) == wanted


def template(*parts: bytes) -> bytes:
    return sequence(sequence(oid(TEMPLATE), set_of(sequence(integer(0), *parts))))


def test_a_template_may_end_before_its_attributes() -> None:
    assert decode(template()) == CsrAttributes()


def test_one_bare_extension_template_is_read_as_the_text_of_the_rfc_has_it() -> None:
    bare = sequence(oid(EXTENSIONS_TEMPLATE), set_of(sequence(oid("2.5.29.37"))))
    assert decode(template(tlv(0xA1, bare))).extensions == (WantedExtension(x509.ExtendedKeyUsage.oid),)


def test_a_code_in_a_template_is_heard() -> None:
    assert decode(template(tlv(0xA1, shapes.challenge("")))).challenge_password


def test_unknown_attributes_and_keys_are_passed_over() -> None:
    odd = sequence(oid("1.2.3.4"), set_of(integer(1), octets(b"x")))
    curve = sequence(oid("1.2.840.10045.2.1"), set_of(oid("1.3.132.0.10")))
    der = sequence(odd, curve, oid("1.2.840.113549.1.9.7"))
    assert decode(der) == CsrAttributes(challenge_password=True)


def test_hashes_that_contradict_each_other_say_nothing() -> None:
    assert decode(sequence(oid("1.2.840.10045.4.3.2"), oid("1.2.840.10045.4.3.3"))) == CsrAttributes()


@pytest.mark.parametrize(
    "der",
    [
        b"",
        integer(1),
        sequence(integer(1)),
        sequence(oid("1.2.3")) + b"\0",
        sequence(sequence(oid(EXTENSIONS), set_of(sequence(*[sequence(oid("2.5.29.37"), octets(b""))] * 2)))),
        sequence(sequence(oid("1.2.840.113549.1.1.1"), set_of(integer(1 << 40)))),
    ],
)
def test_what_no_server_may_say_is_malformed(der: bytes) -> None:
    with pytest.raises(Malformed, match="CSR attributes cannot be read"):
        decode(der)


@pytest.mark.parametrize(
    "wrong",
    [
        {"extensions": (CLIENT_AUTH, CLIENT_AUTH)},
        {"signature_hash": "md5"},
        {"signature_hash": "sha256", "key": WantedKey(KeyType.ED25519)},
    ],
)
def test_what_no_client_could_obey_cannot_be_asked_for(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        CsrAttributes(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@given(st.sampled_from(sorted(name for name in VECTORS if name[0] in "OT")), st.data())
def test_whatever_is_broken_only_malformed_escapes(name: str, data: st.DataObject) -> None:
    der = bytearray(VECTORS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        encode(decode(bytes(der)))
    except Malformed:
        return


@given(st.binary(max_size=100))
def test_whatever_the_bytes_are_only_malformed_escapes(der: bytes) -> None:
    for whole in (der, sequence(der), template(der)):
        try:
            decode(whole)
        except Malformed:
            continue


def test_attributes_too_large_for_some_clients_are_told() -> None:
    assert size_warning(bytes(MOST_BYTES)) is None
    assert "1001 bytes" in (size_warning(bytes(MOST_BYTES + 1)) or "")


NAME = x509.Name(
    [x509.NameAttribute(NameOID.COMMON_NAME, "d"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "contoso ot")]
)
REQUEST = read(build(shapes.p256(), NAME, extensions=[(shapes.client_auth().value, False)], challenge_password="x"))


def test_a_request_that_has_everything_lacks_nothing() -> None:
    assert unmet(replace(DEVICE, challenge_password=True, subject=CONTOSO), REQUEST) is None
    assert unmet(CsrAttributes(), REQUEST) is None


@pytest.mark.parametrize(
    ("wanted", "lacking"),
    [
        (CsrAttributes(key=WantedKey(KeyType.EC_P384)), "a key of the kind ec-p384"),
        (CsrAttributes(signature_hash="sha384"), "a signature with sha384"),
        (CsrAttributes(extensions=(WantedExtension(x509.KeyUsage.oid),)), "the extension keyUsage as wanted"),
        (CsrAttributes(subject=(WantedName(NameOID.LOCALITY_NAME),)), "L in the subject"),
        (CsrAttributes(subject=(WantedName(NameOID.COMMON_NAME, "e"),)), "CN in the subject, being e"),
    ],
)
def test_the_first_thing_that_a_request_lacks_is_named(wanted: CsrAttributes, lacking: str) -> None:
    assert unmet(wanted, REQUEST) == lacking


def test_a_missing_code_is_named() -> None:
    assert unmet(CsrAttributes(challenge_password=True), read(shapes.est_identity("d").der)) == "a challengePassword"


def test_an_rsa_key_may_be_larger_than_wanted_but_not_smaller() -> None:
    request = read(shapes.device_identity("d").der)
    assert unmet(CsrAttributes(key=WantedKey(KeyType.RSA, 2048)), request) is None
    assert unmet(CsrAttributes(key=WantedKey(KeyType.RSA, 3072)), request) == "an RSA key of 3072 bits"
