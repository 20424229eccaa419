"""The process: one at a time on its data directory, listens, does what is due unasked, drains at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from nestor.app.directory import check_open, make_directory
from nestor.app.doors import Doors
from nestor.app.layer.looking_after import JOB as CERTIFICATES
from nestor.app.occupancy import occupied
from nestor.app.plan import Plan
from nestor.app.replacing import check_not_interrupted, finish_interrupted
from nestor.app.server import Server, start
from nestor.app.trial import try_settings
from nestor.app.watchman import Watchman
from nestor.errors import CannotGoOn, MaterialError, Unavailable
from nestor.events import Fatal, Note, Trouble
from nestor.jobs import Job, run_jobs
from nestor.ports import tell
from nestor.settings import Settings

Companion = Callable[[Server], Awaitable[None]]
"""What lives beside a server without an end."""

DRAIN_SECONDS = 6.0
"""How long a stop waits for requests in progress; IoT Edge kills after ten seconds."""

_CONTACT = timedelta(seconds=20)


async def serve(plan: Plan, watchman: Watchman, companions: Sequence[Companion] = ()) -> None:
    """Serve until told to stop; the companions live beside the server, from when it listens.

    Raises NestorError where the start fails, or another has the data directory; CannotGoOn where it cannot go on.
    """
    try_settings(plan.settings())  # a start that they forbid leaves nothing behind
    make_directory(plan.data)
    check_open(plan.data)
    with ExitStack() as stack:
        try:
            stack.enter_context(occupied(plan.data, "nestor serve"))
        except MaterialError as trouble:
            # Where no lock can be had, as on a full or read-only disk, nobody else can write either.
            tell(plan.sinks, Trouble("lock", trouble.text))
            check_not_interrupted(plan.data)
        else:
            _finish_interrupted(plan)
        await _serve(plan, watchman, companions)


def _finish_interrupted(plan: Plan) -> None:
    """Carry out what a restore had decided when it was interrupted."""
    if finish_interrupted(plan.data):
        tell(plan.sinks, Note("restored", "A restore that was interrupted has been finished."))


async def _serve(plan: Plan, watchman: Watchman, companions: Sequence[Companion]) -> None:
    server = await start(plan)
    try:
        await _listen(plan, server, watchman, companions)
    finally:
        await server.close()


async def _listen(plan: Plan, server: Server, watchman: Watchman, companions: Sequence[Companion]) -> None:
    told = partial(tell, plan.sinks)
    stop = _until_signal(server, watchman)  # before anybody can be served, so that nobody is cut off
    doors = await _open_doors(plan, server)
    plan.welcome(server.house, server.addresses)
    beside = {companion.__name__: partial(companion, server) for companion in companions}
    working = asyncio.ensure_future(run_jobs(_jobs(server), told, beside))
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
        await doors.close(DRAIN_SECONDS)
        await asyncio.wait([working])


async def _open_doors(plan: Plan, server: Server) -> Doors:
    """Open the ports; where they cannot be had as a twin wishes them, as the host says. Raises Unavailable.

    Where no port could be opened there would be nobody left to hear a better wish.
    """
    try:
        return await _open(plan, server, server.house.settings)
    except Unavailable as fault:
        instead = plan.fallback(fault)
        if instead is None:
            raise
        settings, reason = instead
        tell(plan.sinks, Trouble("listener", reason.text, fault.__cause__))
        return await _open(plan, server, settings)


async def _open(plan: Plan, server: Server, settings: Settings) -> Doors:
    """Listen by these settings. Raises Unavailable."""
    doors = Doors(server, settings, partial(tell, plan.sinks))
    await doors.open()
    return doors


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
        Job("revocations", timedelta(seconds=5), server.look_for_revocations),
        Job("approvals", timedelta(seconds=5), server.look_for_decisions),
        Job("health", timedelta(minutes=5), server.look_after_health),
        Job("server certificate", timedelta(hours=12), server.look_after_certificate),
        Job("fetched certificate", timedelta(seconds=10), server.look_after_fetched_certificate),
        Job(CERTIFICATES, timedelta(seconds=2), server.look_after_certificates_from_parent),
        Job("contact with the parent", timedelta(seconds=1), server.look_after_contact_with_parent, limit=_CONTACT),
        Job("recovery", timedelta(minutes=5), server.look_after_recovery),
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
