"""A process that is killed loses nothing that it has acknowledged (design D5)."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.doomed import Doomed
from support.ledgers import opened
from support.survival import Received, violations

ROUNDS = 20


@pytest.fixture
def doomed() -> Iterator[Doomed]:
    program = Doomed()
    yield program
    program.close()


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(doomed: Doomed, tmp_path: Path) -> None:
    chance = random.Random(7030)
    received: list[Received] = []
    for _ in range(ROUNDS):
        received += doomed.run_and_kill(tmp_path, after=chance.uniform(0.0, 0.08))
        async with opened(tmp_path, create=False) as ledger:
            counters = await ledger.counters()
        assert counters.issued["deviceIdentity"] >= len({one.sha256 for one in received})
    assert len(received) > ROUNDS
    assert violations(tmp_path / "ledger.db", received) == []


def test_the_checker_catches_a_ledger_that_answers_before_it_commits(doomed: Doomed, tmp_path: Path) -> None:
    received: list[Received] = []
    for _ in range(ROUNDS):  # a kill may happen to fall where nothing is on its way
        received += doomed.run_and_kill(tmp_path, after=0.02, early=True)
        if any("not recorded" in sentence for sentence in violations(tmp_path / "ledger.db", received)):
            return
    pytest.fail("no kill was caught")


def test_the_checker_catches_two_answers_to_one_request(doomed: Doomed, tmp_path: Path) -> None:
    first = doomed.run_and_kill(tmp_path, after=0.0)[0]
    second = Received(first.request, first.serial, bytes(32))
    found = violations(tmp_path / "ledger.db", [first, second])
    assert [sentence.split(":")[0] for sentence in found] == [
        "received but not recorded",
        f"2 certificates share the serial number {first.serial:x}",
        f"2 certificates answer the request {first.request}",
    ]
