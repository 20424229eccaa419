"""Whom this client believes, and how it shows itself: the client's side of TLS is set up here and nowhere else.

A server is believed for a certificate under an anchor *and* for its name, always: the id-kp-cmcRA extended key usage,
which RFC 7030 (3.6.1) lets stand in for the name, does not, or every forwarder could pose as every other.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.errors import MaterialError
from nestor.upstream.identity import ClientIdentity, present


@dataclass(frozen=True, slots=True)
class Trust:
    """The anchors of a server's certificate: explicit ones and no others, or None for this machine's own store.

    RFC 7030 (3.1) calls them the explicit and the implicit trust anchor database; they are never mixed.
    """

    anchors: tuple[x509.Certificate, ...] | None = None


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The files of the certificate that this client presents, its chain behind it, and of its key; PEM."""

    certificate: Path
    key: Path


def read_anchors(path: Path) -> Trust:
    """Explicit trust in the CA certificates of a PEM file. Raises MaterialError."""
    try:
        anchors = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise MaterialError(f"The trust anchors {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise MaterialError(
            f"{path} holds no readable PEM certificates.", "Give the CA certificate of the EST server, in PEM."
        ) from error
    return Trust(tuple(anchors))


def verifying_context(
    trust: Trust, credential: ClientCertificate | ClientIdentity | None = None, *, linkable: bool = False
) -> ssl.SSLContext:
    """TLS that verifies certificate and name. Raises MaterialError for a client certificate that does not load.

    An anchor need not be a root. `linkable` stays at TLS 1.2, the last version that defines tls-unique (RFC 5929), the
    one channel binding at hand here; a request links itself to its session with it (RFC 7030, 3.5).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if linkable else ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.hostname_checks_common_name = False  # RFC 9525: names are in the subjectAltName
    if trust.anchors is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=_pem(trust.anchors))
    match credential:
        case ClientCertificate():
            _present(context, credential)
        case ClientIdentity():
            present(context, credential)
        case None:
            pass
    return context


def provisional_context() -> ssl.SSLContext:
    """TLS that believes anybody, to ask for CA certificates that are proved otherwise (RFC 7030, 4.1.1).

    Whoever uses it must send no credential and use nothing of the answer that was not proved.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _pem(certificates: Sequence[x509.Certificate]) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def _present(context: ssl.SSLContext, credential: ClientCertificate) -> None:
    try:
        context.load_cert_chain(credential.certificate, credential.key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise MaterialError(
            f"{credential.certificate} and {credential.key} do not make a client certificate: {_why(error)}.",
            "Both are PEM: the certificate with its chain behind it, and its key without a passphrase.",
        ) from error
    except OSError as error:
        raise MaterialError(
            f"The client certificate {credential.certificate} or its key {credential.key} cannot be read: "
            f"{error.strerror}.",
            "Check paths and modes.",
        ) from error


def _no_passphrase() -> str:
    """Answer for the terminal, which OpenSSL would otherwise ask in the middle of our work."""
    return ""


def _why(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key belongs to another certificate"
    return "one is not readable PEM, or the key is encrypted"
