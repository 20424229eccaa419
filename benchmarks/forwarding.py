"""`python -m benchmarks.forwarding`: what a hop adds to an enrollment, in CPU of the servers and in time.

Three Nestors on one machine: one that issues, one that forwards to it, one that forwards to that one. The same devices
enroll at each of them in turn. Machines differ and are busy, so the figure to quote is a ratio: what a hop adds, beside
what issuing alone costs in the same round. At the end a thousand devices come to the lowest one at once.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from benchmarks.__main__ import Row, print_table
from benchmarks.lines import Line, client_context
from benchmarks.load import BASIC, Seen, Visit, measure, post, request
from benchmarks.processes import Nestor, allow_many_files, versions

_LAYERS = ("issuing", "one hop", "two hops")
_CROWDS = (1, 16)
_AT_ONCE = 1000
_CPU, _TIME, _PATIENCE = 1.0, 15.0, 12.0
_CMC_RA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")
_LIMITS = "[listener.limits]\nconnectionsPerAddress = 1100\n"
_CACERTS = b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Makers:
    """A CA that certifies forwarders."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Forwarders")
        self.anchor = place / "forwarders.pem"
        root = self._certificate(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
        self.anchor.write_bytes(root.public_bytes(Encoding.PEM))

    def certify(self, name: str) -> tuple[Path, Path]:
        """The files of a forwarder's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, _CMC_RA])
        certificate = self._certificate(_name(name), key.public_key(), purposes)
        files = self._place / f"{name}.pem", self._place / f"{name}-key.pem"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files[1].chmod(0o600)
        return files

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)  # noqa: TID251 -- TLS lives now
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def layers(place: Path, stack: ExitStack) -> list[Nestor]:
    """The three servers, the one that issues first."""
    makers = Makers(place)
    listing = f'[access.forwarders.{{name}}]\nsubject = "CN={{name}}"\nanchors = "file:{makers.anchor}"\n'
    listing += 'names = "*"\nstatements = true\n'
    issuer = stack.enter_context(Nestor(place / "issuer", _LIMITS + listing.format(name="middle"), pinned=False))
    found = [issuer]
    for name, below in (("middle", "lowest"), ("lowest", "nobody")):
        parent = found[-1]
        certificate, key = makers.certify(name)
        upstream = (
            f'[authority]\nkind = "upstream"\n[upstream]\nurl = "https://localhost:{parent.port}/.well-known/est"\n'
            f'anchors = "file:{parent.anchor}"\ncertificate = "file:{certificate}"\nkey = "file:{key}"\n'
        )
        more = _LIMITS + upstream + listing.format(name=below)
        found.append(stack.enter_context(Nestor(place / name, more, pinned=False)))
        asyncio.run(_known(found[-1]))
    return found


async def _known(nestor: Nestor) -> None:
    """Wait until a forwarder knows the CA certificates of its parent."""
    for _ in range(300):
        line = await Line.open(client_context(nestor.anchor), nestor.port)
        status, _ = await line.ask(_CACERTS)
        line.close()
        if status == 200:  # noqa: PLR2004 -- of HTTP
            return
        await asyncio.sleep(0.1)
    sys.exit(f"error: the forwarder on port {nestor.port} does not know its parent's CA certificates")


class _Both:
    """What `measure` counts: the servers that take part in an enrollment, entered by one of them."""

    def __init__(self, servers: Sequence[Nestor]) -> None:
        self.port = servers[-1].port
        self._servers = servers

    def cpu(self) -> float:
        """Seconds of CPU that they have spent together."""
        return sum(server.cpu() for server in self._servers)


def _visits(nestor: Nestor, count: int) -> list[Visit]:
    context = client_context(nestor.anchor)
    return [Visit(context, post(request(_next_name(), est_identity=False)[1], BASIC)) for _ in range(count)]


_NUMBERS = iter(range(10**9))


def _next_name() -> str:
    return f"hop-{next(_NUMBERS)}"


def hops(servers: Sequence[Nestor], rounds: int, operations: int) -> Iterator[Row]:
    """What each hop costs, at every concurrency: on new connections of the devices."""
    paths = {name: _Both(servers[: depth + 1]) for depth, name in enumerate(_LAYERS)}
    for nestor, path in zip(servers, paths.values(), strict=True):
        measure(path, _visits(nestor, 100), 8)
    for crowd in _CROWDS:
        seen: dict[str, list[Seen]] = {name: [] for name in _LAYERS}
        for _ in range(rounds):
            for nestor, (name, path) in zip(servers, paths.items(), strict=True):
                seen[name].append(measure(path, _visits(nestor, operations), crowd))
        yield from (_row(depth, crowd, seen) for depth in range(len(_LAYERS)))


def _row(depth: int, crowd: int, seen: dict[str, list[Seen]]) -> Row:
    own, issuing = seen[_LAYERS[depth]], seen[_LAYERS[0]]
    row: Row = {
        "path": _LAYERS[depth],
        "concurrency": crowd,
        "rate": statistics.median(one.rate for one in own),
        "p50_ms": statistics.median(one.p50_ms for one in own),
        "p99_ms": statistics.median(one.p99_ms for one in own),
        "cpu_us": statistics.median(one.cpu_us for one in own),
    }
    if depth:
        pairs = list(zip(own, issuing, strict=True))
        row["added cpu per hop"] = statistics.median((one.cpu_us / base.cpu_us - 1) / depth for one, base in pairs)
        row["added ms per hop"] = statistics.median((one.p50_ms - base.p50_ms) / depth for one, base in pairs)
    return row


async def at_once(lowest: Nestor) -> Row:
    """A thousand devices through two forwarders, all at once."""
    context, waited, statuses = client_context(lowest.anchor), list[float](), Counter[int]()
    bodies = [post(request(_next_name(), est_identity=False)[1], BASIC) for _ in range(_AT_ONCE)]

    async def come(body: bytes) -> None:
        began = time.perf_counter()
        line = await Line.open(context, lowest.port)
        status, _ = await line.ask(body)
        line.close()
        statuses[status] += 1
        waited.append(time.perf_counter() - began)

    await asyncio.gather(*map(come, bodies))
    served = statuses.pop(200, 0)
    return {"devices": str(_AT_ONCE), "served": str(served), "refused": str(dict(statuses)), "slowest s": max(waited)}


def main() -> int:
    """Measure, print tables; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="make bench-forward", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are shown")
    parser.add_argument("--operations", type=int, default=200, help="enrollments of each kind per round")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    allow_many_files()
    sys.stdout.write("".join(f"{name}: {version}\n" for name, version in versions().items()))
    with tempfile.TemporaryDirectory(prefix="nestor-bench-") as place, ExitStack() as stack:
        servers = layers(Path(place), stack)
        rows = list(hops(servers, options.rounds, options.operations))
        print_table("forwarding", rows)
        crowd = asyncio.run(at_once(servers[-1]))
        print_table("a thousand at once through two forwarders", [crowd])
    if options.json is not None:
        options.json.write_text(json.dumps({"forwarding": rows, "at once": crowd}, indent=2) + "\n", "utf-8")
    return int(_is_missed(rows, crowd))


def _is_missed(rows: Sequence[Row], crowd: Row) -> bool:
    """Whether a bar is missed: CPU and time of a hop at one device at a time, and everybody served in time."""
    alone = [row for row in rows if row["concurrency"] == _CROWDS[0] and "added cpu per hop" in row]
    dear = [row for row in alone if float(row["added cpu per hop"]) > _CPU or float(row["added ms per hop"]) > _TIME]
    return bool(dear) or crowd["served"] != crowd["devices"] or float(crowd["slowest s"]) > _PATIENCE


if __name__ == "__main__":
    sys.exit(main())
