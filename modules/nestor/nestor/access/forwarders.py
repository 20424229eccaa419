"""From settings to forwarders: every subject and every issuer is read and checked here, before anyone is believed."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cryptography import x509

from nestor.access.anchors import keep_apart, read_bundle
from nestor.access.certificates import sha256_of
from nestor.access.conveyed import Forwarder
from nestor.access.scope import EVERY, OWN, Scope
from nestor.access.settings import AccessSettings, ForwarderSettings
from nestor.errors import SettingsError
from nestor.est.names import same_name
from nestor.model import Grant

_APART = "Leave anchors out: then it is a forwarder by the profile forwarder of this CA, and by its ledger."


def wrong_forwarders(settings: AccessSettings) -> Iterator[str]:
    """What does not hold of the forwarders, as far as it can be known without a file; a sentence for each."""
    makers = {OWN, EVERY, *settings.bootstrap}
    for name, forwarder in settings.forwarders.items():
        where = f"access.forwarders.{name}"
        if _subject(forwarder) is None:
            yield f"{where}.subject: {forwarder.subject!r} is no subject; write it as CN=nestor-line1 (RFC 4514)."
        for word in forwarder.issuers:
            if word not in makers:
                yield f"{where}.issuers: there is no {word} in access.bootstrap; {OWN} is the CA of this server."
        if EVERY in forwarder.profiles:
            yield f"{where}.profiles: a forwarder is given every profile by its name, not by {EVERY}."


def known_forwarders(
    settings: AccessSettings, base: Path, own: Collection[x509.Certificate] = ()
) -> Sequence[Forwarder]:
    """The forwarders of settings that hold; files are relative to `base`. Raises MaterialError or SettingsError.

    `own` are all certificates of our CA and of those above it, which no anchor may be kin to.
    """
    known: list[Forwarder] = []
    for name, forwarder in settings.forwarders.items():
        new = _forwarder(name, forwarder, base, own)
        for other in known:
            _check_told_apart(new, other)
        known.append(new)
    return known


def _subject(settings: ForwarderSettings) -> x509.Name | None:
    try:
        return x509.Name.from_rfc4514_string(settings.subject) if settings.subject else None
    except ValueError:
        return None


def _forwarder(name: str, settings: ForwarderSettings, base: Path, own: Collection[x509.Certificate]) -> Forwarder:
    anchors, where = settings.anchors, f"access.forwarders.{name}.anchors"
    bundle = keep_apart(read_bundle(anchors.read_bytes(base), where), own, where, _APART) if anchors else None
    scope = Scope(
        labels=settings.labels,
        grant=Grant(settings.names, frozenset(settings.profiles)),
        issuers=frozenset(settings.issuers),
        statements=settings.statements,
    )
    return Forwarder(name, _subject(settings) or x509.Name([]), bundle.certificates if bundle else (), scope)


def _check_told_apart(one: Forwarder, other: Forwarder) -> None:
    """Refuse two forwarders that one certificate could be of: whose scope counts would be a matter of order."""
    by_us = not one.issuers and not other.issuers
    by_same = by_us or not {*map(sha256_of, one.issuers)}.isdisjoint(map(sha256_of, other.issuers))
    if by_same and same_name(one.subject, other.subject):
        sentence = f"access.forwarders: {other.name} and {one.name} have the same subject and issuer."
        raise SettingsError(sentence, "Join them.")
