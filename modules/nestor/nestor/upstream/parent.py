"""The server of the layer above, as it is at this moment: asked through one client, believed within its cache.

It outlives the house: connections stay open, what is known stays known. Whoever asks about CA certificates is answered
from memory. Everything that is sent passes the breaker.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509

from nestor.errors import (
    MaterialError,
    NestorError,
    NotKnownAbove,
    ParentAway,
    ParentSilent,
    ParentUnusable,
    Unauthenticated,
    Unavailable,
)
from nestor.est.endings import ended, hinted, parted
from nestor.events import Trouble, UpstreamChanged, UpstreamState
from nestor.ports import Clock
from nestor.upstream import cache, judging
from nestor.upstream.address import parse_address
from nestor.upstream.bootstrap import bootstrap
from nestor.upstream.breaker import Breaker
from nestor.upstream.cache import Kept
from nestor.upstream.client import ESTClient, Sending
from nestor.upstream.faults import BadAnswer
from nestor.upstream.identity import Badge, ClientIdentity
from nestor.upstream.refusals import NotLetIn
from nestor.upstream.settings import PLAIN, Reenrollment
from nestor.upstream.sharing import Shared
from nestor.upstream.trust import Trust
from nestor.upstream.wire import Progress

CONNECTIONS = 16
"""Connections to the server above at a time; further requests wait for one, within their own time."""

PROBE_SECONDS = 2.0
"""How long the answer to a probe may take."""

_HURRIED = 1.5
"""Seconds: that there was no answer in less of them says nothing of the server, and may be what somebody below wants.

