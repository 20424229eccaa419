"""Possession: the binding of the session in a request, and what else a challengePassword may be."""

import base64

import pytest

from nestor.access.proof import check_challenge, check_possession
from nestor.errors import Malformed
from nestor.model import ChallengeUse, ChannelBindings, Credentials, Label
from support.asking import DEFAULT, csr
from support.signing import request

UNIQUE, EXPORTER = b"u" * 12, b"e" * 32
LINKING = Label("linking", linking=True)
CODE = Label("code", challenge=ChallengeUse.ONE_TIME_CODE)
TLS12 = Credentials("192.0.2.1", bindings=ChannelBindings(tls_unique=UNIQUE))
TLS13 = Credentials("192.0.2.1", bindings=ChannelBindings(tls_exporter=EXPORTER))
NEITHER = Credentials("192.0.2.1")


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.mark.parametrize("label", [DEFAULT, LINKING])
def test_the_binding_of_the_session_links_the_request_to_it(label: Label) -> None:
    check_possession(request("dev1", b64(UNIQUE)), TLS12, label)
    check_possession(request("dev1", b64(EXPORTER)), TLS13, label)


@pytest.mark.parametrize("label", [DEFAULT, LINKING])
@pytest.mark.parametrize(
    ("given", "credentials"),
    [
        (b64(b"x" * 12), TLS12),
        (b64(EXPORTER), TLS12),
        (b64(UNIQUE), TLS13),
        (b64(b"f" * 48), TLS13),
        (b64(EXPORTER) + "=", TLS13),
        (b64(EXPORTER)[:-1], TLS13),
        (UNIQUE.decode(), TLS12),
        ("ünique", TLS12),
        ("", TLS12),
        (b64(UNIQUE), NEITHER),
        ("", NEITHER),
    ],
)
def test_anything_else_in_the_challenge_password_is_refused(given: str, credentials: Credentials, label: Label) -> None:
    with pytest.raises(Malformed, match="Identity and proof of possession must be linked"):
        check_possession(request("dev1", given), credentials, label)


def test_the_binding_may_be_left_out_unless_the_path_wants_it() -> None:
    check_possession(request("dev1"), TLS13, DEFAULT)
    with pytest.raises(Malformed, match="must be linked on this path"):
        check_possession(request("dev1"), TLS13, LINKING)


def test_a_code_is_no_binding() -> None:
    with_code = Credentials("192.0.2.1", user="dev1", password="7Q2")
    check_possession(request("dev1", "7Q2"), with_code, CODE)
    check_possession(request("dev1"), with_code, CODE)
    check_possession(request("dev1", "7Q2"), NEITHER, CODE)


def test_a_second_code_is_not_silently_dropped() -> None:
    with pytest.raises(Malformed, match="another code"):
        check_possession(request("dev1", "other"), Credentials("192.0.2.1", user="dev1", password="7Q2"), CODE)


@pytest.mark.parametrize("label", [DEFAULT, LINKING, CODE])
def test_a_request_that_its_own_key_did_not_sign_is_refused(label: Label) -> None:
    broken = request("dev1", b64(UNIQUE), break_signature=True)
    with pytest.raises(Malformed):
        check_possession(broken, TLS12, label)
    assert csr("dev1").common_name == broken.common_name


def test_a_key_that_the_server_is_to_make_is_linked_to_the_session_all_the_same() -> None:
    check_challenge(request("dev1", b64(UNIQUE)), TLS12, LINKING)
    for given in (None, b64(EXPORTER)):
        with pytest.raises(Malformed, match="Identity and proof of possession must be linked"):
            check_challenge(request("dev1", given), TLS12, LINKING)
