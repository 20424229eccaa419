"""What an EST server answered, read as leniently as RFC 8951 and deployed servers ask for, and not believed as easily.

A missing smime-type, any line breaks, any Content-Transfer-Encoding, PEM around PKCS #7 and bare DER are taken.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import hdrs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from nestor.errors import Malformed
from nestor.est import csrattrs, keygen, pkcs7, transfer
from nestor.est.csrattrs import CsrAttributes
from nestor.upstream.faults import BadAnswer
from nestor.upstream.refusals import printable
from nestor.upstream.wire import Answer

_PKCS7 = "application/pkcs7-mime"
_CSR_ATTRS = "application/csrattrs"
_MULTIPART = "multipart/mixed"


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """What /serverkeygen gave: PKCS #8, DER, or CMS around it where `encrypted`; and the certificate."""

    key: bytes = field(repr=False)
    encrypted: bool
    certificate: x509.Certificate


def read_certificates(answer: Answer, server: str) -> Sequence[x509.Certificate]:
    """The certificates of a certs-only answer (RFC 7030, 4.1.3). Raises BadAnswer."""
    _expect(answer, _PKCS7, server)
    try:
        return pkcs7.read_certs_only(transfer.decode(answer.body, lenient=True))
    except Malformed as fault:
        raise _garbled(server, fault) from fault


def read_csr_attributes(answer: Answer, server: str) -> CsrAttributes:
    """What the server asks of a request (RFC 7030, 4.5.2; RFC 9908). Raises BadAnswer."""
    _expect(answer, _CSR_ATTRS, server)
    try:
        return csrattrs.decode(transfer.decode(answer.body, lenient=True))
    except Malformed as fault:
        raise _garbled(server, fault) from fault


def read_attributes_der(answer: Answer, server: str) -> bytes:
    """The same as its DER, byte by byte as the server wrote it, once it could be read. Raises BadAnswer."""
    read_csr_attributes(answer, server)
    return transfer.decode(answer.body, lenient=True)


def read_generated_key(answer: Answer, server: str) -> GeneratedKey:
    """The key that the server made, and its certificate (RFC 7030, 4.4.2). Raises BadAnswer.

    A key in the clear must be the certificate's; of an encrypted one only its reader can tell.
    """
    _expect(answer, _MULTIPART, server)
    try:
        key, encrypted, certificates = keygen.read_response(answer.headers.get(hdrs.CONTENT_TYPE, ""), answer.body)
        found = pkcs7.read_certs_only(certificates)
    except Malformed as fault:
        raise _garbled(server, fault) from fault
    certificate = found[0] if encrypted else choose_certificate(found, _spki_of_private(key, server), server)
    return GeneratedKey(key, encrypted, certificate)


def choose_certificate(found: Sequence[x509.Certificate], spki: bytes, server: str) -> x509.Certificate:
    """The certificate for a public key; servers that add their chain are forgiven. Raises BadAnswer."""
    for certificate in found:
        with suppress(ValueError, UnsupportedAlgorithm):
            public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            if public == spki:
                return certificate
    raise BadAnswer(f"{server} answers with a certificate for another key.", "Its operator should hear of that.")


def _expect(answer: Answer, wanted: str, server: str) -> None:
    kind = answer.headers.get(hdrs.CONTENT_TYPE, wanted).partition(";")[0].strip().lower()
    if kind != wanted:
        raise BadAnswer(
            f"{server} answers with {printable(kind)[:100]} where EST has {wanted}.", "Is it an EST server?"
        )


def _garbled(server: str, fault: Malformed) -> BadAnswer:
    return BadAnswer(f"The answer of {server} cannot be read: {fault.sentence}", "Is it an EST server?")


def _spki_of_private(pkcs8: bytes, server: str) -> bytes:
    try:
        public = load_der_private_key(pkcs8, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause: the parser's words may quote the key.
        raise BadAnswer(f"The key that {server} made cannot be read.", "Is it an EST server?") from None
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
