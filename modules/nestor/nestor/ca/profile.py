"""One kind of certificate, validated: everything that a certificate of it may say. Built from settings, then frozen."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.alternative_names import AlternativeNameRules, alternative_name_rules
from nestor.ca.builtin import FORWARDER
from nestor.ca.settings import ProfileSettings, SubjectSettings
from nestor.ca.strength import strength_of
from nestor.ca.subjects import SubjectRules, attribute_type, is_value_of, subject_rules
from nestor.ca.usages import CMC_RA, EXTENDED_USAGES
from nestor.errors import EVERY_KEY, SettingsError
from nestor.model import KeyType, KeyUsage, ProfileTraits

_RESERVED_USAGES = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage means every purpose, Nestor's own included",
    ExtendedKeyUsageOID.CERTIFICATE_TRANSPARENCY: "it belongs to CT logs",
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.27"): "cmcCA marks a certificate authority",
    CMC_RA: "cmcRA marks a registration authority, which speaks for others, and is the profile forwarder's",
}
_POST_QUANTUM = {KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87}
_OF_A_FORWARDER = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, CMC_RA})
_SHORTEST_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of certificate; `path_length` is None where it is not one of a CA."""

    name: str
    keys: frozenset[KeyType]
    rsa_minimum: int
    rsa_maximum: int
    lifetime: timedelta
    jitter: float
    minimum_lifetime: timedelta
    key_usage: frozenset[KeyUsage]
    extended_key_usage: tuple[x509.ObjectIdentifier, ...]
    ca: bool
    path_length: int | None
    subject: SubjectRules
    alternative_names: AlternativeNameRules
    exclude_server_names: bool
    server_key: KeyType
    traits: ProfileTraits

    def lasting(self, lifetime: timedelta) -> "Profile":
        """The same kind of certificate with another lifetime, which does not vary. Raises SettingsError."""
        if lifetime < _SHORTEST_LIFE:
            raise SettingsError("A certificate lives at least 1min.", "Write a longer lifetime: 90d.")
        traits = replace(self.traits, lifetime=lifetime)
        return replace(self, lifetime=lifetime, jitter=0.0, minimum_lifetime=lifetime / 10, traits=traits)


def build_profile(name: str, settings: ProfileSettings) -> Profile:
    """Validate the settings of one profile. Raises SettingsError with a line for every key that is wrong."""
    problems = [f"profiles.{name}.{key}: {sentence}." for key, sentence in _problems(name, settings)]
    if problems:
        raise SettingsError("\n".join(problems), EVERY_KEY)
    usages = tuple(_usage(word) for word in settings.extended_key_usage)
    return Profile(
        name=name,
        keys=frozenset(map(KeyType, settings.keys)),
        rsa_minimum=settings.rsa_minimum,
        rsa_maximum=settings.rsa_maximum,
        lifetime=settings.lifetime,
        jitter=settings.jitter,
        minimum_lifetime=_minimum_lifetime(settings),
        key_usage=frozenset(map(KeyUsage, settings.key_usage)),
        extended_key_usage=usages,
        ca=settings.ca,
        path_length=settings.path_length if settings.ca else None,
        subject=subject_rules(settings.subject),
        alternative_names=alternative_name_rules(settings.alternative_names),
        exclude_server_names=settings.ca and settings.exclude_server_names,
        server_key=_server_key(settings),
        traits=_traits(name, settings, usages),
    )


def _traits(name: str, settings: ProfileSettings, usages: tuple[x509.ObjectIdentifier, ...]) -> ProfileTraits:
    return ProfileTraits(
        name=name,
        ca=settings.ca,
        entrusted=name == FORWARDER or (settings.ca and settings.path_length > 0),
        server=ExtendedKeyUsageOID.SERVER_AUTH in usages,
        authenticates=settings.authenticates,
        renewable=settings.renewable,
        may_request=frozenset(settings.may_request),
        key_reuse=settings.key_reuse,
        lifetime=settings.lifetime,
        server_key_strength=strength_of(_server_key(settings), settings.rsa_minimum),
    )


def _server_key(settings: ProfileSettings) -> KeyType:
    return settings.server_key or KeyType(settings.keys[0])


def _minimum_lifetime(settings: ProfileSettings) -> timedelta:
    return settings.lifetime / 10 if settings.minimum_lifetime is None else settings.minimum_lifetime


