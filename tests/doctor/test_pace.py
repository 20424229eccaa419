"""How long a server takes."""

import pytest

from nestor.doctor.pace import judge_pace
from nestor.doctor.words import Topic
from nestor.finding import Gravity


@pytest.mark.parametrize(
    ("seconds", "gravities"),
    [(0.1, []), (12, []), (13, [Gravity.WARNING]), (30, [Gravity.WARNING]), (31, [Gravity.PROBLEM])],
)
def test_slow_is_a_warning_and_too_slow_a_problem(seconds: float, gravities: list[Gravity]) -> None:
    found = judge_pace(Topic.CACERTS, "/cacerts", seconds)
    assert [finding.gravity for finding in found] == gravities
    assert all(f"/cacerts took {seconds} s" in finding.sentence for finding in found)
