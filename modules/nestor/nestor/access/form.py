"""Names that may stand in a certificate at all, whoever asks: one readable, unambiguous name per device. Pure.

A name that two readers could read differently (two common names, control characters, wildcards) names nobody.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.access.case import Case
from nestor.access.names import is_ca_name, printable, text_of
from nestor.errors import Forbidden

_LONGEST_COMMON_NAME = 64
_LONGEST_TEXT = 255
_MOST_NAMES = 16
_LABEL_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def check_form(case: Case) -> None:
    """Raise Forbidden for names that nobody may have."""
    _check_common_name(case.subject)
    if sum(1 for _ in case.subject) > _MOST_NAMES:
        raise Forbidden(f"The subject of a request may have {_MOST_NAMES} parts, not more.")
    for attribute in case.subject:
        _check_text(attribute.value, "subject")
    if is_ca_name(case.device) or is_ca_name(case.former_device):
        raise Forbidden("A device id may not itself begin with the prefix of a CA's name.", "Rename the device.")
    if len(case.alternative_names) > _MOST_NAMES:
        raise Forbidden(f"A request may have {_MOST_NAMES} subject alternative names, not more.")
    for name in case.alternative_names:
        _check_alternative_name(name)


def _check_common_name(subject: x509.Name) -> None:
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(found) != 1 or not found[0].value:
        count = "no common name" if not found or not found[0].value else "more than one common name"
        raise Forbidden(f"The request has {count}, so it does not say which device it is for.", "Give it exactly one.")
    if len(found[0].value) > _LONGEST_COMMON_NAME:
        raise Forbidden(
            f"The common name is longer than {_LONGEST_COMMON_NAME} characters.", "RFC 5280 allows no more."
        )
    if "*" in str(found[0].value):
        raise Forbidden("A certificate is for one device; the common name may not hold a wildcard.")


def _check_text(value: str | bytes, where: str) -> None:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT:
        raise Forbidden(f"A name in the {where} is empty, too long, or not text.")
    if not value.isprintable() or value != value.strip():
        shown = printable(value)
        raise Forbidden(f"The name {shown!r} in the {where} holds control characters, or spaces at its ends.")


def _check_alternative_name(name: x509.GeneralName) -> None:
    text = text_of(name)
    if text is None:
        raise Forbidden(
            f"A subject alternative name is of the kind {type(name).__name__}, which is not issued here.",
            "Use DNS names, IP addresses, mail addresses or URIs.",
        )
    _check_text(text, "subject alternative names")
    if isinstance(name, x509.DNSName) and not _is_host_name(text):
        raise Forbidden(f"The DNS name {text!r} is not a plain host name.", "No wildcards, no dots at its ends.")


def _is_host_name(text: str) -> bool:
    labels = text.lower().split(".")
    return all(label and label == label.strip("-") and _LABEL_SIGNS.issuperset(label) for label in labels)
