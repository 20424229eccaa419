"""Certification requests: read once into what the house needs, their signature checked, and made (RFC 2986).

Reading judges the form only; who may have what is decided elsewhere. The parser is that of `cryptography`, which takes
DER and nothing else; attributes are taken apart here.
"""

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.errors import Malformed
from nestor.est import attributes
from nestor.est.der import INTEGER, SEQUENCE, TRUE, Reader, bits, context, integer, octets, oid, reading, sequence
from nestor.est.extensions import Asked, check_name, sort_out
from nestor.est.publickeys import KEM_NAMES, read_public_key
from nestor.est.signing import scheme_of, sign
from nestor.model import CertificationRequest, KeyProtection, KeyType, NewNames
from nestor.naming import common_name_of

MAX_DER = 16 * 1024
"""Bytes of the largest request; one for an ML-DSA-87 key has about 7 KB."""

_ATTRIBUTES = 0xA0
_HASHES = frozenset({"sha256", "sha384", "sha512"})
_HASHLESS = frozenset({KeyType.ED25519, KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87})
_RSA_BITS = range(1024, 8192 + 1)
_RSA_EXPONENT_BITS = 32
_WHAT = "The certification request"

Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""


def read(der: bytes) -> CertificationRequest:
    """Read a request. Raises Malformed for whatever is not one, in DER, with plain names."""
    if len(der) > MAX_DER:
        raise Malformed(f"{_WHAT} has {len(der)} bytes; no request needs more than {MAX_DER}.")
    with reading(_WHAT):
        csr = x509.load_der_x509_csr(der)
        info = Reader(der).enter().enter()
        info.take(INTEGER)
        info.take(SEQUENCE)
        spki = info.take(SEQUENCE).encoded
        held = attributes.split(info.take(_ATTRIBUTES).content)
        key = read_public_key(csr, spki)
    with reading("The subject of the request"):
        subject = csr.subject
        check_name(subject)
    with reading("The extensions that the request asks for"):
        asked = sort_out(csr.extensions) if attributes.asks_for_extensions(held) else Asked()
    with reading("An attribute of the request"):
        return CertificationRequest(
            der=der,
            subject=subject,
            common_name=common_name_of(subject),
            alternative_names=asked.alternative_names,
            basic_constraints=asked.basic_constraints,
            key_usage=asked.key_usage,
            extended_key_usage=asked.extended_key_usage,
            other_extensions=asked.others,
            challenge_password=attributes.challenge_password(held),
            new_names=attributes.new_names(held),
            key_protection=attributes.key_protection(held),
            public_key=key.key,
            key_type=key.kind,
            key_name=key.name,
            key_bits=key.bits,
            signature_hash=_signature_hash(csr),
            sha256=hashlib.sha256(der).digest(),
            spki=key.spki,
            spki_sha256=hashlib.sha256(key.spki).digest(),
        )


def find(content: bytes) -> bytes | None:
    """The DER of the request that a file holds, PEM with whatever around it, or DER; None where it has none."""
    for load in (x509.load_pem_x509_csr, x509.load_der_x509_csr):
        try:
            return load(content).public_bytes(Encoding.DER)
        except (ValueError, TypeError, x509.InvalidVersion):
            continue
    return None


def check_signature(request: CertificationRequest) -> None:
    """Check that the one who made a request holds its key (RFC 7030, 3.4). Raises Malformed.

    What is too weak to prove anything, or too large to be checked in reasonable time, is refused before the check.
    """
    _check_key(request)
    _check_hash(request)
    with reading(_WHAT):
        valid = x509.load_der_x509_csr(request.der).is_signature_valid
    if not valid:
        raise Malformed(
            "The signature of the request is not that of its key.", "Make the request anew, and send it unchanged."
        )


def build(
    private_key: CertificateIssuerPrivateKeyTypes,
    subject: x509.Name,
    *,
    alternative_names: Sequence[x509.GeneralName] = (),
    extensions: Sequence[Extension] = (),
    challenge_password: str | None = None,
    new_names: NewNames | None = None,
    key_protection: KeyProtection | None = None,
) -> bytes:
    """A signed request as DER. Raises MaterialError for a key that cannot sign it."""
    asked = list(extensions)
    if alternative_names:
        # Critical where the subject says nothing (RFC 5280, 4.2.1.6).
        asked.append((x509.SubjectAlternativeName(alternative_names), not subject.rdns))
    held: list[bytes] = []
    if asked:
        held.append(attributes.write_extension_request(sequence(*(_extension(*one) for one in asked))))
    if challenge_password is not None:
        held.append(attributes.write_challenge_password(challenge_password))
    if new_names is not None:
        held.append(attributes.write_new_names(new_names))
    if key_protection is not None:
        held.extend(attributes.write_key_protection(key_protection))
    spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = sequence(integer(0), subject.public_bytes(), spki, context(0, *sorted(held)))
    return sequence(info, scheme_of(private_key).algorithm, bits(sign(private_key, info)))


def _signature_hash(csr: x509.CertificateSigningRequest) -> str | None:
    try:
        algorithm = csr.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name if algorithm else None


def _check_key(request: CertificationRequest) -> None:
    if request.key_name in KEM_NAMES:
        raise Malformed(f"A key of the kind {request.key_name} cannot sign, so the request proves no possession of it.")
    if request.key_type is None:
        raise Malformed(f"Keys of the kind {request.key_name} are not taken here.", f"Use {', '.join(KeyType)}.")
    if isinstance(request.public_key, rsa.RSAPublicKey):
        exponent = request.public_key.public_numbers().e
        if request.key_bits not in _RSA_BITS or exponent.bit_length() > _RSA_EXPONENT_BITS:
            raise Malformed(
                f"The RSA key of {request.key_bits} bits, or its exponent, is of no size in use.",
                "Use 2048 to 4096 bits and the exponent 65537.",
            )


def _check_hash(request: CertificationRequest) -> None:
    used = request.signature_hash
    if used in _HASHES or (used is None and request.key_type in _HASHLESS):
        return
    how = used.upper() if used else "an algorithm that is not known here"
    raise Malformed(f"The request is signed with {how}, which proves nothing any more.", "Sign it with SHA-256.")


def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    return sequence(oid(value.oid), TRUE if critical else b"", octets(value.public_bytes()))
