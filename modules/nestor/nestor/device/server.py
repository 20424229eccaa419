"""The server that a device is to live on, as a device meets it: names, port, labels, root; held against a config. Pure.

What is known of it comes from its settings and its data directory; whether it runs, nobody asks here.
"""

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult

from cryptography import x509

from nestor.device.addresses import split_url
from nestor.device.config import EST_ID, DeviceConfig
from nestor.device.files import Disk
from nestor.device.findings import problem, warning
from nestor.device.material import certificates_in
from nestor.device.places import path_of
from nestor.est.menu import BASE, parse_path
from nestor.finding import Finding
from nestor.model import Operation

HTTPS = 443


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server: the URL that devices are given, every name that its certificate has, its port, its labels.

    `root` ends the chain that it shows in TLS; None where that is not known here. `open_names` are the names that lead
    to an address on which it listens.
    """

    url: str
    names: tuple[str, ...]
    open_names: tuple[str, ...]
    port: int
    labels: Collection[str]
    root: x509.Certificate | None


def check_server(config: DeviceConfig, server: KnownServer, disk: Disk | None) -> Iterator[Finding]:
    """What of a config this server will not serve."""
    for at, url in _urls(config):
        parts = split_url(url)
        if parts is not None:
            yield from _check_address(at, parts, server)
    if server.root is not None and config.enrolled:
        yield from _check_trust(config, server.root, disk)


def label_of(url: str) -> str | None:
    """The label of a base URL, None for the path without one. Raises ValueError for what is no base of EST's paths."""
    parts = split_url(url)
    target = parse_path(f"{parts.path.rstrip('/')}/{Operation.SIMPLE_ENROLL}") if parts else None
    if target is None:
        raise ValueError(url)
    return target.label


def _urls(config: DeviceConfig) -> list[tuple[str, str]]:
    """Every URL that the device will use, each once, with the place that names it."""
    found = [config.url_of(one, renewal=renewal) for one in config.enrolled for renewal in (False, True)]
    if config.has_est_identity:
        found.append(config.listed_url(EST_ID))
    return list({one[1]: one for one in found if one}.values())


def _check_address(at: str, parts: SplitResult, server: KnownServer) -> Iterator[Finding]:
    host = parts.hostname or ""
    if not any(_same_name(host, name) for name in server.names):
        yield problem(
            at,
            f"the certificate of this server has no name {host}, so TLS fails; it has {', '.join(server.names)}.",
            "Use one of these, or add the name to listener.hostnames of the server.",
        )
    elif not any(_same_name(host, name) for name in server.open_names):
        yield warning(
            at,
            "this server listens on its own machine only, as far as its settings tell.",
            'Open it: [listener] addresses = "*".',
        )
    if (parts.port or HTTPS) != server.port:
        yield warning(
            at,
            f"this server listens on port {server.port}, not {parts.port or HTTPS}.",
            "Right only where something maps the one to the other.",
        )
    yield from _check_label(at, parts, server)


def _check_label(at: str, parts: SplitResult, server: KnownServer) -> Iterator[Finding]:
    try:
        label = label_of(parts.geturl())
    except ValueError:
        yield problem(at, f"this server serves nothing below {parts.path or '/'}.", f"EST is below {BASE}.")
        return
    if label is not None and label not in server.labels:
        yield problem(
            at, f"this server has no label {label}.", f"It has: {', '.join(sorted(server.labels)) or 'none'}."
        )


def _check_trust(config: DeviceConfig, root: x509.Certificate, disk: Disk | None) -> Iterator[Finding]:
    at, name = config.est.path("trusted_certs"), root.subject.rfc4514_string()
    files = [path_of(uri) or "" for uri in config.est.texts("trusted_certs")]
    if not files:
        yield problem(
            at,
            f"it is missing, so the device trusts public CAs only; this server's is {name}.",
            f'Put the output of nestor ca export --root on the device: {at} = ["file:///..."].',
        )
    contents = [disk.content_of(path) for path in files] if disk else [None]
    if all(content is not None for content in contents) and files:
        held = [certificate for content in contents for certificate in certificates_in(content)]
        if root not in held:
            yield problem(
                at,
                f"no file there holds the root that this server is below: {name}.",
                "nestor ca export --root gives it; a CA below it is not enough.",
            )


def _same_name(host: str, name: str) -> bool:
    """Whether a certificate's name covers a host, as TLS clients compare (RFC 9525, 6.3)."""
    first, _, rest = name.casefold().partition(".")
    if first == "*" and rest:
        return host.casefold().partition(".")[2] == rest
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(name)
    except ValueError:
        return host.casefold() == name.casefold()
