"""Whose word goes to edgeHub: the module's token beside a client certificate that was verified, and never without."""

import base64
import hmac
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from nestor.errors import Unavailable
from nestor.proxy.token import Token
from support import pki
from support.backends import answer, backend
from support.pki import CA
from support.proxying import proxied, route_to

KEY = b"the key of the module"
AUDIENCE = "plant.azure-devices.net/devices/gw/modules/nestor"
GET = b"GET /devices/d1/x HTTP/1.1\r\nHost: a\r\n%sConnection: close\r\n\r\n"
NOW = datetime(2026, 7, 1, tzinfo=UTC)


async def sign(data: bytes) -> bytes:
    return hmac.digest(KEY, data, "sha256")


def a_token() -> Token:
    return Token(AUDIENCE, sign, lambda: NOW)


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


async def heads(root: CA, request: bytes, *, shown: bool, good: bool = True, identity: bool = True) -> bytes:
    device = root.issue("d1") if shown else None
    async with (
        backend(answer, root) as behind,
        proxied(route_to(behind, identity=identity), token=a_token(), good=good, root=root) as proxy,
    ):
        assert b" 200 " in await proxy.ask(request, identity=device)
        assert "SharedAccess" not in "".join(map(repr, proxy.events))
    return behind.heads[0]


async def test_a_verified_certificate_goes_up_under_the_token_of_the_module(root: CA) -> None:
    head = await heads(root, GET % b"", shown=True)
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    pem = unquote(fields[b"x-ms-edge-clientcert"].decode())
    assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
    told = dict(part.split("=", 1) for part in fields[b"Authorization"].decode().partition(" ")[2].split("&"))
    signed = f"{told['sr']}\n{told['se']}".encode()
    assert unquote(told["sr"]) == AUDIENCE
    assert base64.b64decode(unquote(told["sig"])) == await sign(signed)
    assert int(told["se"]) == int(NOW.timestamp()) + 3600


@pytest.mark.parametrize(
    ("shown", "good", "identity", "more"),
    [
        (False, True, True, b""),
        (True, False, True, b""),
        (True, True, False, b""),
        (True, True, True, b"Authorization: SharedAccessSignature mine\r\n"),
    ],
    ids=["nobody", "a certificate that is not good", "a route without", "a client with a token of its own"],
)
async def test_else_the_token_stays_here(root: CA, shown: bool, good: bool, identity: bool, more: bytes) -> None:
    head = await heads(root, GET % more, shown=shown, good=good, identity=identity)
    assert b"clientcert" not in head
    assert [line for line in head.split(b"\r\n") if line.startswith(b"Authorization")] == more.splitlines()


async def test_what_a_client_says_of_certificates_by_itself_never_goes_up(root: CA) -> None:
    forged = b"x-ms-edge-clientcert: forged\r\nX_MS_Edge_ClientCert: forged\r\nClient-Cert: :AA==:\r\n"
    assert b"forged" not in await heads(root, GET % forged, shown=True)


async def test_a_token_is_kept_for_half_an_hour_and_no_longer() -> None:
    moments, signed = [NOW], []

    async def note(data: bytes) -> bytes:
        signed.append(data)
        return b"x"

    token = Token(AUDIENCE, note, lambda: moments[-1])
    first = await token.value()
    moments.append(NOW.replace(minute=29))
    assert await token.value() == first
    moments.append(NOW.replace(minute=30))
    assert await token.value() != first
    moments.append(NOW.replace(minute=29, second=59))  # the clock was set back
    await token.value()
    assert len(signed) == 3


async def test_a_runtime_that_does_not_sign_is_a_503(root: CA) -> None:
    async def refuse(_: bytes) -> bytes:
        raise Unavailable("The IoT Edge runtime cannot be reached at /run/secret.sock.")

    token = Token(AUDIENCE, refuse, lambda: NOW)
    async with (
        backend(answer, root) as behind,
        proxied(route_to(behind, identity=True), token=token, root=root) as proxy,
    ):
        answered = await proxy.ask(GET % b"", identity=root.issue("d1"))
    assert answered.startswith(b"HTTP/1.1 503 ")
    assert b"secret.sock" not in answered
