"""How `nestor est` shows certificates and CSR attributes to people."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.est.csrattrs import CsrAttributes
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.upstream.rollover import CACertificates

CA_COLUMNS = ("role", "subject", "SHA-256", "valid until")

_PURPOSES = {ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth", ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth"}
_SUBJECT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.SERIAL_NUMBER: "serialNumber",
}
_EXTENSIONS: dict[x509.ObjectIdentifier, str] = {
    x509.SubjectAlternativeName.oid: "subjectAltName",
    x509.BasicConstraints.oid: "basicConstraints",
    x509.KeyUsage.oid: "keyUsage",
    x509.ExtendedKeyUsage.oid: "extendedKeyUsage",
}
_USAGES = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)


def ca_rows(found: CACertificates) -> list[tuple[str, ...]]:
    """A row for each CA certificate, the root first."""
    roles = [("root", found.root)] if found.root is not None else []
    roles += [("below the root", one) for one in found.linked]
    roles += [("not linked to the root", one) for one in found.strangers]
    return [(role, one.subject.rfc4514_string(), fingerprint(one), expiry(one)) for role, one in roles]


def certificate_fields(certificate: x509.Certificate) -> dict[str, str]:
    """What one wants to know of a certificate that has just been issued."""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "SHA-256": fingerprint(certificate),
        "valid until": expiry(certificate),
    }


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, as portals show it."""
    return certificate.fingerprint(SHA256()).hex().upper()


def expiry(certificate: x509.Certificate) -> str:
    """When a certificate ends."""
    return certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def attribute_fields(wanted: CsrAttributes) -> dict[str, str]:
    """What a server asks of a request, in words; empty where it asks for nothing."""
    fields = {
        "linked": "to its TLS session, by challengePassword" if wanted.challenge_password else "",
        "subject": ", ".join(map(_name, wanted.subject)),
        "key": _key(wanted.key) if wanted.key else "",
        "signature": wanted.signature_hash or "",
        "extensions": "; ".join(map(_extension, wanted.extensions)),
        "also": ", ".join(kind.dotted_string for kind in wanted.other),
    }
    return {name: words for name, words in fields.items() if words}


def _name(wanted: WantedName) -> str:
    kind = _SUBJECT.get(wanted.type, wanted.type.dotted_string)
    return f"{kind}={wanted.value}" if wanted.value is not None else f"{kind} of your choice"


def _key(wanted: WantedKey) -> str:
    return wanted.type.value if wanted.bits is None else f"{wanted.type} of {wanted.bits} bits"


def _extension(wanted: WantedExtension) -> str:
    name = _EXTENSIONS.get(wanted.oid, wanted.oid.dotted_string)
    extension = wanted.extension
    what = ", ".join(_values(extension.value)) if extension is not None else "of your choice"
    return " ".join(filter(None, (name, what, "(critical)" if wanted.critical else "")))


def _values(value: x509.ExtensionType) -> Iterator[str]:
    match value:
        case x509.BasicConstraints(ca=ca, path_length=length):
            yield f"CA:{str(ca).upper()}"
            if length is not None:
                yield f"path length {length}"
        case x509.KeyUsage():
            yield from (word for attribute, word in _USAGES if getattr(value, attribute))
        case x509.ExtendedKeyUsage():
            yield from (_PURPOSES.get(purpose, purpose.dotted_string) for purpose in value)
        case x509.SubjectAlternativeName():
            yield from (str(name.value) for name in value)
        case _:
            yield "as the server says"
