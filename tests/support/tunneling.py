"""An HTTP proxy of a plant, in the loop of a test: it makes tunnels (RFC 9110, 9.3.6) to one port of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from nestor.proxy.dialing import Through


@asynccontextmanager
async def http_proxy(port: int, *, refuses: bool = False) -> AsyncIterator[tuple[Through, list[bytes]]]:
    """How it is reached, user and password included, and the heads of the requests that it has seen."""
    seen: list[bytes] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            writer.close()
            return
        there, up = await asyncio.open_connection("localhost", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pour(reader, up), _pour(there, writer))

    server = await asyncio.start_server(carry, "localhost", 0)
    try:
        yield Through("localhost", server.sockets[0].getsockname()[1], "user:secret"), seen
    finally:
        server.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
