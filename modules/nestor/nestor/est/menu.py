"""What is served where, and in which media types (RFC 7030, 3.2.2): paths become targets, nothing else.

A path either is exactly one of EST's, or it is none: nothing is normalized, so no two servers can disagree about it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

from nestor.model import Operation

BASE = "/.well-known/est"
"""Where EST is served (RFC 7030, 3.2.2)."""

CERTS_ONLY_TYPE = "application/pkcs7-mime; smime-type=certs-only"
"""The answer of cacerts and of the enrollments (RFC 7030, 4.2.3); deployed clients compare it byte by byte."""

CSR_ATTRS_TYPE = "application/csrattrs"
"""The answer of csrattrs (RFC 7030, 4.5.2)."""

KEY_TYPE = "application/pkcs8"
"""The key part of serverkeygen when TLS alone protects it (RFC 7030, 4.4.2)."""

ENCRYPTED_KEY_TYPE = "application/pkcs7-mime; smime-type=server-generated-key"
"""The key part of serverkeygen when it is encrypted for its owner (RFC 7030, 4.4.2)."""

_PKCS10 = "application/pkcs10"

REQUEST_TYPES: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.SIMPLE_ENROLL: _PKCS10,
        Operation.SIMPLE_REENROLL: _PKCS10,
        Operation.SERVER_KEYGEN: _PKCS10,
        Operation.FULL_CMC: "application/pkcs7-mime",
    }
)
"""The media type that the body of a POST must have, by operation."""

RESERVED_LABELS: frozenset[str] = frozenset(
    {
        *Operation,
        *("pal", "eecerts", "crls", "symmetrickeys", "firmware", "tamp"),  # RFC 8295
        "renewal-info",  # RFC 9773, carried over to EST
    }
)
"""Names that no label may have, for an operation has them (RFC 7030, 3.2.2)."""

_LABEL = re.compile(r"[A-Za-z0-9._~-]{1,64}")


@dataclass(frozen=True, slots=True)
class Target:
    """An operation, and the label before it if there was one."""

    label: str | None
    operation: Operation


def parse_path(raw_path: str) -> Target | None:
    """The target that a path names, percent-encoding still in it and no query; None where nothing is served."""
    prefix, slash, rest = raw_path.partition(f"{BASE}/")
    if prefix or not slash:
        return None
    *labels, operation = (unquote(segment) for segment in rest.split("/"))
    if operation not in _OPERATIONS or len(labels) > 1 or not all(map(is_label, labels)):
        return None
    return Target(labels[0] if labels else None, Operation(operation))


def is_label(name: str) -> bool:
    """Whether a name can stand as one path segment and needs no escape there; a reserved one is still a segment."""
    return _LABEL.fullmatch(name) is not None and name not in {".", ".."}


def methods(operation: Operation) -> tuple[str, ...]:
    """The HTTP methods that an operation takes; HEAD goes wherever GET does (RFC 9110, 9.1)."""
    return ("POST",) if operation in REQUEST_TYPES else ("GET", "HEAD")


def accepts(operation: Operation, content_type: str | None) -> bool:
    """Whether a body of this media type fits; case and parameters do not matter, and silence is taken for consent."""
    if content_type is None:
        return True
    media_type, _, _ = content_type.partition(";")
    return media_type.strip().lower() == REQUEST_TYPES.get(operation)


_OPERATIONS = frozenset(operation.value for operation in Operation)
