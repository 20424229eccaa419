"""The IoT Edge runtime of one device, as far as certificates go: what it obtains, how it authenticates, when it renews.

certd keeps the EST identity, identityd the device identity, edged the Edge CA. The clock is the world's, and whoever
turns it lets the runtime act when something is due.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from support.answers import Answer
from support.certd import Certd, EstFailed
from support.device import Identity
from support.renewal import Policy, has_ended
from support.shapes import Request, device_identity, edge_ca, est_identity
from support.then import NoSession, Place, exchange
from support.turned import Turned

EST_IDENTITY, DEVICE_IDENTITY, EDGE_CA = "est-id", "device-id", "aziot-edged-ca"
_SHAPES: dict[str, Callable[[str, Any], Request]] = {
    EST_IDENTITY: est_identity,
    DEVICE_IDENTITY: device_identity,
    EDGE_CA: edge_ca,
}
_CALLER_ASKS_AGAIN = timedelta(seconds=33)
"""identityd and edged wait thirty seconds for certd, then three more, and ask it once again."""

_REPROVISIONS = timedelta(seconds=5)
"""A device that lacks a certificate which it cannot start without asks for it all the time."""


@dataclass(frozen=True)
class Auth:
    """A `[cert_issuance.est.auth]`: any mix. `identity` is an EST identity from a file, which nobody renews."""

    basic: tuple[str, str] | None = None
    bootstrap: Identity | None = None
    identity: Identity | None = None


@dataclass(frozen=True, kw_only=True)
class CertdThen(Certd):
    """certd on a device whose clock shows another time than this one."""

    now: datetime

    def _exchange(self, address: tuple[str, int], method: str, request: bytes) -> Answer:
        try:
            return exchange(Place(*address, self.trusted_certs, self.now, self.identity), method, request)[0]
        except (NoSession, OSError) as error:
            raise EstFailed(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Obtained:
    """A certificate that came: of which kind, when, in the place of which one, by the word of which certificate."""

    kind: str
    at: datetime
    old: x509.Certificate | None
    new: x509.Certificate
    by: x509.Certificate | None


@dataclass(frozen=True)
class Failed:
    """A try that brought nothing, as the journal of the device tells it."""

    kind: str
    at: datetime
    sentence: str


@dataclass
class Kept:
    """A certificate on the disk, its key and chain, and when the engine turns to it."""

    identity: Identity
    turn: datetime

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return self.identity.certificate


@dataclass
class Runtime:
    """One device, which lives from when it is powered on; `kinds` are what its config.toml asks EST for.

    With `loses_answers` the first answer to each request for a device identity or an Edge CA never arrives.
    """

    name: str
    server: Turned
    auth: Auth
    policy: Policy = field(default_factory=Policy)
    kinds: tuple[str, ...] = (DEVICE_IDENTITY,)
    loses_answers: bool = False
    disk: dict[str, Kept] = field(default_factory=dict)
    history: list[Obtained] = field(default_factory=list)
    journal: list[Failed] = field(default_factory=list)
    _starts: dict[str, datetime] = field(default_factory=dict)
    _on: bool = False

    @property
    def now(self) -> datetime:
        """The time that its clock shows: the world's."""
        return self.server.clocks.now()

    @property
    def turn(self) -> datetime | None:
        """When something is due next; None for a device that is off, or has nothing left to do."""
        if not self._on:
            return None
        return min((*self._starts.values(), *(kept.turn for kept in self.disk.values())), default=None)

    def power_on(self) -> None:
        """Start: obtain what is missing, and renew at once what is due."""
        self._on = True
        self._starts = dict.fromkeys(self.kinds, self.now)
        if EST_IDENTITY in self.disk:
            self._starts = {EST_IDENTITY: self.now, **self._starts}
        self.act()

    def power_off(self) -> None:
        """Do nothing until powered on again."""
        self._on = False

    def wipe(self) -> None:
        """Delete certd's certificates and keyd's keys, as the tutorial does to see a renewal."""
        self.disk.clear()

    def act(self) -> None:
        """Do everything that is due."""
        for kind, moment in list(self._starts.items()):
            if moment <= self.now:
                self._start(kind)
        for kind, kept in list(self.disk.items()):
            if kept.turn <= self.now:
                self._renew_or_wait(kind)

    def obtained(self, kind: str) -> list[Obtained]:
        """What came of one kind, in order."""
        return [one for one in self.history if one.kind == kind]

    def _start(self, kind: str) -> None:
        """As a daemon takes up a certificate: it goes on without trouble only with one that has not ended."""
        kept = self.disk.get(kind)
        try:
            if kept is None:
                self._obtain(kind, None)
            elif self.policy.due(kept.certificate) <= self.now:
                self._obtain(kind, kept)
            else:
                kept.turn = self.policy.due(kept.certificate)
        except EstFailed as failed:
            self._tell(kind, failed)
            if kept is None or has_ended(kept.certificate, self.now):
                self._starts[kind] = self.now + _REPROVISIONS
                return
            kept.turn = self.now + self.policy.pause(kept.certificate)
        self._starts.pop(kind, None)

    def _renew_or_wait(self, kind: str) -> None:
        """As the engine does when it turns to a certificate."""
        kept = self.disk[kind]
        try:
            self._obtain(kind, kept)
        except EstFailed as failed:
            self._tell(kind, failed)
            kept.turn = self.now + self.policy.pause(kept.certificate)

    def _obtain(self, kind: str, old: Kept | None) -> None:
        """Ask for a certificate, and keep it. Raises EstFailed."""
        key = old.identity.key if old and not self.policy.rotate_key else None
        asked = _SHAPES[kind](self.name, key)
        by = self._credential(kind)
        leaf, *chain = self._ask(kind, asked, by)
        if has_ended(leaf, self.now):
            raise EstFailed("cannot calculate initial renewal time for expired cert")
        # certd writes a renewed EST identity without its chain.
        whole = () if kind == EST_IDENTITY and old else tuple(chain)
        self.disk[kind] = Kept(Identity(leaf, asked.key, whole), self.policy.turn(leaf, self.now))
        self.history.append(
            Obtained(kind, self.now, old.certificate if old else None, leaf, by.certificate if by else None)
        )

    def _credential(self, kind: str) -> Identity | None:
        """The certificate to authenticate with: the factory's for an EST identity that is missing or has ended."""
        if self.auth.bootstrap is None:
            return self.auth.identity
        kept = self.disk.get(EST_IDENTITY)
        if kind == EST_IDENTITY:
            usable = kept is not None and not has_ended(kept.certificate, self.now)
            return Identity(kept.certificate, kept.identity.key) if kept and usable else self.auth.bootstrap
        if kept is None or self.policy.due(kept.certificate) <= self.now:
            self._take_up_est_identity(kept)
        return self.disk[EST_IDENTITY].identity

    def _take_up_est_identity(self, kept: Kept | None) -> None:
        try:
            self._obtain(EST_IDENTITY, kept)
        except EstFailed as failed:
            if kept is None or has_ended(kept.certificate, self.now):
                raise
            self._tell(EST_IDENTITY, failed)

    def _ask(self, kind: str, asked: Request, by: Identity | None) -> list[x509.Certificate]:
        if self.loses_answers and kind != EST_IDENTITY:
            self._certd(by).create_cert(asked.der)
            self.server.clocks.turn_to(self.now + _CALLER_ASKS_AGAIN)
        return self._certd(by).create_cert(asked.der)

    def _certd(self, by: Identity | None) -> CertdThen:
        return CertdThen(self.server.url, self.server.ca_file, self.auth.basic, by, now=self.now)

    def _tell(self, kind: str, failed: EstFailed) -> None:
        self.journal.append(Failed(kind, self.now, str(failed)))


def live(until: datetime, *devices: Runtime) -> None:
    """Let devices of one server live; time passes from one event to the next."""
    server = devices[0].server
    while (moment := min((one.turn for one in devices if one.turn), default=until)) < until:
        server.live_until(moment)
        for one in devices:
            one.act()
    server.live_until(until)
