"""Health that tells the truth (R18): what is blocked, dead or broken is told in time, and what cannot recover ends."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nestor.cli.exits import LOST
from nestor.cli.probe import ask
from support.plants import Plant, plant
from support.process import Mortal, wait_for
from support.server import free_port
from support.shapes import est_identity
from support.stuck import DEAF_SECONDS, PATIENT, program
from support.talks import has
from support.visiting import visit

pytestmark = pytest.mark.xdist_group("health")

STOP = 8.0
KILL = 10.0
"""What Docker waits for. A stop that hangs is cut short at 7.5 s, and a busy machine takes some time to say so."""


class _Breakable(Mortal):
    """A server that can be broken from outside, with a port for operations."""

    def __init__(self, place: Path, **document: Any) -> None:
        self.operations = free_port()
        port = {"addresses": "127.0.0.1", "port": self.operations}
        super().__init__(place, {"operations": port, **document}, program=program(place))

    def suffer(self, fault: str) -> None:
        """Break it, and wait until it is broken."""
        (self.place / fault).touch()
        wait_for((self.place / f"{fault}.done").exists, 10)

    def asked(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of a probe."""
        status, body = ask(f"http://127.0.0.1:{self.operations}{path}")
        return status, json.loads(body)

    def metrics(self) -> str:
        return ask(f"http://127.0.0.1:{self.operations}/metrics")[1].decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Breakable]:
    server = _Breakable(tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_loop_that_is_blocked_for_seconds_is_told_meanwhile_and_forgiven_after(server: _Breakable) -> None:
    server.suffer("pause")
    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        metrics = pool.submit(server.metrics)
        status, told = server.asked("/healthz")
        assert (status, list(told["problems"])) == (503, ["loop"])
        assert time.monotonic() - start < 3.5
        assert 'nestor_health{check="loop"} 0.0' in metrics.result()
    wait_for(lambda: server.asked("/healthz")[0] == 200, 5)


def test_beside_the_server_the_doctor_needs_no_credential_to_hear_of_the_layers(server: _Breakable) -> None:
    where = ("--data", str(server.data), "--config", str(server.config))
    found = visit(*where)
    assert found.of("fine", "layers") == [f"localhost:{server.port} asks nobody above it: it is the top."]
    found = visit(server.url, "--cacert", str(server.data / "ca" / "certificates.pem"))
    assert has(found.of("fine", "layers"), "this server tells only somebody whom it knows")


def test_a_loop_that_never_turns_again_ends_the_process_which_says_where_it_hangs(server: _Breakable) -> None:
    server.suffer("block")
    assert server.wait(2 * DEAF_SECONDS) == LOST
    (line,) = [line for line in server.log().splitlines() if "FATAL" in line]
    assert f"The event loop has not turned for {DEAF_SECONDS:g} s; the main thread is at stuck.py:" in line
    assert "in _block" in line


def test_a_server_whose_loop_is_blocked_is_stopped_all_the_same(tmp_path: Path) -> None:
    (tmp_path / PATIENT).touch()
    server = _Breakable(tmp_path)
    server.start()
    server.suffer("block")
    server.signal(signal.SIGTERM)
    assert server.wait(KILL) == LOST
    assert "The stop has taken longer than 7.5 s and is cut short; the main thread is at stuck.py" in server.log()


def test_a_thread_that_hangs_does_not_keep_a_stop(server: _Breakable) -> None:
    server.suffer("hang")
    start = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait(KILL) == LOST
    assert time.monotonic() - start > 5
    assert "The stop has taken longer than 7.5 s and is cut short" in server.log()


def test_a_thread_that_hangs_does_not_keep_a_second_signal(server: _Breakable) -> None:
    server.suffer("hang")
    server.signal(signal.SIGTERM)
    wait_for(lambda: "stopping" in server.log(), 5)
    start = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait(STOP) == 0
    assert time.monotonic() - start < 3


def test_a_ledger_without_its_thread_ends_the_process(server: _Breakable) -> None:
    server.suffer("die")
    assert server.wait(10) == LOST
    assert 'FATAL   fatal: why="The thread that writes the ledger has ended."' in server.log()


def test_a_key_that_does_not_fit_its_certificate_is_not_healthy(server: _Breakable) -> None:
    assert server.asked("/readyz") == (200, {"status": "ok"})
    server.suffer("key")
    wait_for(lambda: server.asked("/healthz")[0] == 503, 5)
    _, told = server.asked("/readyz")
    assert told["problems"]["ca key"].startswith("What the CA key signs does not fit the CA certificate.")
    assert server.device().ask("GET", "/healthz").status == 503
    assert 'nestor_health{check="ca key"} 0.0' in server.metrics()
    assert "nestor_ready 0.0" in server.metrics()


def test_metrics_tell_what_was_issued_and_refused_over_the_wire(tmp_path: Path) -> None:
    port = free_port()
    place = plant(tmp_path)
    document = json.loads(place.server.config.read_text())
    place.server.config.write_text(json.dumps(document | {"operations": {"addresses": "127.0.0.1", "port": port}}))
    with place.server:
        _issue_and_refuse(place)
        told = ask(f"http://127.0.0.1:{port}/metrics")[1].decode()
    assert 'nestor_certificates_issued_total{profile="estIdentity"} 1.0' in told
    assert 'nestor_enrollments_refused_total{reason="Unauthenticated"} 1.0' in told
    assert 'nestor_http_responses_total{operation="simpleenroll",status="200"} 1.0' in told
    assert 'nestor_ledger_certificates{profile="estIdentity"} 1.0' in told
    assert "dev-1" not in told


def _issue_and_refuse(place: Plant) -> None:
    place.line.enrolled(est_identity("dev-1"))
    assert place.server.device(user=("line", "wrong")).enroll(est_identity("dev-1")).status == 401


def test_the_port_for_operations_follows_the_settings(server: _Breakable) -> None:
    document = json.loads(server.config.read_text())
    other = free_port()
    server.config.write_text(json.dumps(document | {"operations": {"addresses": "127.0.0.1", "port": other}}))
    server.signal(signal.SIGHUP)
    before, server.operations = server.operations, other

    def moved() -> bool:
        try:
            return server.asked("/healthz")[0] == 200
        except OSError:
            return False

    wait_for(moved, 10)
    with pytest.raises(ConnectionError):
        ask(f"http://127.0.0.1:{before}/healthz")
