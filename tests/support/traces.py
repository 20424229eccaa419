"""Whether bytes hold a secret, whichever way it was written: raw, hex, base64 of any alphabet, offset and width."""

import base64
import re

_SHORTEST = 16
_BETWEEN = re.compile(rb"\\[rn]|[^0-9A-Za-z]")  # what may stand between letters; `+` and `/` have other names elsewhere
_OFFSETS = (0, 1, 2)


def holds(content: bytes, secret: bytes) -> bool:
    """Whether a secret of at least 16 bytes is in the content, by itself or within PEM, DER or JSON."""
    assert len(secret) >= _SHORTEST
    text = _BETWEEN.sub(b"", content)
    if secret in content or secret.hex().encode() in text.lower():
        return True
    return any(_BETWEEN.sub(b"", _base64_of(secret, offset)) in text for offset in _OFFSETS)


def _base64_of(secret: bytes, offset: int) -> bytes:
    """The base64 of a secret that begins so many bytes after a group of three: the letters that are its alone."""
    letters = base64.b64encode(bytes(offset) + secret)
    return letters[4 if offset else 0 : (offset + len(secret)) // 3 * 4]
