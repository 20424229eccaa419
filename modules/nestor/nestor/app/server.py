"""A running Nestor: one House after the other, and what is looked after between them.

A House that cannot be built at the start ends the start with its sentence; later it changes nothing, and is told.
"""

import asyncio
import gc
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from nestor.app.approvals import Approvals
from nestor.app.authority import Source, find_issuer
from nestor.app.closed import ClosedAuthority
from nestor.app.fetched import Caretaker
from nestor.app.ground import first_house, pin, prepare_ground
from nestor.app.house import Ground, House, build_house, warn_of_ending
from nestor.app.identity import Maker
from nestor.app.late import late
from nestor.app.layer.looking_after import Upkeep
from nestor.app.life import Life
from nestor.app.plan import Plan
from nestor.app.revocations import Revocations
from nestor.app.seals import PATIENT, check_recovery, ready
from nestor.app.watch import Watch
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import fingerprint_of
from nestor.errors import NestorError
from nestor.events import Note, SettingsApplied, SettingsRefused, Trouble
from nestor.ledger.sqlite import SQLiteLedger
from nestor.proxy.standing import Standing, Standings
from nestor.settings import Settings
from nestor.web.listener import Listener
from nestor.web.settings import ListenerSettings

_ANOTHER = (
    "The cloud knew this module by the CA with the fingerprint {before}; the one here has {now}. If nobody restored or "
    "imported a CA, this is the data directory of another module."
)


