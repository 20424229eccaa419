"""`nestor doctor` as a shell runs it, at a server of ours: well, and in the ways in which ours can be ill."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import pki
from support.device import Identity
from support.openssl import tool
from support.server import Server
from support.shapes import est_identity
from support.shell import nestor, nestor_here
from support.visiting import visit, visited

pytestmark = pytest.mark.xdist_group("doctor")

_PASSWORD = {"NESTOR_EST_PASSWORD": "0815"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    document = {"access": {"gateways": "gw-*"}, "listener": {"addresses": "127.0.0.1, 127.0.0.2"}}
    with Server(tmp_path_factory.mktemp("server"), document) as running:
        running.add_user("line", "0815", "*", profiles=("*",))
        yield running


def _as_line(server: Server) -> tuple[str | Path, ...]:
    return (server.url, "--cacert", server.ca_file, "--user", "line")


def _pair(place: Path, identity: Identity) -> tuple[str | Path, ...]:
    place.mkdir()
    certificate, key = pki.write(place, identity)
    return ("--cert", certificate, "--key", key)


def test_a_server_of_ours_is_fit_for_a_gateway(server: Server) -> None:
    """Enrolled in earnest, by a process of its own."""
    words = (*_as_line(server), "--enroll", "--name", "gw-1", "--edge-ca")
    found = visit(*words, process=True, environment=_PASSWORD)
    assert (found.code, found.problems, found.warnings) == (0, [], [])
    assert found.verdict == "aziot-certd gets along with this server."
    assert "The server is a Nestor, and says that it is ready to issue." in found.fine
    issued = [sentence for sentence in found.fine if sentence.startswith("The server issued")]
    assert [sentence.split(":")[0].removeprefix("The server issued ") for sentence in issued] == [
        "a device identity",
        "an Edge CA",
        "an EST identity",
        "a renewed EST identity, shown the old leaf alone",
    ]


def test_a_person_reads_lines_and_a_verdict_at_the_end(server: Server) -> None:
    done = nestor("doctor", *map(str, _as_line(server)), environment=_PASSWORD)
    *_, last = done.stdout.splitlines()
    assert last == "fine     aziot-certd gets along with this server, as far as can be told without enrolling."
    assert "0815" not in done.stdout + done.stderr
    assert done.returncode == 0


def test_nothing_is_issued_unasked(server: Server) -> None:
    before = _issued(server)
    assert visit(*_as_line(server), environment=_PASSWORD).problems == []
    assert _issued(server) == before


def _issued(server: Server) -> object:
    where = ("--data", str(server.data), "--config", str(server.config))
    return json.loads(nestor_here("cert", "count", "--json", *where).stdout)["issued"]


def test_a_wrong_password_is_told_in_the_servers_words(server: Server) -> None:
    found = visit(*_as_line(server), environment={"NESTOR_EST_PASSWORD": "guessed"})
    assert "The server does not let in the user line: it answers 401" in found.problem
    assert found.code == 7


def test_a_user_that_may_not_have_an_edge_ca(server: Server) -> None:
    words = ("--enroll", "--name", "pump-1", "--edge-ca")
    found = visit(*_as_line(server), *words, environment=_PASSWORD)
    assert "Asked for an Edge CA, the server answers 403 Forbidden" in found.problem
    assert "Not tried any more: an EST identity and a renewed EST identity, shown the old leaf alone." in found.warnings


def test_an_est_identity_is_taken_with_its_leaf_alone(server: Server, tmp_path: Path) -> None:
    identity = server.device(user=("line", "0815")).enrolled(est_identity("pump-2"))
    found = visit(server.url, "--cacert", server.ca_file, *_pair(tmp_path / "device", identity), "--enroll")
    assert (found.code, found.problems, found.warnings) == (0, [], [])
    assert "TLS takes the certificate CN=pump-2." in found.fine
    assert any(sentence.startswith("The server issued a device identity: CN=pump-2") for sentence in found.fine)


def test_a_revoked_identity_is_told_in_the_servers_words(server: Server, tmp_path: Path) -> None:
    identity = server.device(user=("line", "0815")).enrolled(est_identity("pump-3"))
    server.revoke(identity)
    found = visit(server.url, "--cacert", server.ca_file, *_pair(tmp_path / "device", identity))
    assert "The server does not let in the certificate CN=pump-3" in found.problem
    assert "revoked" in found.problem


def test_a_stranger_to_the_server_is_refused_in_tls(server: Server, tmp_path: Path) -> None:
    stranger = pki.authority("Factory").issue("pump-4")
    found = visit(server.url, "--cacert", server.ca_file, *_pair(tmp_path / "device", stranger))
    assert "Shown the certificate CN=pump-4, the server ends TLS with the alert unknown_ca (48)" in found.problem


def test_a_device_without_the_ca_does_not_believe_the_server(server: Server, tmp_path: Path) -> None:
    assert "which the store of this machine does not trust" in visit(server.url).problem
    other = pki.authority("Nestor Root CA").write(tmp_path)
    found = visit(server.url, "--cacert", other, "--user", "line", environment=_PASSWORD)
    assert "unknown_ca (48)" in found.problem
    assert "no password is sent to a server that is not believed" in found.warnings[0]


def test_a_name_that_the_certificate_does_not_have(server: Server) -> None:
    found = visit(server.url.replace("localhost", "127.0.0.2"), "--cacert", server.ca_file)
    assert "It is not good for 127.0.0.2: it is good for localhost and 127.0.0.1" in found.problem
    assert "Nestor: --hostname 127.0.0.2" in found.problem


def test_a_label_that_is_not_there(server: Server) -> None:
    found = visit(server.url, "--cacert", server.ca_file, "--label", "nowhere")
    assert "It is served without the label nowhere" in found.problem


def test_a_certificate_that_has_expired_since(server: Server) -> None:
    command = (tool("faketime"), "-f", "+91d", sys.executable, "-m", "nestor", "doctor", server.url, "--json")
    done = subprocess.run((*command, "--cacert", server.ca_file), capture_output=True, text=True, check=False)
    found = visited(done.returncode, done.stdout)
    assert "certificate_expired (45)" in found.problem
    assert "The server's clock is 91 days behind this machine's" in found.warnings[0]


def test_a_server_that_lost_its_key_is_found_not_ready(tmp_path: Path) -> None:
    with Server(tmp_path, {}) as server:
        anchor = server.ca_file
    (server.data / "ca" / "key.pem").unlink()
    with server:
        found = visit(server.url, "--cacert", anchor)
        assert "The server is a Nestor that does not issue" in found.problem


def test_this_machines_server_is_found_by_its_settings(server: Server) -> None:
    found = visit("--config", server.config, "--data", server.data)
    assert (found.code, found.problems, found.warnings) == (0, [], [])
    assert f"127.0.0.1 port {server.port} takes connections." in found.fine


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--name", "x"), 2, "--name is there without --enroll."),
        (("--enroll",), 2, "Nothing says for which device to enroll."),
        (("--enroll", "--name", "x" * 65), 2, "No certificate can carry the device id"),
        (("--key", "key.pem"), 2, "--key is there without --cert."),
        (("--password-file", "pw"), 2, "--password-file is there without --user."),
        (("--cert", "nowhere.pem"), 4, "The certificate nowhere.pem cannot be read"),
        (("--cert", "empty"), 4, "empty holds no readable certificate."),
        (
            ("--cert", "certificate.pem", "--key", "other/key.pem"),
            4,
            "other/key.pem is not the key of certificate.pem.",
        ),
        (("--cacert", "empty"), 4, "empty holds no readable PEM certificates."),
        (("--label", "a/b"), 2, "cannot be a label"),
    ],
)
def test_options_that_cannot_be_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    pki.write(tmp_path, pki.authority().issue("pump-1"))
    (tmp_path / "other").mkdir()
    pki.write(tmp_path / "other", pki.authority().issue("pump-1"))
    done = nestor_here("doctor", "https://est.plant.invalid", *words)
    assert done.returncode == code
    assert sentence in done.stderr
