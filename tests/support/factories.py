"""Data directories that have a CA and a ledger but no server yet, and what a factory brings to them."""

import asyncio
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.authority import Source, make_ca
from nestor.app.clock import SystemClock
from nestor.ledger.opening import open_ledger
from nestor.settings import judge
from support import shapes


def founded(data: Path, document: dict[str, object] | None = None) -> Source:
    """A data directory as after its first day."""
    source = Source(judge(document or {}), data, SystemClock(), lambda _: None)
    data.mkdir(mode=0o700, parents=True)
    ledger = open_ledger(source.settings.ledger, data, create=True, clock=source.clock)
    asyncio.run(ledger.close())
    make_ca(source)
    return source


def put_request(place: Path, asked: shapes.Request, *, der: bool = False) -> Path:
    """A request as a device's maker sends it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(asked.der if der else x509.load_der_x509_csr(asked.der).public_bytes(Encoding.PEM))
    return place


def put_requests(directory: Path, names: Iterable[str]) -> dict[str, shapes.Request]:
    """A request of each name, in a directory."""
    made = {name: shapes.request(name) for name in names}
    for name, asked in made.items():
        put_request(directory / f"{name}.csr", asked)
    return made


def put_list(place: Path, *rows: Sequence[str]) -> Path:
    """A list, its heading first."""
    with place.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return place


def read_list(place: Path) -> list[dict[str, str]]:
    """The rows of a list by their heading."""
    with place.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def certificate_in(place: Path) -> x509.Certificate:
    """The first certificate of a file."""
    return x509.load_pem_x509_certificate(place.read_bytes())
