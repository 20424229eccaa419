"""A person at a terminal, who types what must not be shown when it is asked for."""

import os
import pty
import termios
import time
from collections.abc import Sequence

_PATIENCE = 30.0


def typed(command: Sequence[str], *secrets: str) -> tuple[int, str]:
    """Run a command, and type each secret when the terminal has stopped to show what is typed; code and output."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], list(command))
    seen = b""
    for number, secret in enumerate(secrets, 1):
        _wait_until_hidden(terminal)
        os.write(terminal, f"{secret}\n".encode())
        # Only after the line end that follows a secret can the next one be asked for.
        while number < len(secrets) and seen.count(b"\n") < number:
            seen += os.read(terminal, 1024)
    try:
        while more := os.read(terminal, 1024):
            seen += more
    except OSError:  # the terminal is gone when its program has ended
        pass
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()


def _wait_until_hidden(terminal: int) -> None:
    """Wait until a terminal does not show what is typed. Raises TimeoutError."""
    deadline = time.monotonic() + _PATIENCE
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)
