"""How this server comes before the one above when it asks for itself: as whom, whom it believes, what it sends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.app.authority import Source
from nestor.ca.loading import read_certificates
from nestor.document import FileReference, Reference
from nestor.errors import MaterialError, SettingsError
from nestor.est import pkcs10
from nestor.est.csrattrs import CsrAttributes
from nestor.keys.file import load_key
from nestor.upstream.bootstrap import bootstrap
from nestor.upstream.client import ESTClient
from nestor.upstream.enrollment import Compose, Connect
from nestor.upstream.identity import ClientIdentity
from nestor.upstream.settings import UpstreamSettings
from nestor.upstream.trust import Trust
from nestor.upstream.wish import Wish, follow


@dataclass(frozen=True, slots=True)
class Approach:
    """The server above, and whom it is believed to be by."""

    settings: UpstreamSettings
    data: Path
    passphrase: str | None
    trust: Trust

    @property
    def server(self) -> str:
        """Its address, for sentences."""
        return url_of(self.settings)

    def by(self, identity: ClientIdentity, label: str | None) -> Connect:
        """Ask as the holder of a certificate."""
        return lambda linkable: self._client(label, linkable=linkable, identity=identity)

    def by_first_credential(self, label: str | None) -> Connect:
        """Ask by what the settings name for the first time: a password, a certificate, or both."""
        settings = self.settings
        identity = self._first_certificate()
        password = settings.password.read_text(self.data) if settings.password else None
        if settings.user is None and identity is None:
            raise SettingsError(
                "upstream: nothing says how this server shows itself to its parent for the first time.",
                "Name user and password, or certificate and key.",
            )
        return lambda linkable: self._client(
            label, linkable=linkable, identity=identity, user=settings.user, password=password
        )

    def _client(
        self,
        label: str | None,
        *,
        linkable: bool,
        identity: ClientIdentity | None,
        user: str | None = None,
        password: str | None = None,
    ) -> ESTClient:
        shown = identity.leaf_only() if identity and self.settings.leaf_only else identity
        return ESTClient(
            url_of(self.settings),
            self.trust,
            user=user,
            password=password,
            identity=shown,
            label=label,
            linkable=linkable,
            created=self.settings.accept_created,
            proxy=self.settings.proxy,
        )

    def _first_certificate(self) -> ClientIdentity | None:
        settings = self.settings
        if settings.certificate is None or settings.key is None:
            return None
        certificate, *chain = _certificates(settings.certificate, self.data, "upstream.certificate")
        return ClientIdentity(certificate, load_key(settings.key.path(self.data), self.passphrase).key, tuple(chain))


async def approach(source: Source) -> Approach:
    """Know the server above: by anchors, or by a fingerprint that its CA certificates are held against.

    Raises SettingsError or MaterialError for what cannot be used, Unavailable where nobody is there.
    """
    settings = source.settings.upstream
    return Approach(settings, source.data, source.passphrase, await _trust(settings, source.data))


def first_credential(settings: UpstreamSettings) -> Sequence[Reference]:
    """What has to be another one where this server is to be known above anew."""
    return [one for one in (settings.password, settings.certificate) if one is not None]


def url_of(settings: UpstreamSettings) -> str:
    """Where the parent is. Raises SettingsError."""
    if settings.url is None:
        raise SettingsError("upstream.url: this key is needed for what this server has from a parent.", "Name it.")
    return settings.url


def composing(
    key: CertificateIssuerPrivateKeyTypes, wish: Wish, *, keep_names: bool = False, keep: type | None = None
) -> Compose:
    """Make requests for a key, as the server wants them; it does not change an extension of the kind to `keep`."""

    def compose(wanted: CsrAttributes, binding: str | None) -> bytes:
        followed = follow(wish, wanted, keep_names=keep_names)
        ours = {value.oid: (value, critical) for value, critical in wish.extensions if keep and isinstance(value, keep)}
        asked = {value.oid: (value, critical) for value, critical in followed.extensions}
        whole = replace(followed, extensions=tuple((asked | ours).values()))
        return pkcs10.build(
            key,
            whole.subject,
            alternative_names=whole.alternative_names,
            extensions=whole.extensions,
            challenge_password=binding,
        )

    return compose


async def _trust(settings: UpstreamSettings, data: Path) -> Trust:
    if settings.anchors is not None:
        return Trust(tuple(_certificates(settings.anchors, data, "upstream.anchors")))
    if settings.fingerprint is not None:
        return await bootstrap(url_of(settings), settings.fingerprint)
    raise SettingsError(
        "upstream: nothing says whom to take for the parent.",
        "Name its CA certificates in upstream.anchors, or the SHA-256 of one in upstream.fingerprint.",
    )


def _certificates(reference: FileReference, data: Path, where: str) -> tuple[x509.Certificate, ...]:
    found = read_certificates(reference.read_bytes(data), where)
    if not found:
        raise MaterialError(f"{where}: {reference} holds no certificate.", "It has to be PEM.")
    return found
