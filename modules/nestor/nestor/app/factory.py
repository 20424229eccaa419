"""The factory: CA and ledger of a data directory, opened for the operator at this host, beside a running server or not.

What cannot work is said before anything is issued: no CA, a lost one, a key without its passphrase, a doubtful clock.
"""

import os
import pwd
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509

from nestor.access.build import rules_of
from nestor.access.host import HostGate
from nestor.app.authority import Source, check_made, existing_issuer
from nestor.app.certificate import own_hosts
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import Catalog, build_catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.home import CAHome
from nestor.ca.own_names import own_names
from nestor.errors import CannotIssue, SettingsError
from nestor.keys.make import generate
from nestor.ledger.opening import open_ledger
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import KeyType
from nestor.registrar.counter import Counter

_CLOSED = "Set the clock, renew the CA, or take the clock for right: nestor ledger accept-clock."


@dataclass(frozen=True, slots=True)
class Factory:
    """Where certificates are issued at the host; `chain` is the CA first, its root last.

    `problem` answers why nothing at all can be issued at this time; None when all is well.
    """

    counter: Counter
    catalog: Catalog
    chain: tuple[x509.Certificate, ...]
    problem: Callable[[], str | None]

    def check_profile(self, name: str) -> None:
        """Raise SettingsError where there is no such profile."""
        if name not in self.catalog.names():
            raise SettingsError(f"There is no profile {name}.", f"Known are {', '.join(self.catalog.names())}.")

    def key_type(self, profile: str, wished: KeyType | None) -> KeyType:
        """The kind of key to make for a profile. Raises SettingsError for one that the profile does not take."""
        kinds = self.catalog[profile].keys
        if wished is not None and wished not in kinds:
            raise SettingsError(
                f"The profile {profile} takes no key of the kind {wished}.", f"It takes {', '.join(sorted(kinds))}."
            )
        return wished or self.catalog[profile].server_key


@asynccontextmanager
async def open_factory(source: Source, lifetime: timedelta | None = None) -> AsyncIterator[Factory]:
    """Open CA and ledger; `lifetime` takes the place of that of every profile.

    Raises MaterialError for a CA or ledger that cannot be used, CannotIssue where nothing can be signed at this time.
    """
    check_made(source)
    catalog = build_catalog(source.settings.profiles)
    create = not CAHome(source.data).was_made  # so far no server has run here on a CA from files
    ledger = open_ledger(source.settings.ledger, source.data, create=create, clock=source.clock)
    try:
        yield await _factory(source, ledger, catalog if lifetime is None else catalog.lasting(lifetime))
    finally:
        await ledger.close()


async def _factory(source: Source, ledger: SQLiteLedger, catalog: Catalog) -> Factory:
    issuer = existing_issuer(source, await ledger.pinned_authority())
    own = own_hosts(source)
    guard = ClockGuard(source.clock, await ledger.newest())
    authority = LocalAuthority(issuer, catalog, guard, own=own_names(own), make_key=generate)
    problem = authority.problem()
    if problem is not None:
        raise CannotIssue(problem, _CLOSED)
    counter = Counter(
        gate=HostGate(operator(), rules_of(source.settings.access, own)),
        profiles=catalog,
        authority=authority,
        ledger=ledger,
        clock=source.clock,
    )
    return Factory(counter, catalog, issuer.certificates, lambda: authority.problem() or ledger.problem())


def operator() -> str:
    """Who sits at this terminal, for the ledger: the login name, which `sudo` does not change."""
    try:
        return os.getlogin()
    except OSError:
        pass
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
