"""A pull and an upload through two proxies: what docker and the Azure SDK see is what they would see without them."""

import asyncio
import hashlib
import http.client
import json
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from support import pki
from support.backends import Backend, backend
from support.proxying import Proxied, proxied, route_to
from support.registry import DIGEST, LAYER, MANIFEST, MANIFEST_TYPE, Registry


@pytest.fixture
async def way() -> AsyncIterator[tuple[Proxied, Registry, Backend]]:
    """The lower of two proxies in front of a registry."""
    root, registry = pki.authority(), Registry()
    async with backend(registry.talk, root) as behind:
        registry.port = behind.port
        blobs = route_to(behind, "blob", header="x-ms-version")
        on_top = [route_to(behind, "registry", "/v2/"), route_to(behind, "token", "/token"), blobs]
        async with proxied(*on_top, route_to(behind, "storage", "/storage/"), root=root) as upper:
            above = Backend(root, upper.port)
            names = {"registry": "/v2/", "token": "/token", "storage": "/storage/"}
            below = [route_to(above, name, path) for name, path in names.items()]
            async with proxied(*below, route_to(above, "blob", header="x-ms-version"), root=root) as lower:
                yield lower, registry, behind


def pull(port: int, context: ssl.SSLContext) -> bytes:
    """What a container engine does; the bytes of the layer, fetched whole and then its second half again."""
    line = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)

    def ask(method: str, path: str, **headers: str) -> http.client.HTTPResponse:
        line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return line.getresponse()

    def place(address: str) -> str:
        parts = urlsplit(address)
        assert parts.netloc == f"localhost:{port}", "the client reaches nobody else"
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    challenge = ask("GET", "/v2/")
    assert (challenge.status, challenge.headers["Docker-Distribution-Api-Version"]) == (401, "registry/2.0")
    realm = challenge.headers["WWW-Authenticate"].split('"')[1]
    challenge.read()
    token = ask("GET", place(f"{realm}?service=registry&scope=repository:a/b:pull"))
    authorization = f"Bearer {json.loads(token.read())['token']}"
    head = ask("HEAD", "/v2/a/b/manifests/1", Authorization=authorization, Accept=MANIFEST_TYPE.decode())
    assert (head.headers["Content-Length"], head.read()) == (str(len(MANIFEST)), b"")
    manifest = ask("GET", "/v2/a/b/manifests/1", Authorization=authorization, Accept=MANIFEST_TYPE.decode())
    assert manifest.headers["Content-Type"] == MANIFEST_TYPE.decode()
    assert manifest.read() == MANIFEST
    redirect = ask("GET", f"/v2/a/b/blobs/{DIGEST}", Authorization=authorization)
    assert (redirect.status, redirect.read()) == (307, b"")
    layer = ask("GET", place(redirect.headers["Location"])).read()
    rest = ask("GET", place(redirect.headers["Location"]), Range=f"bytes={len(layer) // 2}-")
    assert (rest.status, rest.read()) == (206, layer[len(layer) // 2 :])
    line.close()
    return layer


async def test_an_image_is_pulled(way: tuple[Proxied, Registry, Backend]) -> None:
    lower, _, behind = way
    layer = await asyncio.to_thread(pull, lower.port, lower.front.tls())
    assert layer == LAYER
    assert hashlib.sha256(layer).hexdigest() == DIGEST.partition(":")[2]
    assert behind.heads[-1].startswith(b"GET /storage/sha256:")
    assert b"?sig=a%2Bb HTTP/1.1\r\n" in behind.heads[-1]


async def test_a_blob_is_uploaded_block_by_block(way: tuple[Proxied, Registry, Backend]) -> None:
    lower, registry, behind = way
    blocks = {b"AAAA": b"a" * 300_000, b"BBB=": b"b" * 300_000}

    def upload() -> None:
        line = http.client.HTTPSConnection("localhost", lower.port, context=lower.front.tls(), timeout=20)
        known = {"x-ms-version": "2021-12-02", "x-ms-date": "now", "Authorization": "SharedKey account:sig"}
        for name, content in blocks.items():
            line.request("PUT", f"/c/blob?comp=block&blockid={name.decode().replace('=', '%3D')}", content, known)
            assert line.getresponse().read() == b""
        order = b"<BlockList>" + b"".join(b"<Latest>%s</Latest>" % name for name in blocks) + b"</BlockList>"
        line.request("PUT", "/c/blob?comp=blocklist", iter([order]), known, encode_chunked=True)
        answer = line.getresponse()
        assert (answer.status, answer.headers["x-ms-version"]) == (201, "2021-12-02")
        line.close()

    await asyncio.to_thread(upload)
    assert registry.blob == b"".join(blocks.values())
    assert all(b"x-ms-date: now\r\n" in head for head in behind.heads)
    assert {event.route for event in lower.carried} == {"blob"}
