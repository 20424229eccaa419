"""A run of the factory: open it, keep the directory to itself, serve every row, report what became of each."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nestor.app.authority import Source
from nestor.app.batch import Batch, Outcome, Wishes
from nestor.app.delivery import Delivery
from nestor.app.factory import open_factory
from nestor.app.item import Item
from nestor.app.report import reporting


@dataclass(frozen=True, slots=True)
class Production:
    """What is to be issued, and where to; `only` is the one file of a single certificate, which has no report.

    `profile` is that of rows which name none, `lifetime` takes the place of that of every profile, and `chain` puts
    the CA certificates behind each.
    """

    items: Iterable[Item]
    directory: Path
    profile: str
    wishes: Wishes
    only: Path | None = None
    report: bool = True
    chain: bool = False
    lifetime: timedelta | None = None


async def produce(source: Source, run: Production, told: Callable[[Outcome], None]) -> None:
    """Issue what is asked for, and tell of each row in its order; one that is refused keeps no other from its own.

    Raises SettingsError or MaterialError for what cannot be used at all, CannotIssue where nothing can be signed.
    """
    async with open_factory(source, run.lifetime) as factory:
        factory.check_profile(run.profile)
        delivery = Delivery(run.directory, chain=factory.chain if run.chain else (), only=run.only)
        with ExitStack() as stack:
            stack.enter_context(delivery.occupied())
            report = stack.enter_context(reporting(run.directory)) if run.report else None

            def tell(outcome: Outcome) -> None:
                if report is not None:
                    report.add(outcome)
                told(outcome)

            await Batch(factory, delivery, run.wishes).run(run.items, tell)
