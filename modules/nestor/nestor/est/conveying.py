"""How a conveyance crosses a hop: the headers, written and read (RFC 9440; others are our own). Pure and strict.

    Client-Cert         the certificate that asked, as a byte sequence; once
    Client-Cert-Chain   what it was sent with; never without Client-Cert, on as many lines as it takes
    Nestor-Requester    who asked by another way: method=..., user=..., label=..., and address=... where it is known
    Nestor-Hops         the ids of the forwarders, the first one first
    Nestor-Deadline     how many milliseconds are left for the whole answer
    Idempotency-Key     the same for the same request sent again

A header that is not exactly in form is refused by name: ignoring it would make another caller of the request.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.conveyance import Conveyance, Statement
from nestor.errors import Malformed
from nestor.est import structured

CERTIFICATE = "Client-Cert"
CHAIN = "Client-Cert-Chain"
REQUESTER = "Nestor-Requester"
HOPS = "Nestor-Hops"
DEADLINE = "Nestor-Deadline"
IDEMPOTENCY_KEY = "Idempotency-Key"

REFUSED = "Nestor-Refused"
"""In a refusal: whom it is aimed at, where that is not the one who asked first."""

FORWARDER = "forwarder"
"""What that header says where the forwarder itself is not let in."""

TELLING = (CERTIFICATE, CHAIN, REQUESTER, HOPS, DEADLINE)
"""The headers that only a forwarder may send. Idempotency-Key is anybody's: alone it tells nothing of anybody."""

HEADERS = (*TELLING, IDEMPOTENCY_KEY)
"""All that cross a hop."""

_LARGEST_CERTIFICATE = 12_000
"""Bytes; one with an ML-DSA-87 key and signature has 7,400."""
_LONGEST_CHAIN = 6
_MOST_HOPS_READ = 32
_LONGEST_TEXT = 256
_LONGEST_TIME = 600_000  # milliseconds
_STATED = {"method", "user", "label"}
_ADDRESS = "address"
_HINT = "Only forwarders send this header; check the one that did."

Value = TypeVar("Value")


def read_conveyance(headers: Mapping[str, Sequence[str]], moment: float) -> Conveyance | None:
    """What the headers tell, at a monotonic moment in seconds; None where there are none of them.

    `headers` has all values of each of HEADERS that is there. Raises Malformed, and names the header.
    """
    if not any(headers.get(name) for name in TELLING):
        return None
    certificate = _read(headers, CERTIFICATE, _certificate_alone)
    chain = _read(headers, CHAIN, _chain) or ()
    statement = _read(headers, REQUESTER, _statement)
    hops = _read(headers, HOPS, _hops) or ()
    if chain and certificate is None:
        raise Malformed(f"The header {CHAIN} came without {CERTIFICATE} (RFC 9440, 2.3).", _HINT)
    if hops and certificate is None and statement is None:
        raise Malformed(f"The header {HOPS} came without {CERTIFICATE} or {REQUESTER}.", _HINT)
    left = _read(headers, DEADLINE, _milliseconds)
    return Conveyance(
        certificate=certificate,
        chain=chain,
        statement=statement,
        hops=hops,
        deadline=None if left is None else moment + left / 1000,
        idempotency_key=_read(headers, IDEMPOTENCY_KEY, _key),
    )


def write_conveyance(conveyance: Conveyance, moment: float) -> Sequence[tuple[str, str]]:
    """The headers that tell it, at a monotonic moment in seconds; the chain has a line for each certificate."""
    written: list[tuple[str, str]] = []
    if conveyance.certificate is not None:
        written.append((CERTIFICATE, _written(conveyance.certificate)))
        written += [(CHAIN, _written(link)) for link in conveyance.chain]
    if (statement := conveyance.statement) is not None:
        stated = {"method": statement.method, "user": statement.user, "label": statement.label}
        address = {_ADDRESS: statement.address} if statement.address else {}
        written.append((REQUESTER, structured.write_dictionary(stated | address)))
    if conveyance.hops:
        written.append((HOPS, structured.write_list(conveyance.hops)))
    if conveyance.deadline is not None:
        left = round((conveyance.deadline - moment) * 1000)
        written.append((DEADLINE, structured.write_item(min(max(left, 0), _LONGEST_TIME))))
    if conveyance.idempotency_key is not None:
        written.append((IDEMPOTENCY_KEY, structured.write_item(conveyance.idempotency_key)))
    return written


