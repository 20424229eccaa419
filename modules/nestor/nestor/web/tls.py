"""TLS contexts: what this server speaks, whom it believes, and why a handshake failed, as a sentence.

A context is built whole and then only read; whoever wants another one builds another one. Whether a client certificate
that passes here is good for anything, and at this time, is decided per request, in `access/`.
"""

import re
from collections.abc import Sequence
from itertools import count
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from OpenSSL import SSL, crypto

from nestor.errors import MaterialError

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_SUITES = b"ECDHE+AESGCM:ECDHE+CHACHA20:@STRENGTH"  # those of TLS 1.3 stand in this order by default
_LONGEST_CHAIN = 6
_CHATTER = 64
"""Handshake messages after the handshake: new keys are due after some hundred gigabytes (RFC 8446, 5.5)."""

_NO_SESSIONS = SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION
_STRONGEST_FIRST = SSL.OP_CIPHER_SERVER_PREFERENCE


def server_context(
    *,
    chain: Sequence[x509.Certificate],
    key: CertificateIssuerPrivateKeyTypes,
    client_anchors: Sequence[x509.Certificate],
    client_intermediates: Sequence[x509.Certificate] = (),
) -> SSL.Context:
    """TLS 1.2 with ECDHE and AEAD suites (RFC 9325, 4.2), or 1.3; a client certificate is asked for, not demanded.

    The strongest suite that the client offers is taken, so that it may have keys made here (RFC 7030, 4.4).

    `chain` is shown as it stands, the server's certificate first. `client_anchors` are named to clients and believed;
    `client_intermediates` are believed as well, so that clients below them need not send them. Sessions are not
    resumed: a resumed handshake would skip the verification of the client.

    Raises MaterialError where certificate and key cannot be used, or not together.
    """
    if not isinstance(key, _Key):
        raise MaterialError(
            "The server key is of a kind that TLS does not take here.", "Use an EC, RSA or Ed25519 key."
        )
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_SUITES)
    context.set_options(_NO_SESSIONS | _STRONGEST_FIRST)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"nestor")  # without one, a client that offers a session is refused instead of verified
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        _show(context, chain, key)
        _believe(context, client_anchors, client_intermediates)
    except (SSL.Error, crypto.Error, TypeError, ValueError) as error:
        raise MaterialError(
            f"The server certificate, its key or the client CAs cannot be used for TLS: {_reason(error)}.",
            "Certificate and key must belong together.",
        ) from error
    return context


def end_chatter(connection: SSL.Connection) -> None:
    """After the handshake: treat as ended what a client sends that goes on sending messages of the handshake.

    OpenSSL takes new keys, and wishes to renegotiate, within a read, for as long as they come: nobody else would have
    a turn. To the reader it is as if the client had said goodbye, and the app data is the sentence that says why.
    """
    heard = count(1)

    def note(connection: SSL.Connection, where: int, _: int) -> None:
        if where == SSL.SSL_CB_ACCEPT_EXIT and next(heard) > _CHATTER:
            connection.set_app_data(
                "The client went on sending handshake messages after its handshake; it was cut off."
            )
            connection.set_shutdown(SSL.RECEIVED_SHUTDOWN)

    connection.set_info_callback(note)


def explain(connection: SSL.Connection, error: SSL.Error) -> str:
    """Why a handshake failed, as a sentence for the one who runs the server."""
    refused = connection.get_app_data()
    if isinstance(refused, str):
        return refused
    reason = _reason(error)
    alert = re.search(r"alert (.+)", reason)
    if alert is not None:
        return f"The client ended the TLS handshake with the alert: {alert[1]}{_ALERT_HINTS.get(alert[1], '')}."
    return _REASONS.get(reason, f"The TLS handshake failed: {reason}.")


def spoke_plain_http(error: SSL.Error) -> bool:
    """Whether the first bytes of a failed handshake were an HTTP request."""
    return _reason(error) in {"http request", "https proxy request"}


