"""How far a long command has come: a bar on a terminal, a line now and then in a pipe, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

_FEW = 100


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show progress while something is done `total` times; what comes out is called after each time."""
    if sys.stderr.isatty():
        with _bar(what, total) as step:
            yield step
    else:
        yield _Milestones(what, total)


class _Milestones:
    """A line for every tenth of the whole; none for so few that they are done at once."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0

    def __call__(self) -> None:
        before, self._done = self._done * 10 // self._total, self._done + 1
        if self._total >= _FEW and self._done * 10 // self._total > before:
            typer.echo(f"{self._what}: {self._done:,} of {self._total:,}", err=True)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console  # noqa: PLC0415 -- heavy, and only for people
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
