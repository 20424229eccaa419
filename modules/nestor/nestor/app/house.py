"""A House: everything that serves requests under one set of settings. Built whole, never changed, swapped for the next.

What outlives a House is handed in: the ledger, the clock guard, the listeners of events.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL

from nestor.access.build import build_gate
from nestor.access.gate import Gate
from nestor.access.memory import Memory
from nestor.app.acquaintance import check_known
from nestor.app.advice import doubts
from nestor.app.authority import Source, find_issuer, open_authority
from nestor.app.certificate import given_identity, issued_identity, last_ca_certificates, own_hosts
from nestor.app.clock import BelievedClock
from nestor.app.closed import ClosedAuthority, ClosedLedger
from nestor.app.edge_host import EdgeHost
from nestor.app.forwarding import forwarded
from nestor.app.identity import Maker, ServerIdentity
from nestor.app.routes import build_routes
from nestor.app.seals import ready
from nestor.app.trial import try_settings
from nestor.app.upstream import Parents, open_parent
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import Catalog, build_catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.home import LostCA
from nestor.ca.issuer import Issuer
from nestor.ca.layers import Layers
from nestor.ca.own_names import own_names
from nestor.conveyance import Hop
from nestor.errors import MaterialError, NestorError
from nestor.est.csrattrs import size_warning
from nestor.events import Event, Trouble
from nestor.keys.seals import Keyring
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Credentials, Label
from nestor.naming import fold
from nestor.ops.health import Health
from nestor.ports import Clock, Ledger, Sink, tell
from nestor.proxy.proxy import Routes
from nestor.registrar.approval import Approver, build_limits
from nestor.registrar.desk import Registrar
from nestor.registrar.keygen import Generator, KeyGenerator
from nestor.registrar.labels import build_labels
from nestor.registrar.reception import Reception
from nestor.registrar.settings import DEFAULT, LabelSettings
from nestor.settings import Settings
from nestor.upstream.ascent import Ascent
from nestor.upstream.authority import UpstreamAuthority
from nestor.upstream.parent import Parent
from nestor.web.settings import CertificateOrder
from nestor.web.tls import server_context

_KEY_SIZES = {16, 24, 32}

UPSTREAM = "upstream"
"""The check of the server above, by which alone nothing of this server's own is kept from being issued."""

AnyLedger = SQLiteLedger | ClosedLedger
AnyAuthority = LocalAuthority | ClosedAuthority


@dataclass(frozen=True, slots=True)
class Ground:
    """What a House stands on, and what outlives it.

    `waiting` says why no CA is to be used or made yet. `edge` is the IoT Edge host, where there is one. `warnings` say
    what endangers the data directory. `parents` keeps the server of the layer above.
    """

    data: Path
    clock: Clock
    guard: ClockGuard
    ledger: AnyLedger
    pinned: str | None
    sinks: Sequence[Sink]
    memory: Memory
    waiting: NestorError | None = None
    edge: EdgeHost | None = None
    keyring: Keyring = field(default_factory=Keyring)
    parents: Parents = field(default_factory=Parents)
    warnings: Sequence[str] = ()

    def tell(self, event: Event) -> None:
        """Tell every listener of one event."""
        tell(self.sinks, event)


@dataclass(frozen=True, slots=True)
class House:
    """What serves requests; `waits` where nobody has said yet by what to issue.

    `parent` is the server of the layer above, `above` its CA certificates as they were believed when this was built.
    """

    settings: Settings
    registrar: Reception
    authority: AnyAuthority
    identity: ServerIdentity
    context: SSL.Context
    health: Health
    gates: Sequence[Gate]
    routes: Routes
    ascent: Ascent
    waits: bool = False
    parent: Parent | None = None
    above: Sequence[x509.Certificate] = ()

    @property
    def chain_order(self) -> bool:
        """Whether /cacerts keeps chain order instead of DER's."""
        return self.settings.listener.cacerts_order is CertificateOrder.CHAIN

    async def layers(self, credentials: Credentials, left: int, within: float) -> Sequence[Hop]:
        """This server and those above it, so many at most, for whoever is known here. Raises NestorError."""
        await check_known(self.gates, credentials)
        return await self.ascent.climb(self.problems(), left, within)

    def problems(self) -> Mapping[str, str]:
        """What keeps this server from issuing, by name."""
        return self.health.problems()

    def failures(self) -> Mapping[str, str]:
        """What is broken in this process, by name."""
        return self.health.failures()


