"""Names and extensions that do not stand in a request of their own, read by the very parser that reads requests.

`cryptography` reads these inside whole messages only, so they are put into an otherwise empty request, never signed.
"""

from cryptography import x509

from nestor.est import oids
from nestor.est.der import OCTET_STRING, SEQUENCE, SET, bits, context, integer, oid, sequence, tlv

_ALGORITHM = sequence(oid(oids.ED25519))
_KEY = sequence(_ALGORITHM, bits(bytes(32)))
_NO_NAME = sequence()


def read_name(der: bytes) -> x509.Name:
    """A Name. Raises what the parser raises."""
    return _request(der).subject


def read_extensions(der: bytes) -> x509.Extensions:
    """An Extensions sequence. Raises what the parser raises."""
    attribute = sequence(oid(oids.EXTENSION_REQUEST), tlv(SET, der))
    return _request(_NO_NAME, attribute).extensions


def read_general_names(content: bytes) -> tuple[x509.GeneralName, ...]:
    """The content of a GeneralNames. Raises what the parser raises."""
    value = tlv(OCTET_STRING, tlv(SEQUENCE, content))
    extensions = read_extensions(sequence(sequence(oid(x509.SubjectAlternativeName.oid), value)))
    return tuple(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _request(name: bytes, *attributes: bytes) -> x509.CertificateSigningRequest:
    info = sequence(integer(0), name, _KEY, context(0, *attributes))
    return x509.load_der_x509_csr(sequence(info, _ALGORITHM, bits(b"")))