def _usage(word: str) -> x509.ObjectIdentifier:
    """An extended key usage by name or dotted number. Raises ValueError."""
    return EXTENDED_USAGES.get(word) or x509.ObjectIdentifier(word)


def _problems(name: str, settings: ProfileSettings) -> Iterator[tuple[str, str]]:
    """What does not hold, each with the key it is about."""
    yield from _key_problems(settings)
    yield from _time_problems(settings)
    yield from _usage_problems(name, settings)
    yield from _power_problems(settings)
    yield from _subject_problems(settings.subject)


def _key_problems(settings: ProfileSettings) -> Iterator[tuple[str, str]]:
    known = ", ".join(KeyType)
    if not settings.keys:
        yield "keys", f"at least one kind of key is needed: {known}"
    for word in settings.keys:
        if word not in list(KeyType):
            yield "keys", f"{word} is no kind of key that is issued for; known are {known}"
    if settings.server_key is not None and settings.server_key not in settings.keys:
        yield "serverKey", f"{settings.server_key} is not among keys"
    if settings.rsa_minimum > settings.rsa_maximum:
        yield "rsaMinimum", "it is larger than rsaMaximum"


def _time_problems(settings: ProfileSettings) -> Iterator[tuple[str, str]]:
    if settings.lifetime < _SHORTEST_LIFE:
        yield "lifetime", "a certificate lives at least 1min"
    if settings.jitter > 0.5:  # noqa: PLR2004 -- half
        yield "jitter", "more than 50% would make lifetimes a lottery"
    if _minimum_lifetime(settings) > settings.lifetime * (1 - settings.jitter):
        yield "minimumLifetime", "it is longer than lifetime, jitter taken off"


def _usage_problems(name: str, settings: ProfileSettings) -> Iterator[tuple[str, str]]:
    for word in settings.key_usage:
        if word not in list(KeyUsage):
            yield "keyUsage", f"there is no bit {word}; known are {', '.join(KeyUsage)}"
    for word in settings.extended_key_usage:
        try:
            usage = _usage(word)
        except ValueError:
            yield (
                "extendedKeyUsage",
                f"{word} is neither clientAuth, serverAuth nor a dotted OID such as 1.3.6.1.4.1.99999.1",
            )
            continue
        if usage in _RESERVED_USAGES and name != FORWARDER:
            yield "extendedKeyUsage", f"{word} is not issued to devices: {_RESERVED_USAGES[usage]}"
        elif name == FORWARDER and usage not in _OF_A_FORWARDER:
            yield "extendedKeyUsage", f"{word} is not issued to forwarders, which are clients and never servers"


def _subject_problems(settings: SubjectSettings) -> Iterator[tuple[str, str]]:
    for word in (*settings.take, *settings.add):
        if attribute_type(word) is None:
            yield "subject", f"there is no attribute {word}; write CN, O, OU, C, ST, L or another of RFC 4519"
    for word, value in settings.add.items():
        if not is_value_of(word, value):
            yield f"subject.add.{word}", f"{value!r} cannot be its value"


def _power_problems(settings: ProfileSettings) -> Iterator[tuple[str, str]]:
    """A CA signs certificates and does nothing else; whoever is not a CA signs none (RFC 5280, 4.2.1.3 and 4.2.1.9)."""
    signs = KeyUsage.KEY_CERT_SIGN in settings.key_usage
    if settings.ca != signs:
        yield "keyUsage", "keyCertSign and ca = true go together"
    if settings.ca and settings.extended_key_usage:
        yield "extendedKeyUsage", 'a CA certificate has none; write ""'
    if not settings.ca and not settings.extended_key_usage:
        yield "extendedKeyUsage", "at least one is needed; a certificate without any is good for every purpose"
    if not settings.ca and KeyUsage.CRL_SIGN in settings.key_usage:
        yield "keyUsage", "cRLSign is for CAs"
    if settings.authenticates and "clientAuth" not in settings.extended_key_usage:
        yield "authenticates", "only certificates with clientAuth can authenticate"
    if settings.authenticates and not _POST_QUANTUM.isdisjoint(settings.keys):
        yield "authenticates", "ML-DSA certificates are not taken in TLS; give them a profile of their own"
