"""What a running server does unasked: its own certificate is renewed in time, under the eyes of its clients."""

import asyncio
import http.client
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.server import Server
from nestor.app.serving import _jobs
from nestor.events import SettingsApplied
from nestor.jobs import run_jobs
from nestor.web.listener import Listener
from nestor.web.site import Site
from support import pki
from support.device import Device, ask
from support.server import free_port
from support.stages import Stage

SOON = timedelta(milliseconds=10)
DAY = timedelta(days=1)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    stage.document = {"listener": {"port": 0, "serverCertificate": {"lifetime": "3d"}}}
    yield stage
    await stage.close()


@asynccontextmanager
async def _serving(stage: Stage, server: Server) -> AsyncIterator[Device]:
    """Whoever asks a server, whose jobs are due every moment."""
    listening = server.house.settings.listener
    http_side = web.Server(Site(lambda: server.house, listening.limits, stage.told.append).handle, lingering_time=0)
    listener = Listener(
        listening,
        context=lambda: server.house.context,
        protocol=http_side,
        failed=lambda *words: pytest.fail(str(words)),
    )
    await listener.start()
    jobs = asyncio.ensure_future(run_jobs([replace(job, every=SOON) for job in _jobs(server)], stage.told.append))
    anchor = stage.data / "ca" / "certificates.pem"
    try:
        yield Device(listener.addresses[0][1], anchor)
    finally:
        jobs.cancel()
        listener.close()
        await http_side.shutdown(0.1)


def _fail(*words: str) -> None:
    pytest.fail(f"a handshake failed: {words}")


def _shown(connection: http.client.HTTPSConnection) -> x509.Certificate:
    assert isinstance(connection.sock, ssl.SSLSocket)
    return x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True) or b"")


def _ask(connection: http.client.HTTPSConnection, device: Device) -> x509.Certificate:
    """Ask for /cacerts, and tell which certificate the connection was made with."""
    assert ask(connection, "GET", device.path("cacerts"), None, {}).status == 200
    return _shown(connection)


async def test_a_server_certificate_that_is_due_is_renewed_while_it_serves(stage: Stage) -> None:
    stage.clock.ahead = -2.2 * DAY.total_seconds()
    server = await stage.start()
    first = server.house.identity.certificate
    async with _serving(stage, server) as device:
        open_before = device.connect()
        assert await asyncio.to_thread(_ask, open_before, device) == first
        stage.clock.ahead += 1.9 * DAY.total_seconds()
        await asyncio.sleep(20 * SOON.total_seconds())
        assert server.house.identity.certificate == first, "two thirds of its life are not over"
        stage.clock.ahead = 0
        await _renewed(server, first)
        second = server.house.identity.certificate
        new = device.connect()
        assert await asyncio.to_thread(_ask, new, device) == second
        assert await asyncio.to_thread(_ask, open_before, device) == first, "who is connected stays so"
        for connection in (open_before, new):
            connection.close()
    assert second.not_valid_after_utc - first.not_valid_after_utc > 2 * DAY
    assert sum(isinstance(event, SettingsApplied) for event in stage.told) == 1
    await _is_kept(stage, second)


async def _renewed(server: Server, first: x509.Certificate) -> None:
    async with asyncio.timeout(5):
        while server.house.identity.certificate == first:  # noqa: ASYNC110 -- nobody tells of it
            await asyncio.sleep(SOON.total_seconds())


async def _is_kept(stage: Stage, certificate: x509.Certificate) -> None:
    """Whether a server certificate is in the ledger, and found at the next start."""
    assert await stage.grounds[-1].ledger.find(certificate.fingerprint(hashes.SHA256()))
    pem = (stage.data / "server-certificate.pem").read_bytes()
    assert certificate.public_bytes(Encoding.PEM) in pem
    await stage.close()
    assert (await stage.start()).house.identity.certificate == certificate


async def test_where_nothing_can_be_issued_a_certificate_that_is_due_changes_nothing(stage: Stage) -> None:
    stage.clock.ahead = -2.2 * DAY.total_seconds()
    first = (await stage.start()).house.identity.certificate
    await stage.close()
    (stage.data / "ca" / "key.pem").unlink()
    stage.clock.ahead = 0
    server = await stage.start()
    house = server.house
    for _ in range(3):
        await server.look_for_changes()
    assert (server.house, server.house.identity.certificate) == (house, first)


async def test_a_parent_that_is_away_keeps_no_certificate_of_this_server_from_being_renewed(
    stage: Stage, tmp_path: Path
) -> None:
    anchor = pki.authority("Above").write(tmp_path)
    upstream = {"url": f"https://localhost:{free_port()}", "anchors": f"file:{anchor}", "identity": {"name": "layer2"}}
    labels = {"here": {"authority": "local"}}
    stage.document |= {"authority": {"kind": "upstream"}, "upstream": upstream, "labels": labels}
    stage.clock.ahead = -2.2 * DAY.total_seconds()
    server = await stage.start()
    first = server.house.identity.certificate
    assert [*server.house.problems()] == ["upstream"]
    assert "no certificate yet for the server above" in server.house.problems()["upstream"]
    stage.clock.ahead = 0
    await server.look_for_changes()
    assert server.house.identity.certificate != first
