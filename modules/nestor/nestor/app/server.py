"""The process: opens the ledger, builds the first House, listens, swaps Houses on change, drains at the end.

A House that cannot be built at the start ends the start with its sentence; later it changes nothing, and is told.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from nestor.access.memory import Memory
from nestor.app.authority import Source, find_issuer
from nestor.app.closed import ClosedAuthority, ClosedLedger
from nestor.app.directory import make_directory, warnings_of
from nestor.app.house import AnyLedger, Ground, House, build_house, warn_of_ending
from nestor.app.life import Life
from nestor.app.occupancy import occupied
from nestor.app.replacing import check_not_interrupted, finish_interrupted
from nestor.app.trial import try_settings
from nestor.app.watch import Watch
from nestor.app.watchman import Watchman
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import fingerprint_of
from nestor.ca.settings import CASource
from nestor.errors import CannotGoOn, MaterialError, NestorError
from nestor.events import Fatal, HandshakeFailed, Note, SettingsApplied, SettingsRefused, Trouble
from nestor.jobs import Job, run_jobs
from nestor.ledger.opening import open_ledger
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ports import Clock, Sink, tell
from nestor.settings import Settings
from nestor.web.http import HTTP
from nestor.web.listener import Listener
from nestor.web.site import Site

DRAIN_SECONDS = 6.0
"""How long a stop waits for requests in progress; IoT Edge kills after ten seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server is to be: where its settings come from, where its data lives, who hears of it.

    `applied` hears of settings that have come into force, for what else follows them: the log. `waiting` says why
    nothing is issued by these settings yet. `companions` live beside the server, from when it listens to when it stops.
    """

    settings: Callable[[], Settings]
    files: Sequence[Path]
    data: Path
    sinks: Sequence[Sink]
    welcome: Callable[[House, Sequence[tuple[str, int]]], None]
    applied: Callable[[Settings], None]
    clock: Clock
    waiting: Callable[[], NestorError | None] = lambda: None
    companions: Sequence[Callable[["Server"], Awaitable[None]]] = ()


class Server:
    """A running Nestor."""

    def __init__(self, plan: Plan, ground: Ground, house: House) -> None:
        self._plan = plan
        self._ground = ground
        self._house = house
        self._building = asyncio.Lock()
        self._watch = Watch((*plan.files, *CAHome(plan.data).files), plan.data)
        self._watch.changed(house.settings)
        self._listener: Listener
        self._life = Life(plan.clock.monotonic)
        self._other_settings = asyncio.Event()

    @property
    def house(self) -> House:
        """The House that serves at this moment."""
        return self._house

    @property
    def ledger(self) -> AnyLedger:
        """The ledger of this moment."""
        return self._ground.ledger

    @property
    def listener(self) -> Listener:
        """The EST port, from when it is open."""
        return self._listener

    async def other_settings(self) -> None:
        """Wait for the next House."""
        await self._other_settings.wait()

    async def listen(self, listener: Listener) -> None:
        """Open the EST port. Raises Unavailable."""
        await listener.start()
        self._listener = listener

    async def apply(self, settings: Settings) -> None:
        """Serve by these settings from now on. Raises NestorError, and then nothing has changed."""
        async with self._building:
            await self._swap(settings, waiting=None)
        await self.look_after_health()

    async def reload(self) -> None:
        """Read the settings and everything they name again; swap Houses, or stay and say why not."""
        async with self._building:
            try:
                await self._swap(self._plan.settings(), self._plan.waiting())
            except NestorError as fault:
                self._ground.tell(SettingsRefused(fault.text))
                return
            except Exception as error:  # noqa: BLE001 -- a bug in building must leave the house that stands
                self._ground.tell(SettingsRefused("Nestor failed to build from these settings by a fault of its own."))
                self._ground.tell(Trouble("bug", "The settings could not be applied.", error))
                return
        await self.look_after_health()

    async def _swap(self, settings: Settings, waiting: NestorError | None) -> None:
        """Build the next House, then let it serve. Raises NestorError, and then the one that stands stays."""
        try:
            await self._look_at_the_clock()
            ground = replace(self._ground, waiting=waiting)
            house = await build_house(settings, ground)
            if isinstance(self._house.authority, ClosedAuthority):
                ground = await _pinned(ground, house)
        finally:
            self._watch.changed(self._house.settings)
        self._tell_what_waits(settings)
        self._ground, self._house = ground, house
        self._other_settings.set()
        self._other_settings = asyncio.Event()
        _settle()
        self._plan.applied(settings)
        self._watch.changed(settings)
        self._ground.tell(SettingsApplied(settings.revision))

    def _tell_what_waits(self, settings: Settings) -> None:
        """Name what does not follow new settings at once."""
        before = self._house.settings
        if settings.listener != before.listener:
            self._ground.tell(Note("listener", "Its addresses, port and limits count from the next start on."))
        if settings.ledger != before.ledger:
            self._ground.tell(Note("ledger", "Its settings count from the next start on."))

    async def look_for_changes(self) -> None:
        """Reload when a file changed, the server's own certificate is due, or what was lost or missing is there."""
        await self._look_at_the_clock()
        there = await self._ledger_is_back() or self._ca_is_there()
        if there or self._watch.changed(self._house.settings) or self._is_due():
            await self.reload()

    async def look_after_certificate(self) -> None:
        """Tell of a server certificate that somebody has to renew by hand."""
        warn_of_ending(self._house.identity, self._ground)

    async def close(self) -> None:
        """Let go of the ledger."""
        await self._ground.ledger.close()

    async def _look_at_the_clock(self) -> None:
        """Hear what the operator said of the clock, where it is not believed."""
        if self._ground.guard.problem() is not None:
            self._ground.guard.reset(await self._ground.ledger.newest())

    def _is_due(self) -> bool:
        identity = self._house.identity
        return not identity.given and identity.is_due(self._ground.clock.now()) and not self._house.problems()

    def _ca_is_there(self) -> bool:
        """Whether a CA that was lost is back, or one that could not be made before is made."""
        if not isinstance(self._house.authority, ClosedAuthority):
            return False
        ground = self._ground
        source = Source(self._house.settings, ground.data, ground.clock, ground.tell)
        return not isinstance(find_issuer(source, ground.pinned), LostCA)

    async def _ledger_is_back(self) -> bool:
        """Whether a ledger that was lost, or whose file is another one, could be opened again."""
        before = self._ground.ledger
        if isinstance(before, SQLiteLedger) and not before.is_orphaned:
            return False
        ground = await prepare_ground(self._plan)
        if not isinstance(ground.ledger, SQLiteLedger):
            return False
        self._ground = replace(ground, memory=self._ground.memory)
        await before.close()
        return True

    async def look_after_life(self) -> None:
        """Raise CannotGoOn where only a new process helps."""
        self._life.look(self._ground.ledger.failure())

    async def look_after_key(self) -> None:
        """Try the CA key, and tell what is broken."""
        await self._house.authority.try_key()
        for about, sentence in self._house.failures().items():
            self._ground.tell(Trouble(about, sentence))

    async def look_after_health(self) -> None:
        """Tell what keeps the server from issuing, as long as it does."""
        for about, sentence in self._house.problems().items():
            self._ground.tell(Trouble(about, sentence))