class Server:
    """A running Nestor."""

    def __init__(self, plan: Plan, ground: Ground, house: House) -> None:
        self._plan = plan
        self._ground = ground
        self._house = house
        ground.parents.adopt(house.parent)
        self._building = asyncio.Lock()
        self._caretaker = Caretaker()
        self.upkeep = Upkeep()
        self._watch = Watch((*plan.files, *CAHome(plan.data).files), plan.data)
        self._watch.changed(house.settings)
        self.revocations = Revocations(plan.data, ground.tell)
        self.approvals = Approvals(ground.tell)
        self._listener: Listener | None = None
        self._listening: ListenerSettings | None = None
        self._remembered = False
        self._life = Life(plan.clock.monotonic)
        self.standings = Standings(plan.clock.now)
        self._other_settings = asyncio.Event()

    @property
    def ground(self) -> Ground:
        """What the House stands on at this moment."""
        return self._ground

    @property
    def house(self) -> House:
        """The House that serves at this moment."""
        return self._house

    @property
    def waiting(self) -> NestorError | None:
        """Why nothing is issued by these settings; None where it is."""
        return self._ground.waiting

    @property
    def listener(self) -> Listener | None:
        """The EST port, from when it is open."""
        return self._listener

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Where EST is listened for."""
        return self._listener.addresses if self._listener else ()

    def routes(self) -> Mapping[str, Standing]:
        """How each route of the settings of now does."""
        return self.standings.keep(route.name for route in self._house.routes.table.routes)

    async def other_settings(self) -> None:
        """Wait for the next House."""
        await self._other_settings.wait()

    @property
    def started(self) -> Settings:
        """The settings of now, but for the port, which is open by those of the start."""
        listening = self._listening or self._house.settings.listener
        return self._house.settings.model_copy(update={"listener": listening})

    async def listen(self, listener: Listener, settings: ListenerSettings) -> None:
        """Open the EST port, by these settings. Raises Unavailable."""
        await listener.start()
        self._listener, self._listening = listener, settings

    def remember_authority(self, fingerprint: str) -> None:
        """Hear from outside which CA there once was. Where its last trace is gone here, none is made in its place.

        Where there is another one here, that is told: nobody else would notice that a volume was exchanged.
        """
        pinned = self._ground.pinned
        if pinned is None and not CAHome(self._ground.data).was_made:
            self._ground = replace(self._ground, pinned=fingerprint)
            self._remembered = True
        elif pinned is not None and pinned != fingerprint:
            self._ground.tell(Trouble("ca", _ANOTHER.format(before=fingerprint[:64], now=pinned)))

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
            if isinstance(self._house.authority, ClosedAuthority) or _is_succeeded(ground, house):
                ground = await pin(ground, house)
        finally:
            self._watch.changed(self._house.settings)
        self._tell_what_waits(settings)
        self._ground, self._house = ground, house
        ground.parents.adopt(house.parent)
        self._other_settings.set()
        self._other_settings = asyncio.Event()
        _settle()
        self._plan.applied(settings)
        self._watch.changed(settings)
        self._ground.tell(SettingsApplied(settings.revision))

    def _tell_what_waits(self, settings: Settings) -> None:
        """Name what does not follow new settings at once."""
        if paths := late(self._house.settings, settings):
            self._ground.tell(Note("settings", f"These count from the next start on: {', '.join(paths)}."))

    async def look_for_changes(self) -> None:
        """Reload when a file changed, the server's own certificate is due, or what was lost or missing is there."""
        await self._look_at_the_clock()
        there = await self._ledger_is_back() or await self._ca_is_there()
        if there or self._watch.changed(self._house.settings) or self._is_due():
            await self.reload()

    async def look_after_certificate(self) -> None:
        """Tell of a server certificate that somebody has to renew by hand."""
        warn_of_ending(self._house.identity, self._ground)

    async def look_after_fetched_certificate(self) -> None:
        """Show another one where the IoT Edge runtime made it, and it is due. Raises Unavailable where none comes."""
        house, ground = self._house, self._ground
        if ground.edge is None or house.identity.maker is not Maker.RUNTIME:
            return
        if await self._caretaker.fetched_another(house.identity, _source(house.settings, ground), ground.edge):
            await self.reload()

    async def look_after_certificates_from_parent(self) -> None:
        """Have from the server above what is due. Raises NestorError where that is no help, and it cannot wait."""
        ground = self._ground
        if ground.waiting is not None or ground.guard.problem() is not None or ground.ledger.problem() is not None:
            return
        source = _source(self._house.settings, ground)
        if await self.upkeep.look(source, ground.keyring, ground.parents.own(source)):
            await self.reload()

    async def look_after_recovery(self) -> None:
        """Tell where the recovery passphrase that is set would not bring the CA back."""
        await check_recovery(_source(self._house.settings, self._ground), self._ground.keyring)

    async def look_for_revocations(self) -> None:
        """Tell of what was revoked beside this server."""
        await self.revocations.look(self._ground.ledger)

    async def look_after_contact_with_parent(self) -> None:
        """Ask the server above what is due; another house where it shows other CA certificates."""
        await self._ground.parents.look()
        house, parent = self._house, self._house.parent
        if parent is not None and house.ascent.forwards and tuple(parent.certificates) != tuple(house.above):
            await self.reload()

    async def look_for_decisions(self) -> None:
        """Tell of what was approved or denied beside this server."""
        if isinstance(self._ground.ledger, SQLiteLedger):
            await self.approvals.look(self._ground.ledger, self._ground.clock.now())

    async def close(self) -> None:
        """Let go of the ledger, and of the server above."""
        await self._ground.parents.close()
        await self._ground.ledger.close()

    async def _look_at_the_clock(self) -> None:
        """Hear what the operator said of the clock, where it is not believed."""
        if self._ground.guard.problem() is not None:
            self._ground.guard.reset(await self._ground.ledger.newest())

    def _is_due(self) -> bool:
        identity = self._house.identity
        ours = identity.maker is Maker.NESTOR
        return ours and identity.is_due(self._ground.clock.now()) and not self._house.problems()

    async def _ca_is_there(self) -> bool:
        """Whether a CA that was lost is back, or one that could not be made before is made."""
        if self._ground.waiting is not None or not isinstance(self._house.authority, ClosedAuthority):
            return False
        if self._remembered and CAHome(self._ground.data).was_made:
            # What was heard from outside keeps us from making one; it is no objection to what a person puts here.
            self._ground, self._remembered = replace(self._ground, pinned=None), False
        source = _source(self._house.settings, self._ground)
        source = await ready(source, self._ground.keyring, within=PATIENT)
        return not isinstance(find_issuer(source, self._ground.pinned), LostCA)

    async def _ledger_is_back(self) -> bool:
        """Whether a ledger that was lost, or whose file is another one, could be opened again."""
        before = self._ground.ledger
        if isinstance(before, SQLiteLedger) and not before.is_orphaned:
            return False
        ground = await prepare_ground(self._plan)
        if not isinstance(ground.ledger, SQLiteLedger):
            return False
        self._ground = replace(
            ground, memory=self._ground.memory, keyring=self._ground.keyring, parents=self._ground.parents
        )
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


async def start(plan: Plan) -> Server:
    """Open everything but the port. Raises NestorError, and then holds nothing open."""
    ground = await prepare_ground(plan)
    try:
        ground, house = await first_house(plan, ground)
        server = Server(plan, await pin(ground, house), house)
        with suppress(NestorError):  # what cannot be read yet is told of later
            await server.look_for_decisions()
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


def _is_succeeded(ground: Ground, house: House) -> bool:
    """Whether another CA took the place of the one that the ledger knows."""
    certificates = house.authority.chain()
    return bool(certificates) and fingerprint_of(certificates[0]) != ground.pinned


def _source(settings: Settings, ground: Ground) -> Source:
    return Source(settings, ground.data, ground.clock, ground.tell)
