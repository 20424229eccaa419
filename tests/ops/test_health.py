"""Health: named checks, one answer."""

from nestor.ops.health import Health


def test_a_house_without_problems_has_none_to_tell() -> None:
    assert Health({"ca": lambda: None}).problems() == {}


def test_every_problem_is_told_by_the_name_of_its_check() -> None:
    health = Health({"ca": lambda: "The key is gone.", "ledger": lambda: None, "clock": lambda: "It runs backwards."})
    assert health.problems() == {"ca": "The key is gone.", "clock": "It runs backwards."}


def test_what_is_broken_is_not_ready_either_and_what_only_waits_is_not_broken() -> None:
    health = Health({"ca": lambda: "It waits."}, vital={"thread": lambda: "It ended."})
    assert health.failures() == {"thread": "It ended."}
    assert health.problems() == {"ca": "It waits.", "thread": "It ended."}
    assert list(health.names) == ["ca", "thread"]
    assert Health({"ca": lambda: "It waits."}, vital={"thread": lambda: None}).failures() == {}