async def serve(plan: Plan, watchman: Watchman) -> None:
    """Serve until told to stop.

    Raises NestorError where the start fails, or another has the data directory; CannotGoOn where it cannot go on.
    """
    try_settings(plan.settings())  # a start that they forbid leaves nothing behind
    make_directory(plan.data)
    with ExitStack() as stack:
        try:
            stack.enter_context(occupied(plan.data, "nestor serve"))
        except MaterialError as trouble:
            # Where no lock can be had, as on a full or read-only disk, nobody else can write either.
            tell(plan.sinks, Trouble("lock", trouble.text))
            check_not_interrupted(plan.data)
        else:
            _finish_interrupted(plan)
        await _serve(plan, watchman)


def _finish_interrupted(plan: Plan) -> None:
    """Carry out what a restore had decided when it was interrupted."""
    if finish_interrupted(plan.data):
        tell(plan.sinks, Note("restored", "A restore that was interrupted has been finished."))


async def _serve(plan: Plan, watchman: Watchman) -> None:
    server = await start(plan)
    try:
        await _listen(plan, server, watchman)
    finally:
        await server.close()


async def start(plan: Plan) -> Server:
    """Open everything but the port. Raises NestorError, and then holds nothing open."""
    ground = await prepare_ground(plan)
    try:
        house = await build_house(plan.settings(), ground)
        server = Server(plan, await _pinned(ground, house), house)
        _settle()
    except BaseException:
        await ground.ledger.close()
        raise
    plan.applied(house.settings)
    return server


