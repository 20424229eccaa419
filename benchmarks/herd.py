"""`python -m benchmarks.herd`: a plant comes back after a power cut, and every device wants its certificate at once.

Each behaves as aziot-certd and its callers do: simpleenroll and cacerts at the same time on two new connections, 30 s
of patience, one more call after 3 s, and another try of aziot-edged 5 s after that, until it has what it wants. Each
has an address of its own. Server and herd share the cores of the machine; devices come as fast as one core can play
them without keeping those waiting that are there, since no real device takes seconds for its next step.
"""

import argparse
import asyncio
import http.client
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.lines import Line, client_context
from benchmarks.load import BASIC, post, sign_request
from benchmarks.processes import Nestor, allow_many_files, versions

_PATIENCE, _AGAIN, _NEXT_TRY = 30.0, 3.0, 5.0
_TICK = 5.0
_SERVED_WITHIN, _ISSUED_WITHIN, _CERTIFICATES = 120.0, 12.0, 1.02
_CACERTS = b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Refused(ConnectionError):
    """An answer other than 200, which certd takes for a failure whatever it says."""


class Herd:
    """The devices, and what became of them. `issued` are seconds from a request sent to its answer."""

    def __init__(self, nestor: Nestor, size: int) -> None:
        self._context = client_context(nestor.anchor)
        self._nestor = nestor
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(size)]
        self._devices = [(number, key, _request(number, key)) for number, key in enumerate(keys)]
        self._began = 0.0
        self.served: list[float] = []
        self.issued: list[float] = []
        self.left_unanswered: list[float] = []
        self.failures: Counter[str] = Counter()

    async def come(self) -> None:
        """Let all of them come at once, and stay until each is served."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as devices:
            devices.create_task(self._tell())
            for device in self._devices:
                devices.create_task(self._live(*device))
                await asyncio.sleep(0)  # whoever is there has a turn first

    async def _live(self, number: int, key: ec.EllipticCurvePrivateKey, request: bytes) -> None:
        calls = 0
        while not await self._call(number, request):
            calls += 1
            await asyncio.sleep(_AGAIN if calls % 2 else _NEXT_TRY)
            if calls % 2 == 0:
                request = _request(number, key)  # aziot-edged asks anew, with the key that is there
        self.served.append(time.monotonic() - self._began)

    async def _call(self, number: int, request: bytes) -> bool:
        source = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        try:
            async with asyncio.timeout(_PATIENCE), asyncio.TaskGroup() as both:
                both.create_task(self._ask(source, request, self.issued))
                both.create_task(self._ask(source, _CACERTS, []))
        except TimeoutError:
            self.failures["out of patience"] += 1
        except ExceptionGroup as found:
            self.failures[_named(found)] += 1
        else:
            return True
        return False

    async def _ask(self, source: str, request: bytes, waited: list[float]) -> None:
        line = await Line.open(self._context, self._nestor.port, source)
        sent = time.monotonic()
        try:
            status, content = await line.ask(request)
        except asyncio.CancelledError:
            if request is not _CACERTS:
                self.left_unanswered.append(time.monotonic() - sent)
            raise
        finally:
            line.drop()
        if status != http.client.OK:
            raise Refused(f"{status} {content.decode()}")
        waited.append(time.monotonic() - sent)

    async def _tell(self) -> None:
        """Tell how it goes on, until all are served."""
        while len(self.served) < len(self._devices):
            await asyncio.sleep(_TICK)
            now = time.monotonic() - self._began
            cpu, memory = self._nestor.cpu(), self._nestor.memory() >> 20
            failed = ", ".join(f"{number} {what}" for what, number in sorted(self.failures.items()))
            sys.stdout.write(f"{now:6.1f} s  {len(self.served):6} served  CPU {cpu:6.1f} s  {memory:4} MB  {failed}\n")
            sys.stdout.flush()


def main() -> None:
    """Let the herd come, and hold what became of it against the aims."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.herd", description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000, help="how many")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    allow_many_files()
    sys.stdout.write("".join(f"{name}: {version}\n" for name, version in versions().items()))
    sys.stdout.write(f"{options.devices:,} devices, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory(prefix="nestor-herd-") as place, Nestor(Path(place), pinned=False) as nestor:
        herd = Herd(nestor, options.devices)
        asyncio.run(herd.come())
        figures = _figures(herd, nestor, options.devices)
    for name, (value, most) in figures.items():
        verdict = "" if most is None else "as aimed" if value <= most else f"the aim is {most:g}"
        sys.stdout.write(f"{name:<48}{value:>9.2f}  {verdict}\n")
    if options.json is not None:
        told = {name: value for name, (value, _) in figures.items()}
        options.json.write_text(json.dumps({"versions": versions(), **told}, indent=2) + "\n", "utf-8")


def _figures(herd: Herd, nestor: Nestor, size: int) -> dict[str, tuple[float, float | None]]:
    """Each figure and the most that it may be."""
    with closing(sqlite3.connect(nestor.data / "ledger.db")) as ledger:
        (certificates,) = ledger.execute("SELECT count(*) FROM certificates WHERE device LIKE 'herd-%'").fetchone()
    return {
        "the last one served, s": (max(herd.served), _SERVED_WITHIN),
        "half of them served, s": (sorted(herd.served)[size // 2], None),
        "longest from a request sent to its answer, s": (max(herd.issued), _ISSUED_WITHIN),
        "requests sent and left unanswered": (len(herd.left_unanswered), None),
        "the longest of these, s": (max(herd.left_unanswered, default=0.0), _ISSUED_WITHIN),
        "certificates per device": (certificates / size, _CERTIFICATES),
        "CPU of the server per device, ms": (nestor.cpu() / size * 1e3, None),
    }


def _request(number: int, key: ec.EllipticCurvePrivateKey) -> bytes:
    return post(sign_request(key, f"herd-{number}", est_identity=False), BASIC)


def _named(found: ExceptionGroup[Exception]) -> str:
    """One failure of a call, in a few words."""
    first = found.exceptions[0]
    return str(first)[:60] if isinstance(first, Refused) else type(first).__name__


if __name__ == "__main__":
    main()
