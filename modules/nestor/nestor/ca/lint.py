"""The last look at a certificate before it is signed, and the first one after.

The lint reads the bytes back and holds them against profile and issuer; it shares no code with what wrote them. A
certificate that fails is a bug of Nestor's: nothing leaves, and the reason is in the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtensionOID

from nestor.ca.issuer import UNREADABLE, Issuer
from nestor.ca.own_names import OwnNames
from nestor.ca.prepare import Draft
from nestor.ca.tbs import encode_certificate
from nestor.ca.usages import possible_usage, usage_bits
from nestor.errors import OurFault
from nestor.model import KeyUsage

_SERIAL_BITS = range(128, 160)
_LARGEST = 8192
_PLACEHOLDER = bytes(64)
_CRITICAL = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.NAME_CONSTRAINTS}
_KNOWN = _CRITICAL | {
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}


@dataclass(frozen=True, slots=True)
class _Case:
    certificate: x509.Certificate
    extensions: dict[x509.ObjectIdentifier, x509.Extension[x509.ExtensionType]]
    draft: Draft
    issuer: Issuer
    own: OwnNames

    def value(self, oid: x509.ObjectIdentifier) -> x509.ExtensionType | None:
        found = self.extensions.get(oid)
        return found.value if found else None


def lint(draft: Draft, issuer: Issuer, own: OwnNames) -> None:
    """Read a draft back and judge it. Raises OurFault with what is wrong as its cause."""
    try:
        certificate = x509.load_der_x509_certificate(encode_certificate(draft.tbs, issuer.algorithm.der, _PLACEHOLDER))
        extensions = {extension.oid: extension for extension in certificate.extensions}
        found = list(findings(_Case(certificate, extensions, draft, issuer, own)))
    except UNREADABLE as error:
        found = [f"it cannot be read back: {error}"]
    if found:
        raise _withheld() from ValueError("; ".join(found))


def check_signed(certificate: x509.Certificate, draft: Draft, issuer: Issuer) -> None:
    """Check that what was signed is what was linted, and that the CA certificate verifies it. Raises OurFault.

    That the algorithm named inside is the one signed with, is part of the latter (RFC 5280, 4.1.1.2).
    """
    if certificate.tbs_certificate_bytes != draft.tbs:
        raise _withheld() from ValueError("what was signed is not what was linted")
    try:
        certificate.verify_directly_issued_by(issuer.certificate)
    except (*UNREADABLE, InvalidSignature):
        raise _withheld() from ValueError("the CA certificate does not verify the signature")


def findings(case: _Case) -> Iterator[str]:
    """Everything that is wrong with a certificate."""
    yield from _form(case)
    yield from _names(case)
    yield from _validity(case)
    yield from _power(case)
    yield from _pointers(case)


def _form(case: _Case) -> Iterator[str]:
    certificate = case.certificate
    if certificate.serial_number != case.draft.serial or case.draft.serial.bit_length() not in _SERIAL_BITS:
        yield "the serial number is not the one drawn, or not of 128 to 159 bits"
    if len(case.draft.tbs) > _LARGEST:
        yield "it is larger than any device expects"
    if certificate.version is not x509.Version.v3:
        yield "its version is not 3"
    unknown = case.extensions.keys() - _KNOWN
    if unknown:
        yield f"it has extensions that no profile gives: {', '.join(oid.dotted_string for oid in unknown)}"
    if any(extension.critical != (oid in _CRITICAL) for oid, extension in case.extensions.items()):
        yield "an extension is critical that should not be, or the other way round"


def _names(case: _Case) -> Iterator[str]:
    certificate, content = case.certificate, case.draft.content
    subject = certificate.subject
    if subject != content.subject or not subject.rdns:
        yield "the subject is not the one ordered"
    if certificate.issuer != case.issuer.subject:
        yield "the issuer is not this CA"
    names = case.value(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    issued = tuple(names) if isinstance(names, x509.SubjectAlternativeName) else ()
    if issued != content.alternative_names:
        yield "the subject alternative names are not those ordered"


def _validity(case: _Case) -> Iterator[str]:
    start, end = case.certificate.not_valid_before_utc, case.certificate.not_valid_after_utc
    above = case.issuer.certificates
    if any(start < ca.not_valid_before_utc or end > ca.not_valid_after_utc for ca in above):
        yield "it is valid where its CA is not"
    if not start < end or end - start > case.draft.content.profile.lifetime:
        yield "it lives longer than its profile allows, or not at all"


def _power(case: _Case) -> Iterator[str]:
    profile = case.draft.content.profile
    constraints = case.value(ExtensionOID.BASIC_CONSTRAINTS)
    if constraints != x509.BasicConstraints(profile.ca, _path_length(case)):
        yield "its basic constraints are not those of the profile"
    usage = case.value(ExtensionOID.KEY_USAGE)
    bits = usage_bits(usage) if isinstance(usage, x509.KeyUsage) else frozenset()
    if bits != possible_usage(profile.key_usage, case.draft.content.key.type) or not bits:
        yield "its key usage is not that of the profile"
    if (KeyUsage.KEY_CERT_SIGN in bits) != profile.ca:
        yield "keyCertSign and CA:TRUE do not go together"
    usages = case.value(ExtensionOID.EXTENDED_KEY_USAGE)
    purposes = tuple(usages) if isinstance(usages, x509.ExtendedKeyUsage) else ()
    if not set(purposes) <= set(profile.extended_key_usage) or bool(purposes) == profile.ca:
        yield "its extended key usage is beyond the profile"
    excluded = _excluded(case)
    wanted = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=excluded) if excluded else None
    if case.value(ExtensionOID.NAME_CONSTRAINTS) != wanted:
        yield "its name constraints are not those that exclude the names of this server"


def _path_length(case: _Case) -> int | None:
    """That of the profile; the CA of a layer may have less."""
    profile, wanted = case.draft.content.profile, case.draft.content.path_length
    narrower = profile.traits.entrusted and wanted is not None and wanted in range((profile.path_length or 0) + 1)
    return wanted if narrower else profile.path_length


def _excluded(case: _Case) -> list[x509.GeneralName]:
    """The names that a CA is forbidden: those of this server; the CA of a layer has a list of its own."""
    content = case.draft.content
    if not content.profile.exclude_server_names:
        return []
    return list(content.excluded) if content.profile.traits.entrusted else case.own.subtrees()


def _pointers(case: _Case) -> Iterator[str]:
    key = case.draft.content.key
    if case.certificate.public_key() != key.public:
        yield "its key is not the one ordered"
    if case.value(ExtensionOID.SUBJECT_KEY_IDENTIFIER) != x509.SubjectKeyIdentifier.from_public_key(key.public):
        yield "its subject key identifier is not that of its key"
    authority = case.value(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    if not isinstance(authority, x509.AuthorityKeyIdentifier) or authority.key_identifier != case.issuer.key_identifier:
        yield "its authority key identifier is not that of the CA"


def _withheld() -> OurFault:
    return OurFault("A certificate was made that must not leave, so it was withheld.", "Please report this.")