def _settle() -> None:
    """Look for garbage once more, and then never at what stands now: looking at all of it takes a tenth of a second.

    Nobody is served meanwhile, and a few hundred enrollments make enough new objects for the next look.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def prepare_ground(plan: Plan) -> Ground:
    """Open what outlives every House: the data directory, the ledger, the look at the clock. Raises NestorError."""
    settings = plan.settings()
    try_settings(settings)
    make_directory(plan.data)
    for warning in warnings_of(plan.data):
        tell(plan.sinks, Trouble("data directory", warning))
    ledger = _ledger(settings, plan.data, plan.clock)
    pinned = await ledger.pinned_authority() if isinstance(ledger, SQLiteLedger) else None
    guard = ClockGuard(plan.clock, await ledger.newest())
    return Ground(plan.data, plan.clock, guard, ledger, pinned, plan.sinks, Memory(), plan.waiting())


def _ledger(settings: Settings, data: Path, clock: Clock) -> AnyLedger:
    """The ledger; where it is lost, what says so. A ledger is made only where there is no trace of a CA."""
    try:
        return open_ledger(settings.ledger, data, create=not CAHome(data).was_made, clock=clock)
    except MaterialError as reason:
        return ClosedLedger(reason)


async def _pinned(ground: Ground, house: House) -> Ground:
    """Let the data directory know whose certificates its ledger holds, from the first start on."""
    certificates = house.authority.ca_certificates()
    if not isinstance(ground.ledger, SQLiteLedger) or not certificates or house.problems():
        return ground
    fingerprint = fingerprint_of(certificates[0])
    if house.settings.ca.source is CASource.FILE:
        CAHome(ground.data).mark(fingerprint)
    await ground.ledger.pin_authority(fingerprint)
    return replace(ground, pinned=fingerprint)


async def _listen(plan: Plan, server: Server, watchman: Watchman) -> None:
    settings = server.house.settings.listener
    told = partial(tell, plan.sinks)
    site = Site(lambda: server.house, settings.limits, told)
    http = HTTP(site.handle, settings.limits, site.broken)
    listener = Listener(
        settings,
        context=lambda: server.house.context,
        protocol=http,
        failed=lambda address, sentence: told(HandshakeFailed(address, sentence)),
    )
    stop = _until_signal(server, watchman)  # before anybody can be served, so that nobody is cut off
    await server.listen(listener)
    plan.welcome(server.house, listener.addresses)
    companions = {companion.__name__: partial(companion, server) for companion in plan.companions}
    working = asyncio.ensure_future(run_jobs(_jobs(server), told, companions))
    try:
        await asyncio.wait([stop, working], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            raise _end_of(working)
    except CannotGoOn as fault:
        told(Fatal(fault.text))
        raise
    finally:
        watchman.expect_the_end()
        told(Note("stopping", "Finishing what is being served."))
        working.cancel()
        await listener.drain(DRAIN_SECONDS)
        await http.shutdown(0.5)
        await asyncio.wait([working])


def _end_of(working: asyncio.Future[None]) -> CannotGoOn:
    """Why the jobs have ended, which they never do by themselves."""
    faults = working.exception() if not working.cancelled() else None
    while isinstance(faults, BaseExceptionGroup):
        faults = faults.exceptions[0]
    if isinstance(faults, CannotGoOn):
        return faults
    lost = CannotGoOn("What this server does unasked has ended.")
    lost.__cause__ = faults
    return lost


def _jobs(server: Server) -> list[Job]:
    """What happens unasked."""
    return [
        Job("life", timedelta(seconds=5), server.look_after_life),
        Job("ca key", timedelta(minutes=1), server.look_after_key),
        Job("files", timedelta(seconds=30), server.look_for_changes),
        Job("health", timedelta(minutes=5), server.look_after_health),
        Job("server certificate", timedelta(hours=12), server.look_after_certificate),
    ]


def _until_signal(server: Server, watchman: Watchman) -> asyncio.Future[None]:
    """Done at SIGTERM or SIGINT; SIGHUP reloads; a second SIGTERM ends at once."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()
    reloads: set[asyncio.Future[None]] = set()

    def end() -> None:
        if stop.done():
            raise SystemExit(0)
        stop.set_result(None)

    def reload() -> None:
        task = asyncio.ensure_future(server.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    watchman.attend(loop, stop=end, reload=reload)
    return stop
