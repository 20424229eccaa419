"""TLS itself."""

import pytest

from nestor.doctor.handshake import judge_client_request, judge_plain_http, judge_versions, speaks_tls
from nestor.doctor.seen import Ending, Session, Talk, Version
from support.talks import answered, has, problems, refused, shaken, warnings

_OLD, _NEW = Version.TLS_1_2, Version.TLS_1_3
_ANSWER = answered().answer


def _talks(old: Talk, new: Talk) -> dict[Version, Talk]:
    return {_OLD: old, _NEW: new}


def test_both_versions_are_fine() -> None:
    (told,) = judge_versions(_talks(shaken(_OLD), shaken(_NEW)))
    assert told.sentence == "The server speaks TLS 1.2 and TLS 1.3."


def test_the_newer_one_alone_is_fine_and_the_older_one_alone_a_warning() -> None:
    found = judge_versions(_talks(refused(70), shaken(_NEW)))
    assert (problems(found), warnings(found)) == ([], [])
    assert has(warnings(judge_versions(_talks(shaken(_OLD), refused(70)))), "TLS 1.2, but not TLS 1.3")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (refused(70, sent=True), refused(70, sent=True), "The server speaks only versions of TLS before 1.2."),
        (refused(40), refused(40), "ends TLS with the alert handshake_failure (40): it and this client have no"),
        (refused(112), refused(112), "it has no certificate for the name in the URL"),
        (Talk(Ending.CLOSED), Talk(Ending.CLOSED), "closes the connection in the middle"),
    ],
)
def test_without_a_session_the_reason_is_told_once(old: Talk, new: Talk, sentence: str) -> None:
    assert has(problems(judge_versions(_talks(old, new))), sentence)


def test_a_server_that_demands_a_certificate_speaks_that_version() -> None:
    session = Session(_NEW, ())
    talks = _talks(refused(40, wanted=True), refused(116, wanted=True, session=session))
    assert problems(judge_versions(talks)) == []
    sentence = "insists on a client certificate: without one it breaks off with the alert handshake_failure (40)."
    assert has(problems(judge_client_request(talks, has_identity=False)), sentence)
    assert has(warnings(judge_client_request(talks, has_identity=True)), sentence)


def test_to_ask_for_a_certificate_and_go_on_without_is_fine() -> None:
    talks = _talks(shaken(_OLD, answer=_ANSWER), shaken(_NEW, answer=_ANSWER))
    for has_identity in (False, True):
        found = judge_client_request(talks, has_identity=has_identity)
        assert (problems(found), warnings(found)) == ([], [])


def test_not_to_ask_is_a_problem_for_those_who_have_a_certificate_only() -> None:
    talks = _talks(shaken(_OLD, wanted=False, answer=_ANSWER), shaken(_NEW, wanted=False, answer=_ANSWER))
    assert problems(judge_client_request(talks, has_identity=False)) == []
    found = judge_client_request(talks, has_identity=True)
    assert has(problems(found), "asks for no client certificate, so that of --cert is never shown")


def test_nothing_is_said_of_certificates_without_a_session() -> None:
    assert judge_client_request(_talks(refused(70), refused(70)), has_identity=True) == []


def test_plain_http_where_tls_belongs_and_the_other_way_round() -> None:
    assert has(problems(judge_plain_http(answered(404))), "speaks plain HTTP on that port")
    assert has(problems(judge_plain_http(Talk(Ending.NO_HTTP))), "speaks neither TLS nor HTTP")
    assert speaks_tls("http://est.plant/est").remedy == "Write https://est.plant/est."
