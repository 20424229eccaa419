"""kill -9 at random moments under load (R1): nothing that a client received is lost, and every restart is clean.

The same harness runs against a Nestor that answers before it records, and must notice.
"""

import random
from pathlib import Path

import pytest

from support.load import Load
from support.plants import Plant, plant
from support.process import NESTOR
from support.survival import Received, violations

KILLS = 100
HASTY = (NESTOR[0], "-m", "support.hasty")


def _kill_often(place: Plant, kills: int, seed: int) -> list[Received]:
    """Kill the server so often, each time a moment after its first answer; what its clients received in all."""
    server, chance = place.server, random.Random(seed)
    server.start()
    shown = place.line.get("cacerts").certificates
    with Load(place.line) as load:
        for _ in range(kills):
            load.wait_for(1)
            load._stop.wait(chance.uniform(0.0, 0.1))
            server.kill()
            server.start()
            assert place.line.get("cacerts").certificates == shown
            assert server.device().ask("GET", "/readyz").status == 200
    server.stop()
    assert {answer.status for answer in load.refused} <= {503}
    return load.received


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.xdist_group(f"kill-{seed}")) for seed in (7030, 8951)]
)
def test_what_clients_received_before_a_kill_is_in_the_ledger_after_it(seed: int, tmp_path: Path) -> None:
    place = plant(tmp_path)
    received = _kill_often(place, KILLS, seed)
    assert len(received) > 2 * KILLS
    assert violations(place.server.ledger, received) == []


def test_the_harness_notices_a_server_that_answers_before_it_records(tmp_path: Path) -> None:
    place = plant(tmp_path, program=HASTY)
    received = _kill_often(place, 2, 0)
    assert any("not recorded" in sentence for sentence in violations(place.server.ledger, received))
