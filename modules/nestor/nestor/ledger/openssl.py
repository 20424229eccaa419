"""The ledger that `openssl ca` keeps, as libest's estCA folder has it: index.txt, and a copy of each certificate.

    index.txt          state, expiry, when and why revoked, serial number, file, subject; with tabs between
    newcerts/XX.pem    the certificate with the serial number XX, often with its text before it

Only reading; what becomes of the certificates is decided elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from nestor.errors import MaterialError

INDEX = "index.txt"
COPIES = "newcerts"

_LINE = re.compile(r"([VRE])\t([^\t]*)\t([^\t]*)\t([0-9A-Fa-f]+)\t[^\t]*\t(.*)")
_TIMES = {13: "%y%m%d%H%M%SZ", 15: "%Y%m%d%H%M%SZ"}


@dataclass(frozen=True, slots=True)
class Line:
    """One certificate of the index; `revoked_at` is None unless it was revoked."""

    serial: int
    subject: str
    revoked_at: datetime | None = None
    reason: str = ""


def read_index(folder: Path) -> Sequence[Line]:
    """The lines of a folder's index. Raises MaterialError for one that does not hold."""
    path = folder / INDEX
    try:
        lines = path.read_text("utf-8", errors="backslashreplace").splitlines()
    except OSError as error:
        raise MaterialError(f"{path} cannot be read: {error.strerror}.", "Name the folder that holds it.") from error
    return [_read(line, f"Line {number} of {path}") for number, line in enumerate(lines, 1) if line.strip()]


def read_copy(folder: Path, serial: int) -> x509.Certificate | None:
    """The copy of a certificate; None where there is none that can be read."""
    digits = f"{serial:X}"
    name = digits if len(digits) % 2 == 0 else f"0{digits}"
    try:
        return x509.load_pem_x509_certificate((folder / COPIES / f"{name}.pem").read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None


def _read(line: str, where: str) -> Line:
    match = _LINE.fullmatch(line)
    if match is None:
        raise _wrong(where)
    state, _, revocation, serial, subject = match.groups()
    time, _, reason = revocation.partition(",")
    revoked_at = _time(time, where) if state == "R" else None
    return Line(int(serial, 16), subject, revoked_at, reason.partition(",")[0])


def _time(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, _TIMES.get(len(text), "")).replace(tzinfo=UTC)
    except ValueError:
        raise _wrong(where) from None


def _wrong(where: str) -> MaterialError:
    return MaterialError(f"{where} is not one that `openssl ca` writes.", "Take the folder of a CA, whole.")
