"""A process that records entries as fast as it can until it is killed, and says of each when it was acknowledged.

Run as a program, it imports everything once and then forks a child for each line that it reads: the data directory, and
`early` for a child that acknowledges before the entry is durable, which a crash test must be able to catch.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from support.entries import a_replay, an_entry
from support.ledgers import opened
from support.survival import Received

WORKERS = 8
_DONE = "dead"


class Doomed:
    """The program, as the test that kills it sees it."""

    def __init__(self) -> None:
        search = os.pathsep.join(path for path in sys.path if path)
        self._program = subprocess.Popen(
            [sys.executable, "-m", "support.doomed"],
            env={"PYTHONPATH": search},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_and_kill(self, place: Path, after: float, *, early: bool = False) -> list[Received]:
        """Let a child record, kill it so many seconds after its first acknowledgment; what it had acknowledged."""
        assert self._program.stdin
        self._program.stdin.write(f"{place}\t{'early' if early else ''}\n")
        self._program.stdin.flush()
        lines = self._lines()
        victim, received = int(next(lines)), [_read(next(lines))]
        time.sleep(after)
        os.kill(victim, signal.SIGKILL)
        return received + [_read(line) for line in lines]

    def close(self) -> None:
        """Let the program end."""
        self._program.communicate()

    def _lines(self) -> Iterator[str]:
        assert self._program.stdout
        for line in self._program.stdout:
            if line.strip() == _DONE:
                return
            yield line.strip()


def _read(line: str) -> Received:
    request, serial, sha256 = line.split()
    return Received(request, int(serial, 16), bytes.fromhex(sha256))


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def _record(place: Path, *, early: bool) -> None:
    async with opened(place, create=not (place / "ledger.db").exists()) as ledger:

        async def ask(replay_key: bytes) -> None:
            entry = an_entry(f"pump-{random.randrange(50)}", request_id=replay_key.hex())
            if early:
                _say(f"{replay_key.hex()} {entry.serial:x} {entry.sha256.hex()}")
            recorded = await ledger.record(entry, replay=a_replay(key=replay_key), one_time=None)
            if not early:
                _say(f"{replay_key.hex()} {recorded.serial:x} {recorded.sha256.hex()}")

        async def work() -> None:
            while True:
                key = os.urandom(32)
                await asyncio.gather(ask(key), *([] if early else [ask(key)]))

        await asyncio.gather(*(work() for _ in range(WORKERS)))


def _main() -> None:
    for line in sys.stdin:
        place, early = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            _say(str(os.getpid()))
            asyncio.run(_record(Path(place), early=bool(early)))
        os.waitpid(child, 0)
        _say(_DONE)


if __name__ == "__main__":
    _main()
