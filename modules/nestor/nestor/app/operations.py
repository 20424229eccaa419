"""What those who watch over this server are told: metrics, health, readiness; asked of the house when they ask.

They are answered from another thread than the house's. It asks the event loop, and where the loop is silent for two
seconds, that silence is the answer (ADR 15).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from nestor.app.closed import ClosedLedger
from nestor.app.house import House
from nestor.app.server import Server
from nestor.conveyance import MOST_HOPS, Hop
from nestor.errors import CannotIssue
from nestor.est import layers
from nestor.ledger import opening
from nestor.ops.metrics import CONTENT_TYPE, Figures, Metrics, RouteFigures
from nestor.proxy.standing import Standing, State
from nestor.upstream.ascent import LONGEST
from nestor.web.operations import Page, operations_port
from nestor.web.probes import HEALTHZ, READYZ, WORD, is_loopback, verdict
from nestor.web.settings import OperationsSettings

Answer = TypeVar("Answer")

METRICS = "/metrics"

_PATIENCE = 2.0
_UNKNOWN = float("nan")
_SILENT = {"loop": f"The event loop has not turned for {_PATIENCE:g} s: requests are not answered."}


class Operations:
    """A companion of the server: the operations port, by the settings of each moment."""

    def __init__(self, metrics: Metrics, data: Path) -> None:
        self._metrics = metrics
        self._data = data

    async def operations(self, server: Server) -> None:
        """Answer on the port that the settings name, or on none; another one when they change."""
        word = self._data / WORD
        try:
            while True:
                _leave_word(word, f"https://{reached_at(server.addresses[0])}")
                await self._answer(server, server.house.settings.operations, word)
        except asyncio.CancelledError:
            with suppress(OSError):
                word.unlink()
            raise

    async def _answer(self, server: Server, settings: OperationsSettings, word: Path) -> None:
        if not settings.addresses:
            await _another(server, settings)
            return
        pages = _Pages(self._metrics, server, self._data)
        async with operations_port(settings, pages.page) as places:
            _leave_word(word, f"http://{reached_at(places[0])}")
            await _another(server, settings)


async def _another(server: Server, settings: OperationsSettings) -> None:
    """Wait for other settings of this port."""
    while server.house.settings.operations == settings:
        await server.other_settings()


def reached_at(place: tuple[str, int]) -> str:
    """An address to connect to for one that somebody listens on."""
    host, port = place
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _leave_word(place: Path, base: str) -> None:
    """Leave word for `nestor health` where this server is asked; where the disk takes none, it asks the usual port."""
    new = place.with_suffix(".new")
    with suppress(OSError):
        new.write_text(f"{base}\n", "ascii")
        new.replace(place)


class _Pages:
    """The pages; called from the thread of the port, `server` lives in the loop that makes this."""

    def __init__(self, metrics: Metrics, server: Server, data: Path) -> None:
        self._metrics = metrics
        self._server = server
        self._data = data
        self._loop = asyncio.get_running_loop()

    async def page(self, path: str, address: str) -> Page | None:
        """What is at a path."""
        if path == METRICS:
            return Page(self._metrics.expose(await self._ask(self._figures)), CONTENT_TYPE)
        if path == layers.PATH and is_loopback(address):
            hops = await self._ask(self._layers, LONGEST + _PATIENCE)
            return None if hops is None else Page(layers.write(hops), layers.TYPE)
        if path in {HEALTHZ, READYZ}:
            problems = await self._ask(self._failures if path == HEALTHZ else self._problems)
            status, told = verdict(path, _SILENT if problems is None else problems, address)
            return Page(json.dumps(told).encode(), "application/json", status)
        return None

    async def _ask(self, question: Callable[[], Awaitable[Answer]], patience: float = _PATIENCE) -> Answer | None:
        """What the house answers; None where its loop does not."""

        async def asked() -> Answer:
            return await question()

        answer = asyncio.run_coroutine_threadsafe(asked(), self._loop)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(answer), patience)
        except TimeoutError:
            return None

    async def _failures(self) -> Mapping[str, str]:
        return self._server.house.failures()

    async def _problems(self) -> Mapping[str, str]:
        return self._server.house.problems()

    async def _layers(self) -> Sequence[Hop]:
        house = self._server.house
        return await house.ascent.climb(house.problems(), MOST_HOPS, LONGEST)

    async def _figures(self) -> Figures:
        house, listener = self._server.house, self._server.listener
        problems = house.problems()
        recorded, revoked = await self._counted()
        return Figures(
            checks={name: name not in problems for name in house.health.names},
            connections=listener.connections if listener else 0,
            in_progress=listener.requests if listener else 0,
            ca_end=min(
                (one.not_valid_after_utc.timestamp() for one in house.authority.chain()),
                default=_UNKNOWN,
            ),
            server_certificate_end=house.identity.certificate.not_valid_after_utc.timestamp(),
            recorded=recorded,
            revoked=revoked,
            ledger_bytes=_size(self._data / opening.FILE),
            upstream_since=_since(house),
            upstream_latency=_latency(house),
            routes={name: _route(standing) for name, standing in self._server.routes().items()},
        )

    async def _counted(self) -> tuple[Mapping[str, int], int]:
        ledger = self._server.ground.ledger
        with suppress(CannotIssue):
            if not isinstance(ledger, ClosedLedger):
                counters = await ledger.counters()
                return counters.issued, counters.revoked
        return {}, 0


def _since(house: House) -> float:
    """Since when the server above is reached or not; NaN where there is none, or it was not asked yet."""
    state = house.parent.state if house.parent else None
    return _UNKNOWN if state is None or state.reached is None else state.since.timestamp()


def _route(standing: Standing) -> RouteFigures:
    return RouteFigures(
        works=_UNKNOWN if standing.state is State.UNUSED else float(standing.state is State.WORKS),
        since=standing.since.timestamp(),
        latency=_UNKNOWN if standing.answered_in is None else standing.answered_in,
    )


def _latency(house: House) -> float:
    """How long the last answer of the server above took; NaN where there is none."""
    latency = house.parent.state.latency if house.parent else None
    return _UNKNOWN if latency is None else latency


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
