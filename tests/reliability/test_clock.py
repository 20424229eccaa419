"""A clock that jumps under a running server (R16): it issues nothing, says why, and resumes once the clock is right."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.faketime import Turned, turned
from support.plants import Plant
from support.plants import plant as make_plant
from support.shapes import est_identity

pytestmark = pytest.mark.xdist_group("clock")


@dataclass
class Clockwork:
    """A plant and its clock."""

    plant: Plant
    clock: Turned

    def issues(self, name: str) -> bool:
        """Whether somebody gets a certificate, and /readyz says the same."""
        answer = self.plant.line.enroll(est_identity(name))
        ready = self.plant.server.device().ask("GET", "/readyz")
        assert (answer.status, ready.status) in {(200, 200), (503, 503)}
        assert self.plant.line.get("cacerts").status == 200, "whatever the clock shows"
        return answer.status == 200

    def reason(self) -> str:
        """Why nothing is issued, as the device, /readyz and the log are told."""
        answer = self.plant.line.enroll(est_identity("told"))
        reason: str = json.loads(self.plant.server.device().ask("GET", "/readyz").text)["problems"]["ca"]
        assert reason in answer.text
        assert reason in self.plant.server.log()
        return reason


@pytest.fixture
def clockwork(tmp_path: Path) -> Iterator[Clockwork]:
    clock = turned(tmp_path)
    made = make_plant(tmp_path / "plant", program=clock.program)
    with made.server:
        yield Clockwork(made, clock)


def test_a_clock_that_jumps_stops_issuing_until_it_is_right_again(clockwork: Clockwork) -> None:
    assert clockwork.issues("before")
    clockwork.clock.to("-60s")
    assert clockwork.issues("a moment earlier")
    clockwork.clock.to("+2d")
    assert not clockwork.issues("ahead")
    assert "jumped from" in clockwork.reason()
    clockwork.clock.to("+0s")
    assert clockwork.issues("between")
    clockwork.clock.to("-1h")
    assert not clockwork.issues("behind")
    assert "but it is later than" in clockwork.reason()
    clockwork.clock.to("+0s")
    assert clockwork.issues("after")
    assert "Traceback" not in clockwork.plant.server.log()
