"""The answer of /serverkeygen: a private key and its certificate as the two parts of one body (RFC 7030, 4.4.2).

The parts are told apart by what they hold, for clients and servers in the field disagree about order and headers.
No sentence of this file shows anything of a part.
"""

import re
from itertools import takewhile

from nestor.errors import Malformed
from nestor.est import oids
from nestor.est.der import INTEGER, OID, SEQUENCE, Element, Reader, oid, only, reading
from nestor.est.menu import CERTS_ONLY_TYPE, ENCRYPTED_KEY_TYPE, KEY_TYPE
from nestor.est.transfer import Dialect, decode, encode

_BOUNDARY = "nestor-key-and-certificate"
"""May be the same every time: base64 has no dashes, so no part can hold it."""

_WHAT = "The answer to the key generation"
_GIVEN_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_CERTS_ONLY, _ENVELOPED = oid(oids.SIGNED_DATA), oid(oids.ENVELOPED_DATA)


def respond(key_part: bytes, encrypted: bool, certs_only: bytes) -> tuple[str, bytes]:
    """The media type and the body: the key first, as PKCS #8 or as CMS around it, then the certs-only message."""
    parts = ((ENCRYPTED_KEY_TYPE if encrypted else KEY_TYPE, key_part), (CERTS_ONLY_TYPE, certs_only))
    opening, closing = f"--{_BOUNDARY}\n".encode(), f"--{_BOUNDARY}--\n".encode()
    body = b"".join(opening + _part(media_type, der) for media_type, der in parts)
    return f"multipart/mixed; boundary={_BOUNDARY}", body + closing


def read_response(content_type: str, body: bytes) -> tuple[bytes, bool, bytes]:
    """The key part, whether it is encrypted, and the certs-only message. Raises Malformed."""
    given = _GIVEN_BOUNDARY.search(content_type)
    if given is None or not content_type.strip().lower().startswith("multipart/"):
        raise Malformed(f"{_WHAT} is no multipart body with a boundary (RFC 7030, 4.4.2).")
    found: dict[int | bytes, bytes] = {}
    for content in _parts(body, (given[1] or given[2]).encode()):
        der = decode(content, lenient=True)
        found[_kind(der)] = der
    key, certificates = found.get(INTEGER, found.get(_ENVELOPED)), found.get(_CERTS_ONLY)
    if len(found) != 2 or key is None or certificates is None:  # noqa: PLR2004 -- a key and its certificate
        raise Malformed(f"{_WHAT} does not hold one key and one certs-only message.")
    return key, INTEGER not in found, certificates


def _part(media_type: str, der: bytes) -> bytes:
    head = f"Content-Type: {media_type}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + encode(der, Dialect.WRAPPED)


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundaries, the headers of each part taken off (RFC 2046, 5.1)."""
    _, *sections = (b"\n" + body.replace(b"\r\n", b"\n")).split(b"\n--" + boundary)
    inner = takewhile(lambda section: not section.startswith(b"--"), sections)
    return [section.partition(b"\n\n")[2] for section in inner]


def _kind(der: bytes) -> int | bytes:
    """What a part is: CMS by its content type, PKCS #8 by the version that it begins with."""
    with reading(_WHAT):
        first: Element = Reader(only(der, SEQUENCE).content).take(OID, INTEGER)
    return first.encoded if first.tag == OID else INTEGER