How much time there is, a forwarder says; how many layers may be asked in theirs, anybody.
"""

_STALE = "What is known of the server above is more than a day old."
_SHORTEST = 0.01  # seconds; none at all would be as many as there may be
_REMEMBERED = 300.0
"""Seconds for which it counts that this server was not let in; then nobody knows, until the next request."""

_SOON = 10  # seconds; as often as the certificate that is missing is asked for, about
_OWN_MATTER = "It is not about this device: the operator of this server looks at upstream.identity, user and password."
_FIREWALLS = "Check host and port, and firewalls between."

Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Terms:
    """How the server above is asked; equal terms, the same parent. `labels` maps those here to those there."""

    url: str
    trust: Trust | None
    fingerprint: str | None = None
    login: tuple[str, str] | None = field(default=None, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    conveys: bool = True
    reenroll_as: Reenrollment = Reenrollment.REENROLL
    created: bool = False
    root: bytes | None = None
    proxy: str | None = None

    @property
    def anchors(self) -> Sequence[x509.Certificate]:
        """The anchors that the operator named."""
        return self.trust.anchors or () if self.trust else ()


class Parent:
    """The server of the layer above."""

    def __init__(
        self,
        terms: Terms,
        badge: Badge,
        *,
        place: Path,
        clock: Clock,
        tell: Callable[[Trouble | UpstreamChanged], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.terms = terms
        self._badge = badge
        self._place = place
        self._clock = clock
        self._tell = tell
        self._chance = chance
        self._kept = cache.load(place, terms.url, terms.anchors)
        self._trust = terms.trust
        self._breaker = Breaker()
        self._alarm: str | None = None
        self._last: NestorError | None = None
        self._shown: ClientIdentity | None = None
        self._opening = asyncio.Lock()
        self._refresh = Shared(self.refresh, clock)
        self._client: ESTClient | None = None
        self._clients: dict[str, ESTClient] = {}
        self._retired: list[ESTClient] = []
        self._state = UpstreamState(reached=None, since=clock.now())
        self._refused_at = 0.0

    def show(self, badge: Badge) -> None:
        """Have it know this server by another badge from the next request on."""
        self._badge = badge

    @property
    def certificates(self) -> Sequence[x509.Certificate]:
        """Its CA certificates, as far as they are believed; none before it was first reached."""
        return self._kept.certificates

    @property
    def host(self) -> str:
        """The name or address of its host."""
        return urlsplit(self.terms.url).hostname or ""

    @property
    def server(self) -> str:
        """Its host and port, as the settings name it."""
        return parse_address(self.terms.url).server

    @property
    def state(self) -> UpstreamState:
        """Whether it is reached, since when, how fast it answers, what is wrong."""
        return self._state

    def attributes(self, label: str) -> bytes | None:
        """What it asks of requests under one of its labels, as the DER of CsrAttrs."""
        return self._kept.attributes.get(label)

    def problem(self) -> str | None:
        """Why nothing can be got from it at this time."""
        if self._breaker.is_open and self._last is not None:
            return self._last.text
        if (missing := self._badge.missing()) is not None:
            return _not_known(missing).text
        if (refusal := self._badge.refusal) is not None and self._clock.monotonic() < self._refused_at + _REMEMBERED:
            return hinted(refusal.sentence, refusal.hint)
        return None if self.certificates else "The CA certificates of the server above are not known yet."

    async def ask(self, label: str, send: Callable[[ESTClient, Sending], Awaitable[Got]], sending: Sending) -> Got:
        """Send a request under one of its labels. Raises what a device is to be told."""
        if self._breaker.is_open:
            raise self._closed()
        if (missing := self._badge.missing()) is not None:
            raise _not_known(missing)
        return await self._sent(label, send, sending)

    async def look(self) -> None:
        """Do what is due: a probe after a failure or a long silence, and another look at what is kept."""
        if self._breaker.wants_probe(self._clock.monotonic()) or self._kept.is_due(self._clock.now()):
            fault = await self._refreshed()
            stale = self._kept.is_stale(self._clock.now())
            self._note(fault or (_STALE if stale else None))

    async def _refreshed(self) -> str | None:
        """Ask again; what is wrong with the answer. That there is none, the state says."""
        try:
            await self.refresh(PROBE_SECONDS)
        except (ParentAway, ParentSilent):
            return None
        except NestorError as fault:
            return fault.text
        return None

    async def refresh_together(self, within: float) -> None:
        """The same as `refresh`; of many who need it at the same time one asks. Raises NestorError."""
        await self._refresh.ask(within)

    async def refresh(self, within: float) -> None:
        """Ask for its CA certificates and CSR attributes, and believe what may be believed. Raises NestorError.

        All of it together takes no longer than `within`.
        """
        due = self._clock.monotonic() + within
        shown = await self._sent(PLAIN, lambda client, how: client.cacerts(how), self._until(due))
        if not self._kept.is_due(self._clock.now()) and {*shown.all} == {*self.certificates}:
            return
        attributes = {label: await self._attributes(label, due) for label in {*self.terms.labels.values()}}
        trusted = cache.accept(self._kept, shown.all, self.terms.anchors, self.terms.root)
        known = {label: der for label, der in attributes.items() if der is not None}
        self._kept = Kept(self.terms.url, trusted, known, self._clock.now())
        cache.save(self._place, self._kept)

    async def close(self) -> None:
        """Let go of the connections."""
        clients = [*self._retired, *([self._client] if self._client else [])]
        self._client, self._clients, self._retired = None, {}, []
        for client in clients:
            await client.__aexit__(None, None, None)

    async def _attributes(self, label: str, due: float) -> bytes | None:
        return await self._sent(label, lambda client, how: client.attributes_der(how), self._until(due))

    def _until(self, due: float) -> Sending:
        return Sending(within=max(due - self._clock.monotonic(), _SHORTEST))

    async def _sent(self, label: str, send: Callable[[ESTClient, Sending], Awaitable[Got]], sending: Sending) -> Got:
        progress, begun = Progress(), self._clock.monotonic()
        try:
            client = await self._open(label, sending.within)
            left = sending.within and max(sending.within - (self._clock.monotonic() - begun), _SHORTEST)
            answer = await send(client, replace(sending, progress=progress, within=left))
        except Unavailable as fault:
            raise self._failed(fault, sent=progress.sent, hurried=_was_hurried(fault, sending)) from fault
        except MaterialError as fault:
            raise ParentUnusable(fault.sentence, fault.hint) from fault
        except NestorError as refusal:
            self._answered(begun)
            self._hear_of_itself(refusal, sending)
            if (told := judging.of_refusal(refusal)) is refusal:
                raise
            raise told from refusal
        self._answered(begun)
        self._hear_of_itself(None, sending)
        return answer

    def _hear_of_itself(self, refusal: NestorError | None, sending: Sending) -> None:
        """Note whether this server is let in: where it is not, it hears so; where others are judged by it, it is."""
        asked = sending.spki is not None
        alone = asked and not self.terms.conveys  # then nobody else can be meant
        if isinstance(refusal, NotLetIn) or (isinstance(refusal, Unauthenticated) and alone):
            self._badge.refuse(self._shown, refusal)
            self._refused_at = self._clock.monotonic()
        elif asked:
            self._badge.let_in()

    async def _open(self, label: str, within: float | None) -> ESTClient:
        """The client of this moment. The first contact may take long, and all others wait for it, but in their time."""
        try:
            async with asyncio.timeout(within):
                client = await self._client_of_now()
        except TimeoutError as error:
            raise Unavailable(f"{self.terms.url} did not answer in time.", _FIREWALLS) from error
        if label not in self._clients:
            self._clients[label] = client.labeled(None if label == PLAIN else label)
        return self._clients[label]

    async def _client_of_now(self) -> ESTClient:
        """Another one than before where this server shows itself by another certificate."""
        async with self._opening:
            shown = self._badge.current()
            if self._client is None or shown is not self._shown:
                if self._client is not None:
                    self._retired.append(self._client)
                await self._close_retired()
                self._client, self._clients, self._shown = await self._connect(shown), {}, shown
            return self._client

    async def _close_retired(self) -> None:
        """Close the clients before the last: by now nobody waits for an answer of theirs."""
        for client in self._retired[:-1]:
            await client.__aexit__(None, None, None)
        self._retired = self._retired[-1:]

    async def _connect(self, shown: ClientIdentity | None) -> ESTClient:
        terms = self.terms
        if self._trust is None:
            self._trust = await bootstrap(terms.url, terms.fingerprint or "")
        user, password = terms.login or (None, None)
        client = ESTClient(
            terms.url,
            self._trust,
            user=user,
            password=password,
            identity=shown,
            created=terms.created,
            connections=CONNECTIONS,
            proxy=terms.proxy,
        )
        return await client.__aenter__()

    def _answered(self, begun: float) -> None:
        now = self._clock.monotonic()
        self._breaker, self._last = self._breaker.succeeded(now), None
        state = replace(self._state, latency=now - begun)
        if state.reached:
            self._state = state
        else:
            self._changed(replace(state, reached=True, since=self._clock.now(), sentence=self._alarm))

    def _failed(self, fault: Unavailable, *, sent: bool, hurried: bool) -> NestorError:
        """Count a failure; an answer that cannot be read is none: whoever sent it is there."""
        now = self._clock.monotonic()
        told = judging.of_silence(fault, sent=sent, retry_after=self._breaker.retry_after(now))
        if hurried:
            return told
        answered = isinstance(fault, BadAnswer)
        self._breaker = self._breaker.succeeded(now) if answered else self._breaker.failed(now, self._chance())
        self._last = None if answered else told
        if self._breaker.is_open and self._state.reached is not False:
            sentence = f"{fault.sentence} {judging.hint_of(fault)}"
            self._changed(UpstreamState(reached=False, since=self._clock.now(), sentence=sentence))
        return told

    def _closed(self) -> NestorError:
        """What everybody is told while nothing is sent."""
        if isinstance(self._last, ParentUnusable):
            return self._last
        wait = self._breaker.retry_after(self._clock.monotonic())
        since = f"{self._state.since:%H:%M:%S}" if self._state.reached is False else "a while ago"
        told = self._last.sentence if self._last else "It does not answer."
        sentence = f"The server of the layer above has not been reached since {since} UTC. {told}"
        return ParentAway(sentence, f"This server goes on trying. Wait {wait} s.", retry_after=wait)

    def _note(self, alarm: str | None) -> None:
        """Tell once of what is wrong with what is kept, and once that it is right again."""
        if alarm == self._alarm:
            return
        self._alarm = alarm
        if alarm is not None:
            self._tell(Trouble("upstream", alarm))
        if self._state.reached is not False:
            self._changed(replace(self._state, sentence=alarm))

    def _changed(self, state: UpstreamState) -> None:
        self._state = state
        self._tell(UpstreamChanged(state))


def _not_known(missing: NestorError) -> NotKnownAbove:
    """What a device is told while this server has no certificate to show above."""
    words, ids = parted(missing.sentence)
    sentence = f"This server has no certificate yet for the server above: {words}"
    return NotKnownAbove(sentence, ended(_OWN_MATTER, ids), retry_after=_SOON)


def _was_hurried(fault: Unavailable, sending: Sending) -> bool:
    return isinstance(fault.__cause__, TimeoutError) and sending.within is not None and sending.within < _HURRIED