def _written(certificate: x509.Certificate) -> str:
    return structured.write_item(certificate.public_bytes(Encoding.DER))


def _read(headers: Mapping[str, Sequence[str]], name: str, read: Callable[[Sequence[str]], Value]) -> Value | None:
    """The value of a header, or None. Raises Malformed with its name."""
    lines = headers.get(name)
    if not lines:
        return None
    try:
        return read(lines)
    except Malformed as fault:
        raise Malformed(f"The header {name} cannot be used. {fault.sentence}", _HINT) from fault


def _once(lines: Sequence[str]) -> structured.Item:
    if len(lines) > 1:
        raise Malformed("It came more than once.")
    return structured.read_item(lines[0])


def _certificate_alone(lines: Sequence[str]) -> x509.Certificate:
    return _certificate(_once(lines))


def _chain(lines: Sequence[str]) -> tuple[x509.Certificate, ...]:
    items = structured.read_list(lines)
    if len(items) > _LONGEST_CHAIN:
        raise Malformed(f"It has more than {_LONGEST_CHAIN} certificates.")
    return tuple(map(_certificate, items))


def _certificate(item: structured.Item) -> x509.Certificate:
    if not isinstance(item, bytes):
        raise Malformed("A certificate is a byte sequence: base64 between colons (RFC 9440, 2.1).")
    if len(item) > _LARGEST_CERTIFICATE:
        raise Malformed(f"A certificate has more than {_LARGEST_CERTIFICATE} bytes.")
    try:
        return x509.load_der_x509_certificate(item)
    except ValueError as error:
        raise Malformed("Its bytes are no certificate.") from error


def _statement(lines: Sequence[str]) -> Statement:
    if len(lines) > 1:
        raise Malformed("It came more than once.")
    stated = structured.read_dictionary(lines)
    if stated.keys() - {_ADDRESS} != _STATED:
        raise Malformed("It states a method, a user and a label, an address perhaps, and nothing else.")
    method, user, label = (_text(stated[key]) for key in ("method", "user", "label"))
    return Statement(method, user, label, _address(stated[_ADDRESS]) if _ADDRESS in stated else "")


def _hops(lines: Sequence[str]) -> tuple[str, ...]:
    hops = tuple(map(_text, structured.read_list(lines)))
    if len(hops) > _MOST_HOPS_READ:
        raise Malformed(f"It has more than {_MOST_HOPS_READ} hops.")
    return hops


def _key(lines: Sequence[str]) -> str:
    return _text(_once(lines))


def _text(item: structured.Item) -> str:
    if not isinstance(item, str) or not 0 < len(item) <= _LONGEST_TEXT or not item.isprintable():
        raise Malformed(f"A text in it is no string of 1 to {_LONGEST_TEXT} printable characters.")
    return item


def _address(item: structured.Item) -> str:
    """An IP address in the one way there is to write it. A zone says something on one machine only."""
    try:
        address = ipaddress.ip_address(_text(item))
    except ValueError as error:
        raise Malformed("The address in it is none.") from error
    if "%" in str(address):
        raise Malformed("The address in it has a zone.")
    return str(address)


def _milliseconds(lines: Sequence[str]) -> int:
    left = _once(lines)
    if not isinstance(left, int) or not 0 <= left <= _LONGEST_TIME:
        raise Malformed(f"It is no number of milliseconds up to {_LONGEST_TIME}.")
    return left
