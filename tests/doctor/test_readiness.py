"""What a Nestor says of itself."""

import json

import pytest

from nestor.doctor.readiness import is_nestor, judge_readiness
from nestor.doctor.seen import Talk
from support.talks import answered, has, problems, refused, warnings


def test_a_nestor_names_itself() -> None:
    nestor, other = answered(Server="Nestor").answer, answered(Server="nginx").answer
    assert nestor is not None
    assert other is not None
    assert is_nestor(nestor)
    assert not is_nestor(other)


def test_ready_is_fine() -> None:
    for body in (b'{"status": "ok"}', b"[]", b"OK"):
        found = judge_readiness(answered(200, body))
        assert (problems(found), warnings(found), len(found)) == ([], [], 1)


def test_each_thing_that_keeps_it_from_issuing_is_a_problem() -> None:
    body = json.dumps({"status": "not issuing", "problems": {"ca": "The CA key is gone.", "disk": "It is full."}})
    found = judge_readiness(answered(503, body.encode()))
    assert has(problems(found), "does not issue (ca): The CA key is gone.", "does not issue (disk): It is full.")


def test_from_another_machine_what_keeps_it_from_issuing_is_told_by_name() -> None:
    found = judge_readiness(answered(503, b'{"status": "not issuing", "problems": ["ca", "upstream"]}'))
    assert has(problems(found), "does not issue (ca).", "has nothing from the server above it at this time.")


@pytest.mark.parametrize("talk", [refused(80), answered(503), answered(404, b"<html>")])
def test_no_word_is_a_warning(talk: Talk) -> None:
    assert has(warnings(judge_readiness(talk)), "does not say on /readyz whether it is ready")
