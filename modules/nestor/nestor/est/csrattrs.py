"""What a server wants certification requests to look like: /csrattrs, written and read (RFC 7030, 4.5.2; RFC 9908).

One value says it; the wire has two forms. The old form is always there; the template joins it where something is wanted
that only a template can say (RFC 9908, 4). Readers of both obey the template alone, but for the PoP linking, which has
its place in the old form.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import SignatureAlgorithmOID

from nestor.errors import SettingsError
from nestor.est import matching, oids, wants
from nestor.est.der import (
    OID,
    SEQUENCE,
    SET,
    BadDER,
    Reader,
    context,
    integer,
    oid,
    only,
    read_oid,
    reading,
    sequence,
    set_of,
)
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.model import CertificationRequest, KeyType

MOST_BYTES = 1000
"""What every client takes: some refuse more than 1024 bytes of DER."""

_SUBJECT_KEY, _ATTRIBUTES = 0xA0, 0xA1
_RSA_SIGNATURES = {
    "sha256": SignatureAlgorithmOID.RSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.RSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.RSA_WITH_SHA512,
}
_ECDSA_SIGNATURES = {
    "sha256": SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}
_HASH_OF = {identifier: name for known in (_RSA_SIGNATURES, _ECDSA_SIGNATURES) for name, identifier in known.items()}
_EC = frozenset({KeyType.EC_P256, KeyType.EC_P384, KeyType.EC_P521})


@dataclass(frozen=True, slots=True)
class CsrAttributes:
    """What requests are to hold; everything is optional.

    `signature_hash` is sha256, sha384 or sha512. `subject` and extensions with gaps need a template. `other` are types
    of further attributes, which nobody checks.
    """

    challenge_password: bool = False
    key: WantedKey | None = None
    signature_hash: str | None = None
    extensions: tuple[WantedExtension, ...] = ()
    subject: tuple[WantedName, ...] = ()
    other: tuple[x509.ObjectIdentifier, ...] = ()

    def __post_init__(self) -> None:
        """Raise SettingsError for what RFC 9908, 3.2 and 3.4, forbid or no client could obey."""
        identifiers = [extension.oid for extension in self.extensions]
        if len(set(identifiers)) != len(identifiers):
            raise SettingsError("The CSR attributes ask for an extension twice.", "Name each extension once.")
        if self.signature_hash is not None and not _signatures(self.key, self.signature_hash):
            raise SettingsError(
                f"The CSR attributes ask for a hash {self.signature_hash} that the key's signature does not use.",
                "Use sha256, sha384 or sha512, with EC or RSA keys.",
            )

    @property
    def needs_template(self) -> bool:
        """Whether something is wanted that the old form cannot say."""
        return bool(self.subject) or any(extension.extension is None for extension in self.extensions)


def encode(attributes: CsrAttributes) -> bytes:
    """The DER of CsrAttrs; nothing wanted is an empty sequence."""
    complete = [extension for extension in attributes.extensions if extension.extension is not None]
    parts: list[bytes] = []
    if attributes.challenge_password:
        parts.append(oid(oids.CHALLENGE_PASSWORD))
    if attributes.key:
        parts.append(wants.write_key(attributes.key))
    if complete:
        parts.append(_attribute(oids.EXTENSION_REQUEST, sequence(*map(wants.write_extension, complete))))
    parts += map(oid, attributes.other)
    parts += map(oid, _signatures(attributes.key, attributes.signature_hash))
    if attributes.needs_template:
        parts.append(_attribute(oids.REQUEST_INFO_TEMPLATE, _template(attributes)))
    return sequence(*parts)


def decode(der: bytes) -> CsrAttributes:
    """What a server wants; attributes of unknown kinds are passed over. Raises Malformed."""
    with reading("The CSR attributes"):
        try:
            return _read(_Found(der))
        except SettingsError as error:
            raise BadDER("it asks for what no request can have") from error


def unmet(attributes: CsrAttributes, request: CertificationRequest) -> str | None:
    """The first thing wanted that a request does not have, in words; None where it has everything."""
    return next(_missing(attributes, request), None)


def size_warning(der: bytes) -> str | None:
    """A sentence where CSR attributes are too large for some clients in the field; None where they are not."""
    if len(der) <= MOST_BYTES:
        return None
    return f"The CSR attributes have {len(der)} bytes; clients built on libest take {MOST_BYTES} at most."


def _signatures(key: WantedKey | None, digest: str | None) -> list[x509.ObjectIdentifier]:
    """The signature algorithms that use a hash, for the kind of key that is wanted or for every kind."""
    tables = ((_ECDSA_SIGNATURES, _EC), (_RSA_SIGNATURES, {KeyType.RSA}))
    return [table[digest] for table, kinds in tables if digest in table and (key is None or key.type in kinds)]


class _Found:
    """The elements of a CsrAttrs, told apart."""

    def __init__(self, der: bytes) -> None:
        self.bare: list[x509.ObjectIdentifier] = []
        self.challenge_password = False
        self.key: WantedKey | None = None
        self.extensions: tuple[WantedExtension, ...] = ()
        self.template: bytes | None = None
        for element in Reader(only(der, SEQUENCE).content).all(OID, SEQUENCE):
            if element.tag == OID:
                self._bare(read_oid(element))
            else:
                self._attribute(Reader(element.content))

    def _bare(self, kind: x509.ObjectIdentifier) -> None:
        if kind == oids.CHALLENGE_PASSWORD:
            self.challenge_password = True
        else:
            self.bare.append(kind)

    def _attribute(self, attribute: Reader) -> None:
        kind, values = read_oid(attribute.take(OID)), attribute.take(SET).content
        if kind == oids.CHALLENGE_PASSWORD:
            self.challenge_password = True
        elif kind == oids.REQUEST_INFO_TEMPLATE:
            self.template = only(values, SEQUENCE).content
        elif kind == oids.EXTENSION_REQUEST:
            self.extensions += _extensions(values)
        else:
            self.key = self.key or wants.read_key(kind, values)


def _extensions(values: bytes) -> tuple[WantedExtension, ...]:
    """The extensions of an extension request; RFC 7030's example holds a bare identifier there, which says nothing."""
    value = only(values)
    return () if value.tag == OID else wants.read_extensions(value.content)


