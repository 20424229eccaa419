"""What /csrattrs says of a profile: the key, the extensions and the names that a request for it should hold. Pure.

Only what is demanded is said: a profile that takes several kinds of keys names none (RFC 7030, 4.5.2; RFC 9908, 3.2).
"""

from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.ca.profile import Profile
from nestor.ca.usages import key_usage, possible_usage
from nestor.est.csrattrs import CsrAttributes, encode
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.model import KeyType

_HASHES: Mapping[KeyType, str] = {
    KeyType.EC_P256: "sha256",
    KeyType.EC_P384: "sha384",
    KeyType.EC_P521: "sha512",
    KeyType.RSA: "sha256",
}


def csr_attributes(profile: Profile | None, *, link: bool) -> bytes:
    """The DER of CsrAttrs; without a profile only the binding is asked for: extensions would choose the profile."""
    if profile is None:
        return encode(CsrAttributes(challenge_password=link))
    key = _key(profile)
    return encode(
        CsrAttributes(
            challenge_password=link,
            key=key,
            signature_hash=_HASHES.get(key.type) if key else None,
            extensions=tuple(_extensions(profile, key)),
            subject=tuple(_subject(profile)),
        )
    )


def _key(profile: Profile) -> WantedKey | None:
    """The one kind of key that the profile takes; None where there is a choice."""
    if len(profile.keys) != 1:
        return None
    (kind,) = profile.keys
    fixed = kind is KeyType.RSA and profile.rsa_minimum == profile.rsa_maximum
    return WantedKey(kind, profile.rsa_minimum if fixed else None)


def _extensions(profile: Profile, key: WantedKey | None) -> Iterator[WantedExtension]:
    """Those that tell the profile from others; an Edge CA's are what aziot-edged asks for by itself."""
    if profile.ca:
        usage = key_usage(possible_usage(profile.key_usage, key.type) if key else profile.key_usage)
        yield _wanted(usage, critical=True)
        yield _wanted(x509.BasicConstraints(ca=True, path_length=profile.path_length), critical=True)
    if profile.extended_key_usage:
        yield _wanted(x509.ExtendedKeyUsage(profile.extended_key_usage), critical=False)


def _wanted(value: x509.ExtensionType, *, critical: bool) -> WantedExtension:
    return WantedExtension(value.oid, critical, value.public_bytes())


def _subject(profile: Profile) -> Iterator[WantedName]:
    """The common name is the client's to fill in; what the profile adds is fixed."""
    yield WantedName(NameOID.COMMON_NAME)
    for attribute in profile.subject.add:
        yield WantedName(attribute.oid, str(attribute.value))
