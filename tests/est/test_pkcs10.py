"""Certification requests: read, checked, made; what is not one is Malformed, and nothing else escapes."""

import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est.pkcs10 import MAX_DER, build, check_signature, find, read
from nestor.model import BasicConstraints, CertificationRequest, KeyProtection, KeyType, KeyUsage, NewNames
from support import shapes
from support.der import bits, integer, octets, oid, printable, sequence, tlv, utf8

RSA_KEY = shapes.rsa2048()
KEY = shapes.p256()
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device-1")])


def named(common_name: str) -> bytes:
    return shapes.request(sequence(tlv(0x31, sequence(oid("2.5.4.3"), utf8(common_name)))), KEY).der


def test_a_device_identity_of_certd_is_read() -> None:
    request = read(shapes.device_identity("device-1", RSA_KEY).der)
    assert (request.common_name, request.device) == ("device-1", "device-1")
    assert (request.key_type, request.key_name, request.key_bits) == (KeyType.RSA, "rsa", 2048)
    assert (request.signature_hash, request.extended_key_usage, request.basic_constraints) == ("sha256", None, None)
    check_signature(request)


def test_an_est_identity_of_certd_is_read() -> None:
    request = read(shapes.est_identity("device-1").der)
    assert request.extended_key_usage == (ExtendedKeyUsageOID.CLIENT_AUTH,)
    assert (request.key_type, request.key_bits) == (KeyType.EC_P256, 256)
    check_signature(request)


def test_an_edge_ca_of_edged_is_read() -> None:
    request = read(shapes.edge_ca("device-1", RSA_KEY).der)
    assert request.basic_constraints == BasicConstraints(ca=True, path_length=0)
    assert request.key_usage == {KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}
    assert request.device == "device-1"


def test_what_is_built_is_read() -> None:
    wanted = NewNames(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "new")]), (x509.DNSName("new.example"),))
    protection = KeyProtection(b"kek", None, (x509.ObjectIdentifier("2.16.840.1.101.3.4.1.45"),))
    names = [x509.DNSName("a.example"), x509.IPAddress(ip_address("192.0.2.1"))]
    der = build(
        KEY,
        NAME,
        alternative_names=names,
        extensions=[(x509.BasicConstraints(ca=False, path_length=None), True), (x509.OCSPNoCheck(), False)],
        challenge_password="AAEC+/=",
        new_names=wanted,
        key_protection=protection,
    )
    request = read(der)
    assert (request.der, request.subject, request.alternative_names) == (der, NAME, tuple(names))
    assert request.basic_constraints == BasicConstraints(ca=False, path_length=None)
    assert request.other_extensions == (x509.OCSPNoCheck.oid,)
    assert request.challenge_password == "AAEC+/="
    assert (request.new_names, request.key_protection) == (wanted, protection)
    assert (request.device, request.spki) == ("new", shapes.spki_of(KEY))
    check_signature(request)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ec.generate_private_key(ec.SECP384R1()), KeyType.EC_P384),
        (ec.generate_private_key(ec.SECP521R1()), KeyType.EC_P521),
        (RSA_KEY, KeyType.RSA),
        (ed25519.Ed25519PrivateKey.generate(), KeyType.ED25519),
        (mldsa.MLDSA44PrivateKey.generate(), KeyType.ML_DSA_44),
        (mldsa.MLDSA65PrivateKey.generate(), KeyType.ML_DSA_65),
        (mldsa.MLDSA87PrivateKey.generate(), KeyType.ML_DSA_87),
    ],
)
def test_every_kind_of_key_builds_a_request_that_proves_possession(key: object, kind: KeyType) -> None:
    request = read(build(key, NAME))  # type: ignore[arg-type]  # any of the kinds above
    assert request.key_type is kind
    check_signature(request)


def test_alternative_names_are_critical_where_the_subject_is_silent() -> None:
    csr = x509.load_der_x509_csr(build(KEY, x509.Name([]), alternative_names=[x509.DNSName("a.example")]))
    assert csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_a_request_is_found_in_a_file_whatever_stands_around_it() -> None:
    der = shapes.est_identity("dev1").der
    pem = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)
    assert [find(content) for content in (der, pem, b"Certificate Request:\n    Data:\n" + pem)] == [der, der, der]