def _attribute(kind: x509.ObjectIdentifier, value: bytes) -> bytes:
    return sequence(oid(kind), set_of(value))


def _template(attributes: CsrAttributes) -> bytes:
    """A CertificationRequestInfoTemplate (RFC 9908, 3.4); its tags are implicit, so [0] stands for a SEQUENCE."""
    extensions = sequence(*map(wants.write_extension, attributes.extensions))
    gaps = any(extension.extension is None for extension in attributes.extensions)
    kind = oids.EXTENSION_REQUEST_TEMPLATE if gaps else oids.EXTENSION_REQUEST
    return sequence(
        integer(0),
        wants.write_subject(attributes.subject) if attributes.subject else b"",
        context(0, wants.write_key_template(attributes.key)) if attributes.key else b"",
        context(1, _attribute(kind, extensions) if attributes.extensions else b""),
    )


def _read(found: _Found) -> CsrAttributes:
    if found.template is not None:
        return _read_template(found.template, challenge_password=found.challenge_password)
    hashes = {_HASH_OF[one] for one in found.bare if one in _HASH_OF}
    hashed = len(hashes) == 1 and (found.key is None or found.key.type in _EC | {KeyType.RSA})
    return CsrAttributes(
        challenge_password=found.challenge_password,
        key=found.key,
        signature_hash=hashes.pop() if hashed else None,
        extensions=found.extensions,
        other=tuple(one for one in found.bare if one not in _HASH_OF),
    )


def _read_template(content: bytes, *, challenge_password: bool) -> CsrAttributes:
    reader = Reader(content)
    reader.take()
    subject, key, held = reader.optional(SEQUENCE), reader.optional(_SUBJECT_KEY), reader.optional(_ATTRIBUTES)
    reader.finish()
    extensions: tuple[WantedExtension, ...] = ()
    for element in Reader(held.content).all(SEQUENCE) if held else []:
        attribute = Reader(element.content)
        kind, values = read_oid(attribute.take(OID)), attribute.take(SET).content
        if kind in {oids.EXTENSION_REQUEST, oids.EXTENSION_REQUEST_TEMPLATE}:
            extensions += _extensions(values)
        challenge_password |= kind == oids.CHALLENGE_PASSWORD
    return CsrAttributes(
        challenge_password=challenge_password,
        key=wants.read_key_template(key.content) if key else None,
        extensions=extensions,
        subject=wants.read_subject(subject.content) if subject else (),
    )


def _missing(attributes: CsrAttributes, request: CertificationRequest) -> Iterator[str]:
    key = attributes.key
    if key is not None and request.key_type is not key.type:
        yield f"a key of the kind {key.type}"
    if key is not None and key.bits is not None and request.key_bits < key.bits:
        yield f"an RSA key of {key.bits} bits"
    if attributes.signature_hash is not None and request.signature_hash != attributes.signature_hash:
        yield f"a signature with {attributes.signature_hash}"
    if attributes.challenge_password and request.challenge_password is None:
        yield "a challengePassword"
    for extension in attributes.extensions:
        if not matching.has_extension(request, extension):
            yield f"the extension {matching.extension_name(extension.oid)} as wanted"
    for part in attributes.subject:
        if not matching.has_name(request.subject, part):
            yield f"{matching.attribute_name(part.type)} in the subject" + (
                f", being {part.value}" if part.value else ""
            )
