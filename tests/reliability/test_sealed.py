"""A module and the runtime of its device: a CA key sealed, a seal that is lost, a server certificate fetched."""

import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from nestor.keys.sealed import is_sealed
from standin.edge import Edge
from support.plants import Plant
from support.plants import plant as make_plant
from support.process import wait_for
from support.shapes import est_identity

pytestmark = pytest.mark.xdist_group("sealed")

SECRET = "correct horse battery staple"


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    with Edge() as edge:
        _tell(edge, monkeypatch)
        yield edge


def _tell(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the runtime puts into the environment of a module that it starts."""
    for name, value in {**edge.environment(), "NESTOR_RECOVERY": SECRET}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sealed(tmp_path: Path, edge: Edge) -> Iterator[Plant]:
    """A plant whose CA key is sealed, serving."""
    keys = {"protection": "sealed", "recovery": "env:NESTOR_RECOVERY"}
    made = make_plant(tmp_path, keys=keys)
    with made.server:
        assert made.server.ca_file.exists(), "devices have their anchor before anything goes wrong"
        yield made


def _health(plant: Plant) -> str:
    return plant.line.ask("GET", "/readyz").body.decode()


def _look(plant: Plant) -> None:
    """Let the server look at its files now; by itself it does every half minute."""
    before = plant.server.log().count("settings applied")
    plant.server.signal(signal.SIGHUP)
    wait_for(lambda: plant.server.log().count("settings applied") > before, 20)


def test_a_sealed_ca_outlives_its_sealing_key(sealed: Plant, edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    server, device = sealed.server, sealed.enrolled("dev-1")
    assert is_sealed((server.data / "ca" / "key.pem").read_bytes())
    server.stop()
    server.start()
    assert device.reenroll(est_identity("dev-1")).status == 200
    server.stop()
    edge.recreate_module()
    _tell(edge, monkeypatch)
    server.start()
    assert sealed.line.get("cacerts").status == 200
    refused = device.reenroll(est_identity("dev-1"))
    assert refused.status == 503
    assert "nestor ca recover" in _health(sealed)
    assert "nestor ca recover" in server.log()
    server.command("ca", "recover")
    _look(sealed)
    assert device.reenroll(est_identity("dev-1")).status == 200
    for secret in (SECRET, "PRIVATE KEY"):
        assert secret not in server.log()
        held = [path for path in server.data.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert [path.name for path in held] == ([] if secret == SECRET else ["server-key.pem"])


def test_a_runtime_that_hangs_or_is_gone_keeps_nobody_from_serving(sealed: Plant, edge: Edge) -> None:
    server, device = sealed.server, sealed.enrolled("dev-1")
    edge.faults.workload_hangs = True
    assert device.reenroll(est_identity("dev-1")).status == 200, "what was opened stays open"
    server.stop()
    server.start()
    assert device.get("cacerts").status == 200
    assert device.reenroll(est_identity("dev-1")).status == 503
    edge.faults.clear()
    edge.workload_leaves()
    assert "cannot be reached" in _after_look(sealed)
    edge.workload_returns()
    _look(sealed)
    assert device.reenroll(est_identity("dev-1")).status == 200


def _after_look(plant: Plant) -> str:
    _look(plant)
    return _health(plant)


@pytest.fixture
def fetched(tmp_path: Path, edge: Edge) -> Iterator[Plant]:
    """A plant whose server certificate the runtime issues, serving."""
    listener = {"hostnames": edge.address, "serverCertificate": {"source": "workload"}}
    made = make_plant(tmp_path, listener)
    with made.server:
        yield made


def _shown(plant: Plant, edge: Edge) -> x509.Certificate:
    """What the server shows to a child device, which trusts the root of the site and knows the gateway by name."""
    context = ssl.create_default_context(cadata=edge.trust_bundle)  # noqa: TID251 -- as the SDK of a child does
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("localhost", plant.server.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=edge.address) as session,
    ):
        return x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")


def test_a_certificate_of_the_runtime_is_shown_and_follows_the_edge_ca(fetched: Plant, edge: Edge) -> None:
    server, first = fetched.server, _shown(fetched, edge)
    edge.workload_leaves()
    server.stop()
    server.start()
    assert _shown(fetched, edge) == first, "the last one is kept"
    edge.workload_returns()
    edge.renew_edge_ca(root=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shown(fetched, edge)
    wait_for(lambda: server.log().count("server certificate issued") == 2, 45)
    wait_for(lambda: "settings applied" in server.log(), 10)
    assert _shown(fetched, edge) != first
