"""What the doctor sees on the wire, of OpenSSL's own server and of those that are no servers."""

import base64
import socket
from pathlib import Path

import pytest

from nestor.app.clock import SystemClock
from nestor.doctor.address import read_address
from nestor.doctor.seen import STRANGER, Credential, Door, Ending, Identity, Login, Place, Question, Talk, Version
from nestor.doctor.wire import Wire, _Socket
from support import pki
from support.device import Identity as Shown
from support.foreign import Foreign, closing, serving, silent, without_tls
from support.openssl import s_server
from support.signing import rsa_key

_ROOT = pki.authority()
_GET = Question("GET", "/")
_WEAK = ("-cipher", "ALL:@SECLEVEL=0")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, as files."""
    return pki.write(
        tmp_path_factory.mktemp("server"), _ROOT.issue("est", alternative_names=["localhost"], server=True)
    )


@pytest.fixture(scope="module")
def anchor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CA that OpenSSL's server believes."""
    return _ROOT.write(tmp_path_factory.mktemp("anchor"))


def _ask(port: int, question: Question = _GET, *, secure: bool = True, patience: float = 5.0) -> Talk:
    wire = Wire(read_address(f"https://localhost:{port}"), SystemClock(), patience)
    return wire.ask(Place(socket.AF_INET, "127.0.0.1", port), question, secure=secure)


def _versions(port: int, credential: Credential = STRANGER) -> list[Talk]:
    return [_ask(port, Question("GET", "/", None, credential, version)) for version in Version]


def _received(talk: Talk) -> int | None:
    return talk.refusal.number if talk.refusal else None


def test_a_session_is_seen_in_each_version(pair: tuple[Path, Path]) -> None:
    with s_server(*pair) as port:
        for version, talk in zip(Version, _versions(port), strict=True):
            assert talk.ending is Ending.ANSWERED
            assert talk.session is not None
            assert talk.session.version is version
            assert [one.subject.rfc4514_string() for one in talk.session.chain] == ["CN=est"]
            assert (talk.status, talk.wanted_certificate) == (200, False)


def test_a_request_for_a_certificate_is_seen(pair: tuple[Path, Path], anchor: Path) -> None:
    with s_server(*pair, "-verify", "2", "-CAfile", str(anchor)) as port:
        assert [(talk.status, talk.wanted_certificate) for talk in _versions(port)] == [(200, True), (200, True)]


def test_a_demand_for_a_certificate_is_an_alert_of_its_own_on_tls_1_3(pair: tuple[Path, Path], anchor: Path) -> None:
    with s_server(*pair, "-Verify", "2", "-CAfile", str(anchor)) as port:
        old, new = _versions(port)
        assert (old.session, _received(old), old.wanted_certificate) == (None, 40, True)
        assert new.session is not None
        assert (_received(new), new.wanted_certificate, new.answer) == (116, True, None)


@pytest.mark.parametrize(
    ("identity", "alert"),
    [
        (pki.authority("Stranger").issue("pump-1"), 48),
        (_ROOT.expired("pump-1"), 45),
        (_ROOT.issue("pump-1", client=False, server=True), 43),
    ],
)
def test_a_client_certificate_that_is_refused(
    pair: tuple[Path, Path], anchor: Path, identity: Shown, alert: int
) -> None:
    credential = Credential(identity=Identity(identity.certificate, identity.key))
    with s_server(*pair, "-Verify", "2", "-verify_return_error", "-CAfile", str(anchor)) as port:
        assert [_received(talk) for talk in _versions(port, credential)] == [alert, alert]


@pytest.mark.parametrize(
    ("options", "alerts"),
    [
        (("-tls1_1", *_WEAK), [None, 70]),
        (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), [40, 70]),
        (("-tls1_2",), [None, 70]),
        (("-tls1_3",), [70, None]),
    ],
)
def test_what_a_server_does_not_speak(
    pair: tuple[Path, Path], options: tuple[str, ...], alerts: list[int | None]
) -> None:
    with s_server(*pair, *options) as port:
        assert [_received(talk) for talk in _versions(port)] == alerts


def test_an_alert_that_this_side_sends_is_seen_too(pair: tuple[Path, Path]) -> None:
    with s_server(*pair, "-tls1_1", *_WEAK) as port:
        old, _ = _versions(port)
        assert [(alert.number, alert.sent) for alert in old.alerts] == [(70, True)]
        assert old.ending is Ending.TLS_BROKEN


def test_a_name_that_the_server_does_not_have(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    names = ("-servername", "other.example", "-servername_fatal", "-cert2", str(certificate), "-key2", str(key))
    with s_server(*pair, *names) as port:
        assert [_received(talk) for talk in _versions(port)] == [112, 112]


def test_a_client_certificate_that_openssl_does_not_present(pair: tuple[Path, Path]) -> None:
    weak = _ROOT.issue("pump-1", key=rsa_key(1024))
    with s_server(*pair) as port:
        (talk, _) = _versions(port, Credential(identity=Identity(weak.certificate, weak.key)))
        assert (talk.ending, talk.words) == (Ending.TLS_BROKEN, "ee key too small")


def test_other_endings() -> None:
    with closing() as port:
        assert _ask(port).ending is Ending.CLOSED
        assert _ask(port, secure=False).ending is Ending.CLOSED
    assert _ask(port).ending is Ending.UNREACHED
    with silent() as port:
        assert _ask(port, patience=0.3).ending is Ending.SILENT
    with without_tls() as port:
        assert _ask(port).ending is Ending.NO_TLS
        assert (_ask(port, secure=False).ending, _ask(port, secure=False).status) == (Ending.ANSWERED, 404)


def test_an_address_is_connected_to() -> None:
    with closing() as port:
        wire = Wire(read_address(f"https://localhost:{port}"), SystemClock(), 5)
        assert Place(socket.AF_INET, "127.0.0.1", port) in wire.look_up().places
        assert wire.reach(Place(socket.AF_INET, "127.0.0.1", port)).door is Door.OPEN
    assert wire.reach(Place(socket.AF_INET, "127.0.0.1", port)).door is Door.REFUSED


def test_nothing_is_said_to_a_server_that_is_not_believed(tmp_path: Path) -> None:
    with Foreign(tmp_path, _ROOT) as server:
        talk = _ask(server.port, Question("GET", "/", believe=lambda _: False))
        assert (talk.ending, talk.answer) == (Ending.DISBELIEVED, None)
        assert server.heard == []


def test_what_a_server_said_before_it_closed_is_read() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"Go away.")
    theirs.close()
    with ours:
        line = _Socket(ours, lambda: 1.0)
        line.write(b"GET /")
        assert line.read() == b"Go away."


class _Recorder:
    """Takes one request in plain HTTP, as bytes."""

    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, connection: socket.socket) -> None:
        with connection:
            self.heard = connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")


def test_a_request_is_written_as_certd_writes_it_and_a_chunked_answer_is_read() -> None:
    recorder = _Recorder()
    with serving(recorder) as port:
        question = Question("POST", "/est/simpleenroll", b"MII=\n", Credential(Login("line", "grün")))
        talk = _ask(port, question, secure=False)
    assert talk.answer is not None
    assert talk.answer.body == b"abcde"
    basic = base64.b64encode("line:grün".encode()).decode()
    assert recorder.heard.decode().split("\r\n") == [
        "POST /est/simpleenroll HTTP/1.1",
        f"authorization: Basic {basic}",
        "content-type: application/pkcs10",
        "content-transfer-encoding: base64",
        f"host: localhost:{port}",
        "content-length: 5",
        "",
        "MII=\n",
    ]
