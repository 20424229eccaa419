"""What a request may be asked to hold, piece by piece: names, a key, extensions; in the old form and in the template's.

The old form lists attributes with full values (RFC 7030, 4.5.2; RFC 9908, 3.2); the template (RFC 9908, 3.4) may leave
values to the client. A template's pieces are read leniently where the text of the RFC contradicts its own example.
"""

from dataclasses import dataclass

from cryptography import x509

from nestor.errors import SettingsError
from nestor.est import fragments, oids
from nestor.est.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    TRUE,
    UTF8_STRING,
    Element,
    Reader,
    bits,
    integer,
    octets,
    oid,
    only,
    read_integer,
    read_oid,
    sequence,
    set_of,
    tlv,
)
from nestor.model import KeyType

_CURVES = {KeyType.EC_P256: oids.P256, KeyType.EC_P384: oids.P384, KeyType.EC_P521: oids.P521}
_PLAIN = {
    KeyType.RSA: oids.RSA_ENCRYPTION,
    KeyType.ED25519: oids.ED25519,
    KeyType.ML_DSA_44: oids.ML_DSA_44,
    KeyType.ML_DSA_65: oids.ML_DSA_65,
    KeyType.ML_DSA_87: oids.ML_DSA_87,
}
_BY_CURVE = {curve: kind for kind, curve in _CURVES.items()}
_BY_ALGORITHM = {algorithm: kind for kind, algorithm in _PLAIN.items()}
_MOST_RSA_BITS = 16384


@dataclass(frozen=True, slots=True)
class WantedName:
    """An attribute of the subject; its value is what the request must say, or None where the client fills it in."""

    type: x509.ObjectIdentifier
    value: str | None = None


@dataclass(frozen=True, slots=True)
class WantedKey:
    """The kind of the key; `bits` is the size of an RSA modulus, or None for any."""

    type: KeyType
    bits: int | None = None

    def __post_init__(self) -> None:
        """Raise SettingsError for a size that is none."""
        if self.bits is not None and (self.type is not KeyType.RSA or not 0 < self.bits <= _MOST_RSA_BITS):
            raise SettingsError(f"A key of the kind {self.type} has no size of {self.bits} bits.", "Only RSA has one.")


@dataclass(frozen=True, slots=True)
class WantedExtension:
    """An extension; `value` is the DER of its value, perhaps with gaps, or None where the client fills it in."""

    oid: x509.ObjectIdentifier
    critical: bool = False
    value: bytes | None = None

    @property
    def extension(self) -> x509.Extension[x509.ExtensionType] | None:
        """The extension as a request must hold it; None where the client is to fill something in."""
        if self.value is None:
            return None
        try:
            return fragments.read_extensions(sequence(write_extension(self))).get_extension_for_oid(self.oid)
        except (ValueError, TypeError, x509.UnsupportedGeneralNameType, x509.ExtensionNotFound):
            return None


def write_key(key: WantedKey) -> bytes:
    """The attribute that asks for a key: exactly one, typed by the algorithm (RFC 9908, 3.2)."""
    if key.type in _CURVES:
        return sequence(oid(oids.EC_PUBLIC_KEY), set_of(oid(_CURVES[key.type])))
    size = () if key.bits is None else (integer(key.bits),)
    return sequence(oid(_PLAIN[key.type]), set_of(*size))


def read_key(kind: x509.ObjectIdentifier, values: bytes) -> WantedKey | None:
    """The key that an attribute asks for; None where it asks for none that is known. Raises BadDER."""
    if kind == oids.EC_PUBLIC_KEY:
        curve = only(values) if values else None
        return _wanted(_BY_CURVE.get(read_oid(curve))) if curve and curve.tag == OID else None
    if kind == oids.RSA_ENCRYPTION:
        return WantedKey(KeyType.RSA, read_integer(only(values, INTEGER)) if values else None)
    return _wanted(_BY_ALGORITHM.get(kind))


def write_key_template(key: WantedKey) -> bytes:
    """The content of a SubjectPublicKeyInfoTemplate; an RSA size is told by a placeholder of that size."""
    if key.type in _CURVES:
        return sequence(oid(oids.EC_PUBLIC_KEY), oid(_CURVES[key.type]))
    algorithm = sequence(oid(_PLAIN[key.type]), NULL if key.type is KeyType.RSA else b"")
    if key.bits is None:
        return algorithm
    return algorithm + bits(sequence(integer(1 << key.bits - 1 | 1), integer(65537)))


def read_key_template(content: bytes) -> WantedKey | None:
    """The key that a template asks for; None where it asks for none that is known. Raises BadDER."""
    reader = Reader(content)
    algorithm = reader.enter()
    placeholder = reader.optional(BIT_STRING)
    reader.finish()
    kind = read_oid(algorithm.take(OID))
    if kind == oids.EC_PUBLIC_KEY:
        return _wanted(_BY_CURVE.get(read_oid(algorithm.take(OID))))
    return _wanted(_BY_ALGORITHM.get(kind), _modulus_bits(placeholder) if kind == oids.RSA_ENCRYPTION else None)


def write_subject(subject: tuple[WantedName, ...]) -> bytes:
    """A NameTemplate, one attribute to an RDN."""
    return sequence(*(set_of(sequence(oid(part.type), _text(part.value))) for part in subject))


def read_subject(content: bytes) -> tuple[WantedName, ...]:
    """The attributes of a NameTemplate. Raises BadDER; values of unusual string types are left to the client."""
    parts = [part for rdn in Reader(content).all(SET) for part in Reader(rdn.content).all(SEQUENCE)]
    return tuple(_name(Reader(part.content)) for part in parts)


def write_extension(extension: WantedExtension) -> bytes:
    """An Extension, or an ExtensionTemplate where the value is left out."""
    value = b"" if extension.value is None else octets(extension.value)
    return sequence(oid(extension.oid), TRUE if extension.critical else b"", value)


def read_extensions(content: bytes) -> tuple[WantedExtension, ...]:
    """The content of a sequence of Extensions or ExtensionTemplates, or of one bare one. Raises BadDER."""
    reader = Reader(content)
    if reader.next_tag == OID:
        return (_extension(reader),)
    return tuple(_extension(Reader(one.content)) for one in reader.all(SEQUENCE))


def _wanted(kind: KeyType | None, size: int | None = None) -> WantedKey | None:
    return None if kind is None else WantedKey(kind, size)


def _modulus_bits(placeholder: Element | None) -> int | None:
    if placeholder is None:
        return None
    return read_integer(Reader(placeholder.content[1:]).enter().take(INTEGER)).bit_length()


def _text(value: str | None) -> bytes:
    return b"" if value is None else tlv(UTF8_STRING, value.encode())


def _name(part: Reader) -> WantedName:
    kind, value = read_oid(part.take(OID)), part.peek()
    if value is None or value.tag not in {UTF8_STRING, PRINTABLE_STRING}:
        return WantedName(kind)
    return WantedName(kind, value.content.decode())


def _extension(part: Reader) -> WantedExtension:
    kind, critical, value = read_oid(part.take(OID)), part.optional(BOOLEAN), part.optional(OCTET_STRING)
    part.finish()
    return WantedExtension(kind, critical is not None and critical.encoded == TRUE, value.content if value else None)
