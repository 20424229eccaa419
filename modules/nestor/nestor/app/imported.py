"""What a person needs to know after an import from libest: what is there, and what no folder could tell."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from nestor.app.libest import ANCHORS, Imported
from nestor.ca.builtin import EDGE_CA


def done(imported: Imported) -> dict[str, str]:
    """What was taken over."""
    profiles = Counter(entry.profile for entry in imported.entries)
    return {
        "CA": imported.issuer.certificate.subject.rfc4514_string(),
        "CA SHA-256": imported.issuer.fingerprint.upper(),
        "CA ends": f"{imported.issuer.end:%Y-%m-%dT%H:%M:%SZ}",
        "certificates": ", ".join(f"{number} {profile}" for profile, number in sorted(profiles.items())) or "none",
        "left out": str(len(imported.left_out)),
    }


def left_out(imported: Imported) -> Sequence[tuple[str, str, str]]:
    """What was not, and why: serial number, subject, reason."""
    return [(f"{one.line.serial:x}", one.line.subject, one.why) for one in imported.left_out]


def next_steps(imported: Imported, data: Path, now: datetime) -> Iterator[str]:
    """What is left to do, in its order."""
    yield f"Users: libest kept digests that nothing else can use. nestor user add estuser --names '*' --data {data}"
    gateways = sorted({e.device for e in imported.entries if e.profile == EDGE_CA and e.not_after > now})
    if gateways:
        yield f'Gateways, whose Edge CAs are to be renewed: [access] gateways = "{", ".join(gateways)}"'
    if imported.anchors:
        yield (
            f"Other CAs whose clients libest let in ({'; '.join(imported.anchors)}) are in {ANCHORS}. If they make "
            f'factory certificates: [access.bootstrap.libest] anchors = "file:{ANCHORS}"'
        )
    yield f"Stop libest, then serve under its name and port: nestor serve --hostname NAME --port 8085 --data {data}"
