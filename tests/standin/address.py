"""An address of its own for each stand-in: the SDK knows one port only, so that two of them need two addresses."""

import itertools
import os
import socket

from standin.errors import StandInError

_FIRST, _LAST = 2, 250


class Claim:
    """A loopback address that is ours while this lives, also while nothing listens on it."""

    def __init__(self, address: str, mark: socket.socket) -> None:
        self.address = address
        self._mark = mark

    def release(self) -> None:
        """Let others have it."""
        self._mark.close()


def claim(port: int) -> Claim:
    """An address that nobody claimed, with a port that is free on it."""
    numbers = range(_FIRST, _LAST + 1)
    start = os.getpid() % len(numbers)
    for number in itertools.chain(numbers[start:], numbers[:start]):
        address = f"127.0.0.{number}"
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0nestor-stand-in/{address}")  # ends with this process, however it ends
            _bound(address, port)
        except OSError:
            mark.close()
        else:
            return Claim(address, mark)
    raise StandInError(f"Port {port} is taken on every address from 127.0.0.{_FIRST} to 127.0.0.{_LAST}.")


def free_port(address: str, wished: int) -> int:
    """The port wished for; another one where somebody listens there on every address of this machine."""
    try:
        return _bound(address, wished)
    except OSError:
        return _bound(address, 0)


def _bound(address: str, port: int) -> int:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((address, port))
        return int(trial.getsockname()[1])
