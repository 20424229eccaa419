"""From a request to what it says of its sender: the TLS peer, and headers. Nothing is believed here.

A header that a forwarder sends is refused where it cannot be read, whoever sent it.
"""

import base64
import binascii
from dataclasses import replace

from aiohttp import hdrs
from multidict import CIMultiDictProxy

from nestor.est.conveying import HEADERS, read_conveyance
from nestor.model import Credentials
from nestor.web.transport import Peer


def peer_credentials(peer: Peer) -> Credentials:
    """What the TLS session says."""
    return Credentials(
        address=peer.address,
        certificate=peer.certificate,
        chain=peer.chain,
        bindings=peer.bindings,
        secret_bits=peer.secret_bits,
    )


def read_credentials(
    peer: Peer, headers: CIMultiDictProxy[str], *, moment: float, deadline: float | None = None
) -> Credentials:
    """What the TLS session and the headers say. `moment` and `deadline` are monotonic, in seconds.

    An Authorization header that is not Basic, or broken, is as good as none (RFC 7617). Raises Malformed for what a
    forwarder tells, where it cannot be read.
    """
    user, password = read_basic(headers.get(hdrs.AUTHORIZATION))
    conveyed = read_conveyance({name: headers.getall(name, []) for name in HEADERS}, moment)
    dues = (deadline, conveyed.deadline if conveyed else None)
    return replace(
        peer_credentials(peer),
        user=user,
        password=password,
        conveyed=conveyed,
        deadline=min((due for due in dues if due is not None), default=None),
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
