"""The subject of a certificate: what a profile takes from a request, what it adds, and how it is written. Pure.

Whether somebody may have a name was decided before. Values are written anew in the string types of RFC 5280, whatever
string type a request used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.ca.settings import SubjectSettings
from nestor.document import covers
from nestor.errors import Forbidden, Malformed
from nestor.naming import common_name_of

_TYPES: Mapping[str, x509.ObjectIdentifier] = {
    "cn": NameOID.COMMON_NAME,
    "o": NameOID.ORGANIZATION_NAME,
    "ou": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "c": NameOID.COUNTRY_NAME,
    "st": NameOID.STATE_OR_PROVINCE_NAME,
    "l": NameOID.LOCALITY_NAME,
    "street": NameOID.STREET_ADDRESS,
    "dc": NameOID.DOMAIN_COMPONENT,
    "uid": NameOID.USER_ID,
    "serialnumber": NameOID.SERIAL_NUMBER,
    "title": NameOID.TITLE,
    "gn": NameOID.GIVEN_NAME,
    "sn": NameOID.SURNAME,
    "emailaddress": NameOID.EMAIL_ADDRESS,
}
_PRINTABLE_ONLY = {NameOID.COUNTRY_NAME, NameOID.SERIAL_NUMBER}
_ASCII_ONLY = {NameOID.DOMAIN_COMPONENT, NameOID.EMAIL_ADDRESS}
_LONGEST = {
    NameOID.COMMON_NAME: 64,
    NameOID.ORGANIZATION_NAME: 64,
    NameOID.ORGANIZATIONAL_UNIT_NAME: 64,
    NameOID.SERIAL_NUMBER: 64,
    NameOID.TITLE: 64,
    NameOID.COUNTRY_NAME: 2,
    NameOID.DOMAIN_COMPONENT: 63,
    NameOID.EMAIL_ADDRESS: 255,
}
"""Characters of the longest value (RFC 5280, appendix A; a DNS label for a domain component)."""

_LONGEST_OTHER = 128
_PRINTABLE_STRING = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_REGISTRATION_ID = re.compile(r"[A-Za-z0-9._:-]{0,63}[A-Za-z0-9-]")


@dataclass(frozen=True, slots=True)
class SubjectRules:
    """What the subject may be: attribute types from the request, attributes with fixed values, rules for the CN."""

    take: frozenset[x509.ObjectIdentifier]
    add: tuple[x509.NameAttribute[str], ...]
    common_name: str
    registration_id: bool


def attribute_type(word: str) -> x509.ObjectIdentifier | None:
    """An attribute type by its short name (RFC 4519), whatever its case."""
    return _TYPES.get(word.casefold())


def is_value_of(word: str, value: str) -> bool:
    """Whether an attribute can have a value; not, where there is no such attribute."""
    kind = attribute_type(word)
    return kind is not None and _attribute(kind, value) is not None


def subject_rules(settings: SubjectSettings) -> SubjectRules:
    """The rules that validated settings mean."""
    return SubjectRules(
        take=frozenset(_TYPES[word.casefold()] for word in settings.take),
        add=tuple(x509.NameAttribute(_TYPES[word.casefold()], value) for word, value in settings.add.items()),
        common_name=settings.common_name,
        registration_id=settings.registration_id,
    )


def issued_subject(requested: x509.Name, rules: SubjectRules) -> x509.Name:
    """The subject that a certificate gets. Raises Forbidden for what the profile refuses, Malformed for no text."""
    common_name = common_name_of(requested)
    _check_common_name(common_name, rules)
    given = [x509.RelativeDistinguishedName(_written(attribute, rules) for attribute in rdn) for rdn in requested.rdns]
    present = {(attribute.oid, attribute.value) for rdn in given for attribute in rdn}
    added = [x509.RelativeDistinguishedName([one]) for one in rules.add if (one.oid, one.value) not in present]
    return x509.Name([*added, *given])


def _check_common_name(common_name: str, rules: SubjectRules) -> None:
    if not common_name:
        raise Forbidden("The request has no common name, so it does not say which device it is for.")
    if not covers(rules.common_name, common_name):
        raise Forbidden(f"The common name {common_name!r} does not match {rules.common_name}, as this profile asks.")
    if rules.registration_id and _REGISTRATION_ID.fullmatch(common_name) is None:
        raise Forbidden(
            f"The common name {common_name!r} cannot be a registration id of DPS.",
            "Use letters, digits and - . _ : with a letter, digit or dash at the end, 64 characters at most; "
            "or set subject.registrationId of the profile to false.",
        )


def _written(attribute: x509.NameAttribute[str | bytes], rules: SubjectRules) -> x509.NameAttribute[str]:
    """One attribute in the string type that RFC 5280, appendix A, gives it."""
    kind = attribute.rfc4514_attribute_name
    if attribute.oid not in rules.take:
        raise Forbidden(
            f"The profile takes no attribute {kind} in the subject.", "subject.take of the profile lists them."
        )
    written = _attribute(attribute.oid, attribute.value)
    if written is None:
        raise Malformed(f"The subject holds a value of {kind} that RFC 5280 does not allow there.")
    return written


def _attribute(oid: x509.ObjectIdentifier, value: str | bytes) -> x509.NameAttribute[str] | None:
    """An attribute, or None where its type cannot have that value."""
    if not isinstance(value, str) or not value or not value.isprintable():
        return None
    if len(value) > _LONGEST.get(oid, _LONGEST_OTHER):
        return None
    if oid in _PRINTABLE_ONLY and _PRINTABLE_STRING.fullmatch(value) is None:
        return None
    if oid in _ASCII_ONLY and not value.isascii():
        return None
    try:
        return x509.NameAttribute(oid, value)
    except ValueError:
        return None
