"""Who is let in."""

from datetime import timedelta

import pytest

from nestor.doctor import authentication
from nestor.doctor.authentication import (
    judge_identity,
    judge_known,
    judge_presented,
    judge_stranger,
    judge_wrong_password,
)
from nestor.doctor.seen import Credential, Ending, Identity, Login, Presented, Talk
from support import signing
from support.asking import NOW
from support.signing import CLIENT, SERVER, Signed
from support.talks import answered, has, problems, refused, warnings

_ASKED = answered(401, WWW_Authenticate='Basic realm="est"')
_FACTORY = signing.root("Factory")
_USER = Credential(Login("line", "0815"))


def _identity(signed: Signed) -> Identity:
    return Identity(signed.certificate, signed.key)


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (_ASKED, "A stranger is asked for a password (401, Basic)."),
        (answered(403), "A stranger is refused (403)."),
    ],
)
def test_a_stranger_is_kept_out(talk: Talk, sentence: str) -> None:
    (told,) = judge_stranger(talk)
    assert (told.sentence, problems([told]), warnings([told])) == (sentence, [], [])


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (answered(401), "without the challenge that belongs there"),
        (answered(401, WWW_Authenticate="Digest realm=x"), "asked for Digest authentication; aziot-certd knows Basic"),
    ],
)
def test_a_challenge_that_others_stumble_over(talk: Talk, sentence: str) -> None:
    assert has(warnings(judge_stranger(talk)), sentence)


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (answered(404), "There is no /simpleenroll: the server answers 404."),
        (answered(405), "There is no /simpleenroll: the server answers 405."),
        (answered(200), "The server answers 200 to a stranger who asks for no certificate."),
        (Talk(Ending.SILENT, 30), "On /simpleenroll the server does not answer within 30 seconds."),
    ],
)
def test_what_is_no_enrollment(talk: Talk, sentence: str) -> None:
    assert has(problems(judge_stranger(talk)), sentence)


@pytest.mark.parametrize("talk", [answered(400), answered(422), refused(116, wanted=True)])
def test_of_what_tells_nothing_nothing_is_told(talk: Talk) -> None:
    assert judge_stranger(talk) == []


@pytest.mark.parametrize(
    ("stranger", "wrong", "found"),
    [
        (_ASKED, _ASKED, []),
        (_ASKED, answered(403), []),
        (_ASKED, answered(429), []),
        (_ASKED, answered(400), ["it answers 401 without and 400 with one"]),
        (answered(400), answered(400), []),
    ],
)
def test_a_user_that_does_not_exist_is_kept_out(stranger: Talk, wrong: Talk, found: list[str]) -> None:
    assert has(problems(judge_wrong_password(stranger, wrong)), *found)


def test_a_credential_is_known_by_what_it_changes() -> None:
    (told,) = judge_known(_ASKED, answered(400), _USER)
    assert (told.sentence, problems([told])) == ("The server lets in the user line.", [])
    refusal = answered(401, b"Wrong password.", Content_Type="text/plain")
    sentence = 'The server does not let in the user line: it answers 401, "Wrong password."'
    assert has(problems(judge_known(_ASKED, refusal, _USER)), sentence)
    assert has(warnings(judge_known(answered(400), answered(400), _USER)), "cannot be told")
    assert has(problems(judge_known(_ASKED, Talk(Ending.CLOSED), _USER)), "To the user line the server closes")


def test_both_credentials_are_named_and_no_password_is() -> None:
    both = Credential(_USER.login, _identity(_FACTORY.sign("pump-1")))
    (told,) = judge_known(_ASKED, answered(403), both)
    assert "the certificate CN=pump-1 with the user line" in told.sentence
    assert "together" in told.remedy
    assert "0815" not in f"{told}{both}"


@pytest.mark.parametrize(
    ("signed", "found"),
    [
        (_FACTORY.sign("pump-1", extensions=(CLIENT,)), []),
        (_FACTORY.sign("pump-1"), []),
        (_FACTORY.sign("pump-1", end=NOW - timedelta(hours=1)), ["expired on 2026-06-01 11:00 UTC"]),
        (_FACTORY.sign("pump-1", start=NOW + timedelta(hours=1)), ["is not valid before 2026-06-01 13:00 UTC"]),
        (_FACTORY.sign("pump-1", extensions=(SERVER,)), ["lacks clientAuth"]),
        (_FACTORY.sign("pump-1", key=signing.rsa_key(1024)), ["is too weak for the OpenSSL of current systems"]),
    ],
)
def test_a_certificate_that_cannot_authenticate(signed: Signed, found: list[str]) -> None:
    assert has(problems(judge_identity(_identity(signed), NOW)), *found)


def test_a_certificate_that_nobody_may_renew_is_a_warning() -> None:
    found = judge_identity(_identity(_FACTORY.sign("pump-1", end=NOW + timedelta(days=2))), NOW)
    assert has(warnings(found), "expires in 2 days")
    assert "never a certificate that identity_cert names" in found[0].remedy


@pytest.mark.parametrize(
    ("presented", "below", "problem", "warning"),
    [
        (Presented(answered(), answered()), True, [], []),
        (Presented(None, answered()), True, [], []),
        (Presented(answered(), refused(48)), True, ["without its chain, as aziot-certd renews its EST identity"], []),
        (Presented(answered(), refused(48)), False, [], ["A bootstrap certificate is sent with its chain."]),
        (Presented(refused(45), refused(45)), True, ["ends TLS with the alert certificate_expired (45)"], []),
        (Presented(None, refused(48)), False, ["ends TLS with the alert unknown_ca (48)"], []),
    ],
)
def test_a_certificate_is_shown_with_its_chain_and_alone(
    presented: Presented, below: bool, problem: list[str], warning: list[str]
) -> None:
    cacerts = [_FACTORY.certificate] if below else []
    found = judge_presented(presented, cacerts, _identity(_FACTORY.sign("pump-1")))
    assert has(problems(found), *problem)
    assert has(warnings(found), *warning)


def test_without_a_credential_that_is_told() -> None:
    assert "was not looked at" in authentication.nothing_given().sentence
