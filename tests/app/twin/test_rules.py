"""The table of rules: every key of the settings is in it, nothing else is, and every rule that may widen can be met."""

import pytest

from nestor.app.twin.changes import Change
from nestor.app.twin.rules import HOST_ONLY, RULES, find_rule
from support.widening import CASES, leaf_rules

_CLOSED = tuple(f"{path[:-1]}" for path in RULES if path.endswith(".*"))


def test_every_key_of_the_settings_has_a_rule_that_was_thought_about() -> None:
    keys = [key for key in leaf_rules() if not key.startswith(f"{HOST_ONLY}.")]
    assert [key for key in keys if key not in RULES and not key.startswith(_CLOSED)] == []


def test_no_rule_is_for_a_key_that_is_none() -> None:
    known = {*leaf_rules()}
    assert [rule for rule in RULES if not rule.endswith(".*") and rule.partition(" (")[0] not in known] == []


def test_a_key_that_nobody_thought_of_may_not_be_changed() -> None:
    unknown = find_rule("new.key")
    assert unknown.power is not None
    assert unknown.widens(Change("new.key", "new.key", 1, 2, said=False))


def test_every_rule_that_may_widen_has_a_case() -> None:
    powered = {path for path, rule in RULES.items() if rule.power is not None or path.endswith("names")}
    assert powered <= {case.rule for case in CASES}


@pytest.mark.parametrize("path", RULES)
def test_a_rule_says_what_it_lets_happen_or_why_it_lets_nothing(path: str) -> None:
    lets = RULES[path].lets
    assert lets
    assert not lets.endswith(".")
    assert lets[0].islower() or lets.startswith("CA")
