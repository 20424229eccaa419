"""What routes lead to, for tests: a server on TLS that says exactly the bytes a test wants, and hears what comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from nestor.proxy.message import Chunks
from nestor.proxy.routing import Headers
from support.device import Identity
from support.pki import CA

Talk = Callable[["Line"], Awaitable[None]]


@dataclass
class Line:
    """One connection that came."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heads: list[bytes]
    trailers: Headers = ()

    async def head(self) -> bytes:
        """The head of the next request, as it came."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        return head

    async def body(self, head: bytes) -> bytes:
        """The body of a request, by its framing."""
        if b"transfer-encoding: chunked" in head.lower():
            chunks, body = Chunks(), b""
            while not chunks.ended:
                parts, _ = chunks.feed(memoryview(await self.reader.readexactly(1)))
                body += b"".join(parts)
            self.trailers = chunks.trailers
            return body
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return await self.reader.readexactly(int(lengths[0][15:])) if lengths else b""

    async def say(self, *parts: bytes) -> None:
        """Say bytes as they stand."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    def cut(self) -> None:
        """End without a goodbye."""
        self.writer.transport.abort()


@dataclass
class Backend:
    """A server; `heads` are those of every request, `lines` how many connections came."""

    root: CA
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    lines: int = 0
    server: asyncio.Server | None = None


def held_until(go: asyncio.Event) -> Talk:
    """A talk that answers one request with nothing, as soon as it may."""

    async def talk(line: Line) -> None:
        await line.head()
        await go.wait()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return talk


@asynccontextmanager
async def backend(talk: Talk, root: CA, *, name: str = "localhost", host: str = "localhost") -> AsyncIterator[Backend]:
    """Serve; each connection is one talk, which ends it by returning."""
    made = Backend(root)

    talks: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.lines += 1
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(Line(reader, writer, made.heads))
        finally:
            talks.discard(task)
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()
            writer.transport.abort()

    identity = root.issue(name, alternative_names=[name], server=True, client=False)
    made.server = await asyncio.start_server(serve, host, made.port, ssl=server_tls(identity))
    made.port = made.server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.server.close()
        for one in tuple(talks):
            one.cancel()
        if talks:
            await asyncio.wait(talks, timeout=3)
        await asyncio.sleep(0)


def server_tls(identity: Identity) -> ssl.SSLContext:
    """TLS that shows a certificate."""
    import tempfile
    from pathlib import Path

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as place:
        pem = Path(place) / "identity.pem"
        pem.write_bytes(identity.pem)
        context.load_cert_chain(pem)
    return context


async def answer(line: Line, body: bytes = b"hello", *fields: bytes) -> None:
    """Answer every request of a connection with the same."""
    while True:
        await line.body(await line.head())
        await line.say(b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields, b"", body]))
