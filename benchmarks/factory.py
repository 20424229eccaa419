"""`python -m benchmarks.factory`: what a factory waits for, and what devices notice of it meanwhile.

Certificates for many requests, beside a server that enrolls and without one, and again as after an interruption; keys
made here; users by list. Times are the wall's, CPU and memory the kernel's account of the command; requests are made
beforehand.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from benchmarks.load import Client, request
from benchmarks.processes import Nestor
from nestor.access.users import read_users

_FEW = 1000
_EVERY = 0.05
Figures = dict[str, float]


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.factory", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="certificates, and users")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        for name, found in measure(Path(place), options.count):
            figures[name] = found
            shown = "  ".join(f"{value:>8.2f} {what}" for what, value in found.items())
            sys.stdout.write(f"{name:<28}{shown}\n")
            sys.stdout.flush()
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(place: Path, count: int) -> Iterator[tuple[str, Figures]]:
    """Run everything once."""
    for what, number in (("beside", count), ("alone", count), ("few", _FEW)):
        _make_requests(place / what, what, number)
    nestor = Nestor(place / "nestor")

    def issue(what: str, *words: str) -> Figures:
        return _cost("cert", "issue", *words, "--out", str(place / f"{what}-out"), "--data", str(nestor.data))

    with nestor:
        yield "a device, nothing beside", _latencies(nestor, lambda: time.sleep(5))
        costs: list[Figures] = []
        yield (
            "a device, a batch beside",
            _latencies(nestor, lambda: costs.append(issue("beside", *_all(place, "beside")))),
        )
        yield f"{count:,} requests, serving", costs[0]
    yield f"{_FEW:,} requests", issue("few", *_all(place, "few"))
    yield f"{count:,} requests", issue("alone", *_all(place, "alone"))
    yield f"{count:,} requests again", issue("alone", *_all(place, "alone"))
    listed = _make_list(place, count)
    yield f"{count:,} keys made here", issue("made", "--from", str(listed))
    words = ("--from", str(listed), "--password-out", str(place / "passwords"), "--data", str(nestor.data))
    yield f"{count:,} users", _cost("user", "add", *words)
    started = time.perf_counter()
    read_users(nestor.data / "users.json")
    yield "the server reads them", {"s": time.perf_counter() - started}


def _all(place: Path, what: str) -> tuple[str, str]:
    return "--csrs", str(place / what)


def _cost(*words: str) -> Figures:
    """What a command of Nestor takes; one that fails ends the benchmark with what it said."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nestor", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"error: nestor {' '.join(words)}:\n{said.decode()}")
    wall = time.perf_counter() - started
    return {"s": wall, "s CPU": used.ru_utime + used.ru_stime, "MB": used.ru_maxrss / 1024}


def _latencies(nestor: Nestor, work: Callable[[], None]) -> Figures:
    """Milliseconds that one device after the other waits for its certificate while something is done."""
    bodies = [request(f"watch-{os.urandom(6).hex()}", est_identity=False)[1] for _ in range(2000)]
    client, waited, done = Client(nestor), list[float](), threading.Event()

    def watch() -> None:
        connection = client.connect()
        for body in bodies:
            if done.wait(_EVERY):
                break
            started = time.perf_counter()
            client.post(connection, body)
            waited.append((time.perf_counter() - started) * 1e3)
        connection.close()

    watching = threading.Thread(target=watch)
    watching.start()
    work()
    done.set()
    watching.join()
    cuts = statistics.quantiles(waited, n=100, method="inclusive")
    return {"ms p50": cuts[49], "ms p99": cuts[98], "ms most": max(waited)}


def _make_requests(directory: Path, prefix: str, count: int) -> None:
    directory.mkdir()
    with ProcessPoolExecutor() as pool:
        list(pool.map(_make_request, (directory / f"{prefix}-{number}.csr" for number in range(count)), chunksize=500))


def _make_request(place: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, place.stem)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    place.write_bytes(csr.public_bytes(Encoding.PEM))


def _make_list(place: Path, count: int) -> Path:
    listed = place / "listed.csv"
    with listed.open("w", newline="") as file:
        csv.writer(file).writerows([("name",), *((f"made-{number}",) for number in range(count))])
    return listed


if __name__ == "__main__":
    main()
