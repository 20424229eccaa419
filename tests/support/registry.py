"""A container registry and a blob store as docker and the Azure SDK speak to them.

Statuses, headers and their order are those of the distribution registry 2.8 and of the Blob service. A pull is that of
a stranger who gets a token first; its blob comes by a redirect, its end by a range.
"""

import hashlib
import json

from support.backends import Line

LAYER = bytes(range(256)) * 4096
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
MANIFEST = json.dumps({"schemaVersion": 2, "layers": [{"digest": DIGEST, "size": len(LAYER)}]}).encode()
MANIFEST_TYPE = b"application/vnd.docker.distribution.manifest.v2+json"
_TOKEN = b"Bearer abc.def-ghi"
_API = b"Docker-Distribution-Api-Version: registry/2.0"


class Registry:
    """One registry, and one container of blobs beside it; `port` is known when it listens."""

    def __init__(self) -> None:
        self.port = 0
        self.blocks: dict[bytes, bytes] = {}
        self.blob = b""

    async def talk(self, line: Line) -> None:
        """Answer every request of a connection."""
        while True:
            head = await line.head()
            body = await line.body(head)
            await line.say(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
        if b"x-ms-version: " in head:
            return self._blob(target, body)
        here = b"https://localhost:%d" % self.port
        if target.startswith(b"/token"):
            return _said(200, b'{"token":"abc.def-ghi"}', b"Content-Type: application/json")
        if target.startswith(b"/storage/"):
            return _ranged(head)
        if b"Authorization: " + _TOKEN not in head:
            realm = b'Www-Authenticate: Bearer realm="%s/token",service="registry"' % here
            return _said(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', b"Content-Type: application/json", _API, realm)
        return self._content(method, target)

    def _content(self, method: bytes, target: bytes) -> bytes:
        here = b"https://localhost:%d" % self.port
        if target == b"/v2/":
            return _said(200, b"{}", b"Content-Type: application/json", _API)
        if b"/manifests/" in target:
            content = b"" if method == b"HEAD" else MANIFEST
            fields = (b"Content-Type: " + MANIFEST_TYPE, b"Docker-Content-Digest: sha256:0", _API, b'Etag: "sha256:0"')
            return _said(200, content, *fields, length=len(MANIFEST))
        return _said(
            307,
            b"",
            b"Content-Type: application/octet-stream",
            b"Location: %s/storage/%s?sig=a%%2Bb" % (here, DIGEST.encode()),
        )

    def _blob(self, target: bytes, body: bytes) -> bytes:
        told = (b"x-ms-request-id: 0-1", b"x-ms-version: 2021-12-02", b"x-ms-request-server-encrypted: true")
        if b"comp=blocklist" in target:
            order = [part.split(b"<")[0] for part in body.split(b"<Latest>")[1:]]
            self.blob = b"".join(self.blocks[name] for name in order)
        else:
            name = target.partition(b"blockid=")[2].replace(b"%3D", b"=")
            self.blocks[name] = body
        return _said(201, b"", *told)


def _said(status: int, body: bytes, *fields: bytes, length: int | None = None) -> bytes:
    lines = [b"HTTP/1.1 %d OK" % status, *fields, b"Content-Length: %d" % (len(body) if length is None else length)]
    return b"\r\n".join([*lines, b"", body])


def _ranged(head: bytes) -> bytes:
    wanted = head.partition(b"Range: bytes=")[2].partition(b"-")[0]
    fields = (b"Accept-Ranges: bytes", b"Content-Type: application/octet-stream")
    if not wanted:
        return _said(200, LAYER, *fields)
    rest = LAYER[int(wanted) :]
    return _said(206, rest, *fields, b"Content-Range: bytes %d-%d/%d" % (int(wanted), len(LAYER) - 1, len(LAYER)))
