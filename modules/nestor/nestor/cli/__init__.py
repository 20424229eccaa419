"""What an operator types: one module per group of commands.

Commands import what they need when they run, so that `nestor --help` answers at once. Errors become two lines on
standard error and an exit code, once, in `exits.py`.
"""

import sys


def main() -> None:
    """Run the `nestor` command."""
    from nestor.cli.commands import app  # noqa: PLC0415 -- only now
    from nestor.cli.exits import run  # noqa: PLC0415 -- only now

    sys.exit(run(app))
