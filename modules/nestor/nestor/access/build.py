"""From settings to a gate: all that the document names is read and checked here, before anyone is let in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from cryptography import x509

from nestor.access.above import Above
from nestor.access.adopting import Adopter
from nestor.access.adoption import Recognize
from nestor.access.anchors import check_distinct, keep_apart, read_bundle
from nestor.access.bootstrap import Maker
from nestor.access.conveyed import Forwarders
from nestor.access.crls import read_crls
from nestor.access.forwarders import known_forwarders
from nestor.access.gate import Gate
from nestor.access.identify import Identifier
from nestor.access.memory import Memory
from nestor.access.own import OwnCertificates, Traits
from nestor.access.passwords import check_hash
from nestor.access.policy import Rules, reserve
from nestor.access.settings import AccessSettings, BootstrapSettings, UserSettings
from nestor.access.throttle import Rate
from nestor.access.users import User, Users, by_name, check_name, read_users
from nestor.access.verifier import Verifier
from nestor.access.watched import Watched
from nestor.events import Trouble
from nestor.naming import fold
from nestor.ports import Clock, Ledger, Sink, tell

_MINUTE = 60.0


def build_gate(
    settings: AccessSettings,
    *,
    base: Path,
    ledger: Ledger,
    clock: Clock,
    sinks: Sequence[Sink],
    issuers: Callable[[], Sequence[x509.Certificate]],
    own: Collection[x509.Certificate],
    traits: Traits,
    memory: Memory,
    recognize: Recognize,
    reserved_names: Collection[str] = (),
    above: bool = False,
    beside: Sequence[x509.Certificate] = (),
    here: str = "",
) -> Gate:
    """Build the gate. Files are relative to `base`.

    `above` tells that the issuers are those of a server above, whose certificates this ledger need not know. `beside`
    are issuers whose certificates may authenticate forwarders, and nobody else.
    `issuers` answers whose directly issued certificates may authenticate; `own` are all certificates of our CA and of
    those above it, which no anchor may be kin to. `memory` outlives the gate. `here` is a name of this server, for the
    hops that a request tells of. Raises MaterialError or SettingsError for what cannot be used.
    """
    report = partial(tell, sinks)
    makers = _makers(settings.bootstrap, base, own, report)
    limits = settings.limits
    failures = Rate(limits.failed_passwords, _MINUTE / limits.failed_passwords)
    rate = Rate(limits.enrollment_burst, limits.enrollment_pause.total_seconds())
    verifier = Verifier(
        known_users(settings, base, report),
        memory.suspicion(failures),
        memory.verified,
        verified_for=limits.verified_for.total_seconds(),
        tell=report,
    )
    adopter = Adopter(ledger, recognize, partial(tell, sinks))
    own_certificates = OwnCertificates(
        issuers, ledger, traits, Above(ledger, recognize).entry if above else adopter.adopt
    )
    neighbors = OwnCertificates(lambda: beside, ledger, traits, adopter.adopt)
    known = known_forwarders(settings, base, own)
    forwarders = Forwarders(known, [own_certificates, neighbors], memory.hop(here), ledger.was_revoked)
    return Gate(
        identifier=Identifier(own_certificates, makers, verifier, forwarders),
        rules=rules_of(settings, reserved_names),
        enrollments=memory.buckets("enrollments", rate),
        anchors=[
            *(certificate for maker in makers for certificate in maker.bundle.certificates),
            *(issuer for forwarder in known for issuer in forwarder.issuers),
        ],
        clock=clock,
    )


def rules_of(settings: AccessSettings, reserved_names: Collection[str]) -> Rules:
    """What the operator laid down beside grants: a layer's names are its own Nestor's, which issues for them itself."""
    of_layers = [name for layer in settings.layers.values() for name in layer.hostnames]
    return Rules(settings.gateways, reserve([*reserved_names, *of_layers]), frozenset(map(fold, settings.layers)))


def known_users(settings: AccessSettings, base: Path, report: Callable[[Trouble], None] = lambda _: None) -> Users:
    """The users of the settings and those of their file. Raises MaterialError."""
    settled = by_name(_user(name, user, base) for name, user in settings.users.items())
    filed = Watched(settings.users_file.path(base), read_users, report)
    users = Users(settled, lambda: filed.content)
    for name in users.twice():
        told = f"The user {name} is both in the settings and in the users file: what the settings say counts."
        report(Trouble("users", told))
    return users


def _user(name: str, user: UserSettings, base: Path) -> User:
    where = f"access.users.{name}"
    return User(check_name(name), check_hash(user.password_hash.read_text(base), where), user.names, user.profiles)


def _makers(
    settings: Mapping[str, BootstrapSettings],
    base: Path,
    own: Collection[x509.Certificate],
    report: Callable[[Trouble], None],
) -> list[Maker]:
    makers = [_maker(name, maker, base, own, report) for name, maker in settings.items()]
    check_distinct([(maker.name, maker.bundle) for maker in makers])
    return makers


def _maker(
    name: str,
    settings: BootstrapSettings,
    base: Path,
    own: Collection[x509.Certificate],
    report: Callable[[Trouble], None],
) -> Maker:
    where = f"access.bootstrap.{name}.anchors"
    crls = Watched(settings.crls.path(base), read_crls, report) if settings.crls else None
    return Maker(
        name=name,
        bundle=keep_apart(read_bundle(settings.anchors.read_bytes(base), where), own, where),
        source=settings.identity,
        names=settings.names,
        profiles=frozenset(settings.profiles),
        crls=lambda: crls.content if crls else (),
        require_crl=settings.require_crl,
        allow_without_eku=settings.allow_without_eku,
    )
