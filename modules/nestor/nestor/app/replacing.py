"""A new state of a data directory: put together beside what is there, and carried out whole, be it interrupted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nestor.app.occupancy import FILE as LOCK
from nestor.app.occupancy import occupied
from nestor.backup.archive import DATA
from nestor.backup.landing import Landing
from nestor.errors import MaterialError
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import merge_revocations, read_revocations


@contextmanager
def new_state(data: Path, doing: str) -> Iterator[Landing]:
    """Have a data directory to oneself, and room for its new state; what was not decided at the end is dropped.

    Raises MaterialError, or Unavailable while a server has the directory.
    """
    with _directory(data), occupied(data, doing):
        finish_interrupted(data)
        landing = Landing(data)
        landing.begin()
        try:
            yield landing
        finally:
            if not landing.is_decided:
                landing.abandon()


def carry_out(data: Path) -> Sequence[str]:
    """Put a decided state into its place, and answer what was moved aside. Raises MaterialError or CannotIssue.

    Revocations come first, and are added to those that are there: no moment shows a ledger without them.
    """
    landing = Landing(data)
    merge_revocations(data / REVOCATIONS, read_revocations(landing.new / DATA / REVOCATIONS))
    return landing.carry_out()


def finish_interrupted(data: Path) -> bool:
    """Carry out what was decided before an interruption, and drop what was not; whether there was a decision.

    Only who has the directory to itself may do so. Raises MaterialError or CannotIssue.
    """
    landing = Landing(data)
    if landing.is_decided:
        carry_out(data)
        return True
    landing.abandon()
    return False


def check_not_interrupted(data: Path) -> None:
    """Raise MaterialError where a new state was decided and not carried out: what is there may be half of each."""
    if Landing(data).is_decided:
        raise MaterialError(
            f"The restoring of {data} was interrupted.",
            "Start nestor serve, or restore once more: both finish it first.",
        )


@contextmanager
def _directory(data: Path) -> Iterator[None]:
    """Make the directory where there is none; take it away again where nothing came of it."""
    fresh = not data.exists()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The data directory {data} cannot be made: {error.strerror}.", "Check --data.") from error
    try:
        yield
    except BaseException:
        if fresh:
            (data / LOCK).unlink(missing_ok=True)
            with suppress(OSError):  # where something came of it after all, it stays
                data.rmdir()
        raise
