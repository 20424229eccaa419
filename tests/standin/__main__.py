"""`python -m standin`, which is `make edge`: an edge with the module on it and a prompt; with words, a line for it."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import typer

from standin.control import Control, ask, usual_place
from standin.deployment import Deployment, read_template, read_twin
from standin.desk import Desk, help_table
from standin.edge import Edge
from standin.errors import StandInError
from standin.module import Module

_TEMPLATE = Path(__file__).parents[2] / "deployment.template.json"
_PROMPT = "edge> "
_START_SECONDS = 20.0
_REPORT_SECONDS = 5.0


def main() -> int:
    """Run; the exit code."""
    options = _parser().parse_args()
    try:
        if options.words:
            typer.echo(ask(options.control, " ".join(options.words)))
        else:
            run(options)
    except StandInError as reason:
        return _complain(reason)
    except KeyboardInterrupt:
        typer.echo("")
    return 0


def run(options: argparse.Namespace) -> None:
    """Start everything, talk until there is no more to say, and stop everything."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        place = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nestor-edge-")))
        place.mkdir(parents=True, exist_ok=True)
        edge = stack.enter_context(Edge())
        deployment = _deployment(options.twin, edge)
        edge.replace_desired(deployment.desired)
        edge.reset_versions()
        module = Module(edge, place, deployment.environment)
        desk = Desk(edge, module)
        turn = threading.Lock()

        def do(line: str) -> str:
            with turn:
                return desk.do(line)

        def leave_if_told() -> None:
            if desk.finished:
                os.kill(os.getpid(), signal.SIGTERM)

        stack.enter_context(Control(options.control, do, leave_if_told))
        stack.callback(module.stop)
        module.start()
        _welcome(desk)
        if options.no_prompt:
            signal.pause()
        for line in _lines():
            _say(do, line)
            if desk.finished:
                break


def _say(do: Callable[[str], str], line: str) -> None:
    try:
        typer.echo(do(line))
    except StandInError as reason:
        _complain(reason)


def _complain(reason: StandInError) -> int:
    typer.echo(f"error: {reason}", err=True)
    return 1


def _lines() -> Iterator[str]:
    """What a person types, or a script; that of a script is shown, so that its output reads like a conversation."""
    typed = sys.stdin.isatty()
    if typed:
        import readline  # noqa: F401 -- gives input() a history, where there is a person
    while True:
        try:
            line = input(_PROMPT)
        except EOFError:
            typer.echo("")
            return
        if not typed:
            typer.echo(line)
        if line.strip():
            yield line


def _welcome(desk: Desk) -> None:
    typer.echo("Starting the module ...")
    try:
        desk.edge.wait_until(lambda: desk.edge.connected or desk.module.ended is not None, _START_SECONDS)
    except StandInError:
        typer.echo("It has not connected yet; log may tell why.")
    with suppress(StandInError):
        desk.edge.wait_for_reported(lambda reported: bool(reported) or desk.module.ended is not None, _REPORT_SECONDS)
    typer.echo(f"{desk.do('status')}\n\nType a command; help shows them all. For example: reported")


def _deployment(twin: Path | None, edge: Edge) -> Deployment:
    """What the module is given: a twin from a file, or what the deployment template says."""
    place = twin or _TEMPLATE
    try:
        text = place.read_text("utf-8")
    except OSError as reason:
        raise StandInError(f"{place} cannot be read: {reason.strerror}.") from reason
    return read_twin(text) if twin else read_template(text, edge.identity.module, edge.address)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m standin",
        description="Start a local IoT Edge with the module on it. With a command: tell it to the one that runs.",
        epilog=f"commands:\n{help_table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep everything there; a temporary one by default")
    parser.add_argument("--twin", type=Path, metavar="FILE", help="desired properties to start with, as JSON")
    parser.add_argument("--control", type=Path, metavar="SOCKET", default=usual_place(), help="where commands arrive")
    parser.add_argument("--no-prompt", action="store_true", help="take commands by the socket only")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="command", help="one of those below")
    return parser


if __name__ == "__main__":
    sys.exit(main())