def _show(context: SSL.Context, chain: Sequence[x509.Certificate], key: _Key) -> None:
    leaf, *links = chain
    context.use_certificate(leaf)
    for link in links:
        context.add_extra_chain_cert(link)
    context.use_privatekey(key)
    context.check_privatekey()


def _believe(
    context: SSL.Context, anchors: Sequence[x509.Certificate], intermediates: Sequence[x509.Certificate]
) -> None:
    store = cast("crypto.X509Store", context.get_cert_store())  # a new context has one
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # an intermediate is an anchor of those below it
    for certificate in (*anchors, *intermediates):
        store.add_cert(crypto.X509.from_cryptography(certificate))
    for anchor in anchors:
        context.add_client_ca(anchor)
    context.set_verify_depth(_LONGEST_CHAIN)
    context.set_verify(SSL.VERIFY_PEER, _remember)


def _remember(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, verified: int) -> bool:
    """Leave the verdict to OpenSSL, which sends the alert that fits; note whom it was about."""
    if verified or _is_for_the_request(error, depth):
        return True
    whose = "of the client" if depth == 0 else "above the client's"
    why = _VERDICTS.get(error, f"verification error {error} of OpenSSL")
    connection.set_app_data(f"The certificate {_subject(certificate)} {whose} was refused: {why}.")
    return False


def _is_for_the_request(error: int, depth: int) -> bool:
    """Whether a certificate is merely out of date, to the clock of this machine.

    On the request, dates are judged by a clock that is believed, a password may stand beside the certificate, and the
    device hears a sentence instead of an alert. An expired CA vouches for nobody, whatever stands beside it.
    """
    return error == _NOT_YET_VALID or (error == _EXPIRED and depth == 0)


def _subject(certificate: crypto.X509) -> str:
    try:
        name = certificate.to_cryptography().subject.rfc4514_string()
    except (ValueError, TypeError):
        return "(of an unreadable name)"
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])


def _reason(error: Exception) -> str:
    """OpenSSL's own words: the last part of the first entry of its error queue."""
    match error.args:
        case ([(*_, str(reason)), *_],):
            return reason
        case _:
            return str(error) or type(error).__name__


_LONGEST_NAME = 200

_REASONS = {
    "http request": "The client spoke plain HTTP; this port speaks HTTPS.",
    "https proxy request": "The client took this port for an HTTP proxy; it speaks HTTPS.",
    "no shared cipher": "The client offers none of the cipher suites taken here: ECDHE with AES-GCM or ChaCha20.",
    "unsupported protocol": "The client speaks only versions of TLS before 1.2.",
    "wrong version number": "The client did not speak TLS.",
}

_ALERT_HINTS = {
    "unknown ca": " (it does not trust the CA of this server's certificate)",
    "bad certificate": " (it did not take this server's certificate; its name or CA may be another)",
    "certificate unknown": " (it did not take this server's certificate; its name or CA may be another)",
    "certificate expired": " (to its clock, this server's certificate is out of date)",
}

_NOT_YET_VALID, _EXPIRED = 9, 10

_VERDICTS = {  # the numbers of X509_STORE_CTX_get_error(3)
    2: "none of the CAs that are trusted here issued it",
    7: "its signature is wrong",
    _EXPIRED: "it has expired",
    18: "it is self-signed, and not among the CAs that are trusted here",
    19: "its chain ends in a root that is not trusted here",
    20: "none of the CAs that are trusted here issued it",
    21: "none of the CAs that are trusted here issued it",
    22: "its chain is too long",
    24: "it is not a CA certificate",
    25: "there are more CAs below it than its path length allows",
    26: "its extended key usage does not allow TLS clients",
    32: "its key usage does not allow signing certificates",
    34: "it has a critical extension that is not known here",
    47: "its CA is constrained to other names",
    48: "its CA excludes its name",
    66: "its key is too weak",
    67: "its key is too weak",
    68: "its signature algorithm is too weak",
}
