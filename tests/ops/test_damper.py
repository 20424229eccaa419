"""What strangers can cause at will does not fill the log."""

from dataclasses import replace

from nestor.events import Event, Note, Refused, Trouble, TurnedAway
from nestor.model import Method
from nestor.ops.damper import Damper
from support.entries import a_refusal


class Stage:
    def __init__(self) -> None:
        self.told: list[Event] = []
        self.now = 0.0
        self.damper = Damper(self.told.append, lambda: self.now)

    def hear(self, event: Event, times: int) -> int:
        before = len(self.told)
        for _ in range(times):
            self.damper(event)
        return len(self.told) - before


def _stranger(address: str) -> Refused:
    return Refused(a_refusal(method=None, address=address))


def test_a_stranger_is_heard_twenty_times_a_minute() -> None:
    stage = Stage()
    assert stage.hear(_stranger("192.0.2.1"), 500) == 20
    assert stage.hear(TurnedAway("192.0.2.1", "GET /", "UnknownPath", "No.", "1"), 1) == 0
    assert stage.hear(_stranger("192.0.2.2"), 5) == 5
    stage.now = 60.0
    assert stage.hear(_stranger("192.0.2.2"), 1) == 2
    assert stage.told[-2] == Note("kept back", "481 more refusals for 192.0.2.1 were not told one by one.")


def test_who_is_known_and_what_is_ours_always_passes() -> None:
    stage = Stage()
    known = _stranger("192.0.2.1")
    assert stage.hear(replace(known, refusal=replace(known.refusal, method=Method.PASSWORD)), 100) == 100
    assert stage.hear(Trouble("ledger", "The disk is full."), 100) == 100


def test_many_addresses_are_one_after_a_thousand() -> None:
    stage = Stage()
    for number in range(3000):
        stage.damper(_stranger(f"198.51.{number // 250}.{number % 250}"))
    assert len(stage.told) == 1020
