"""The device at the bottom: press-7, with a directory of its own, and the command line that people have.

What has to be timed, or is refused, it asks itself: the start of a command would be part of the time.
"""

import json
import time
from dataclasses import dataclass

from cryptography import x509

from layers.ground import BOTTOM, Ground
from layers.site import Site
from layers.styles import DEVICE, DEVICES
from layers.transcript import Transcript
from nestor.cli.exits import FOUND, OK
from support.answers import Answer
from support.shapes import est_identity

USER = "line"
_ANCHORS, _PASSWORD = "trusted.pem", "line.password"
IDENTITY, CERTIFICATE, EDGE_CA = "est-id", "device-id", "edge-ca"


@dataclass(frozen=True)
class Timed:
    """An answer, and how long it took."""

    answer: Answer
    seconds: float


class Press:
    """press-7, and its neighbors of the same line, on the bottom layer."""

    def __init__(self, ground: Ground, site: Site, transcript: Transcript) -> None:
        self._ground = ground
        self._site = site
        self._transcript = transcript

    def is_told(self, anchors: str) -> None:
        """Have from the operator what a device is made ready with: whom to trust, and a password."""
        (self._site.place / _ANCHORS).write_text(anchors, "utf-8")
        words = ("user", "add", USER, "--names", DEVICES, "--generate", "--password-out", _PASSWORD)
        self._transcript.typed(BOTTOM, words)
        self._site.operate(*words)

    def enroll(self, name: str, *what: str, by: str | None = None) -> x509.Certificate:
        """Get a certificate: by the password, or by the EST identity."""
        shown = ("--user", USER, "--password-file", _PASSWORD) if by is None else _shown(by)
        files = ("--out", f"{name}.pem", "--key-out", f"{name}.key.pem")
        return self._ask(name, "enroll", "--common-name", DEVICE, *what, *shown, *files)

    def renew(self, name: str) -> x509.Certificate:
        """Renew a certificate by itself."""
        return self._ask(name, "reenroll", "--est-identity", *_shown(name))

    def knock(self, number: int) -> Timed:
        """Let a neighbor ask for an EST identity, and look at the clock."""
        request = est_identity(f"press-{number}")
        password = (self._site.place / _PASSWORD).read_text("utf-8").strip()
        device = self._site.device(self._site.place / _ANCHORS, user=(USER, password))
        begun = time.monotonic()
        answer = self._ground.on(BOTTOM, lambda: device.enroll(request))
        return Timed(answer, time.monotonic() - begun)

    def authorities(self) -> Answer:
        """Ask which CAs there are."""
        device = self._site.device(self._site.place / _ANCHORS)
        return self._ground.on(BOTTOM, lambda: device.get("cacerts"))

    def visit(self) -> list[str]:
        """Have the doctor look; what it says of the layers."""
        words = ("doctor", self._site.url, "--cacert", _ANCHORS, "--user", USER, "--password-file", _PASSWORD)
        self._transcript.typed(BOTTOM, words)
        said = json.loads(self._site.shell(*words, "--json", ends=(OK, FOUND)))
        return [f"{one['gravity']}: {one['sentence']}" for one in said if one["about"] == "layers"]

    def _ask(self, name: str, operation: str, *more: str) -> x509.Certificate:
        words = ("est", operation, self._site.url, "--cacert", _ANCHORS, *more)
        self._transcript.typed(BOTTOM, words)
        self._site.shell(*words)
        certificate = x509.load_pem_x509_certificate((self._site.place / f"{name}.pem").read_bytes())
        self._transcript.fact(told(certificate))
        return certificate


def told(certificate: x509.Certificate) -> str:
    """A certificate in a line: whose, by whom, until when."""
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return f"{subject}, issued by {issuer}, until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


def _shown(name: str) -> tuple[str, ...]:
    return ("--cert", f"{name}.pem", "--key", f"{name}.key.pem")