async def build_house(settings: Settings, ground: Ground) -> House:
    """Build a House. Raises SettingsError or MaterialError for what cannot be used, and changes nothing then."""
    try_settings(settings)
    _tell_doubts(settings, ground)
    source = Source(settings, ground.data, ground.clock, ground.tell)
    given = await given_identity(source, ground.edge)
    catalog = build_catalog(settings.profiles)
    labels = build_labels(settings.labels, catalog.names())
    routes = build_routes(settings, ground.data, ground.edge, ground.clock)
    found = await _found(source, ground)
    reserved = own_hosts(source, ground.edge)
    authority = _authority(found, catalog, source, ground.guard, reserved)
    _warn_of_large_attributes(labels.values(), authority, ground)
    parent = open_parent(source, ground.parents)
    up = forwarded(settings)
    forwards = any(up.values())
    above = tuple(parent.certificates) if parent is not None and forwards else ()
    believing = replace(source, clock=BelievedClock(ground.clock, ground.guard))
    issuers = authority.accepted()
    opened = partial(open_gate, believing, ground.ledger, catalog, memory=ground.memory)
    gate = opened(authority.ca_certificates(), issuers=issuers, reserved=reserved)
    identity = given or await issued_identity(source, authority, ground.ledger)
    warn_of_ending(identity, ground)
    desk = _desk(settings, ground, catalog, identity)
    here = {name: label for name, label in labels.items() if name not in up}
    desks = dict.fromkeys(here, desk(labels=here, gate=gate, authority=authority))
    gates = [gate]
    if parent is not None and forwards:
        higher = opened(above, issuers=above, reserved=(*reserved, parent.host), above=True, beside=issuers)
        gates.append(higher)
        asked = partial(UpstreamAuthority, parent, intents=ground.ledger, clock=believing.clock, traits=catalog.traits)
        forwarding = {name: label for name, label in up.items() if label is not None}
        for name, label in forwarding.items():
            desks[name] = desk(labels={name: labels[name]}, gate=higher, authority=asked(label))
    return House(
        settings=settings,
        registrar=Reception(desks),
        authority=authority,
        identity=identity,
        gates=gates,
        routes=routes,
        ascent=Ascent(_own_id(settings, ground), parent, ground.clock, forwards=forwards),
        context=server_context(
            chain=identity.chain, key=identity.key, client_anchors=(*issuers, *above, *gate.anchors)
        ),
        health=_health(authority, ground, identity, parent if DEFAULT in up else None),
        parent=parent,
        above=above,
        waits=ground.waiting is not None,
    )


def _own_id(settings: Settings, ground: Ground) -> str:
    """What this server calls itself among the hops."""
    return ground.memory.hop(next(iter(settings.listener.hostnames), ""))


def _authority(
    found: Issuer | LostCA, catalog: Catalog, source: Source, guard: ClockGuard, reserved: Sequence[str]
) -> AnyAuthority:
    """The CA here."""
    layers, last = layers_of(source.settings), last_ca_certificates(source)
    return open_authority(found, catalog, guard, own_names(reserved), layers=layers, last=last)


async def _found(source: Source, ground: Ground) -> Issuer | LostCA:
    """The CA to issue with; none while the House waits. Raises MaterialError or SettingsError."""
    if ground.waiting is not None:
        return LostCA(ground.waiting, ())
    return find_issuer(await ready(source, ground.keyring), ground.pinned)


def _health(authority: AnyAuthority, ground: Ground, identity: ServerIdentity, parent: Parent | None) -> Health:
    """The checks; those of the server above, where the path without a label is answered from there."""
    checks = {"ca": authority.problem, "ledger": ground.ledger.problem, "server certificate": identity.problem}
    return Health(
        checks | ({UPSTREAM: parent.problem} if parent else {}),
        vital={"ca key": authority.failure, "ledger thread": ground.ledger.failure},
    )


