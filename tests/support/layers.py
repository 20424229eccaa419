"""Servers one above the other: a forwarder whose parent is anybody's EST server, or another Nestor."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from support import pki
from support.device import Device
from support.foreign import PASSWORD as PARENT_PASSWORD
from support.foreign import USER as PARENT_USER
from support.foreign import Foreign, asking
from support.server import Server
from support.shapes import CMC_RA
from support.stub import Heard

USER, PASSWORD = "line", "0815"
_PATIENCE = 15.0


class Forwarder(Server):
    """A Nestor that forwards; `upstream` is that section of its settings, `label` what serves local enrollments."""

    def __init__(self, place: Path, upstream: Mapping[str, Any], document: Mapping[str, Any] | None = None) -> None:
        super().__init__(
            place,
            {
                "authority": {"kind": "upstream"},
                "labels": {"here": {"authority": "local"}},
                "upstream": upstream,
                **(document or {}),
            },
        )
        self.add_user(USER, PASSWORD, "*", profiles=("*",))

    def line(self, **known: Any) -> Device:
        """Whoever knows the password."""
        return self.device(user=(USER, PASSWORD), **known)

    def point(self, upstream: Mapping[str, Any]) -> None:
        """Have it ask another parent, from the next start on."""
        document = json.loads(self.config.read_text("utf-8"))
        self.config.write_text(json.dumps({**document, "upstream": upstream}), "utf-8")

    def kill(self) -> None:
        """End it at once, whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def ready(self) -> "Forwarder":
        """Wait until the CA certificates of the parent are known here."""
        until(lambda: self.line().get("cacerts").status == 200)
        return self


class Above(Foreign):
    """A server above that knows forwarders by certificate, writes down what it hears, and issues what is asked for."""

    def __init__(self, place: Path, makers: "Makers") -> None:
        place.mkdir(parents=True, exist_ok=True)
        super().__init__(place, context=makers.believed)
        self.answers["simplereenroll"] = self.answers["simpleenroll"]
        self.knows = lambda _: True

    @property
    def asked(self) -> list[Heard]:
        """The requests for certificates, as they came."""
        return [heard for heard in self.heard if heard.method == "POST"]

    @contextmanager
    def hearing(self) -> Iterator[list[Heard]]:
        """The requests for certificates that come meanwhile."""
        before, heard = len(self.asked), list[Heard]()
        yield heard
        heard += self.asked[before:]


def foreign_upstream(place: Path, foreign: Foreign, **changes: Any) -> dict[str, Any]:
    """The settings for somebody else's server as the parent, known by password."""
    password = place / "parent.password"
    password.write_text(PARENT_PASSWORD, "utf-8")
    return {
        "url": foreign.base,
        "anchors": f"file:{foreign.anchor}",
        "user": PARENT_USER,
        "password": f"file:{password}",
        "conveys": False,
        "reenrollAs": "enroll",
        **changes,
    }


def until(holds: Callable[[], bool], patience: float = _PATIENCE) -> float:
    """Wait until something holds; how many seconds it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() > begun + patience:
            raise TimeoutError(f"It did not come about within {patience:.0f} s.")
        time.sleep(0.05)
    return time.monotonic() - begun


_PURPOSES = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, CMC_RA])


class Makers:
    """A CA that certifies forwarders alone, with the files that settings name."""

    def __init__(self, place: Path) -> None:
        self.root = pki.authority("Forwarders")
        self._ca = self.root.intermediate("Makers of forwarders")
        self._place = place
        self.anchor = self._ca.write(place, "forwarders.pem")

    def believed(self, context: ssl.SSLContext) -> None:
        """Have TLS believe these forwarders, with or without what is above their certificates."""
        asking(self.root.certificate, self._ca.certificate)(context)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    def certify(self, name: str, **wishes: Any) -> dict[str, Any]:
        """Certify a forwarder; the part of its upstream settings that names certificate and key."""
        place = self._place / name
        place.mkdir()
        identity = self._ca.issue(name, **{"extended_key_usage": _PURPOSES, **wishes})
        certificate, key = pki.write(place, identity)
        return {"certificate": f"file:{certificate}", "key": f"file:{key}"}

    def listed(self, *names: str, **scope: Any) -> dict[str, Any]:
        """The settings that list these forwarders, for everything unless their scope is changed."""
        usual = {"anchors": f"file:{self.anchor}", "names": "*", "statements": True, **scope}
        forwarders = {name: {"subject": f"CN={name}", **usual} for name in names}
        return {"access": {"forwarders": forwarders, "gateways": "gw*"}}


def nestor_upstream(parent: Server, anchor: Path, credential: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The settings for another Nestor as the parent."""
    return {"url": parent.url, "anchors": f"file:{anchor}", **credential, **changes}
