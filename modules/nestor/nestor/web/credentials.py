"""From a request to what it says of its sender: the TLS peer and the Authorization header. Nothing is believed here."""

import base64
import binascii

from nestor.model import Credentials
from nestor.web.transport import Peer


def read_credentials(peer: Peer, authorization: str | None) -> Credentials:
    """What the TLS session and the header say. A header that is not Basic, or broken, is as good as none (RFC 7617)."""
    user, password = read_basic(authorization)
    return Credentials(
        address=peer.address,
        certificate=peer.certificate,
        chain=peer.chain,
        user=user,
        password=password,
        bindings=peer.bindings,
        secret_bits=peer.secret_bits,
    )


def read_basic(authorization: str | None) -> tuple[str, str] | tuple[None, None]:
    """User and password of a Basic header: UTF-8, split at the first colon (RFC 7617, 2)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)
