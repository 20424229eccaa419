"""The ports of a server: EST and routes on one, or on two; and what a client certificate is worth there."""

from pathlib import Path

import pytest
from cryptography import x509

from nestor.app.doors import Porter
from nestor.errors import CannotIssue
from nestor.model import Credentials
from support import pki
from support.backends import answer, backend
from support.device import Device
from support.forwarding import SPEAKS
from support.issuing import DAY, HandClock
from support.process import Mortal
from support.server import free_port
from support.signing import CLIENT, Signed, root
from support.stages import Stage

ROUTE = "/else"


@pytest.mark.parametrize("apart", [False, True])
async def test_routes_are_on_the_port_of_est_or_on_their_own(tmp_path: Path, apart: bool) -> None:
    import asyncio

    above = pki.authority()
    async with backend(answer, above) as behind:
        anchors = f"file:{above.write(tmp_path)}"
        document = {
            "routes": {"one": {"path": ROUTE, "to": f"https://localhost:{behind.port}", "anchors": anchors}},
            "proxy": {"through": "direct", **({"port": free_port()} if apart else {})},
        }
        server = Mortal(tmp_path / "place", document)
        await asyncio.to_thread(server.start)
        try:
            est = server.device()
            port = document["proxy"].get("port", server.port)
            routes = Device(int(str(port)), server.ca_file)

            def told(device: Device, path: str) -> tuple[int, bytes]:
                said = device.ask("GET", path)
                return said.status, said.body

            ask = asyncio.to_thread
            assert await ask(told, routes, ROUTE) == (200, b"hello")
            assert (await ask(told, est, est.path("cacerts")))[0] == 200
            assert (await ask(told, est, ROUTE))[0] == (404 if apart else 200)
            assert (await ask(told, routes, est.path("cacerts")))[0] == (404 if apart else 200)
            assert (await ask(told, routes, "/.well-known/est/nothing"))[0] == 404
            assert b"No route of the first Nestor on the way takes" in (await ask(told, routes, "/nothing"))[1]
            assert (b"There is nothing here." in (await ask(told, est, "/nothing"))[1]) is apart
        finally:
            await asyncio.to_thread(server.stop)
    assert len(behind.heads) == (1 if apart else 2)


async def test_the_gates_of_the_moment_tell_what_a_certificate_is_worth(timed: Stage, clock: HandClock) -> None:
    life = {"start": clock.now() - DAY, "end": clock.now() + 30 * DAY}
    maker, strict, layer = (root(name, **life) for name in ("Maker", "Strict", "Layer"))
    timed.data.mkdir()
    for name, ca in (("maker", maker), ("strict", strict), ("layer", layer)):
        (timed.data / f"{name}.pem").write_bytes(ca.pem)
    timed.document = {
        "access": {
            "bootstrap": {
                "maker": {"anchors": "file:maker.pem"},
                "strict": {"anchors": "file:strict.pem", "requireCrl": True},
            },
            "forwarders": {"line1": {"subject": "CN=nestor-line1", "anchors": "file:layer.pem", "names": "line1-*"}},
        }
    }
    server = await timed.open()
    porter = Porter(server)

    def shown(ca: Signed, name: str, *extensions: x509.ExtensionType) -> Credentials:
        return Credentials("10.0.0.1", ca.sign(name, extensions=extensions, **life).certificate)

    pump, forwarder = shown(maker, "pump-1", CLIENT), shown(layer, "nestor-line1", SPEAKS)
    assert await porter.is_good(pump)
    assert not await porter.is_good(shown(root("Stranger", **life), "pump-1", CLIENT))
    with pytest.raises(CannotIssue):
        await porter.is_good(shown(strict, "pump-2", CLIENT))
    assert await porter.is_forwarder(forwarder)
    assert not await porter.is_forwarder(pump)
    assert not await porter.is_forwarder(shown(layer, "nestor-line2", SPEAKS))
    clock.pass_by(31 * DAY)
    assert not await porter.is_good(pump)
    assert not await porter.is_forwarder(forwarder)
