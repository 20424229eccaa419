"""From this server up to the top: each one asks its parent what it knows, and tells of itself before that.

Asked live, over the connections that requests take, because a memory would not know of the line that broke just now.
Of many who ask at the same time one does. Each server above has a little less time than the one below it, so that the
failing hop is named by its lower end and nobody else is late.
"""

from collections.abc import Collection
from dataclasses import replace

from nestor.conveyance import MOST_HOPS, Hop
from nestor.errors import NestorError, ParentAway, ParentSilent, UnknownPath
from nestor.events import UpstreamState
from nestor.ports import Clock
from nestor.upstream.client import Sending
from nestor.upstream.parent import Parent
from nestor.upstream.settings import PLAIN
from nestor.upstream.sharing import Shared

_EACH = 1.25
"""Seconds for each server that may be asked above; all of them together stay within those of an answer (design D1)."""

LONGEST = _EACH * MOST_HOPS
"""Seconds that it takes at most to hear of all above."""


class Ascent:
    """The way up from this server. `here` is its id, `forwards` whether what devices ask for comes from above."""

    def __init__(self, here: str, parent: Parent | None, clock: Clock, *, forwards: bool) -> None:
        self.forwards = forwards
        self._hop = Hop(here, forwards=forwards)
        self._parent = parent
        self._clock = clock
        self._above: dict[int, tuple[Hop, ...]] = {}
        self._asked = {left: Shared(self._asking(left), clock) for left in range(MOST_HOPS)}

    async def climb(self, problems: Collection[str], left: int, within: float) -> tuple[Hop, ...]:
        """This server, with what keeps it from issuing by name, and those above it, `left` of them at most."""
        own = replace(self._hop, problems=tuple(problems))
        if self._parent is None:
            return (own,)
        own = replace(own, parent=self._parent.server)
        if left <= 0:
            return (own,)
        fault = None
        try:
            await self._asked[left - 1].ask(min(within, _EACH * left))
        except UnknownPath:  # it answers, and does not tell
            return (_seen(own, self._parent.state, None),)
        except NestorError as refusal:
            fault = refusal
        return (_seen(own, self._parent.state, fault), *(() if fault else self._above[left - 1]))

    def _asking(self, left: int) -> "_Ask":
        return _Ask(self._parent, left, self._above)


def _seen(own: Hop, state: UpstreamState, fault: NestorError | None) -> Hop:
    """The hop to the server above, as it is after it was asked."""
    silent = isinstance(fault, ParentAway | ParentSilent)
    reached = state.reached is not False and not silent
    told = state.sentence or ""
    if fault is not None and state.reached is not False:
        told = fault.sentence if silent else fault.text  # the hint of a silent one is for those who may wait
    since = state.since if state.reached is reached else None
    return replace(own, reached=reached, fault=told, since=since, latency=state.latency)


class _Ask:
    """Asks the server above, with so many that it may ask in its turn, and keeps what it said."""

    def __init__(self, parent: Parent | None, left: int, found: dict[int, tuple[Hop, ...]]) -> None:
        self._parent = parent
        self._left = left
        self._found = found

    async def __call__(self, within: float) -> None:
        if self._parent is None:
            return
        sending = Sending(within=within)
        if self._parent.terms.conveys:
            above = await self._parent.ask(PLAIN, lambda client, how: client.layers(self._left, how), sending)
        else:  # somebody else's server tells nothing, but it is there or not
            await self._parent.ask(PLAIN, lambda client, how: client.cacerts(how), sending)
            above = ()
        self._found[self._left] = tuple(above)[:MOST_HOPS]
