"""From the words of the settings to listening sockets, or to a sentence that says why there are none."""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from nestor.errors import Unavailable

EVERYWHERE = "*"
_BACKLOG = 1024
_Place = tuple[int, tuple[Any, ...]]
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


async def listen_on(addresses: Sequence[str], port: int, section: str = "listener") -> list[socket.socket]:
    """Listen on IP addresses, on whatever host names stand for, or on every address; `section` of the settings says so.

    Of the addresses of a name, those that this machine does not have are left out. Port 0 takes a free one, the same
    on every address. Raises Unavailable, and then no socket stays open.
    """
    if not addresses:
        raise Unavailable("There is no address to listen on.", f"Set {section}.addresses.")
    opened: list[socket.socket] = []
    with ExitStack() as undo:
        for address in addresses:
            places = await _resolve(address, port, section)
            opened += _open_all(address, places, opened[0].getsockname()[1] if opened else port, undo, section)
        undo.pop_all()
    return opened


async def _resolve(address: str, port: int, section: str) -> list[_Place]:
    host = None if address == EVERYWHERE else address
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"The address {address} to listen on is not known.", f"Check {section}.addresses.") from error
    return list(dict.fromkeys((family, place) for family, _, _, _, place in found))


def _open_all(address: str, places: Sequence[_Place], port: int, undo: ExitStack, section: str) -> list[socket.socket]:
    """The sockets of one address; those of its places that are not here are left out, if there are others."""
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, (host, _, *more) in places:
        try:
            opened.append(undo.enter_context(_open(family, (host, port, *more))))
        except OSError as error:
            missing = error
            if error.errno not in _NOT_HERE:
                raise _unavailable(address, port, error, section) from error
        else:
            port = opened[0].getsockname()[1]
    if missing is not None and not opened:
        raise _unavailable(address, port, missing, section) from missing
    return opened


def _open(family: int, place: tuple[Any, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        opened.setblocking(False)
        opened.bind(place)
        opened.listen(_BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _unavailable(address: str, port: int, error: OSError, section: str) -> Unavailable:
    where = "every address" if address == EVERYWHERE else address
    match error.errno:
        case errno.EADDRINUSE:
            told = f"Port {port} on {where} is taken by another program."
            return Unavailable(told, f"End it, or set {section}.port.")
        case errno.EACCES | errno.EPERM:
            return Unavailable(f"Port {port} on {where} may not be had by this user.", "Take a port above 1023.")
        case code if code in _NOT_HERE:
            return Unavailable(f"This machine does not have the address {where}.", f"Check {section}.addresses.")
        case code:
            reason = os.strerror(code) if code else str(error)
            return Unavailable(f"Port {port} on {where} cannot be had: {reason}.", f"Check {section}.addresses.")
