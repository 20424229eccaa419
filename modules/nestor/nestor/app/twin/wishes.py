"""The wishes of the module twin over time: the newest is weighed whole, put into force whole, kept, and answered.

A wish that does not hold changes nothing: what was in force stays so, over restarts and without a hub. One is weighed
at a time, and about one in a second: of a storm the last one counts.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestor.app.late import late
from nestor.app.server import Server
from nestor.app.twin.host import Host
from nestor.app.twin.store import load, save
from nestor.app.twin.weighing import Weighed, weigh
from nestor.app.twin.widening import Widening
from nestor.ca.home import CAHome
from nestor.ca.settings import CASource
from nestor.errors import MaterialError, NestorError, OurFault, SettingsError
from nestor.events import Note, SettingsRefused, Trouble, Widened
from nestor.ports import Sink
from nestor.settings import Settings
from nestor.twin.acknowledge import FAILED, REFUSED, Answer, acknowledge, placed
from nestor.twin.kept import FILE, Kept, digest_of
from nestor.twin.legal import shortened

PAUSE = 1.0
"""Seconds from one wish in force to the next, where they come faster than that; to weigh a refused one costs less."""

RETRY = 30.0
"""Seconds until a refused wish is weighed again: what it names may be there by then."""

_MOST_LINES = 20
_MOST_KEYS = 100
_LONGEST_LINE = 600
_KNOWN = frozenset(field.alias or name for name, field in Settings.model_fields.items())
_UNSAID = SettingsError(
    "Nestor waits for its settings: neither the module twin nor the host has said any yet.",
    "Write the desired properties of this module (docs/twin.md).",
)
_UNHEARD = SettingsError(
    "The data directory is new, and edgeHub, which would know whether this module had a CA before, has not been heard.",
    "The CA is made as soon as edgeHub has told. Where it never does, look at `iotedge logs edgeHub` on the host.",
)
_EMPTIED = SettingsError(
    "The desired properties are empty, which is not taken for settings: the last good ones stay in force.",
    "Write them again, or whatever is to count from now on (docs/twin.md).",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the newest wish: the acknowledgement of every property, and why it was refused, if it was."""

    version: int
    acknowledgements: Mapping[str, Mapping[str, Any]]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    document: Mapping[str, Any]
    version: int


