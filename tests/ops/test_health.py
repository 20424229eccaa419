"""Health: named checks, one answer."""

from nestor.ops.health import Health


def test_a_house_without_problems_has_none_to_tell() -> None:
    assert Health({"ca": lambda: None}).problems() == {}


def test_every_problem_is_told_by_the_name_of_its_check() -> None:
    health = Health({"ca": lambda: "The key is gone.", "ledger": lambda: None, "clock": lambda: "It runs backwards."})
    assert health.problems() == {"ca": "The key is gone.", "clock": "It runs backwards."}