@pytest.mark.parametrize("content", [b"", b"no request", b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n", sequence()])
def test_a_file_without_a_request_has_none(content: bytes) -> None:
    assert find(content) is None


def test_a_signature_in_the_manner_of_pss_counts() -> None:
    builder = x509.CertificateSigningRequestBuilder(subject_name=NAME)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    der = builder.sign(RSA_KEY, hashes.SHA256(), rsa_padding=pss).public_bytes(Encoding.DER)
    check_signature(read(der))


def test_a_broken_signature_is_told() -> None:
    with pytest.raises(Malformed, match="signature of the request is not that of its key"):
        check_signature(read(shapes.broken(shapes.est_identity("device-1"))))


@pytest.mark.parametrize("sign", ["\x00", "\r", "\n", "\x7f", "\u202e", "\u200b", "\ue000"])
def test_a_subject_that_would_deceive_is_refused(sign: str) -> None:
    with pytest.raises(Malformed, match=f"The subject holds a character .* U\\+{ord(sign):04X}"):
        read(named(f"device{sign}1"))


@pytest.mark.parametrize(
    "name",
    [
        tlv(0x82, b"a\x00.example"),
        tlv(0x82, b"a\r\n.example"),
        tlv(0x81, b"me@\x01"),
        tlv(0x86, b"urn:\x00"),
        tlv(0x87, b"\xc0\x00\x02\x00\xff\xff\xff\x00"),
        tlv(0x87, b"\xc0\x00"),
        tlv(0xA4, sequence(tlv(0x31, sequence(oid("2.5.4.3"), utf8("a\x00"))))),
        tlv(0xA3, b""),
    ],
)
def test_an_alternative_name_that_would_deceive_is_refused(name: bytes) -> None:
    asked = sequence(sequence(oid("2.5.29.17"), octets(sequence(name))))
    with pytest.raises(Malformed):
        read(shapes.request("device-1", KEY, attributes=[shapes.attribute("1.2.840.113549.1.9.14", asked)]).der)


def test_an_unknown_attribute_is_passed_over_whatever_it_holds() -> None:
    odd = shapes.attribute("1.2.3.4", b"\x1f\x81\x01\x00", integer(1), utf8("x"))
    request = read(shapes.request("device-1", KEY, attributes=[odd]).der)
    assert request.challenge_password is None
    check_signature(request)


CHALLENGE = shapes.challenge("code")
EXTENSIONS = shapes.attribute("1.2.840.113549.1.9.14", sequence())
MICROSOFT = shapes.attribute("1.3.6.1.4.1.311.2.1.14", sequence(shapes.client_auth().der))


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ([CHALLENGE, CHALLENGE], "twice"),
        ([EXTENSIONS, MICROSOFT], "two extension requests"),
        ([shapes.attribute("1.2.3")], "no value"),
        ([shapes.attribute(shapes.CHALLENGE_PASSWORD, printable("a"), printable("b"))], "bytes follow"),
        ([shapes.attribute(shapes.CHALLENGE_PASSWORD, integer(1))], "another kind"),
        ([shapes.attribute(shapes.CHALLENGE_PASSWORD, tlv(0x0C, b"\xff"))], "not text"),
        ([shapes.attribute("1.2.840.113549.1.9.14", octets(b""))], "cannot be read"),
    ],
)
def test_attributes_out_of_their_form_are_refused(attributes: list[bytes], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(shapes.request("device-1", KEY, attributes=attributes).der)


def test_an_extension_asked_for_twice_is_refused() -> None:
    twice = [shapes.client_auth(), shapes.client_auth()]
    with pytest.raises(Malformed, match="twice"):
        read(shapes.request("device-1", KEY, twice).der)


def test_extensions_asked_for_in_microsofts_attribute_count() -> None:
    request = read(shapes.request("device-1", KEY, attributes=[MICROSOFT]).der)
    assert request.extended_key_usage == (ExtendedKeyUsageOID.CLIENT_AUTH,)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        shapes.request("device-1", KEY).der + b"\0",
        shapes.request("device-1", KEY).der[:-1],
        shapes.request("device-1", KEY).der.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1),
        b"\x30\x80" + shapes.request("device-1", KEY).der[4:] + b"\0\0",
    ],
)
def test_what_is_not_one_request_in_der_is_refused(der: bytes) -> None:
    with pytest.raises(Malformed, match="certification request cannot be read"):
        read(der)


def test_more_bytes_than_any_request_needs_are_refused() -> None:
    with pytest.raises(Malformed, match="no request needs more"):
        read(bytes(MAX_DER + 1))


def test_a_key_that_cannot_sign_is_told_so() -> None:
    spki = sequence(sequence(oid("1.3.101.110")), bits(bytes(32)))
    request = read(shapes.request("device-1", KEY, spki=spki).der)
    assert (request.key_type, request.key_name) == (None, "X25519")
    with pytest.raises(Malformed, match="X25519 cannot sign"):
        check_signature(request)