class Wishes:
    """The desired properties of this module over time, and the settings that follow from them.

    `settings`, `waiting` and `fallback` are for the `Plan` of a server, `live` is a companion of the server, `desired`
    is for the hub. `heard` is told the outcome of every wish.
    """

    def __init__(
        self,
        host: Host,
        sink: Sink,
        heard: Callable[[Outcome], None],
        *,
        pause: float = PAUSE,
        retry: float = RETRY,
    ) -> None:
        self._host = host
        self._sink = sink
        self._heard = heard
        self._pause, self._retry = pause, retry
        self._kept = self._on_disk = self._load()
        self._unfit: NestorError | None = None
        self._in_force: Mapping[str, Any] | None = None
        self._started = host.settings()
        self._widened: frozenset[Widening] = frozenset()
        self._newest: _Wish | None = None
        self._arrived = asyncio.Event()
        self._outcome: Outcome | None = None

    def settings(self) -> Settings:
        """The settings of now: the host's, and the last good wish over them. Raises SettingsError.

        A wish from before the start that does not hold any more is left out: the host changed its mind, or the image.
        """
        if self._kept is None:
            return self._host.settings()
        try:
            weighed = weigh(self._host, self._kept.document)
        except SettingsError as fault:
            if self._in_force is not None:
                raise
            self._unfit = fault
            return self._host.settings()
        self._unfit = None
        return weighed.settings

    def waiting(self) -> NestorError | None:
        """Why nothing is issued yet: nobody has said by which settings, or what was said holds no more."""
        if self._unfit is not None:
            return _unusable(self._unfit)
        kept = self._kept.document if self._kept else {}
        if not self._is_something(kept):
            return _UNSAID
        return _UNHEARD if self._may_have_lost_its_ca else None

    def fallback(self, fault: NestorError) -> tuple[Settings, NestorError] | None:
        """Hear that nothing can be built from `settings` at the start; by what to wait for a better wish, and why.

        So a file that is gone closes the server, and does not keep it from hearing the twin that names another.
        """
        return None if self._kept is None else (self._host.settings(), _unusable(fault))

    async def desired(self, document: Mapping[str, Any], version: int) -> None:
        """Hear the whole desired document. It is weighed when its turn comes, unless a newer one arrives before."""
        self._newest = _Wish(document, version)
        self._arrived.set()

    async def live(self, server: Server) -> None:
        """Weigh what arrives, one at a time, without an end."""
        self._begin(server)
        while True:
            await self._wait()
            house = server.house
            if self._newest is not None:
                await self._hear(self._newest, server)
            await asyncio.sleep(self._pause / (5 if server.house is house else 1))

    def _begin(self, server: Server) -> None:
        """Look at what the server was started with: the last good wish, or one that could not be used."""
        self._started = server.started
        if self._kept is None:
            return
        if server.waiting is None and self._unfit is None:
            self._in_force = self._kept.document
            self._tell_widened(weigh(self._host, self._kept.document).widenings)
        elif self._newest is None:
            self._newest = _Wish(self._kept.document, self._kept.version)
            self._arrived.set()

    async def _wait(self) -> None:
        """Wait for a new wish; one that was refused is looked at again now and then: what it names may be there."""
        again = self._retry if self._outcome is not None and self._outcome.refusal else None
        try:
            async with asyncio.timeout(again):
                await self._arrived.wait()
        except TimeoutError:
            return
        self._arrived.clear()

    async def _hear(self, wish: _Wish, server: Server) -> None:
        """Put a wish into force, or change nothing; say which."""
        try:
            weighed = await asyncio.to_thread(self._weigh, wish)
            if self._is_new(weighed.settings, server):
                await server.apply(weighed.settings)
        except NestorError as fault:
            self._refuse(wish, fault, REFUSED)
            if server.waiting is _UNHEARD:
                await server.reload()  # the host alone says by what to serve
        except Exception as error:  # noqa: BLE001 -- a bug in weighing must leave what stands, and be told
            self._sink(Trouble("bug", "The desired properties could not be weighed.", error))
            self._refuse(wish, OurFault("Nestor failed to apply this by a fault of its own."), FAILED)
        else:
            await self._accept(wish, weighed)

    def _weigh(self, wish: _Wish) -> Weighed:
        """Weigh a wish, and its place among those before. Raises SettingsError."""
        weighed = weigh(self._host, wish.document)
        if not self._is_something(wish.document):
            raise _EMPTIED if self._in_force else _UNSAID
        kept = self._kept
        if kept and kept.origin == self._host.origin and wish.version < kept.version and not _is_same(kept, wish):
            raise SettingsError(
                f"The hub holds version {wish.version} of the desired properties, and version {kept.version} has been "
                "in force: what is older is not applied.",
                f"If the hub was restored, write them again until their version is above {kept.version}; "
                f"or stop the module, remove {FILE} from its data directory, and start it.",
            )
        return weighed

    @property
    def _may_have_lost_its_ca(self) -> bool:
        """Whether a CA made now might be the second one: only the cloud remembers what a lost volume held."""
        heard = self._kept is not None or self._newest is not None
        makes_one = self._host.settings().ca.source is CASource.ROOT and not CAHome(self._host.data).was_made
        return makes_one and not heard

    def _is_something(self, document: Mapping[str, Any]) -> bool:
        """Whether anybody has said by which settings to serve. Defaults alone would make a CA that nobody wants."""
        return bool(document) or self._host.says_something

    def _is_new(self, settings: Settings, server: Server) -> bool:
        return server.waiting is not None or settings.revision != server.house.settings.revision

    async def _accept(self, wish: _Wish, weighed: Weighed) -> None:
        # Nothing may be awaited before the next two lines: a reload in between would read what is no more in force.
        self._in_force, self._unfit = wish.document, None
        self._kept = _newer(self._kept, Kept(self._host.origin, wish.version, wish.document))
        notes = [*self._tell_widened(weighed.widenings), *self._late(weighed.settings), *self._overruled(wish)]
        if self._kept != self._on_disk:
            notes += await self._keep(self._kept)
        self._say(self._answer(wish, notes=notes), "")

    def _late(self, settings: Settings) -> Sequence[str]:
        """What is accepted, and does not count before the next start."""
        return [f"{path}: it counts from the next start of the module on." for path in late(self._started, settings)]

    def _overruled(self, wish: _Wish) -> Sequence[str]:
        """What is accepted, and comes to nothing while the module is started as it is."""
        ways = "the environment of the module (NESTOR_HOSTNAME) or an option of nestor serve"
        return [f"{path}: it has no effect, for {ways} goes over it." for path in self._host.overruled(wish.document)]

    async def _keep(self, kept: Kept) -> Sequence[str]:
        """Keep a wish on the disk. What cannot be kept is in force all the same, until the next start."""
        try:
            await asyncio.to_thread(save, self._host.data, kept)
        except MaterialError as fault:
            told = f"It is in force, but could not be kept: until the twin is heard, a restart falls back. {fault.text}"
            self._sink(Trouble("twin", told))
            return [told]
        self._on_disk = kept
        return []

    def _refuse(self, wish: _Wish, fault: NestorError, code: int) -> None:
        lines, wished = fault.sentence.splitlines(), _few(wish.document)
        left_out = [f"And {len(lines) - _MOST_LINES} more."] if len(lines) > _MOST_LINES else []
        told = [shortened(placed(line, wished), _LONGEST_LINE) for line in lines[:_MOST_LINES]]
        faults = [*told, *left_out]
        refusal = " ".join([*faults, fault.hint]).strip()
        if self._outcome is None or (refusal, wish.version) != (self._outcome.refusal, self._outcome.version):
            self._sink(SettingsRefused(refusal))
        self._say(self._answer(wish, faults, fault.hint, code=code), refusal)

    def _answer(
        self,
        wish: _Wish,
        faults: Sequence[str] = (),
        hint: str = "",
        *,
        notes: Sequence[str] = (),
        code: int = REFUSED,
    ) -> Answer:
        return Answer(_few(wish.document), self._in_force or {}, wish.version, _KNOWN, faults, hint, notes, code)

    def _say(self, answer: Answer, refusal: str) -> None:
        outcome = Outcome(answer.version, acknowledge(answer), refusal)
        if outcome != self._outcome:
            self._outcome = outcome
            self._heard(outcome)

    def _tell_widened(self, found: Sequence[Widening]) -> list[str]:
        """Tell of every power that the twin has widened, once; the lines that say so (design D10)."""
        before, self._widened = self._widened, frozenset(found)
        for widening in found:
            if widening not in before:
                self._sink(Widened(widening.path, _sentence(widening)))
        return [_sentence(widening) for widening in found]

    def _load(self) -> Kept | None:
        try:
            kept = load(self._host.data)
        except MaterialError as fault:
            self._sink(Trouble("twin", fault.text))
            return None
        if kept is not None and kept.origin != self._host.origin:
            self._sink(
                Note("twin", "The last settings are those of another module or hub; they count until it is heard.")
            )
        return kept


def _sentence(widening: Widening) -> str:
    return f"{widening.path}: widened as the host lets its twin do: {widening.sentence}."


def _unusable(fault: NestorError) -> SettingsError:
    return SettingsError(f"The last settings of the module twin cannot be used. {fault.sentence}", fault.hint)


def _is_same(kept: Kept, wish: _Wish) -> bool:
    return kept.digest == digest_of(wish.document)


def _newer(before: Kept | None, kept: Kept) -> Kept:
    """What is to be kept; the same document of an older version does not make the version forgotten that was newer."""
    if before is not None and before.origin == kept.origin and before.version > kept.version:
        return before
    return kept


def _few(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is worth an answer, also of a document with more properties than any that is one."""
    if len(document) <= _MOST_KEYS:
        return document
    return {key: value for key, value in document.items() if key in _KNOWN}
