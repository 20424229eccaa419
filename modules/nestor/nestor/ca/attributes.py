"""What /csrattrs says of a profile (RFC 7030, 4.5.2): what a request has to hold, and nothing that is left open. Pure.

A profile that takes several kinds of keys names none; one that gives several purposes lets the request choose.
"""

from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.ca.profile import Profile
from nestor.ca.usages import key_usage
from nestor.est.csrattrs import CsrAttributes, encode
from nestor.est.wants import WantedExtension, WantedKey, WantedName
from nestor.model import KeyType

_HASHES = {KeyType.EC_P256: "sha256", KeyType.EC_P384: "sha384", KeyType.EC_P521: "sha512", KeyType.RSA: "sha256"}


def csr_attributes(profile: Profile | None, *, link: bool) -> bytes:
    """The DER of CsrAttrs; `link` adds challengePassword. Without a profile nothing is said that would steer to one."""
    if profile is None:
        return encode(CsrAttributes(challenge_password=link))
    key = _key(profile)
    return encode(
        CsrAttributes(
            challenge_password=link,
            key=key,
            signature_hash=_HASHES.get(key.type) if key else None,
            extensions=tuple(_wanted(value, critical) for value, critical in _extensions(profile)),
            subject=_subject(profile),
        )
    )


def _key(profile: Profile) -> WantedKey | None:
    if len(profile.keys) != 1:
        return None
    (kind,) = profile.keys
    return WantedKey(kind, profile.rsa_minimum if kind is KeyType.RSA else None)


def _extensions(profile: Profile) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """A CA is asked for as edged asks for it; any other certificate by its purpose alone.

    That of a layer knows by its place how much room it needs below.
    """
    if profile.ca:
        if not profile.traits.entrusted:
            yield x509.BasicConstraints(ca=True, path_length=profile.path_length), True
        yield key_usage(profile.key_usage), True
    elif len(profile.extended_key_usage) == 1:
        yield x509.ExtendedKeyUsage(profile.extended_key_usage), False


def _wanted(value: x509.ExtensionType, critical: bool) -> WantedExtension:
    return WantedExtension(value.oid, critical, value.public_bytes())


def _subject(profile: Profile) -> tuple[WantedName, ...]:
    """The attributes that the profile fixes, and the common name, which is the device's to fill in; else nothing."""
    if not profile.subject.add:
        return ()
    return (*(WantedName(one.oid, one.value) for one in profile.subject.add), WantedName(NameOID.COMMON_NAME))
