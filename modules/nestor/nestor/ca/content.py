"""What one certificate is to say: names, purposes and key, settled between the order and the profile. Pure.

A request may narrow what a profile gives, where that cannot turn into its opposite; it never adds to it (design D3).
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.alternative_names import issued_alternative_names, text_of
from nestor.ca.layers import NO_LAYERS, Layers
from nestor.ca.own_names import OwnNames
from nestor.ca.profile import Profile
from nestor.ca.subjects import issued_subject
from nestor.ca.usages import CMC_RA, named, possible_usage
from nestor.errors import Forbidden
from nestor.model import CertificationRequest, KeyType, Order
from nestor.naming import common_name_of


@dataclass(frozen=True, slots=True)
class Key:
    """The public key that a certificate is for: that of the request, or one that was made for it."""

    public: CertificatePublicKeyTypes
    type: KeyType


@dataclass(frozen=True, slots=True)
class Content:
    """What one certificate is to say; `excluded` are the names that a CA may not issue for."""

    profile: Profile
    subject: x509.Name
    alternative_names: tuple[x509.GeneralName, ...]
    extended_key_usage: tuple[x509.ObjectIdentifier, ...]
    key: Key
    path_length: int | None = None
    excluded: tuple[x509.GeneralName, ...] = ()


def settle(profile: Profile, order: Order, key: Key, own: OwnNames, layers: Layers = NO_LAYERS) -> Content:
    """Settle what an admitted order gets. Raises Forbidden or Malformed where the profile does not allow it."""
    _check_key_usage(order.csr, profile, key)
    subject = issued_subject(order.subject, profile.subject)
    names = issued_alternative_names(order.alternative_names, subject, profile.alternative_names)
    excluded = layers.excluded(order.device, own) if profile.traits.entrusted else own.subtrees()
    content = Content(
        profile,
        subject,
        names,
        _issued_usages(order.csr, profile),
        key,
        path_length=_path_length(order.csr, profile),
        excluded=tuple(excluded) if profile.exclude_server_names else (),
    )
    _check_server(content, own)
    return content


def _path_length(csr: CertificationRequest, profile: Profile) -> int | None:
    """The path length of the profile, or a shorter one that is asked for; None where it is no CA's."""
    asked = csr.basic_constraints.path_length if csr.basic_constraints else None
    if profile.path_length is None or asked is None or not profile.traits.entrusted:
        return profile.path_length
    if asked > profile.path_length:
        raise Forbidden(
            f"The request asks for a path length of {asked}, and the profile {profile.name} gives {profile.path_length}"
            " at most.",
            "Ask for less; or its operator raises pathLength of the profile, where there is room above it.",
        )
    return asked


def _issued_usages(csr: CertificationRequest, profile: Profile) -> tuple[x509.ObjectIdentifier, ...]:
    """The extended key usages of the profile, or those among them that the request asks for.

    What marks a forwarder comes with its profile, and no request asks for it.
    """
    wanted = csr.extended_key_usage
    if not wanted:
        return profile.extended_key_usage
    issued = tuple(usage for usage in profile.extended_key_usage if usage in {*wanted, CMC_RA})
    if not set(issued) - {CMC_RA}:
        raise Forbidden(
            f"The profile {profile.name} does not give the extended key usage asked for: {named(wanted)}.",
            f"It gives: {named(profile.extended_key_usage)}.",
        )
    return issued


def _check_key_usage(csr: CertificationRequest, profile: Profile, key: Key) -> None:
    """Key usage is the profile's; where it has nothing in common with the one asked for, it would be its opposite."""
    given = possible_usage(profile.key_usage, key.type)
    if csr.key_usage and csr.key_usage.isdisjoint(given):
        raise Forbidden(
            f"The profile {profile.name} does not give the key usage asked for: {', '.join(sorted(csr.key_usage))}.",
            f"It gives keys of the kind {key.type}: {', '.join(sorted(given))}.",
        )


def _check_server(content: Content, own: OwnNames) -> None:
    """Nobody but Nestor is a server of its names, and no Edge CA bears one (design D3)."""
    serves = ExtendedKeyUsageOID.SERVER_AUTH in content.extended_key_usage
    if serves and not content.alternative_names:
        raise Forbidden(
            "A server certificate needs a subject alternative name; clients look at nothing else (RFC 9525).",
            "Put the host name into the request.",
        )
    texts = (common_name_of(content.subject), *map(text_of, content.alternative_names))
    taken = next((text for text in texts if own.has(text)), None)
    if taken is not None and (serves or content.profile.ca):
        what = "server certificate" if serves else "CA certificate"
        raise Forbidden(f"The name {taken} belongs to this server; nobody else gets a {what} for it.")
