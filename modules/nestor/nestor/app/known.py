"""How devices know this server: its URL, its names, its port, its labels, its root; read without asking it, or its key.

The names are those of its settings and of the certificate that it showed last: options of `nestor serve` are in there.
"""

from collections.abc import Sequence
from dataclasses import replace

from cryptography import x509

from nestor.app.authority import Source, ca_certificates
from nestor.app.certificate import shown_certificates
from nestor.app.identity import names_of
from nestor.app.names import is_loopback
from nestor.device.server import HTTPS, KnownServer
from nestor.errors import MaterialError
from nestor.est.menu import BASE
from nestor.naming import common_name_of
from nestor.web.settings import ServerCertificateSource


def known_server(source: Source) -> KnownServer:
    """The server of a data directory, as a device meets it. Raises MaterialError or SettingsError, as without a CA."""
    settings = source.settings.listener
    shown = shown_certificates(source)
    names = tuple(dict.fromkeys((*settings.hostnames, *(names_of(shown[0]) if shown else ()))))
    closed = all(map(is_loopback, settings.addresses)) and set(names) == set(settings.hostnames)
    return KnownServer(
        url=base_url(_first_name(settings.hostnames, shown), settings.port),
        names=names,
        open_names=tuple(filter(is_loopback, names)) if closed else names,
        port=settings.port,
        labels=frozenset(source.settings.labels) - {"default"},
        root=_root(source, shown),
    )


def server_for(source: Source, url: str | None) -> KnownServer:
    """The server that devices are told of; with a URL, one that need not be this one. Raises MaterialError."""
    if url is None:
        return known_server(source)
    try:
        known = known_server(source)
    except MaterialError:
        return KnownServer(url, (), (), HTTPS, (), root=None)
    return replace(known, url=url)


def base_url(name: str, port: int) -> str:
    """The base of the EST paths of a server."""
    return f"https://{f'[{name}]' if ':' in name else name}:{port}{BASE}"


def _first_name(hostnames: Sequence[str], shown: Sequence[x509.Certificate]) -> str:
    """The name that devices are given: the first of the settings that means something elsewhere, or of the certificate.

    The certificate that Nestor issues itself has its first name as common name.
    """
    elsewhere = (name for name in hostnames if not is_loopback(name))
    first = common_name_of(shown[0].subject) if shown else ""
    usual = first if shown and first in names_of(shown[0]) else next(iter(hostnames), "localhost")
    return next(elsewhere, usual)


def _root(source: Source, shown: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """What devices have to trust; not known where a certificate from elsewhere comes without its root."""
    if source.settings.listener.server_certificate.source is ServerCertificateSource.ISSUED:
        return ca_certificates(source)[-1]
    return shown[-1] if shown and shown[-1].subject == shown[-1].issuer else None
