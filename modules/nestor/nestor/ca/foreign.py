"""Which profile suits a certificate that another program issued under the CA that is ours now. Pure.

Such programs leave purposes out, and forget what was asked for. What names hosts is a server's then, all else is a
client's; aziot-certd makes its EST identity on P-256 or RSA-4096, and the device's own on RSA-2048.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from nestor.ca.builtin import DEVICE_IDENTITY, EDGE_CA, EST_IDENTITY, SERVER
from nestor.ca.issuer import UNREADABLE, constraints_of
from nestor.ca.recognition import value_of
from nestor.ca.usages import EXTENDED_USAGES
from nestor.errors import Forbidden, MaterialError

_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 256
_TOO_OLD = {"md5", "sha1"}
_CLIENT, _SERVES = EXTENDED_USAGES["clientAuth"], EXTENDED_USAGES["serverAuth"]


def suitable_profile(certificate: x509.Certificate) -> str:
    """The built-in profile that suits a certificate. Raises Forbidden or MaterialError where none does."""
    try:
        _check_strength(certificate)
        constraints = constraints_of(certificate)
        purposes = tuple(value_of(certificate, x509.ExtendedKeyUsage) or ())
        hosts = value_of(certificate, x509.SubjectAlternativeName) is not None
        key = certificate.public_key()
    except UNREADABLE as error:
        raise Forbidden("It cannot be read.") from error
    if constraints.ca:
        return _profile_of_ca(constraints)
    return _profile_of_leaf(purposes, key, hosts=hosts)


def _profile_of_ca(constraints: x509.BasicConstraints) -> str:
    if constraints.path_length != 0:
        raise Forbidden("It is a CA with room for further CAs below it; an Edge CA has a path length of 0.")
    return EDGE_CA


def _profile_of_leaf(
    purposes: tuple[x509.ObjectIdentifier, ...], key: CertificatePublicKeyTypes, *, hosts: bool
) -> str:
    serves = _SERVES in purposes or not purposes
    if hosts and serves:
        return SERVER
    if purposes and _CLIENT not in purposes:
        raise Forbidden("It is neither for clients, nor for a server with a name.")
    small = isinstance(key, rsa.RSAPublicKey) and key.key_size == _LEAST_RSA_BITS
    return DEVICE_IDENTITY if small else EST_IDENTITY


def check_digest(certificate: x509.Certificate, what: str) -> None:
    """Raise MaterialError for a signature that nobody takes any more; `what` begins the sentence."""
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in _TOO_OLD:
        raise MaterialError(f"{what} signed with {digest.name.upper()}, which TLS and Nestor refuse.")


def _check_strength(certificate: x509.Certificate) -> None:
    check_digest(certificate, "It is")
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits) if bits < _LEAST_RSA_BITS:
            raise Forbidden(f"Its RSA key of {bits} bits is too weak.")
        case ec.EllipticCurvePublicKey(key_size=bits) if bits < _LEAST_CURVE_BITS:
            raise Forbidden(f"Its EC key of {bits} bits is too weak.")
        case _:
            return
