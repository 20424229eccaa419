"""The files that a config.toml names, as URIs: which form they have, and who on the device has to read them. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from nestor.device.auth import Pair
from nestor.device.config import DeviceConfig
from nestor.device.findings import problem
from nestor.device.form import is_placeholder
from nestor.finding import Finding

CERTIFICATE_READER = "aziotcs"
"""The user of aziot-certd, which reads certificates."""

KEY_READER = "aziotks"
"""The user of aziot-keyd, which reads keys."""


class Use(StrEnum):
    """What a file is for."""

    TRUST = "trust"
    CERTIFICATE = "certificate"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Place:
    """A file that the config names: where it names it, the path, and what the file is for."""

    at: str
    path: str
    use: Use

    @property
    def reader(self) -> str:
        """The user that has to read it."""
        return KEY_READER if self.use is Use.KEY else CERTIFICATE_READER


def path_of(uri: str) -> str | None:
    """The path of a file URI; None for any other URI, and for one that the runtime does not take."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        return None
    return unquote(parts.path)


def check_places(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with the form of each URI."""
    for at, uri, use in _named(config):
        is_token = use is Use.KEY and uri.startswith("pkcs11:")
        if is_token and not config.file.below("aziot_keys").text("pkcs11_lib_path"):
            yield problem(at, "a key in a token needs its library.", '[aziot_keys] pkcs11_lib_path = "/usr/lib/..."')
        elif not is_token and path_of(uri) is None and not is_placeholder(uri):
            yield problem(at, _why_not(uri, use), f'Write "{_better(uri)}".')


def places_of(config: DeviceConfig) -> list[Place]:
    """The files that the config names, each once for each use, in its order."""
    found: dict[tuple[str, Use], Place] = {}
    for at, uri, use in _named(config):
        path = path_of(uri)
        if path is not None:
            found.setdefault((path, use), Place(at, path, use))
    return list(found.values())


def _named(config: DeviceConfig) -> Iterator[tuple[str, str, Use]]:
    """Every URI that bears on certificates: where it stands, the URI, and what it is for."""
    trusted = config.est.texts("trusted_certs")
    for number, uri in enumerate(trusted, 1):
        yield f"{config.est.path('trusted_certs')}[{number}]", uri, Use.TRUST
    for auth in config.auths:
        if auth.pair is not None:
            yield from _of_pair(auth.pair)
    bundle = config.file.text("trust_bundle_cert")
    if bundle is not None:
        yield "trust_bundle_cert", bundle, Use.TRUST
    for part, certificate, key in (
        (config.proof, "identity_cert", "identity_pk"),
        (config.file.below("edge_ca"), "cert", "pk"),
    ):
        first, second = part.text(certificate), part.text(key)
        if first is not None and second is not None:
            yield from _of_pair(Pair(part.path(certificate), first, part.path(key), second))


def _of_pair(pair: Pair) -> Iterator[tuple[str, str, Use]]:
    yield pair.certificate_at, pair.certificate, Use.CERTIFICATE
    yield pair.key_at, pair.key, Use.KEY


def _why_not(uri: str, use: Use) -> str:
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", uri):
        return "it is a path; the runtime takes URIs."
    if uri.startswith("file:"):
        return "a file URI has three slashes before its path: file:///."
    return "a key is a file or in a PKCS#11 token." if use is Use.KEY else "a certificate can only be a file."


def _better(uri: str) -> str:
    """What was probably meant; nothing of a URI that may hold the PIN of a token."""
    path = re.sub(r"^file:/*", "/", uri)
    return f"file://{path}" if path.startswith("/") else "file:///var/aziot/..."
