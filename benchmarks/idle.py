"""What an idle connection costs in memory: after its handshake, and after an answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from OpenSSL import SSL

from benchmarks.lines import Line, client_context
from benchmarks.load import check
from benchmarks.processes import Nestor, allow_many_files

_SIZES = (1000, 5000)
_AT_ONCE = 50
_PATIENT = """
[listener.limits]
connections = 6000
connectionsPerAddress = 6000
head = "10min"
idle = "10min"
"""
_ASK = b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n"

Row = dict[str, float | str]


def idle(place: Path) -> Iterator[Row]:
    """Every number of connections, each on a server that has seen none before."""
    allow_many_files()
    for size in _SIZES:
        with Nestor(place / str(size), _PATIENT) as nestor:
            yield from asyncio.run(_hold(nestor, size))


async def _hold(nestor: Nestor, size: int) -> list[Row]:
    context = client_context(nestor.anchor)
    for _ in range(100):  # what is loaded and kept with the first ones belongs to none of them
        line = await Line.open(context, nestor.port)
        check(*await line.ask(_ASK))
        line.close()
    before = nestor.memory()
    lines: list[Line] = []
    await asyncio.gather(*(_open(nestor, context, lines, size // _AT_ONCE) for _ in range(_AT_ONCE)))
    after_handshake = nestor.memory()
    for line in lines:
        check(*await line.ask(_ASK))
    after_answer = nestor.memory()
    for line in lines:
        line.close()
    return [
        {"connections": size, "idle": "after the handshake", "kb_each": (after_handshake - before) / size / 1024},
        {"connections": size, "idle": "after an answer", "kb_each": (after_answer - before) / size / 1024},
    ]


async def _open(nestor: Nestor, context: SSL.Context, lines: list[Line], count: int) -> None:
    lines.extend([await Line.open(context, nestor.port) for _ in range(count)])