def test_a_kind_of_key_that_nobody_takes_is_named() -> None:
    key = dsa.generate_private_key(1024)
    request = read(shapes.request("device-1", KEY, spki=shapes.spki_of(key)).der)
    with pytest.raises(Malformed, match="kind DSA are not taken"):
        check_signature(request)


@pytest.mark.parametrize(("bits_of_modulus", "exponent_bits"), [(16384, 17), (2048, 2041), (512, 17)])
def test_an_rsa_key_out_of_all_measure_costs_nothing(bits_of_modulus: int, exponent_bits: int) -> None:
    numbers = rsa.RSAPublicNumbers(1 << exponent_bits - 1 | 1, 1 << bits_of_modulus - 1 | 1)
    spki = shapes.spki_of(_Public(numbers.public_key()))
    started = time.perf_counter()
    with pytest.raises(Malformed, match="of no size in use"):
        check_signature(read(shapes.request("device-1", KEY, spki=spki).der))
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    "algorithm",
    ["1.2.840.10045.4.1", "1.2.840.10045.4.3.1", "1.2.840.10045.4.3.9", "1.3.6.1.5.5.7.6.36", "1.3.101.112"],
)
def test_a_hash_that_proves_nothing_is_refused(algorithm: str) -> None:
    whole = x509.load_der_x509_csr(shapes.request("device-1", KEY).der)
    der = sequence(whole.tbs_certrequest_bytes, sequence(oid(algorithm)), bits(whole.signature))
    with pytest.raises(Malformed, match="proves nothing"):
        check_signature(read(der))


def test_a_signature_of_another_kind_than_the_key_is_refused() -> None:
    whole = x509.load_der_x509_csr(shapes.request("device-1", KEY).der)
    der = sequence(
        whole.tbs_certrequest_bytes, sequence(oid("1.2.840.113549.1.1.11"), b"\x05\x00"), bits(whole.signature)
    )
    with pytest.raises(Malformed):
        check_signature(read(der))


VECTORS = sorted((Path(cryptography_vectors.__file__).parent / "x509" / "requests").iterdir())


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_the_requests_that_cryptography_collected_are_read_or_malformed(path: Path) -> None:
    good = {"rsa_sha256", "ec_sha256", "ec_sha256_old_header", "challenge", "challenge-unstructured"}
    assert _is_good(path) is (path.stem in good)


def _is_good(path: Path) -> bool:
    der = path.read_bytes()
    if path.suffix == ".pem":
        from nestor.est.transfer import decode

        der = decode(der[der.index(b"-----BEGIN") :], lenient=True)
    try:
        check_signature(read(der))
    except Malformed:
        return False
    return True


SAMPLES = [
    build(KEY, NAME, alternative_names=[x509.DNSName("a.example")], challenge_password="x"),
    shapes.edge_ca("device-1", RSA_KEY).der,
    shapes.request(
        "device-1",
        KEY,
        attributes=[
            shapes.new_names("other", "b.example"),
            *shapes.wrapping(shapes.DECRYPT_KEY_ID, b"kek", "2.16.840.1.101.3.4.1.45"),
        ],
    ).der,
]


@given(st.data(), st.sampled_from(SAMPLES))
def test_whatever_is_broken_in_a_request_only_malformed_escapes(data: st.DataObject, sample: bytes) -> None:
    der = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(der) - 1))
        der[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    _try(bytes(der))


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_only_malformed_escapes(der: bytes) -> None:
    _try(der)
    _try(sequence(der))


def _try(der: bytes) -> CertificationRequest | None:
    try:
        request = read(der)
        check_signature(request)
    except Malformed:
        return None
    return request


@pytest.mark.parametrize(
    "kind", ["1.2.3.4", "1.2.840.113549.1.9.14", shapes.CHALLENGE_PASSWORD, shapes.CHANGE_SUBJECT_NAME]
)
def test_deep_nesting_is_refused_or_passed_over_at_once(kind: str) -> None:
    deep = b""
    for _ in range(10_000):
        deep = sequence(deep)
        if len(deep) > 12_000:
            break
    started = time.perf_counter()
    _try(shapes.request("device-1", KEY, attributes=[shapes.attribute(kind, deep)]).der)
    for _ in range(10_000):
        deep = sequence(deep)
    _try(deep)
    assert time.perf_counter() - started < 0.5


def test_nobody_can_ask_for_a_network() -> None:
    asked = shapes.Extension(x509.SubjectAlternativeName([x509.IPAddress(ip_network("192.0.2.0/24"))]))
    with pytest.raises(Malformed, match="a network where an IP address is due"):
        read(shapes.request("device-1", KEY, [asked]).der)


class _Public:
    """Something with a public key, for the helpers that expect a private one."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key

    def public_key(self) -> rsa.RSAPublicKey:
        return self._key
