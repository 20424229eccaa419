"""What an operator types: one module per group of commands.

Commands import what they need when they run, so that `nestor --help` answers at once. Errors become two lines on
standard error and an exit code, once, in `exits.py`.
"""

import sys

_AT_ONCE = (["health"], ["health", "--ready"])
"""What a container asks again and again is answered without reading what the other commands are."""


def main() -> None:
    """Run the `nestor` command."""
    if sys.argv[1:] in _AT_ONCE:
        from nestor.cli import probe  # noqa: PLC0415 -- only now

        sys.exit(probe.main(ready="--ready" in sys.argv))
    from nestor.cli.commands import app  # noqa: PLC0415 -- only now
    from nestor.cli.exits import run  # noqa: PLC0415 -- only now

    sys.exit(run(app))
