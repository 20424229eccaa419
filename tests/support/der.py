"""A small DER writer, independent of the code under test: enough to build requests that no library would."""

from itertools import pairwise


def tlv(tag: int, *contents: bytes) -> bytes:
    """One element: tag, length, contents one after the other."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*contents: bytes) -> bytes:
    return tlv(0x30, *contents)


def set_of(*contents: bytes) -> bytes:
    """A SET OF, sorted as DER wants it."""
    return tlv(0x31, *sorted(contents))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value: bool) -> bytes:
    return tlv(0x01, b"\xff" if value else b"\x00")


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return tlv(0x03, b"\x00", content)


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode())


def printable(text: str) -> bytes:
    return tlv(0x13, text.encode("ascii"))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return tlv(0x06, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def split(content: bytes) -> list[bytes]:
    """The elements that follow each other in a content, whole; checks that lengths are DER's."""
    found: list[bytes] = []
    while content:
        head, size = _measure(content)
        assert len(content) >= head + size
        found.append(content[: head + size])
        content = content[head + size :]
    return found


def elements(content: bytes) -> list[tuple[int, bytes]]:
    """The elements that follow each other in a content, as tag and content."""
    return [(one[0], one[_measure(one)[0] :]) for one in split(content)]


def is_sorted(contents: list[bytes]) -> bool:
    """Whether the elements of a SET OF stand in DER's order."""
    return all(one <= other for one, other in pairwise(contents))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | (arc & 0x7F))
    return bytes(reversed(septets))


def _measure(element: bytes) -> tuple[int, int]:
    """How long head and content of the first element are."""
    size = element[1]
    if size < 0x80:
        return 2, size
    head = 2 + (size & 0x7F)
    size = int.from_bytes(element[2:head])
    assert size >= 0x80
    return head, size
