"""Two layers on one machine: a parent with a root, and a child whose CA is the parent's, each a real process."""

import base64
import http
import ssl
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.answers import Answer
from support.device import PKCS10, Identity, wrapped
from support.process import Mortal, wait_for
from support.shapes import Request, est_identity
from support.then import exchange
from support.turned import NO_LIMIT, Turned

LAYER = "layer2"
PASSWORD = "high-noon"
LABELS: dict[str, Any] = {"layer-ca": {"profile": "layerCa"}, "forwarder": {"profile": "forwarder"}}
LINE = ("line", "0815")
_SOON = 20.0


def parent_document(layers: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The settings of a parent that knows one layer below."""
    known = {LAYER: {}} if layers is None else layers
    return {"labels": LABELS, "access": {"layers": known, "limits": NO_LIMIT}, **more}


def child_document(parent: Mortal, ca: dict[str, Any] | None = None, **upstream: Any) -> dict[str, Any]:
    """The settings of a layer whose CA is from the parent."""
    first = {"user": LAYER, "password": "file:parent.password", "anchors": "file:parent.pem"}
    return {
        "ca": {"source": "parent", **(ca or {})},
        "upstream": {"url": parent.url, **first, "identity": {"name": LAYER}, **upstream},
        "access": {"gateways": "gw-*", "limits": NO_LIMIT},
    }


def acquaint(parent: Mortal, child: Mortal, *, password: str = PASSWORD) -> None:
    """What the operator of the child brings from the parent: its root, and a password that it knows."""
    root = x509.load_pem_x509_certificates((parent.data / "ca" / "certificates.pem").read_bytes())[-1]
    (child.data / "parent.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (child.data / "parent.password").write_text(PASSWORD, "utf-8")
    (child.data / "parent.password").chmod(0o600)
    parent.add_user(LAYER, password, profiles=("estIdentity", "forwarder"))
    child.add_user(*LINE, "*", profiles=("*",))


def certificates(server: Mortal) -> list[x509.Certificate]:
    """The CA certificates that a server keeps, its own first."""
    return x509.load_pem_x509_certificates((server.data / "ca" / "certificates.pem").read_bytes())


def own_identity(server: Mortal) -> x509.Certificate:
    """The client certificate that a server has from its parent."""
    return x509.load_pem_x509_certificate((server.data / "upstream-identity.pem").read_bytes())


def has_ca(server: Mortal) -> bool:
    """Whether it has a CA to issue with."""
    return (server.data / "ca" / "certificates.pem").exists() and (server.data / "ca-made").exists()


def wait_for_ca(server: Mortal) -> None:
    """Wait until it issues."""
    wait_for(lambda: has_ca(server), _SOON)
    wait_for(lambda: _serves(server), _SOON)


def _serves(server: Mortal) -> bool:
    """Whether it shows its CA, in /cacerts and in TLS; until the next look it shows a makeshift."""
    try:
        return server.device().get("cacerts").status == http.HTTPStatus.OK
    except ssl.SSLError:
        return False


def wait_until_said(server: Mortal, *words: str) -> None:
    """Wait until its log has them."""
    try:
        wait_for(lambda: all(word in server.log() for word in words), _SOON)
    except TimeoutError:
        raise AssertionError(f"{words} is not in the log:\n{server.log()}") from None


def enrolled(server: Mortal, name: str) -> Identity:
    """A device that gets its EST identity from a layer."""
    return server.device(user=LINE).enrolled(est_identity(name))


def enrolled_then(server: Turned, request: Request, identity: Identity | None = None) -> Identity:
    """The same by the world's time, for the holder of a certificate, or by the password of the line."""
    answer = asked_then(server, request, identity)
    return Identity(answer.certificate, request.key)


def asked_then(server: Turned, request: Request, identity: Identity | None = None) -> Answer:
    """What is answered to it."""
    body = wrapped(request.der)
    head = ["POST /.well-known/est/simpleenroll HTTP/1.1", "Host: localhost", f"Content-Type: {PKCS10}"]
    if identity is None:
        head.append(f"Authorization: Basic {base64.b64encode(':'.join(LINE).encode()).decode()}")
    head += [f"Content-Length: {len(body)}", "", ""]
    answer, _ = exchange(replace(server.here, identity=identity), "POST", "\r\n".join(head).encode() + body)
    return answer


class TurnedLayer(Turned):
    """A layer under a clock that is turned: what it issues ends with its own CA, long before the root."""

    def _end_of_ca(self) -> datetime:
        return min(one.not_valid_after_utc for one in certificates(self))


@dataclass(frozen=True)
class Layers:
    """A parent and a child under one clock that is turned by hand."""

    parent: Turned
    child: Turned

    def live_until(self, moment: datetime) -> None:
        """Let time pass for both, as far as they run."""
        for server in (self.child, self.parent):
            server.live_until(moment)


def layers(place: Path, document: dict[str, Any], **more: Any) -> Layers:
    """A parent that runs, and a child that is not started yet, whose document has more."""
    parent = Turned(place / "parent", document, whole=True)  # TLS lives by that clock as well
    parent.start()
    child = TurnedLayer(place / "child", {**child_document(parent), **more}, whole=True)
    child.clocks, child.program = parent.clocks, parent.program
    acquaint(parent, child)
    return Layers(parent, child)
