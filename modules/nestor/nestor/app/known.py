"""How devices know this server: its URL, its names, its port, its labels, its root; read without asking it, or its key.

The names are those of its settings and of the certificate that it showed last: options of `nestor serve` are in there.
"""

from collections.abc import Sequence

from cryptography import x509

from nestor.app.authority import Source, ca_certificates
from nestor.app.certificate import shown_certificates
from nestor.app.house import is_loopback
from nestor.device.server import KnownServer
from nestor.est.menu import BASE
from nestor.web.settings import ServerCertificateSource

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def known_server(source: Source) -> KnownServer:
    """The server of a data directory, as a device meets it. Raises MaterialError or SettingsError, as without a CA."""
    settings = source.settings.listener
    shown = shown_certificates(source)
    names = tuple(dict.fromkeys((*settings.hostnames, *_names_of(shown))))
    return KnownServer(
        url=base_url(names, settings.port),
        names=names,
        port=settings.port,
        labels=frozenset(source.settings.labels) - {"default"},
        root=_root(source, shown),
        loopback=set(settings.addresses) <= _LOCAL and set(names) == set(settings.hostnames),
    )


def base_url(names: Sequence[str], port: int) -> str:
    """The base of the EST paths, by the first name that means this server on other machines too."""
    name = next((name for name in names if not is_loopback(name)), next(iter(names), "localhost"))
    return f"https://{f'[{name}]' if ':' in name else name}:{port}{BASE}"


def _names_of(shown: Sequence[x509.Certificate]) -> list[str]:
    try:
        names = shown[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value if shown else ()
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)]


def _root(source: Source, shown: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """What devices have to trust; not known where a certificate from elsewhere comes without its root."""
    if source.settings.listener.server_certificate.source is ServerCertificateSource.ISSUED:
        return ca_certificates(source)[-1]
    return shown[-1] if shown and shown[-1].subject == shown[-1].issuer else None