def _desk(settings: Settings, ground: Ground, catalog: Catalog, identity: ServerIdentity) -> Callable[..., Registrar]:
    """What every desk has; which labels it serves, by which gate and authority, is said for each."""
    return partial(
        Registrar,
        profiles=catalog,
        ledger=ground.ledger,
        key_generator=_key_generator(identity, settings, ground),
        approver=Approver(ground.ledger, build_limits(settings.approval), ground.sinks),
        clock=ground.clock,
        sinks=ground.sinks,
        revision=settings.revision,
    )


def _tell_doubts(settings: Settings, ground: Ground) -> None:
    for doubt in doubts(settings):
        ground.tell(Trouble("settings", f"{doubt.sentence} {doubt.remedy}"))


def _key_generator(identity: ServerIdentity, settings: Settings, ground: Ground) -> KeyGenerator:
    generator = Generator(identity.key, identity.certificate)
    return KeyGenerator(generator, _shared_keys(settings.labels, ground.data), ground.ledger)


def open_gate(
    source: Source,
    ledger: Ledger,
    catalog: Catalog,
    own: Sequence[x509.Certificate],
    *,
    issuers: Sequence[x509.Certificate],
    memory: Memory,
    reserved: Collection[str],
    above: bool = False,
    beside: Sequence[x509.Certificate] = (),
) -> Gate:
    """The gate of these settings; `reserved` are the names that are this server's own.

    `above`: the issuers are those of the server above, and `beside` are this one's, for forwarders alone. Raises
    MaterialError for files that cannot be used.
    """
    return build_gate(
        source.settings.access,
        base=source.data,
        ledger=ledger,
        clock=source.clock,
        sinks=[source.sink],
        issuers=lambda: issuers,
        own=own,
        traits=lambda name: catalog.traits(name) if name in catalog.names() else None,
        recognize=catalog.recognize,
        memory=memory,
        reserved_names=reserved,
        here=next(iter(source.settings.listener.hostnames), ""),
        above=above,
        beside=beside,
    )


def layers_of(settings: Settings) -> Layers:
    """The layers below, and the names under which each is reached. Raises SettingsError."""
    return Layers({fold(name): own_names(layer.hostnames) for name, layer in settings.access.layers.items()})


def warn_of_ending(identity: ServerIdentity, ground: Ground) -> None:
    """Tell of a server certificate from files that ends before long: nobody but its owner renews it."""
    end = identity.certificate.not_valid_after_utc
    if identity.maker is Maker.OPERATOR and identity.is_due(ground.clock.now()):
        ground.tell(Trouble("server certificate", f"It ends at {end:%Y-%m-%d %H:%M} UTC: put a new one into its file."))


def _warn_of_large_attributes(labels: Iterable[Label], authority: AnyAuthority, ground: Ground) -> None:
    """Some clients take no more than a kilobyte of CSR attributes."""
    for label in labels:
        warning = size_warning(authority.csr_attributes(label.profile, link=label.linking))
        if warning is not None:
            ground.tell(Trouble("csrattrs", f"labels.{label.name}: {warning}"))


def _shared_keys(labels: Mapping[str, LabelSettings], data: Path) -> Mapping[str, Mapping[bytes, bytes]]:
    """The key-encryption keys of every label by their identifiers. Raises MaterialError; never shows a key."""
    return {
        name: {
            key_id.encode(): _shared_key(reference.read_bytes(data), f"labels.{name}", key_id)
            for key_id, reference in label.server_key_generation.key_encryption_keys.items()
        }
        for name, label in labels.items()
    }


def _shared_key(key: bytes, where: str, key_id: str) -> bytes:
    if len(key) not in _KEY_SIZES:
        raise MaterialError(
            f"{where}.serverKeyGeneration.keyEncryptionKeys.{key_id} is {len(key)} bytes long.",
            "An AES key is 16, 24 or 32 raw bytes.",
        )
    return key
