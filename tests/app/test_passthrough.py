"""Proof of possession from end to end through a layer that hands TLS on: the request is linked to the server above."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from support.process import Mortal
from support.server import free_port
from support.shapes import Request, challenge, client_auth, est_identity, request

PASSWORD = "0815"


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mortal, Mortal, int]]:
    """The server above, the layer below it, and the port there that leads up."""
    place, port = tmp_path_factory.mktemp("layers"), free_port()
    above = Mortal(place / "above", {"labels": {"linked": {"linking": True}}})
    passed = {"port": port, "to": f"localhost:{above.port}"}
    layer = Mortal(place / "layer", {"proxy": {"through": "direct", "passthrough": passed}})
    above.add_user("line", PASSWORD, "*")
    with above, layer:
        yield above, layer, port


def _linked(name: str) -> Callable[[str], Request]:
    return lambda binding: request(name, None, [client_auth()], [challenge(binding)])


@pytest.mark.parametrize(
    ("kind", "tls"),
    [("tls-exporter", ssl.TLSVersion.TLSv1_3), ("tls-unique", ssl.TLSVersion.TLSv1_2)],
)
def test_a_request_is_linked_to_the_session_with_the_server_above(
    layers: tuple[Mortal, Mortal, int], kind: str, tls: ssl.TLSVersion
) -> None:
    above, layer, port = layers
    device = replace(above.device(user=("line", PASSWORD)), port=port, label="linked", tls=tls)
    assert device.enroll(est_identity("unlinked")).status == 400
    assert device.enroll_linked(_linked(f"pump-{kind}"), kind).status == 200
    with pytest.raises(ssl.SSLCertVerificationError):  # what is shown there is not the layer's
        replace(layer.device(), port=port).get("cacerts")
    assert layer.device().get("cacerts").status == 200
