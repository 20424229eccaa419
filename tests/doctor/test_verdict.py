"""The last words."""

from nestor.doctor.verdict import judge_all, left_out, not_enrolled, not_tried
from nestor.doctor.words import Topic, fine, problem, warning
from nestor.finding import Gravity

_FINE = fine(Topic.TLS, "Good.")
_WARNING = warning(Topic.TLS, "Hm.", "Mend it.")
_PROBLEM = problem(Topic.TLS, "Bad.", "Mend it.")


def test_the_verdict_is_the_worst_of_all() -> None:
    told = judge_all([_FINE, _FINE], enrolled=True)
    assert (told.gravity, told.sentence) == (Gravity.FINE, "aziot-certd gets along with this server.")
    told = judge_all([_FINE, _WARNING], enrolled=True)
    assert (told.gravity, told.sentence) == (
        Gravity.WARNING,
        "aziot-certd gets along with this server; mind the 1 warning.",
    )
    told = judge_all([_PROBLEM, _WARNING, _PROBLEM], enrolled=True)
    assert (told.gravity, told.sentence) == (
        Gravity.PROBLEM,
        "This server is not fit for aziot-certd as it stands: 2 problems.",
    )


def test_without_enrolling_the_verdict_says_so() -> None:
    assert judge_all([_FINE], enrolled=False).sentence.endswith(", as far as can be told without enrolling.")
    assert "--enroll" in not_enrolled().remedy


def test_what_was_left_out_is_named() -> None:
    assert left_out(Topic.TLS, "for nothing can be connected to").sentence == (
        "Not looked at, for nothing can be connected to: TLS, the server's certificate, /cacerts, authentication and "
        "enrollment."
    )
    assert left_out(Topic.ENROLLMENT, "for a reason").sentence == "Not looked at, for a reason: enrollment."
    assert not_tried([]) == []
    assert not_tried(["an Edge CA"])[0].sentence == "Not tried any more: an Edge CA."
