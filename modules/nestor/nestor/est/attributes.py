"""The attributes of a certification request that EST gives a meaning: written by the client, read by the server.

Each holds one value of its syntax and is there once at most; attributes of other kinds are passed over unread.
"""

from collections.abc import Mapping

from cryptography import x509

from nestor.errors import Malformed
from nestor.est import fragments, oids
from nestor.est.der import (
    BMP_STRING,
    IA5_STRING,
    OCTET_STRING,
    OID,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    T61_STRING,
    UNIVERSAL_STRING,
    UTF8_STRING,
    BadDER,
    Element,
    Reader,
    context,
    octets,
    oid,
    only,
    read_oid,
    sequence,
    set_of,
    tlv,
)
from nestor.est.extensions import check_general_names, check_name
from nestor.model import KeyProtection, NewNames

Attributes = Mapping[bytes, bytes]
"""Attributes by the DER of their type: the content of their set of values."""

_CHALLENGE_PASSWORD = oid(oids.CHALLENGE_PASSWORD)
_CHANGE_SUBJECT_NAME = oid(oids.CHANGE_SUBJECT_NAME)
_DECRYPT_KEY_ID = oid(oids.DECRYPT_KEY_ID)
_ASYMMETRIC_DECRYPT_KEY_ID = oid(oids.ASYMMETRIC_DECRYPT_KEY_ID)
_SMIME_CAPABILITIES = oid(oids.SMIME_CAPABILITIES)
_EXTENSION_REQUESTS = (oid(oids.EXTENSION_REQUEST), oid(oids.MICROSOFT_EXTENSION_REQUEST))

_SUBJECT_ALT = 0xA1
_STRINGS = {
    UTF8_STRING: "utf-8",
    PRINTABLE_STRING: "ascii",
    IA5_STRING: "ascii",
    T61_STRING: "latin-1",
    BMP_STRING: "utf-16-be",
    UNIVERSAL_STRING: "utf-32-be",
}


def split(content: bytes) -> Attributes:
    """The attributes of a request by type. Raises BadDER for one that is there twice or has no value."""
    found: dict[bytes, bytes] = {}
    for element in Reader(content).all(SEQUENCE):
        attribute = Reader(element.content)
        kind, values = attribute.take(OID).encoded, attribute.take(SET).content
        attribute.finish()
        if kind in found:
            raise BadDER("an attribute is there twice")
        if not values:
            raise BadDER("an attribute has no value")
        found[kind] = values
    return found


def asks_for_extensions(attributes: Attributes) -> bool:
    """Whether there is an extension request. Raises BadDER where there are two."""
    present = [kind for kind in _EXTENSION_REQUESTS if kind in attributes]
    if len(present) > 1:
        raise BadDER("there are two extension requests")
    return bool(present)


def challenge_password(attributes: Attributes) -> str | None:
    """The challengePassword, whatever its string type (RFC 2985, 5.4.1). Raises BadDER."""
    value = _value(attributes, _CHALLENGE_PASSWORD, *_STRINGS)
    if value is None:
        return None
    try:
        return value.content.decode(_STRINGS[value.tag])
    except UnicodeDecodeError:
        # Not chained: that error would carry the secret.
        raise BadDER("the challengePassword is not text") from None


def new_names(attributes: Attributes) -> NewNames | None:
    """What a ChangeSubjectName asks for (RFC 6402, 2.8; erratum 3943). Raises BadDER, Malformed."""
    value = _value(attributes, _CHANGE_SUBJECT_NAME, SEQUENCE)
    if value is None:
        return None
    reader = Reader(value.content)
    subject = reader.take(SEQUENCE) if _is_name(reader) else None
    # The body of RFC 6402 leaves the tag of subjectAlt out, its module has [1]: both are met.
    names = reader.take(_SUBJECT_ALT, SEQUENCE) if reader.next_tag is not None else None
    reader.finish()
    if subject is None and names is None:
        raise BadDER("the ChangeSubjectName names nothing")
    return _checked(
        NewNames(
            fragments.read_name(subject.encoded) if subject else None,
            fragments.read_general_names(names.content) if names else None,
        )
    )


def key_protection(attributes: Attributes) -> KeyProtection | None:
    """How a server-generated key is to be wrapped (RFC 7030, 4.4.1); None where no key is named. Raises BadDER."""
    symmetric = _value(attributes, _DECRYPT_KEY_ID, OCTET_STRING)
    asymmetric = _value(attributes, _ASYMMETRIC_DECRYPT_KEY_ID, OCTET_STRING)
    if symmetric is None and asymmetric is None:
        return None
    if symmetric is not None and asymmetric is not None:
        raise Malformed("The request names two keys to wrap the generated key with.", "Name one of them.")
    capabilities = _value(attributes, _SMIME_CAPABILITIES, SEQUENCE)
    listed = Reader(capabilities.content).all(SEQUENCE) if capabilities else []
    return KeyProtection(
        symmetric.content if symmetric else None,
        asymmetric.content if asymmetric else None,
        tuple(read_oid(Reader(one.content).take(OID)) for one in listed),
    )


def write_challenge_password(text: str) -> bytes:
    """A challengePassword attribute: PrintableString where that can hold it."""
    printable = all(sign.isascii() and (sign.isalnum() or sign in " '()+,-./:=?") for sign in text)
    return _attribute(_CHALLENGE_PASSWORD, tlv(PRINTABLE_STRING if printable else UTF8_STRING, text.encode()))


def write_new_names(wanted: NewNames) -> bytes:
    """A ChangeSubjectName attribute, subjectAlt tagged as in the module."""
    parts = []
    if wanted.subject is not None:
        parts.append(wanted.subject.public_bytes())
    if wanted.alternative_names is not None:
        names = only(x509.SubjectAlternativeName(wanted.alternative_names).public_bytes(), SEQUENCE)
        parts.append(context(1, names.content))
    return _attribute(_CHANGE_SUBJECT_NAME, sequence(*parts))


def write_key_protection(wanted: KeyProtection) -> tuple[bytes, ...]:
    """The attributes that ask for a wrapped key."""
    named = ((_DECRYPT_KEY_ID, wanted.symmetric_key_id), (_ASYMMETRIC_DECRYPT_KEY_ID, wanted.asymmetric_key_id))
    capabilities = sequence(*(sequence(oid(algorithm)) for algorithm in wanted.algorithms))
    return (
        *(_attribute(kind, octets(key_id)) for kind, key_id in named if key_id is not None),
        _attribute(_SMIME_CAPABILITIES, capabilities),
    )


def write_extension_request(extensions: bytes) -> bytes:
    """An extension request around the DER of Extensions (RFC 2985, 5.4.2)."""
    return _attribute(_EXTENSION_REQUESTS[0], extensions)


def _attribute(kind: bytes, value: bytes) -> bytes:
    return sequence(kind, set_of(value))


def _value(attributes: Attributes, kind: bytes, *tags: int) -> Element | None:
    values = attributes.get(kind)
    return None if values is None else only(values, *tags)


def _is_name(reader: Reader) -> bool:
    """Whether a subject comes first: a Name is a SEQUENCE of SETs, or of nothing."""
    first = reader.peek()
    return first is not None and first.tag == SEQUENCE and (not first.content or first.content[0] == SET)


def _checked(names: NewNames) -> NewNames:
    if names.subject is not None:
        check_name(names.subject)
    check_general_names(names.alternative_names or ())
    return names
