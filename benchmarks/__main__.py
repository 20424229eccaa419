"""`python -m benchmarks`: measure, print tables, write JSON. docs/performance.md says how to read them."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.enrollments import enrollments
from benchmarks.growth import growth
from benchmarks.idle import idle
from benchmarks.processes import keep_off_the_servers_core, versions

Row = dict[str, float | str]
_FORMATS = {
    "concurrency": "{:.0f}",
    "rate": "{:.0f}/s",
    "p50_ms": "{:.1f}",
    "p99_ms": "{:.1f}",
    "cpu_us": "{:.0f}",
    "client_share": "{:.0%}",
    "kb_each": "{:.1f}",
    "connections": "{:,.0f}",
    "rows": "{:,.0f}",
    "pairs": "{:.0f}",
}


def main() -> None:
    """Run the parts that the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are shown")
    parser.add_argument("--operations", type=int, default=300, help="operations of each kind per round")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS), help="which parts to run")
    parser.add_argument("--cache", type=Path, default=None, help="a directory that keeps the seeded ledger (0.7 GB)")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    keep_off_the_servers_core()
    told = versions()
    sys.stdout.write("".join(f"{name}: {version}\n" for name, version in told.items()))
    figures: dict[str, list[Row]] = {}
    for part in options.parts:
        with tempfile.TemporaryDirectory(prefix="nestor-bench-") as place:
            figures[part] = list(_PARTS[part](Path(place), options))
        print_table(part, figures[part])
    if options.json is not None:
        options.json.write_text(json.dumps({"versions": told, **figures}, indent=2) + "\n", "utf-8")


_PARTS: dict[str, Callable[[Path, argparse.Namespace], Iterator[Row]]] = {
    "enrollments": lambda place, options: enrollments(place, options.rounds, options.operations),
    "idle": lambda place, _: idle(place),
    "growth": lambda place, options: growth(place, options.cache),
}


def print_table(title: str, rows: list[Row]) -> None:
    """Show figures to a person; a column per name, whatever rows lack it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_shown(name, row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sys.stdout.write(f"\n{title}\n")
    for first, *others in lines:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()


def _shown(name: str, value: float | str) -> str:
    return value if isinstance(value, str) else _FORMATS.get(name, "{:.3f}").format(value)


if __name__ == "__main__":
    main()
