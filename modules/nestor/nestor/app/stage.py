"""A stage: the server's own desk, rules, users and ledger, with a CA key of cardboard; what is played stays there.

The CA certificate is imitated under a key that is made for the stage and dies with it, so nothing that is issued is of
any worth. The real ledger is asked and never written; what happens on the stage is remembered there.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from nestor.access.memory import Memory
from nestor.app.authority import Source, ca_certificates
from nestor.app.certificate import own_hosts
from nestor.app.house import open_gate
from nestor.app.scenery import StageClock, StageLedger, imitated
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import build_catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.own_names import own_names
from nestor.keys.make import generate
from nestor.ledger.opening import FILE, open_ledger
from nestor.registrar.desk import Registrar
from nestor.registrar.keygen import Generator, KeyGenerator
from nestor.registrar.labels import build_labels


@dataclass(frozen=True, slots=True)
class Stage:
    """Where requests can be tried."""

    registrar: Registrar
    ledger: StageLedger
    clock: StageClock


@asynccontextmanager
async def open_stage(source: Source) -> AsyncIterator[Stage]:
    """A stage for the server of a data directory. Raises SettingsError or MaterialError where it could not start."""
    there = (source.data / FILE).exists()
    real = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock) if there else None
    try:
        yield await _built(source, StageLedger(real))
    finally:
        if real is not None:
            await real.close()


async def _built(source: Source, ledger: StageLedger) -> Stage:
    clock = StageClock(source.clock)
    catalog = build_catalog(source.settings.profiles)
    labels = build_labels(source.settings.labels, catalog.names())
    own = ca_certificates(source)
    issuer = imitated(own)
    issuers = (own[0], issuer.certificate)
    hosts = own_hosts(source)
    gate = open_gate(
        replace(source, clock=clock), ledger, catalog, own, issuers=issuers, memory=Memory(), reserved=hosts
    )
    authority = LocalAuthority(
        issuer,
        catalog,
        ClockGuard(clock, await ledger.newest()),
        own=own_names(hosts),
        make_key=generate,
    )
    shared: Mapping[str, Mapping[bytes, bytes]] = {}
    registrar = Registrar(
        labels=labels,
        gate=gate,
        profiles=catalog,
        authority=authority,
        ledger=ledger,
        key_generator=KeyGenerator(Generator(issuer.key, issuer.certificate), shared, ledger),
        clock=clock,
        sinks=(),
        revision=source.settings.revision,
    )
    return Stage(registrar, ledger, clock)
