"""Who asks, as the proxy sees them: a request as it was sent, and the way back. Their connection is somebody else's."""

from dataclasses import dataclass
from typing import Protocol

from nestor.proxy.dialing import Target
from nestor.proxy.routing import Headers, Pattern


@dataclass(frozen=True, slots=True)
class Asked:
    """The head of a request. `minor` is that of HTTP/1; `last` says that the client's connection ends with it.

    `network` is among whom it counts: those of its address, or it alone.
    """

    method: str
    target: str
    headers: Headers
    minor: int
    address: str
    network: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What goes where, and with what. `identity` tells edgeHub whose certificate came."""

    name: str
    pattern: Pattern
    target: Target
    keep_host: bool = False
    identity: bool = False


class Caller(Protocol):
    """The client's side of one request. Reading and writing raise ConnectionError where nobody is there any more."""

    async def read(self) -> bytes:
        """A piece of the body, without its framing; empty at its end. After `switch`: whatever comes."""

    def trailers(self) -> Headers:
        """The fields behind the body, once it has ended."""

    async def write(self, data: bytes | memoryview) -> None:
        """Write bytes as they stand; returns when more of them are welcome. `data` is free again then."""

    async def certificate(self) -> str | None:
        """The client certificate as PEM, if it is one that is good here at this moment; else None.

        Raises NestorError where that cannot be known.
        """

    async def holder(self) -> str | None:
        """Whose client certificate it is, however many they have, if it is one that is good; else None. Raises so."""

    def allow(self, seconds: float) -> None:
        """From now on, so many seconds may pass without a byte, either way."""

    def switch(self) -> None:
        """From now on, what comes is no HTTP."""
