"""Whether a request has a piece that was wanted of it: more than wanted is enough, and gaps may be filled at will."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.est.extensions import Asked, sort_out
from nestor.est.names import same_alternative_names, same_value
from nestor.est.wants import WantedExtension, WantedName
from nestor.model import CertificationRequest

_EXTENSIONS = {
    x509.BasicConstraints.oid: "basicConstraints",
    x509.KeyUsage.oid: "keyUsage",
    x509.ExtendedKeyUsage.oid: "extKeyUsage",
    x509.SubjectAlternativeName.oid: "subjectAltName",
}

_ATTRIBUTES = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.SERIAL_NUMBER: "serialNumber",
}


def has_extension(request: CertificationRequest, wanted: WantedExtension) -> bool:
    """Whether a request asks for an extension, with all that its value says."""
    present = {
        x509.BasicConstraints.oid: request.basic_constraints is not None,
        x509.KeyUsage.oid: request.key_usage is not None,
        x509.ExtendedKeyUsage.oid: request.extended_key_usage is not None,
        x509.SubjectAlternativeName.oid: bool(request.alternative_names),
    }
    if not present.get(wanted.oid, wanted.oid in request.other_extensions):
        return False
    extension = wanted.extension
    return extension is None or _holds(request, sort_out([extension]))


def has_name(subject: x509.Name, wanted: WantedName) -> bool:
    """Whether a subject has an attribute, with the value wanted if one is."""
    held = subject.get_attributes_for_oid(wanted.type)
    if wanted.value is None:
        return bool(held)
    return any(same_value(str(one.value), wanted.value) for one in held)


def extension_name(identifier: x509.ObjectIdentifier) -> str:
    """An extension by its name in RFC 5280, or by its number."""
    return _EXTENSIONS.get(identifier, identifier.dotted_string)


def attribute_name(identifier: x509.ObjectIdentifier) -> str:
    """An attribute of a name as RFC 4514 writes it, or by its number."""
    return _ATTRIBUTES.get(identifier, identifier.dotted_string)


def _holds(request: CertificationRequest, asked: Asked) -> bool:
    return (
        (asked.basic_constraints is None or asked.basic_constraints == request.basic_constraints)
        and (asked.key_usage or frozenset()) <= (request.key_usage or frozenset())
        and set(asked.extended_key_usage or ()) <= set(request.extended_key_usage or ())
        and all(
            any(same_alternative_names((name,), (one,)) for one in request.alternative_names)
            for name in asked.alternative_names
        )
    )
