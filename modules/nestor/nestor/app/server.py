"""The process: opens the ledger, builds the first House, listens, swaps Houses on change, drains at the end.

A House that cannot be built at the start ends the start with its sentence; later it changes nothing, and is told.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from aiohttp import web

from nestor.app.clock import SystemClock
from nestor.app.closed import ClosedLedger
from nestor.app.house import AnyLedger, Ground, House, build_house
from nestor.app.occupancy import occupied
from nestor.app.replacing import check_not_interrupted, finish_interrupted
from nestor.app.watch import Watch
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.home import CAHome
from nestor.ca.issuer import fingerprint_of
from nestor.errors import MaterialError, NestorError
from nestor.events import Note, SettingsApplied, SettingsRefused, Trouble
from nestor.jobs import Job, run_jobs
from nestor.ledger.opening import open_ledger
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ports import Clock, Sink, tell
from nestor.settings import Settings
from nestor.web.listener import Listener
from nestor.web.site import Site

DRAIN_SECONDS = 6.0
"""How long a stop waits for requests in progress; IoT Edge kills after ten seconds."""

_MAX_HEADER = 16_384


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server is to be: where its settings come from, where its data lives, who hears of it."""

    settings: Callable[[], Settings]
    files: Sequence[Path]
    data: Path
    sinks: Sequence[Sink]
    welcome: Callable[[House, Sequence[tuple[str, int]]], None]


class Server:
    """A running Nestor."""

    def __init__(self, plan: Plan, ground: Ground, house: House) -> None:
        self._plan = plan
        self._ground = ground
        self._house = house
        self._building = asyncio.Lock()
        self._watch = Watch(plan.files, plan.data)
        self._watch.changed(house.settings)

    @property
    def house(self) -> House:
        """The House that serves at this moment."""
        return self._house

    async def reload(self) -> None:
        """Read the settings and everything they name again; swap Houses, or stay and say why not."""
        async with self._building:
            try:
                settings = self._plan.settings()
                house = await build_house(settings, self._ground)
            except NestorError as fault:
                self._ground.tell(SettingsRefused(fault.text))
                return
            finally:
                self._watch.changed(self._house.settings)
            if settings.listener != self._house.settings.listener:
                self._ground.tell(Note("listener", "Its addresses, port and limits count from the next start on."))
            self._house = house
            self._watch.changed(settings)
            self._ground.tell(SettingsApplied(settings.revision))

    async def look_for_changes(self) -> None:
        """Reload when a file changed, the server's own certificate is due, or a lost ledger is back."""
        due = self._house.identity.is_due(self._ground.clock.now()) and not self._house.problems()
        if self._ground.guard.problem() is not None:
            self._ground.guard.reset(await self._ground.ledger.newest())
        if await self._ledger_is_back() or self._watch.changed(self._house.settings) or due:
            await self.reload()

    async def close(self) -> None:
        """Let go of the ledger."""
        await self._ground.ledger.close()

    async def _ledger_is_back(self) -> bool:
        if isinstance(self._ground.ledger, SQLiteLedger):
            return False
        self._ground = await prepare_ground(self._plan)
        return isinstance(self._ground.ledger, SQLiteLedger)

    async def look_after_health(self) -> None:
        """Tell what keeps the server from issuing, while it does."""
        for about, sentence in self._house.problems().items():
            self._ground.tell(Trouble(about, sentence))


async def serve(plan: Plan) -> None:
    """Serve until told to stop. Raises NestorError where the start fails, or another has the data directory."""
    _make_directory(plan.data)
    with ExitStack() as stack:
        try:
            stack.enter_context(occupied(plan.data, "nestor serve"))
        except MaterialError as trouble:
            # Where no lock can be had, as on a full or read-only disk, nobody else can write either.
            tell(plan.sinks, Trouble("lock", trouble.text))
            check_not_interrupted(plan.data)
        else:
            _finish_interrupted(plan)
        await _serve(plan)


def _finish_interrupted(plan: Plan) -> None:
    """Carry out what a restore had decided when it was interrupted."""
    if finish_interrupted(plan.data):
        tell(plan.sinks, Note("restored", "A restore that was interrupted has been finished."))


async def _serve(plan: Plan) -> None:
    ground = await prepare_ground(plan)
    try:
        server = Server(plan, ground, await build_house(plan.settings(), ground))
        await _pin(ground, server.house)
    except BaseException:
        await ground.ledger.close()
        raise
    try:
        await _listen(plan, server)
    finally:
        await server.close()


async def prepare_ground(plan: Plan) -> Ground:
    """Open what outlives every House: the data directory, the ledger, the look at the clock."""
    clock: Clock = SystemClock()
    settings = plan.settings()
    _make_directory(plan.data)
    ledger = _ledger(settings, plan.data, clock)
    pinned = await ledger.pinned_authority() if isinstance(ledger, SQLiteLedger) else None
    guard = ClockGuard(clock, await ledger.newest())
    return Ground(plan.data, clock, guard, ledger, pinned, plan.sinks)


def _make_directory(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The data directory {data} cannot be made: {error.strerror}.", "Check --data.") from error


def _ledger(settings: Settings, data: Path, clock: Clock) -> AnyLedger:
    """The ledger; where it is lost, what says so. A ledger is made only where there is no trace of a CA."""
    try:
        return open_ledger(settings.ledger, data, create=not CAHome(data).was_made, clock=clock)
    except MaterialError as reason:
        return ClosedLedger(reason)


async def _pin(ground: Ground, house: House) -> None:
    """Let the ledger know whose certificates it holds."""
    certificates = house.authority.ca_certificates()
    if isinstance(ground.ledger, SQLiteLedger) and certificates and not house.problems():
        await ground.ledger.pin_authority(fingerprint_of(certificates[0]))


async def _listen(plan: Plan, server: Server) -> None:
    settings = server.house.settings.listener
    told = partial(tell, plan.sinks)
    site = Site(lambda: server.house, settings.limits, told)
    http = web.Server(
        site.handle,
        access_log=None,
        keepalive_timeout=settings.limits.idle.total_seconds(),
        lingering_time=0,
        auto_decompress=False,
        max_field_size=_MAX_HEADER,
        max_line_size=_MAX_HEADER,
    )
    listener = Listener(
        settings,
        context=lambda: server.house.context,
        protocol=http,
        failed=lambda address, sentence: told(Trouble("handshake", f"{sentence} ({address})")),
    )
    stop = _until_signal(server)  # before anybody can be served, so that nobody is cut off
    await listener.start()
    plan.welcome(server.house, listener.addresses)
    working = asyncio.ensure_future(run_jobs(_jobs(server), told))
    try:
        await stop
    finally:
        told(Note("stopping", "Finishing what is being served."))
        working.cancel()
        await listener.drain(DRAIN_SECONDS)
        await http.shutdown(0.5)


def _jobs(server: Server) -> list[Job]:
    """What happens unasked."""
    return [
        Job("files", timedelta(seconds=30), server.look_for_changes),
        Job("health", timedelta(minutes=5), server.look_after_health),
    ]


def _until_signal(server: Server) -> asyncio.Future[None]:
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

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stop
