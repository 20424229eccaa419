"""A process that is killed at a change of the disk which can be chosen, as by a power cut.

Run as a program, it does what `nestor` does: the number of the renaming comes first, then the words of the command.
"""

import os
import signal
import sys

CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})


def kill_at_change(number: int, changes: frozenset[str] = CHANGES) -> None:
    """Kill this very process when it is about to do the n-th of these changes of names on the disk."""
    left = number

    def die(event: str, _: object) -> None:
        nonlocal left
        left -= event in changes
        if left == 0:
            left = -1  # the kill is an event as well
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)


if __name__ == "__main__":
    from nestor.cli import main

    kill_at_change(int(sys.argv.pop(1)), frozenset({"os.rename"}))
    main()
