"""`python -m benchmarks`: measure, print a table, write JSON.

Machines differ and are busy, so the figure to quote is the ratio: CPU seconds of the server process per operation
against those of `openssl s_server` per handshake, on the same core, in the same round.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.load import Client, enroll, handshake
from benchmarks.processes import Measured, Nestor, Reference, versions

Operation = tuple[str, str, Callable[[int], None], Measured]


def main() -> None:
    """Run the rounds that the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; medians are shown")
    parser.add_argument("--operations", type=int, default=400, help="operations of each kind per round")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        figures = measure(Path(place), options.rounds, options.operations)
    print_table(figures)
    if options.json is not None:
        options.json.write_text(json.dumps({"versions": versions(), "figures": figures}, indent=2) + "\n", "utf-8")


def measure(place: Path, rounds: int, operations: int) -> dict[str, dict[str, float]]:
    """Microseconds of server CPU per operation and the ratio to its reference: medians over the rounds."""
    with (
        Nestor(place / "nestor") as nestor,
        Reference(nestor, verify=False) as bare,
        Reference(nestor, verify=True) as mutual,
    ):
        device = Client(nestor).with_certificate()
        kinds: list[Operation] = [
            ("bare handshake", "", lambda n: handshake(Client(nestor, bare.port), n), bare),
            (
                "bare handshake, client certificate",
                "",
                lambda n: handshake(Client(nestor, mutual.port, device.identity), n),
                mutual,
            ),
            ("enroll, new connection, password", "bare handshake", lambda n: enroll(Client(nestor), n), nestor),
            (
                "enroll, new connection, certificate",
                "bare handshake, client certificate",
                lambda n: enroll(device, n),
                nestor,
            ),
            (
                "enroll, kept connection, password",
                "bare handshake, client certificate",
                lambda n: enroll(Client(nestor), n, keep=True),
                nestor,
            ),
        ]
        seen: dict[str, list[float]] = {name: [] for name, *_ in kinds}
        for _ in range(rounds):
            for name, _, run, process in kinds:
                seen[name].append(process.cpu_of(partial(run, operations)) / operations * 1e6)
    return {
        name: {
            "cpu_us": round(statistics.median(seen[name])),
            "ratio": round(_ratio(seen, name, reference), 2),
        }
        for name, reference, *_ in kinds
    }


def _ratio(seen: dict[str, list[float]], name: str, reference: str) -> float:
    """The median of the ratios round by round, so that a drift of the machine cancels out."""
    if not reference:
        return 1.0
    return statistics.median(own / base for own, base in zip(seen[name], seen[reference], strict=True))


def print_table(figures: dict[str, dict[str, float]]) -> None:
    """Show the figures to a person."""
    out = sys.stdout
    out.write("".join(f"{name}: {version}\n" for name, version in versions().items()))
    out.write(f"{'operation':<38}{'CPU us':>8}{'ratio':>8}\n")
    for name, row in figures.items():
        out.write(f"{name:<38}{row['cpu_us']:>8.0f}{row['ratio']:>8.2f}\n")


if __name__ == "__main__":
    main()
