"""The certs-only message: DER's order or the chain's, and read back whatever wrote it."""

import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est.pkcs7 import certs_only, read_certs_only
from support.answers import certs_only as judged
from support.der import integer, octets, oid, sequence, set_of, tlv
from support.signing import root, rsa_key

ROOT = root("Root with a long name")
ISSUER = ROOT.sign("Issuer", ca=True, key=rsa_key(2048))
LEAF = ISSUER.sign("device")
CHAIN = (ISSUER.certificate, LEAF.certificate, ROOT.certificate)


def test_certificates_stand_in_the_order_of_der() -> None:
    ordered = sorted(CHAIN, key=lambda one: one.public_bytes(Encoding.DER))
    message = certs_only(CHAIN)
    assert list(read_certs_only(message)) == judged(message) == ordered


def test_the_order_of_the_chain_can_be_kept() -> None:
    assert list(read_certs_only(certs_only(CHAIN, chain_order=True))) == list(CHAIN)


def test_openssl_reads_what_we_write() -> None:
    command = ["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout"]
    shown = subprocess.run(command, input=certs_only(CHAIN), capture_output=True, check=True).stdout.decode()
    assert shown.count("subject=") == 3


def test_what_openssl_writes_is_read() -> None:
    command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", "-outform", "DER"]
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in CHAIN)
    written = subprocess.run(command, input=pem, capture_output=True, check=True).stdout
    assert read_certs_only(written) == CHAIN


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "cannot be read"),
        (certs_only(()), "holds no certificate"),
        (certs_only(CHAIN)[:-1], "cannot be read"),
        (certs_only(CHAIN) + b"\0", "bytes follow"),
        (sequence(oid("1.2.840.113549.1.7.3"), tlv(0xA0, sequence())), "not the kind"),
        (octets(b""), "cannot be read"),
    ],
)
def test_what_is_no_message_is_refused(message: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_certs_only(message)


def test_certificates_of_other_kinds_are_passed_over() -> None:
    held = tlv(0xA0, tlv(0xA2, b"attribute certificate"), LEAF.der)
    signed = sequence(integer(1), set_of(), sequence(oid("1.2.840.113549.1.7.1")), held, set_of())
    message = sequence(oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed))
    assert read_certs_only(message) == (LEAF.certificate,)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a warning of cryptography ends nothing
@given(st.data())
def test_whatever_is_broken_in_a_message_only_malformed_escapes(data: st.DataObject) -> None:
    message = bytearray(certs_only([LEAF.certificate]))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_certs_only(bytes(message))
    except Malformed:
        return
