"""Possession: whether the one who asks holds the key, and asks in this very TLS session (RFC 7030, 3.5). Pure."""

import base64
import hmac

from nestor.errors import Malformed
from nestor.est.pkcs10 import check_signature
from nestor.model import CertificationRequest, ChallengeUse, Credentials, Label

_LINK = "Identity and proof of possession must be linked"


def check_possession(csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
    """Check the signature of a request and its challengePassword. Raises Malformed."""
    check_signature(csr)
    check_challenge(csr, credentials, label)


def check_challenge(csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
    """Check the challengePassword alone: where the server makes the key, the signature says nothing (4.4.1)."""
    if label.challenge is ChallengeUse.ONE_TIME_CODE:
        _check_code(csr, credentials)
    else:
        _check_binding(csr, credentials, label)


def _check_binding(csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
    """A challengePassword is never ignored: it is the binding of this session, or the request is refused.

    That of a session with a forwarder, which looked at it, is not ours to compare (RFC 7030, 3.7).
    """
    given = csr.challenge_password
    if given is None:
        if label.linking:
            raise Malformed(
                f"{_LINK} on this path: the request has no challengePassword.",
                "Put the base64 of tls-unique (TLS 1.2) or tls-exporter (TLS 1.3) into it.",
            )
        return
    if credentials.conveyed is not None and credentials.conveyed.names_somebody:
        return  # who is no forwarder has been turned away before
    bindings = [value for value in (credentials.bindings.tls_unique, credentials.bindings.tls_exporter) if value]
    if not bindings:
        raise Malformed(f"{_LINK}, but this TLS session has no channel binding.", "Leave the challengePassword out.")
    if not any(_is_same(base64.b64encode(value).decode("ascii"), given) for value in bindings):
        raise Malformed(
            f"{_LINK}: the challengePassword is not the binding of this TLS session.",
            "It is the base64 of tls-unique (TLS 1.2) or tls-exporter (TLS 1.3), or left out.",
        )


def _check_code(csr: CertificationRequest, credentials: Credentials) -> None:
    """A code in the request is the password that was checked; a second, different one is not silently dropped."""
    given = csr.challenge_password
    if given is not None and credentials.password is not None and not _is_same(credentials.password, given):
        raise Malformed("The challengePassword is another code than the password sent.", "Send one of them only.")


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
