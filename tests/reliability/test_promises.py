"""What this server promises about who is who, asked of the running process."""

import http.client
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.answers import Answer
from support.device import PKCS10, Device, Identity, ask, wrapped
from support.plants import NOW, Plant
from support.plants import plant as make_plant
from support.shapes import Request, client_auth, device_identity, dns_names, edge_ca, est_identity, request
from support.signing import CLIENT, Signed

pytestmark = pytest.mark.xdist_group("promises")

OWN = ("own-1", "0815")
OTHER = ("other", "4711")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    made = make_plant(tmp_path_factory.mktemp("promises"))
    made.server.add_user(*OWN)
    made.server.add_user(*OTHER, "*")
    with made.server:
        yield made


def _ask(connection: http.client.HTTPSConnection, device: Device, request: Request) -> Answer:
    headers = device._headers({"Content-Type": PKCS10})
    return ask(connection, "POST", device.path("simpleenroll"), wrapped(request.der), headers)


def test_an_edge_ca_certificate_that_we_issued_cannot_authenticate_a_leaf_that_it_minted(shared: Plant) -> None:
    edge = shared.line.enrolled(edge_ca("gw-mint"))
    life = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(days=1)}
    leaf = Signed(edge.certificate, edge.key).sign("gw-mint", extensions=(CLIENT,), **life)
    for chain in ((), (edge.certificate,)):
        minted = shared.server.device(identity=Identity(leaf.certificate, leaf.key, chain))
        assert _refused(minted, est_identity("gw-mint"))
    assert _refused(shared.server.device(identity=edge), est_identity("gw-mint"))


def _refused(device: Device, request: Request) -> bool:
    """Whether somebody gets no certificate, be it in the handshake or by an answer."""
    try:
        return device.enroll(request).status in {401, 403}
    except OSError:
        return True


def test_a_revoked_certificate_is_refused_on_an_open_connection(shared: Plant) -> None:
    device = shared.enrolled("revoked-1")
    assert device.identity
    connection = device.connect()
    assert _ask(connection, device, est_identity("revoked-1")).status == 200
    socket = connection.sock
    shared.server.revoke(device.identity)
    answer = _ask(connection, device, est_identity("revoked-1"))
    assert (answer.status, connection.sock) == (403, socket)
    assert "revoked" in answer.text
    connection.close()


@pytest.mark.parametrize("wanted", [est_identity("own-2"), device_identity("own-2"), edge_ca("gw-2")])
def test_another_devices_name_is_refused(wanted: Request, shared: Plant) -> None:
    by_certificate = shared.enrolled("own-1")
    by_factory = shared.server.device(identity=shared.factory_identity("own-1"))
    by_password = shared.server.device(user=OWN)
    for device in (by_certificate, by_factory, by_password):
        answer = device.enroll(wanted)
        assert answer.status == 403
        assert "own-2" in answer.text or "gw-2" in answer.text


def test_an_alternative_name_of_another_device_is_refused(shared: Plant) -> None:
    wanted = request("own-3", None, [client_auth(), dns_names("own-4")])
    answer = shared.server.device(identity=shared.factory_identity("own-3")).enroll(wanted)
    assert answer.status == 403
    assert "own-4" in answer.text


def _faketime() -> Path:
    """The library that turns the time of a process."""
    for place in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"):
        library = Path(place) / "faketime" / "libfaketimeMT.so.1"
        if library.exists():
            return library
    pytest.skip("faketime is not installed")


def test_a_byte_identical_csr_gets_the_same_certificate_within_two_minutes_and_a_new_one_after(tmp_path: Path) -> None:
    turned = tmp_path / "now"
    turned.write_text("+0s", "utf-8")
    preload = f"LD_PRELOAD={_faketime()}"
    faked = (preload, f"FAKETIME_TIMESTAMP_FILE={turned}", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    env = shutil.which("env")
    assert env
    made = make_plant(tmp_path / "plant")
    made.server.program = (env, *faked, *made.server.program)
    with made.server:
        wanted = device_identity("twin-1")
        first = made.line.enroll(wanted).certificate
        for seconds, same in ((60, True), (115, True), (125, False)):
            turned.write_text(f"+{seconds}s", "utf-8")
            os.utime(turned)
            again = made.line.enroll(wanted).certificate
            assert (again == first) is same
            assert again.public_key() == first.public_key()


def test_somebody_else_gets_a_certificate_of_their_own_for_the_same_csr(shared: Plant) -> None:
    wanted = est_identity("twin-2")
    first, second = (device.enroll(wanted) for device in (shared.line, shared.line.but(user=OTHER)))
    assert first.certificate != second.certificate
