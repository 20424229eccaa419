"""The module's own token for edgeHub: signed by the runtime, kept until it is half old. It never stands in a log.

A token is a shared access signature: which resource, until when, and an HMAC over both by the key of this module.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import quote

_LIFETIME = timedelta(hours=1)
_KEPT = timedelta(minutes=30)

Sign = Callable[[bytes], Awaitable[bytes]]


class Token:
    """The token of a module; `audience` is its resource: hub, device and module."""

    def __init__(self, audience: str, sign: Sign, now: Callable[[], datetime]) -> None:
        self._audience = quote(audience, safe="")
        self._sign = sign
        self._now = now
        self._made: datetime | None = None
        self._value = b""
        self._asking = asyncio.Lock()

    async def value(self) -> bytes:
        """The token as an Authorization header has it. Raises Unavailable where the runtime does not sign."""
        async with self._asking:
            now = self._now()
            # A clock that was set back makes it new as well: it would be good for longer than was meant.
            if self._made is None or not self._made <= now < self._made + _KEPT:
                self._value = await self._signed(int((now + _LIFETIME).timestamp()))
                self._made = now
            return self._value

    async def _signed(self, expiry: int) -> bytes:
        signature = b64encode(await self._sign(f"{self._audience}\n{expiry}".encode())).decode()
        return f"SharedAccessSignature sr={self._audience}&sig={quote(signature, safe='')}&se={expiry}".encode()
