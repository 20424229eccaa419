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
            if _is_free(address, port):
                return Claim(address, mark)
        except OSError:
            pass
        mark.close()
    raise StandInError(f"Port {port} is taken on every address from 127.0.0.{_FIRST} to 127.0.0.{_LAST}.")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((address, port))
    return True
