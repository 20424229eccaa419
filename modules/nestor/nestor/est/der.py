"""DER, the little of it that EST needs beside `cryptography`: elements written, and elements read one level at a time.

The reader goes no deeper than its caller asks, so nesting costs nothing; it takes definite, shortest lengths only
(X.690, 10.1). What is broken is BadDER inside the room; `reading` turns it into Malformed at the doors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidKey, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from nestor.errors import Malformed

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL_TAG, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, T61_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
UNIVERSAL_STRING, BMP_STRING = 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31

_LONG_FORM = 0x80
_HIGH_TAG = 0x1F
_MOST_LENGTH_BYTES = 4


class BadDER(ValueError):
    """Bytes that are not the DER expected; the text completes `... cannot be read: `."""


class Element(NamedTuple):
    """One element: its tag, its content, and the whole of it."""

    tag: int
    content: bytes
    encoded: bytes


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise Malformed for whatever the parsers underneath raise; `what` opens the sentence.

    `cryptography` raises these lazily too, from properties. Its own words are not for people, so only ours are shown.
    """
    try:
        yield
    except BadDER as error:
        raise Malformed(f"{what} cannot be read: {error}.") from error
    except (x509.DuplicateExtension, x509.ExtensionNotFound) as error:
        raise Malformed(f"{what} cannot be read: an extension is there twice, or missing.") from error
    except x509.InvalidVersion as error:
        raise Malformed(f"{what} cannot be read: its version is unknown.") from error
    except (UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise Malformed(f"{what} cannot be read: it holds something of an unknown kind.") from error
    except (ValueError, TypeError, OverflowError, InvalidKey, InvalidSignature, InvalidUnwrap) as error:
        raise Malformed(f"{what} cannot be read: it is not what the standards lay down.") from error


class Reader:
    """Walks over the elements that follow each other in some bytes. Every method raises BadDER."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = len(data)

    @property
    def next_tag(self) -> int | None:
        """The tag of the next element, or None at the end."""
        return self._data[self._at] if self._at < self._end else None

    def take(self, *tags: int) -> Element:
        """The next element; its tag must be one of those given, if any are."""
        data, at = self._data, self._at
        tag, start, stop = _measure(data, at, self._end)
        if tags and tag not in tags:
            raise BadDER(f"byte {at} opens an element of another kind than expected")
        self._at = stop
        return Element(tag, data[start:stop], data[at:stop])

    def peek(self) -> Element | None:
        """The next element without taking it, or None at the end."""
        return Reader(self._data[self._at : self._end]).take() if self._at < self._end else None

    def optional(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        return self.take() if self.next_tag == tag else None

    def enter(self, tag: int = SEQUENCE) -> "Reader":
        """A reader of what the next element contains."""
        return Reader(self.take(tag).content)

    def all(self, *tags: int) -> list[Element]:
        """Every element that is left."""
        found = []
        while self._at < self._end:
            found.append(self.take(*tags))
        return found

    def finish(self) -> None:
        """Nothing may be left."""
        if self._at != self._end:
            raise BadDER(f"{self._end - self._at} bytes follow where it should end")


def _measure(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at a place."""
    start = at + 2
    if start > end:
        raise BadDER(f"it ends at byte {end}, where more is expected")
    tag, length = data[at], data[at + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise BadDER(f"byte {at} opens an element with a tag that nothing here has")
    if length >= _LONG_FORM:
        size = length - _LONG_FORM
        length = int.from_bytes(data[start : start + size])
        if not 0 < size <= _MOST_LENGTH_BYTES or length < _LONG_FORM or length.bit_length() <= 8 * (size - 1):
            raise BadDER(f"byte {at} opens an element whose length is not DER")
        start += size
    if start + length > end:
        raise BadDER(f"byte {at} opens an element that is longer than what is left")
    return tag, start, start + length


def only(data: bytes, *tags: int) -> Element:
    """The one element that these bytes are. Raises BadDER."""
    reader = Reader(data)
    element = reader.take(*tags)
    reader.finish()
    return element


def read_integer(element: Element) -> int:
    """The number that an INTEGER is. Raises BadDER where it is not written shortest."""
    content = element.content
    if not content or (len(content) > 1 and content[0] in {0x00, 0xFF} and (content[0] ^ content[1]) < _LONG_FORM):
        raise BadDER("a number is not DER")
    return int.from_bytes(content, signed=True)


def read_oid(element: Element) -> x509.ObjectIdentifier:
    """The object identifier that an element is. Raises BadDER."""
    content = element.content
    if not content or len(content) > 64 or content[-1] >= _LONG_FORM:  # noqa: PLR2004 -- far longer than any in use
        raise BadDER("an object identifier is not DER")
    arcs, arc = [], 0
    for byte in content:
        if arc == 0 and byte == _LONG_FORM:
            raise BadDER("an object identifier is not DER")
        arc = arc << 7 | byte & 0x7F
        if byte < _LONG_FORM:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    try:
        return x509.ObjectIdentifier(".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:]))))
    except ValueError as error:
        raise BadDER("an object identifier is not one") from error


def tlv(tag: int, *parts: bytes) -> bytes:
    """An element of a tag and what it contains."""
    content = b"".join(parts)
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """A SET OF, sorted as DER asks (X.690, 11.6)."""
    return tlv(SET, *sorted(parts))


def context(number: int, *parts: bytes) -> bytes:
    """A constructed element with a context tag."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return tlv(BIT_STRING, b"\0", content)


@lru_cache(maxsize=256)
def oid(identifier: x509.ObjectIdentifier) -> bytes:
    """An object identifier: seven bits a byte, the first two arcs in one number (X.690, 8.19)."""
    first, second, *others = (int(arc) for arc in identifier.dotted_string.split("."))
    return tlv(OID, *(_base128(arc) for arc in (first * 40 + second, *others)))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | arc & 0x7F)
    return bytes(reversed(septets))


NULL = tlv(NULL_TAG)
TRUE = tlv(BOOLEAN, b"\xff")
