"""What is known of the server above: CA certificates and CSR attributes, kept on the disk and looked at when loaded.

Devices are answered from here, whether the server above answers or not. A root that is another than before is believed
only where the old one vouches for it (NewWithOld, RFC 9810), or where the operator has approved it.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.errors import Malformed, MaterialError
from nestor.est import csrattrs
from nestor.upstream.faults import BadAnswer
from nestor.upstream.rollover import is_ca, is_signed_by, sort_out
from nestor.upstream.succession import vouches

FRESH = timedelta(minutes=10)
"""How long what was fetched is not asked for again."""

STALE = timedelta(hours=24)
"""How old what is kept may be before its operator hears of it."""


class RootChanged(BadAnswer):
    """The server above shows a root that nothing links to the one it had."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server of a URL said at a time: CA certificates that hang together, and CSR attributes by label."""

    url: str
    certificates: tuple[x509.Certificate, ...] = ()
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    fetched_at: datetime | None = None

    @property
    def root(self) -> x509.Certificate | None:
        """The root of its certificates, where it shows one."""
        return sort_out(self.certificates).root

    def is_due(self, now: datetime) -> bool:
        """Whether to ask again: after its time, and in good time before one of the certificates ends."""
        if self.fetched_at is None:
            return True
        left = min((one.not_valid_after_utc - self.fetched_at for one in self.certificates), default=FRESH)
        return now >= self.fetched_at + max(min(FRESH, left / 2), timedelta(seconds=5)) or now < self.fetched_at

    def is_stale(self, now: datetime) -> bool:
        """Whether its operator should hear how old it is."""
        return self.fetched_at is not None and now > self.fetched_at + STALE


def accept(
    kept: Kept, shown: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], approved: bytes | None
) -> tuple[x509.Certificate, ...]:
    """The certificates to believe from now on, of those that the server shows.

    Raises BadAnswer where they do not hang together, RootChanged where their root is another one that nothing links to
    the old one, or to what is kept without one, and whose SHA-256 is not the approved one.
    """
    trusted = hang_together(shown, anchors)
    old, new = kept.root, sort_out(trusted).root
    if old == new or not kept.certificates or (new is not None and _follows(new, kept, shown, anchors, approved)):
        return trusted
    name = "no root any more" if new is None else f"another root, {new.fingerprint(SHA256()).hex()}"
    raise RootChanged(
        f"The server above shows {name}, and what it had does not vouch for it; that stays in force.",
        "Ask its operator. Where the new one is right, name its SHA-256 in upstream.root.",
    )


def _follows(
    new: x509.Certificate,
    kept: Kept,
    shown: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    approved: bytes | None,
) -> bool:
    """Whether a root may stand above what is kept: approved, vouched for, or the root that was not shown till now."""
    if approved == new.fingerprint(SHA256()):
        return True
    if kept.root is not None:
        return vouches(kept.root, new, shown)
    return new in anchors or any(is_signed_by(one, new) for one in (*kept.certificates, *anchors))


def hang_together(
    shown: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Those below the root among them, or below an anchor where there is no root; the root last.

    Raises BadAnswer where there are none.
    """
    shown = [one for one in shown if is_ca(one) or is_signed_by(one, one)]  # what only hangs there issues nothing
    found = [*(sort_out(shown).trusted or anchors)]
    for issuer in found:  # grows while it is walked
        found.extend(one for one in shown if one not in found and is_signed_by(one, issuer))
    trusted = tuple(one for one in reversed(found) if one in shown)
    if not trusted:
        raise BadAnswer("The server above shows no CA certificates that hang together.", "Its operator mends it.")
    return trusted


def load(path: Path, url: str, anchors: Sequence[x509.Certificate]) -> Kept:
    """What was kept of a URL; nothing where that is of another one, or is not sound."""
    try:
        document = json.loads(path.read_bytes())
        if document["url"] != url:
            return Kept(url)
        certificates = x509.load_pem_x509_certificates("".join(document["certificates"]).encode())
        attributes = {name: base64.b64decode(der, validate=True) for name, der in document["attributes"].items()}
        for der in attributes.values():
            csrattrs.decode(der)
        fetched_at = datetime.fromisoformat(document["fetchedAt"])
        return Kept(url, hang_together(certificates, anchors), attributes, fetched_at)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm, BadAnswer, Malformed):
        return Kept(url)


def save(path: Path, kept: Kept) -> None:
    """Keep it, whole or not at all. Raises MaterialError."""
    document = {
        "url": kept.url,
        "fetchedAt": None if kept.fetched_at is None else kept.fetched_at.isoformat(),
        "certificates": [one.public_bytes(Encoding.PEM).decode() for one in kept.certificates],
        "attributes": {name: base64.b64encode(der).decode() for name, der in kept.attributes.items()},
    }
    beside = path.with_suffix(".new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise MaterialError(f"{path} cannot be written: {error.strerror}.", "Check space and mode.") from error
