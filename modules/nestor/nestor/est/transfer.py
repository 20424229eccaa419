"""How DER travels in an EST body: base64, in the dialect that the other side speaks (RFC 8951, 3; design D18).

Strict in the alphabet, forgiving about white space. The Content-Transfer-Encoding header is not looked at by anybody.
Time is linear in the size of a body, whatever it holds.
"""

import base64
import binascii
import re
from enum import StrEnum

from nestor.errors import Malformed

_COLUMNS = 64
_WHITE_SPACE = b" \t\r\n"
_DER = b"\x30"
_ARMOR = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_TAKEN = frozenset({b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST", b"PKCS7", b"CMS"})
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_URL_SAFE = re.compile(rb"[A-Za-z0-9_-]*={0,2}")
_HOW = "Send the base64 of the DER: openssl req -outform DER | base64."


class Dialect(StrEnum):
    """How base64 is laid out: some clients need lines of 64 columns, others count line breaks as data."""

    WRAPPED = "wrapped"
    ONE_LINE = "oneLine"


def dialect_of(body: bytes) -> Dialect:
    """The dialect of a request; only line breaks inside its body count."""
    inside = body.strip(_WHITE_SPACE)
    return Dialect.WRAPPED if b"\n" in inside or b"\r" in inside else Dialect.ONE_LINE


def encode(der: bytes, dialect: Dialect) -> bytes:
    """Base64 in lines of 64 columns, or on one line; every line ends with LF.

    The last one too: aziot-certd up to 1.2.3 puts the END line of PEM right behind an answer, and strongSwan, which
    counts line breaks inside as data, does not mind one at the end.
    """
    text = base64.b64encode(der)
    if dialect is Dialect.ONE_LINE:
        return text + b"\n"
    return b"".join(text[at : at + _COLUMNS] + b"\n" for at in range(0, len(text), _COLUMNS))


def decode(body: bytes, *, lenient: bool) -> bytes:
    """The DER in a body; `lenient` also takes PEM and bare DER, as old aziot-certd and shell scripts send.

    Raises Malformed.
    """
    if body.startswith(_DER):
        if lenient:
            return body
        raise Malformed("The body is bare DER; EST wants base64 (RFC 8951, 3).", _HOW)
    text = body.strip(_WHITE_SPACE)
    if text.startswith(b"-----"):
        text = _without_armor(text, lenient=lenient)
    return _decode(text.translate(None, _WHITE_SPACE))


def _without_armor(text: bytes, *, lenient: bool) -> bytes:
    """What stands between the lines of a PEM block, which must be the only one."""
    opening = _ARMOR.match(text)
    if opening is None:
        raise Malformed("The body begins with dashes but is no PEM.", _HOW)
    kind = opening[1]
    if not lenient:
        raise Malformed("The body is PEM; EST wants base64 without those lines (RFC 8951, 3).", _HOW)
    if kind not in _TAKEN:
        raise Malformed(f"The body is a PEM {kind.decode('ascii')}, which is nothing that EST takes.", _HOW)
    inside, closing, after = text[opening.end() :].partition(b"-----END " + kind + b"-----")
    if not closing:
        raise Malformed("The PEM in the body has no END line.", _HOW)
    if after:
        raise Malformed("Something follows the PEM in the body.", "Send one request at a time.")
    return inside


def _decode(text: bytes) -> bytes:
    if not text:
        raise Malformed("The body is empty.", _HOW)
    if not _ALPHABET.fullmatch(text):
        raise Malformed(_why_not_base64(text), _HOW)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise Malformed("The base64 in the body is cut short or padded wrongly.", _HOW) from error


def _why_not_base64(text: bytes) -> str:
    if _URL_SAFE.fullmatch(text):
        return "The body is base64url; EST wants the alphabet with + and / (RFC 4648, 4)."
    before, padding, _ = text.partition(b"=")
    if padding and _ALPHABET.fullmatch(before):
        return "Something follows the end of the base64 in the body; one request at a time is taken."
    return "The body is not base64 (RFC 4648, 4)."
