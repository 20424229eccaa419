"""What outlives every House, opened before the first one: the data directory, the ledger, the look at the clock."""

from dataclasses import replace
from pathlib import Path

from nestor.access.memory import Memory
from nestor.app.closed import ClosedLedger
from nestor.app.directory import make_directory, warnings_of
from nestor.app.house import AnyLedger, Ground, House, build_house
from nestor.app.plan import Plan
from nestor.app.trial import try_settings
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.home import CAHome
from nestor.ca.issuer import fingerprint_of
from nestor.ca.settings import CASource
from nestor.errors import MaterialError, NestorError
from nestor.events import SettingsRefused, Trouble
from nestor.keys.seals import Keyring
from nestor.ledger.opening import open_ledger
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ports import Clock, tell
from nestor.settings import Settings


async def prepare_ground(plan: Plan) -> Ground:
    """Open what outlives every House: the data directory, the ledger, the look at the clock. Raises NestorError."""
    settings = plan.settings()
    try_settings(settings)
    make_directory(plan.data)
    warnings = tuple(warnings_of(plan.data))
    for warning in warnings:
        tell(plan.sinks, Trouble("data directory", warning))
    ledger = _ledger(settings, plan.data, plan.clock)
    await _tell_intents(ledger, plan)
    pinned = await ledger.pinned_authority() if isinstance(ledger, SQLiteLedger) else None
    guard = ClockGuard(plan.clock, await ledger.newest())
    return Ground(
        data=plan.data,
        clock=plan.clock,
        guard=guard,
        ledger=ledger,
        pinned=pinned,
        sinks=plan.sinks,
        memory=Memory(),
        waiting=plan.waiting(),
        edge=plan.edge,
        keyring=Keyring(plan.edge.sealer if plan.edge else None),
        warnings=warnings,
    )


async def _tell_intents(ledger: AnyLedger, plan: Plan) -> None:
    """Name what was sent to a server above before this process, and whose end is not known."""
    for intent in await ledger.intents() if isinstance(ledger, SQLiteLedger) else ():
        told = (
            f"At {intent.sent_at:%Y-%m-%d %H:%M:%S} UTC a request of {intent.device} for {intent.profile} was sent to "
            "the server above, and its answer is not recorded: it may have issued what this ledger does not know."
        )
        tell(plan.sinks, Trouble("upstream", told))


async def first_house(plan: Plan, ground: Ground) -> tuple[Ground, House]:
    """Build the first House; where the plan has something to wait by, one that waits. Raises NestorError."""
    try:
        return ground, await build_house(plan.settings(), ground)
    except NestorError as fault:
        instead = plan.fallback(fault)
        if instead is None:
            raise
        settings, reason = instead
        ground.tell(SettingsRefused(reason.text))
        waiting = replace(ground, waiting=reason)
        return waiting, await build_house(settings, waiting)


async def pin(ground: Ground, house: House) -> Ground:
    """Let the data directory know whose certificates its ledger holds, from the first start on."""
    certificates = house.authority.ca_certificates()
    cannot_issue = house.authority.problem() or ground.ledger.problem()
    if not isinstance(ground.ledger, SQLiteLedger) or not certificates or cannot_issue:
        return ground
    fingerprint = fingerprint_of(certificates[0])
    if house.settings.ca.source is CASource.FILE:
        CAHome(ground.data).mark(fingerprint)
    await ground.ledger.pin_authority(fingerprint)
    return replace(ground, pinned=fingerprint)


def _ledger(settings: Settings, data: Path, clock: Clock) -> AnyLedger:
    """The ledger; where it is lost, what says so. A ledger is made only where there is no trace of a CA."""
    try:
        return open_ledger(settings.ledger, data, create=not CAHome(data).was_made, clock=clock)
    except MaterialError as reason:
        return ClosedLedger(reason)
