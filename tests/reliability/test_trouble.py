"""What goes wrong on a machine: the server says what it is, goes on as far as it can, and makes no CA anew."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from support.answers import Answer
from support.openssl import tool
from support.plants import USER, Plant
from support.plants import plant as make_plant
from support.process import wait_for
from support.shapes import est_identity

pytestmark = pytest.mark.xdist_group("trouble")

MATERIAL, UNAVAILABLE = 4, 6


@pytest.fixture
def stopped(tmp_path: Path) -> Plant:
    """A plant that has issued a certificate and was stopped; the anchor of its devices is on their disks."""
    made = make_plant(tmp_path)
    with made.server:
        assert made.line.enroll(est_identity("dev-1")).status == 200
    return made


def _mount(*words: str | Path) -> None:
    done = subprocess.run((tool("mount"), *words), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount needs a right that this test has not: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes that will hold the data directory of a plant in `tmp_path`."""
    disk = tmp_path / "data"
    disk.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", "size=2m,mode=0700", "none", disk)
    yield disk
    subprocess.run((tool("umount"), disk), check=True)


def _fill(disk: Path) -> Path:
    """Leave no byte on a disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    return ballast


def _ready(place: Plant) -> tuple[int, dict[str, str]]:
    answer = place.server.device().ask("GET", "/readyz")
    return answer.status, json.loads(answer.text).get("problems", {})


def _shown(place: Plant) -> list[x509.Certificate]:
    return place.server.device().get("cacerts").certificates


def _anchor(place: Plant) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(place.server.ca_file.read_bytes())


def _refused(answer: Answer) -> str:
    """The sentence of a server that cannot issue at this time."""
    assert answer.status == 503
    assert int(answer["Retry-After"] or 0) > 0
    return answer.text


def _told_no_more_than_needed(answer: Answer) -> None:
    """The reason names files of the host, and a device may be a stranger."""
    assert "finds the reason in its log and at /readyz" in _refused(answer)
    assert "/data" not in answer.text


def _enroll(place: Plant, name: str) -> Answer:
    return place.line.enroll(est_identity(name))


def _is_up_but_not_issuing(place: Plant, about: str, *words: str) -> None:
    """Whether it shows its old CA, issues nothing, and says its operator why, with these words."""
    status, problems = _ready(place)
    assert status == 503
    assert place.server.device().ask("GET", "/healthz").status == 200
    assert _shown(place) == _anchor(place)
    _told_no_more_than_needed(_enroll(place, "dev-2"))
    for told in (problems[about], place.server.log()):
        assert all(word in told for word in words), told


def test_a_full_disk_stops_issuing_and_nothing_else_until_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        assert _enroll(place, "before").status == 200
        ballast = _fill(small_disk)
        answers = [_enroll(place, f"during-{number}") for number in range(40)]
        assert "full" in _refused(answers[-1])
        assert {answer.status for answer in answers} <= {200, 503}
        assert (_shown(place), _ready(place)[0]) == (_anchor(place), 503)
        ballast.unlink()
        wait_for(lambda: _enroll(place, "after").status == 200, 2)
        assert _ready(place)[0] == 200


def test_a_start_on_a_read_only_disk_shows_the_old_ca_or_says_why_not(small_disk: Path, tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        before = _anchor(place)
    _mount("-o", "remount,ro", small_disk)
    place.server.launch()
    try:
        wait_for(place.server._answers, 10, unless=lambda: place.server.process.poll() is not None)
    except TimeoutError:
        assert place.server.wait(1) == MATERIAL
        assert "ead-only" in place.server.log()
    else:
        assert _shown(place) == before
        assert _ready(place)[0] == 503
        place.server.stop()
    _mount("-o", "remount,rw", small_disk)
    with place.server:
        assert _shown(place) == before


def test_a_first_start_on_a_read_only_disk_is_refused(small_disk: Path, tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    _mount("-o", "remount,ro", small_disk)
    code, said = place.server.refused_start()
    assert code == MATERIAL
    assert "ead-only file system" in said
    assert str(place.server.data) in said
    assert "Traceback" not in said


def test_a_cut_off_ledger_closes_issuing(stopped: Plant) -> None:
    content = stopped.server.ledger.read_bytes()
    for size in (len(content) // 2, 100, 0):
        stopped.server.ledger.write_bytes(content[:size])
        with stopped.server:
            _is_up_but_not_issuing(stopped, "ledger", "ledger.db")
    stopped.server.ledger.write_bytes(content)
    with stopped.server:
        assert _enroll(stopped, "dev-2").status == 200


def test_a_missing_ledger_is_not_made_anew(stopped: Plant) -> None:
    kept = stopped.server.ledger.read_bytes()
    stopped.server.ledger.unlink()
    with stopped.server:
        _is_up_but_not_issuing(stopped, "ledger", "ledger.db", "gone")
        assert not stopped.server.ledger.exists()
    stopped.server.ledger.write_bytes(kept)
    with stopped.server:
        assert _enroll(stopped, "dev-2").status == 200


def test_a_cut_off_or_missing_ca_key_closes_issuing_and_is_not_made_anew(stopped: Plant) -> None:
    key = stopped.server.data / "ca" / "key.pem"
    content = key.read_bytes()
    for size in (len(content) // 2, 0):
        key.write_bytes(content[:size])
        with stopped.server:
            _is_up_but_not_issuing(stopped, "ca", "key.pem")
        assert key.read_bytes() == content[:size]
    key.unlink()
    with stopped.server:
        _is_up_but_not_issuing(stopped, "ca", "key.pem")
    assert not key.exists()
    key.write_bytes(content)
    key.chmod(0o600)
    with stopped.server:
        assert _enroll(stopped, "dev-2").status == 200


def test_a_port_in_use_is_told(stopped: Plant) -> None:
    with socket.create_server(("127.0.0.1", stopped.server.port)):
        code, said = stopped.server.refused_start()
    assert code == UNAVAILABLE
    assert str(stopped.server.port) in said
    assert "taken by another program" in said
    assert "Traceback" not in said


def test_plain_http_on_the_tls_port_is_told(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        url = f"http://localhost:{place.server.port}/.well-known/est/cacerts"
        words = (tool("curl"), "-sS", "-u", ":".join(USER), url)
        said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        wait_for(lambda: "http" in place.server.log().lower().partition("handshake")[2], 2)
        assert USER[1] not in place.server.log()
        assert said.returncode or "https" in said.stdout.lower()
        assert _shown(place) == _anchor(place)
