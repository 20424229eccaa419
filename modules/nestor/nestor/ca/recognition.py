"""Which profile a certificate of ours was issued by, told from itself: for a ledger that has to learn it anew. Pure.

What we issue says what its profile says. Where several profiles say the same, the one of least power is taken; but an
EST identity has to come back as one, or its device could never renew it. What cannot be told is not guessed.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from cryptography import x509

from nestor.ca.alternative_names import issued_alternative_names
from nestor.ca.builtin import EST_IDENTITY
from nestor.ca.issuer import UNREADABLE, constraints_of
from nestor.ca.profile import Profile
from nestor.ca.subjects import issued_subject
from nestor.ca.usages import possible_usage, usage_bits
from nestor.errors import Forbidden, Malformed
from nestor.est.publickeys import kind_of
from nestor.model import KeyUsage, ProfileTraits

Value = TypeVar("Value", bound=x509.ExtensionType)

_HINT = "Its operator can adopt it by hand, and name the profile: nestor ledger adopt CERTIFICATE --profile NAME."


def recognize(certificate: x509.Certificate, profiles: Iterable[Profile], wanted: str | None = None) -> ProfileTraits:
    """The profile that a certificate of ours was issued by; `wanted` decides where several say the same.

    Raises Forbidden where no profile says what it says, or nothing tells between those that do.
    """
    try:
        fitting = [profile for profile in profiles if _says_the_same(certificate, profile)]
        closest = _closest(certificate, fitting)
    except UNREADABLE as error:
        raise Forbidden("The certificate cannot be read well enough to tell its profile.") from error
    if not fitting:
        raise Forbidden("The certificate is like those of no profile of this server.", _HINT)
    by_wish = next((profile.traits for profile in fitting if profile.name == wanted), None)
    chosen = by_wish or _of_least_power([profile.traits for profile in closest])
    if chosen is None:
        names = ", ".join(sorted(profile.name for profile in closest))
        raise Forbidden(f"The certificate could be of each of these profiles: {names}.", _HINT)
    return chosen


def value_of(certificate: x509.Certificate, kind: type[Value]) -> Value | None:
    """The value of an extension, or None. Raises what the parser raises."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _says_the_same(certificate: x509.Certificate, profile: Profile) -> bool:
    """Whether its power and its purposes are what the profile gives to such a key."""
    kind = kind_of(certificate.public_key())
    usage = value_of(certificate, x509.KeyUsage)
    bits: frozenset[KeyUsage] = usage_bits(usage) if usage else frozenset()
    purposes = tuple(value_of(certificate, x509.ExtendedKeyUsage) or ())
    return (
        kind is not None
        and _has_the_place(constraints_of(certificate), profile)
        and bits == possible_usage(profile.key_usage, kind)
        and purposes == tuple(one for one in profile.extended_key_usage if one in purposes)
        and bool(purposes) != profile.ca
    )


def _has_the_place(found: x509.BasicConstraints, profile: Profile) -> bool:
    """Whether its path length is that of the profile; the CA of a layer may have asked for less."""
    if found.ca and profile.traits.entrusted:
        return found.path_length is not None and found.path_length in range((profile.path_length or 0) + 1)
    return found == x509.BasicConstraints(profile.ca, profile.path_length)


def _closest(certificate: x509.Certificate, fitting: Sequence[Profile]) -> Sequence[Profile]:
    """Those that would issue it today as well; each hint counts only while it leaves somebody."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    purposes = tuple(value_of(certificate, x509.ExtendedKeyUsage) or ())
    for hint in (
        lambda profile: kind_of(certificate.public_key()) in profile.keys,
        lambda profile: _gives_its_names(certificate, profile),
        lambda profile: purposes == profile.extended_key_usage,
        lambda profile: life <= profile.lifetime,
    ):
        fitting = [profile for profile in fitting if hint(profile)] or fitting
    return fitting


def _gives_its_names(certificate: x509.Certificate, profile: Profile) -> bool:
    names = tuple(value_of(certificate, x509.SubjectAlternativeName) or ())
    try:
        subject = issued_subject(certificate.subject, profile.subject)
        return (subject, issued_alternative_names(names, subject, profile.alternative_names)) == (
            certificate.subject,
            names,
        )
    except (Forbidden, Malformed):
        return False


def _of_least_power(found: Sequence[ProfileTraits]) -> ProfileTraits | None:
    """The one that may have nothing that another of them may not; None where there is no such one."""
    identity = next((traits for traits in found if traits.name == EST_IDENTITY), None)
    if identity is not None and all(_is_served_by(identity, other) for other in found):
        return identity
    least = min(found, key=lambda traits: len(_reach(traits)))
    within_all = all(_reach(least) <= _reach(other) and least.authenticates == other.authenticates for other in found)
    return least if within_all else None


def _is_served_by(identity: ProfileTraits, other: ProfileTraits) -> bool:
    """Whether nobody is locked out who holds the other one, and is taken for the holder of an EST identity."""
    return other is identity or other.name in identity.may_request or identity.name in other.may_request


def _reach(traits: ProfileTraits) -> frozenset[str]:
    """The profiles that its holder may have by it."""
    return traits.may_request | ({traits.name} if traits.renewable else frozenset())
