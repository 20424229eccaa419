"""Refusals that wait to be written: bounded, and counted beyond that."""

from collections import Counter

from nestor.ledger.refusals import WAITING, WaitingRefusals
from support.entries import a_refusal


def test_the_first_one_to_wait_is_told_apart() -> None:
    waiting = WaitingRefusals()
    assert not waiting.waiting
    assert [waiting.add(a_refusal()), waiting.add(a_refusal())] == [True, False]
    assert waiting.waiting
    waiting.take()
    assert not waiting.waiting
    assert waiting.add(a_refusal())


def test_a_bounded_number_waits_and_all_are_counted() -> None:
    waiting = WaitingRefusals()
    for _ in range(WAITING + 50):
        waiting.add(a_refusal())
    refusals, reasons = waiting.take()
    assert len(refusals) == WAITING
    assert reasons == Counter(Forbidden=WAITING + 50)
