"""The ports of a server: EST and routes on one, or on two."""

from pathlib import Path

import pytest

from support import pki
from support.backends import answer, backend
from support.device import Device
from support.process import Mortal
from support.server import free_port

ROUTE = "/else"


@pytest.mark.parametrize("apart", [False, True])
async def test_routes_are_on_the_port_of_est_or_on_their_own(tmp_path: Path, apart: bool) -> None:
    import asyncio

    root = pki.authority()
    async with backend(answer, root) as behind:
        anchors = f"file:{root.write(tmp_path)}"
        document = {
            "routes": {"all": {"to": f"https://localhost:{behind.port}", "anchors": anchors}},
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
        finally:
            await asyncio.to_thread(server.stop)
    assert len(behind.heads) == (1 if apart else 2)
