"""Structured field values (RFC 9651, RFC 8941 before it), as much of them as crosses a hop. Pure and strict.

An item is a byte sequence, a string, a display string, a token or an integer; around items there are lists and
dictionaries, and no parameters. What is not exactly in form is refused, so that no two servers read one value as two.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

from nestor.errors import Malformed

Item = bytes | str | int

_ITEM = re.compile(
    r""":(?P<bytes>[A-Za-z0-9+/]*={0,2}):
    |%"(?P<display>(?:[\ !#$&-~]|%[0-9a-f]{2})*)"
    |"(?P<string>(?:[\ !\#-\[\]-~]|\\["\\])*)"
    |(?P<integer>-?[0-9]{1,15})
    |(?P<token>[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)""",
    re.VERBOSE,
)
_KEY = re.compile(r"([a-z*][a-z0-9_.*-]*)=")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_PLAIN = re.compile(r"[ -~]*")
_SAFE = "".join(chr(sign) for sign in range(0x20, 0x7F) if chr(sign) not in '%"')
_LARGEST = 10**15


def read_item(text: str) -> Item:
    """One item. Raises Malformed."""
    found = _ITEM.fullmatch(text.strip(" "))
    if found is None:
        raise _no_field()
    return _value(found)


def read_list(lines: Iterable[str]) -> Sequence[Item]:
    """The items of a list; several lines are one list (RFC 9651, 4.2). Raises Malformed."""
    return [item for _, item in _members(lines, keyed=False)]


def read_dictionary(lines: Iterable[str]) -> Mapping[str, Item]:
    """The items of a dictionary by their keys; a key that is there twice is refused. Raises Malformed."""
    members = list(_members(lines, keyed=True))
    items = dict(members)
    if len(items) < len(members):
        raise _no_field()
    return items


def write_item(item: Item) -> str:
    """An item; text that is not printable ASCII becomes a display string. Raises ValueError for too large a number."""
    match item:
        case bytes():
            return f":{base64.b64encode(item).decode()}:"
        case str():
            return _write_text(item)
        case int() if abs(item) < _LARGEST:
            return str(item)
        case _:
            raise ValueError(item)


def write_list(items: Iterable[Item]) -> str:
    """A list on one line."""
    return ", ".join(map(write_item, items))


def write_dictionary(items: Mapping[str, Item]) -> str:
    """A dictionary on one line."""
    return ", ".join(f"{key}={write_item(item)}" for key, item in items.items())


def _members(lines: Iterable[str], *, keyed: bool) -> Iterator[tuple[str, Item]]:
    """The members of a list, or of a dictionary with their keys."""
    text, at = ", ".join(lines).strip(" "), 0
    while True:
        key = _KEY.match(text, at) if keyed else None
        found = _ITEM.match(text, key.end() if key else at)
        if found is None or (keyed and key is None):
            raise _no_field()
        yield key[1] if key else "", _value(found)
        if found.end() == len(text):
            return
        comma = _COMMA.match(text, found.end())
        if comma is None:
            raise _no_field()
        at = comma.end()


def _value(found: re.Match[str]) -> Item:
    text = found[found.lastgroup or 0]
    match found.lastgroup:
        case "bytes":
            return _bytes(text)
        case "display":
            return _display(text)
        case "string":
            return re.sub(r"\\(.)", r"\1", text)
        case "integer":
            return int(text)
        case _:
            return text


def _bytes(text: str) -> bytes:
    """The bytes of base64 in the one way there is to write them."""
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _no_field() from None
    if base64.b64encode(value).decode() != text:
        raise _no_field()
    return value


def _display(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _no_field() from None


def _write_text(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    escaped = re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), quote(text, safe=_SAFE))
    return f'%"{escaped}"'


def _no_field() -> Malformed:
    return Malformed("It is no structured field of its kind (RFC 9651).")
