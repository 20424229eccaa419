"""The server of the layer above, from the settings: where it is, by what it is believed, how this server shows itself.

It outlives the house as long as it is asked in the same way. What is kept of it lies in the data directory.
"""

from nestor.app.authority import Source
from nestor.app.forwarding import digits, forwarded
from nestor.app.layer.identity import OwnIdentity
from nestor.app.layer.looking_after import has_dues
from nestor.ca.loading import read_certificates
from nestor.errors import MaterialError
from nestor.keys.file import load_key
from nestor.upstream.identity import ClientIdentity, Current
from nestor.upstream.parent import Parent, Terms
from nestor.upstream.settings import UpstreamSettings
from nestor.upstream.trust import Trust

FILE = "upstream.json"
"""Where in the data directory it is kept what the server above said."""


class Parents:
    """Keeps the server of the layer above from one house to the next."""

    def __init__(self) -> None:
        self._parent: Parent | None = None
        self._former: list[Parent] = []
        self._own: OwnIdentity | None = None

    @property
    def parent(self) -> Parent | None:
        """The one that is asked now."""
        return self._parent

    def find(self, terms: Terms, identity: Current, source: Source) -> Parent:
        """The one of these terms: the same as before where they are the same."""
        if self._parent is None or self._parent.terms != terms:
            place = source.data / FILE
            return Parent(terms, identity, place=place, clock=source.clock, tell=source.sink)
        self._parent.show(identity)
        return self._parent

    def adopt(self, parent: Parent | None) -> None:
        """Look after this one from now on: a house stands that asks it."""
        if self._parent is not None and self._parent is not parent:
            self._former.append(self._parent)
        self._parent = parent

    def own(self, source: Source) -> OwnIdentity:
        """The certificate that this server enrolled for itself."""
        if self._own is None:
            self._own = OwnIdentity(source.data, lambda: source.passphrase)
        return self._own

    async def look(self) -> None:
        """Do what is due of the one that is asked, and let go of former ones that nobody waits for any more."""
        former, self._former = self._former, []
        for parent in former:
            await parent.close()
        if self._parent is not None:
            await self._parent.look()

    async def close(self) -> None:
        """Let go of all connections."""
        for parent in (*self._former, *([self._parent] if self._parent else [])):
            await parent.close()


def open_parent(source: Source, parents: Parents) -> Parent | None:
    """The server above of these settings; None where it is asked for nothing.

    Raises MaterialError for what cannot be read; but where nothing is forwarded this server does without.
    """
    upstream = source.settings.upstream
    forwards = any(forwarded(source.settings).values())
    if upstream.url is None or not (forwards or has_dues(source.settings)):
        return None
    try:
        return parents.find(terms_of(source, upstream.url), _shown(source, parents), source)
    except MaterialError:
        if forwards:
            raise
        return None  # whoever has the certificates from above renewed tells of it


def terms_of(source: Source, url: str) -> Terms:
    """How the server above is asked by these settings. Raises MaterialError."""
    upstream = source.settings.upstream
    anchors = upstream.anchors and read_certificates(upstream.anchors.read_bytes(source.data), "upstream.anchors")
    if anchors == ():
        raise MaterialError(f"upstream.anchors: {upstream.anchors} holds no certificate.", "It has to be PEM.")
    login = None
    first = upstream.identity.name is not None  # then it is for the first certificate, which looks after itself
    if not first and upstream.user is not None and upstream.password is not None:
        login = (upstream.user, upstream.password.read_text(source.data))
    return Terms(
        url=url,
        trust=Trust(anchors) if anchors else None,
        fingerprint=upstream.fingerprint,
        login=login,
        labels=dict(upstream.labels),
        conveys=upstream.conveys,
        reenroll_as=upstream.reenroll_as,
        created=upstream.accept_created,
        root=bytes.fromhex(digits(upstream.root)) if upstream.root else None,
        proxy=upstream.proxy,
    )


def _shown(source: Source, parents: Parents) -> Current:
    """What this server shows above: the certificate that it enrolled for itself, or the one that is named."""
    if source.settings.upstream.identity.name is not None:
        return parents.own(source).current
    named = _identity(source, source.settings.upstream)
    return lambda: named


def _identity(source: Source, upstream: UpstreamSettings) -> ClientIdentity | None:
    if upstream.certificate is None or upstream.key is None:
        return None
    certificates = read_certificates(upstream.certificate.read_bytes(source.data), "upstream.certificate")
    if not certificates:
        raise MaterialError(f"upstream.certificate: {upstream.certificate} holds no certificate.", "It has to be PEM.")
    key = load_key(upstream.key.path(source.data), source.passphrase).key
    certificate, *chain = certificates
    return ClientIdentity(certificate, key, () if upstream.leaf_only else tuple(chain))
