"""`python -m layers`, which is `make layers`: lay out five layers, tell the story, leave nothing behind."""

import signal
import sys

import typer

from layers.ground import Ground, why_not
from layers.story import Untrue, tell
from layers.transcript import Transcript


def main() -> int:
    """Tell it; the exit code."""
    reason = why_not()
    if reason is not None:
        return _complain(f"The layers cannot be laid out: {reason}.", "Run it as root, where iproute2 is installed.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Ground() as ground:
            tell(ground, Transcript(typer.echo))
    except Untrue as broken:
        return _complain(str(broken), "What was told before is what happened.")
    except KeyboardInterrupt:
        return 130
    return 0


def _complain(sentence: str, hint: str) -> int:
    typer.echo(f"error: {sentence}", err=True)
    typer.echo(f"hint: {hint}", err=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
