"""Room for what comes in many TLS records at once: one for all connections, empty between the turns of the event loop.

pyOpenSSL makes a buffer for each record, and looks for an error after each that came well; of a long body that takes
as much time as to decrypt it. Here OpenSSL is asked as pyOpenSSL asks it, but for these two.
"""

from functools import cache
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

_OPENSSL = Binding()  # what pyOpenSSL stands on
_SIZE = 128 * 1024
_RECORD = 16 * 1024  # the most that a TLS record holds (RFC 8446, 5.1)


class Room:
    """Bytes that were decrypted and not handed over yet."""

    def __init__(self) -> None:
        self._bytes = bytearray(_SIZE + _RECORD)
        self._place: Any = _OPENSSL.ffi.from_buffer(self._bytes)
        self._filled = 0

    @property
    def is_free(self) -> bool:
        """Whether another record has room."""
        return self._filled <= _SIZE

    def take(self, session: SSL.Connection) -> None:
        """Take what there is of one record. Raises what `recv` does."""
        got = _OPENSSL.lib.SSL_read(session._ssl, self._place + self._filled, _RECORD)  # noqa: SLF001 -- as recv does
        if got <= 0:
            session._raise_ssl_error(session._ssl, got)  # noqa: SLF001 -- as recv does
        self._filled += got

    def emptied(self) -> bytes:
        """What was taken; nothing of it stays."""
        content = bytes(memoryview(self._bytes)[: self._filled])
        self._filled = 0
        return content


@cache
def shared_room() -> Room:
    """The one room."""
    return Room()
