"""What an enrollment costs, beside the bare handshake of `openssl s_server` that was measured in the same round.

Machines differ and are busy, so the figure to quote is the ratio: rounds are interleaved, ratios are taken round by
round, and what is shown are medians.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.load import Plant, Seen, Visit, measure
from benchmarks.processes import Measured, Nestor, Reference

CROWDS = (1, 8, 64)
_DEVICES = 100
_WARM_UP = 200

Row = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation: who serves it, what visits it makes, and the kind it is compared with."""

    name: str
    server: Measured
    visits: Callable[[int], Sequence[Visit]]
    reference: str = ""
    keep: bool = False


def enrollments(place: Path, rounds: int, operations: int) -> Iterator[Row]:
    """Every kind at every concurrency."""
    with (
        Nestor(place) as nestor,
        Reference(nestor, verify=False) as bare,
        Reference(nestor, verify=True) as mutual,
    ):
        plant = Plant(nestor, _DEVICES)
        kinds = [
            Kind("bare handshake", bare, plant.handshakes),
            Kind("bare handshake, certificate", mutual, plant.handshakes_by_certificate),
            Kind("new connection, password", nestor, plant.enrollments, "bare handshake"),
            Kind("new connection, certificate", nestor, plant.renewals, "bare handshake, certificate"),
            Kind("kept connection, password", nestor, plant.enrollments, "bare handshake, certificate", keep=True),
        ]
        for kind in kinds:
            measure(kind.server, kind.visits(_WARM_UP), 8, keep=kind.keep)
        for crowd in CROWDS:
            seen: dict[str, list[Seen]] = {kind.name: [] for kind in kinds}
            for _ in range(rounds):
                for kind in kinds:
                    seen[kind.name].append(measure(kind.server, kind.visits(operations), crowd, keep=kind.keep))
            yield from (_row(kind, crowd, seen) for kind in kinds)


def _row(kind: Kind, crowd: int, seen: dict[str, list[Seen]]) -> Row:
    """Medians, and the ratios round by round, so that a drift of the machine cancels out."""
    own = [asdict(one) for one in seen[kind.name]]
    middle = {name: statistics.median(one[name] for one in own) for name in own[0]}
    row: Row = {"operation": kind.name, "concurrency": crowd, **middle}
    if kind.reference:
        pairs = zip(seen[kind.name], seen[kind.reference], strict=True)
        ratios = [one.cpu_us / other.cpu_us for one, other in pairs]
        row |= {"ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    return row
