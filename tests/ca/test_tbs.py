"""The bytes, against those that `cryptography` would write."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.ca.tbs import encode_certificate, encode_tbs
from support.asking import NOW, subject
from support.issuing import DAY, SERIAL, ec_key, root

EXTENSIONS: tuple[tuple[x509.ExtensionType, bool], ...] = (
    (x509.BasicConstraints(ca=True, path_length=0), True),
    (x509.SubjectKeyIdentifier.from_public_key(ec_key().public_key()), False),
    (x509.SubjectAlternativeName([x509.DNSName(f"host{number}.plant.example") for number in range(16)]), False),
)


@pytest.mark.parametrize(
    "end", [NOW + DAY, datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)]
)
@pytest.mark.parametrize("serial", [1, 127, 128, 255, 256, SERIAL])
def test_the_bytes_are_those_of_the_library(end: datetime, serial: int) -> None:
    tbs = encode_tbs(
        serial=serial,
        algorithm=root().algorithm.der,
        issuer=root().name,
        not_before=NOW,
        not_after=end,
        subject=subject("dev1").public_bytes(),
        spki=ec_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extensions=EXTENSIONS,
    )
    builder = x509.CertificateBuilder(
        root().certificate.subject, subject("dev1"), ec_key().public_key(), serial, NOW, end
    )
    for value, critical in EXTENSIONS:
        builder = builder.add_extension(value, critical=critical)
    assert tbs == builder.sign(root().key, SHA256()).tbs_certificate_bytes


def test_a_certificate_is_put_around_it() -> None:
    certificate = root().certificate
    der = encode_certificate(certificate.tbs_certificate_bytes, root().algorithm.der, certificate.signature)
    assert der == certificate.public_bytes(Encoding.DER)
