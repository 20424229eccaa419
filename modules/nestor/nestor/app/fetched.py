"""The server certificate that the IoT Edge runtime issues, below the Edge CA of this device.

The last one is kept with its key, and is shown whether the runtime answers or not. Another one is fetched at two thirds
of its life, and when the trust bundle no longer holds the CA above it: then the Edge CA has been renewed. That is all
that the trust bundle is for; nobody is let in because of it.
"""

import asyncio
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.access.certificates import is_issued_by
from nestor.app.authority import Source
from nestor.app.edge_host import EdgeHost
from nestor.app.identity import FETCHED, Maker, ServerIdentity, keep, kept, makeshift, names_of
from nestor.app.names import reserved_names
from nestor.app.seals import AT_ONCE
from nestor.errors import MaterialError, Unavailable
from nestor.events import Note, Trouble
from nestor.web.tls import server_context

_PAUSE = 300.0
"""Seconds from one look to the next."""

_SOON = 25.0
"""Seconds until somebody looks again for one where nothing but a makeshift can be shown."""


async def fetched_identity(source: Source, edge: EdgeHost) -> ServerIdentity:
    """What is to be shown now: the one that is kept, or one fetched at once; else a makeshift. Raises MaterialError."""
    last = kept(source, FETCHED)
    if last is None or not _is_good(last, source, edge):
        try:
            async with asyncio.timeout(AT_ONCE):
                last = await fetch(source, edge)
        except (Unavailable, TimeoutError):  # whoever looks after it says why, and tries again
            last = makeshift(last, source, Maker.RUNTIME)
    _warn_of_names(last, source)
    return last


class Caretaker:
    """Looks after the certificate that is shown, as long as the server runs."""

    def __init__(self) -> None:
        self._looked: float | None = None
        self._bundle: Sequence[x509.Certificate] = ()

    async def fetched_another(self, shown: ServerIdentity, source: Source, edge: EdgeHost) -> bool:
        """Whether another one was due, and is kept now. Looks at the first time, and then every so often.

        Raises Unavailable where one is due and cannot be had.
        """
        now = source.clock.monotonic()
        if self._looked is not None and now < self._looked + (_SOON if shown.makeshift else _PAUSE):
            return False
        self._looked = now
        if not shown.is_due(source.clock.now()) and not await self._edge_ca_is_another(shown, edge):
            return False
        try:
            await fetch(source, edge)
        except Unavailable as error:
            told = "nobody trusts the one" if shown.makeshift else f"that of {_end(shown)} is the one"
            raise Unavailable(
                f"No new one can be had, and {told} that is shown. {error.sentence}", error.hint
            ) from error
        return True

    async def _edge_ca_is_another(self, shown: ServerIdentity, edge: EdgeHost) -> bool:
        """Whether the trust bundle has become one without the CA above what is shown."""
        try:
            bundle = await edge.runtime.trust_bundle()
        except Unavailable:
            return False  # what is shown is good as long as nobody knows better
        # A bundle that was looked at asks for no second one: it may lack that CA for reasons of its own.
        changed, self._bundle = list(bundle) != list(self._bundle), bundle
        return changed and _is_orphaned(shown, bundle)


async def fetch(source: Source, edge: EdgeHost) -> ServerIdentity:
    """A new one, kept for the next start. Raises Unavailable, or MaterialError where it cannot be kept."""
    chain, key = await edge.runtime.server_certificate(edge.name)
    _check_shown(chain, key)
    identity = ServerIdentity(tuple(chain), key, Maker.RUNTIME)
    keep(source, FETCHED, identity)
    told = f"for {', '.join(names_of(identity.certificate))}, by the IoT Edge runtime"
    source.sink(Note("server certificate issued", told, identity.certificate.not_valid_after_utc))
    return identity


def _check_shown(chain: Sequence[x509.Certificate], key: CertificateIssuerPrivateKeyTypes) -> None:
    """Raise Unavailable for one that TLS does not take: a House could not be built with it, nor a server started."""
    try:
        server_context(chain=chain, key=key, client_anchors=())
    except MaterialError as error:
        raise Unavailable(f"What the IoT Edge runtime made is of no use. {error.sentence}", error.hint) from error


def _end(identity: ServerIdentity) -> str:
    return f"{identity.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


def _is_good(identity: ServerIdentity, source: Source, edge: EdgeHost) -> bool:
    """Whether a certificate that was kept can still be shown."""
    named = edge.name.casefold() in names_of(identity.certificate)
    return named and source.clock.now() < identity.certificate.not_valid_after_utc


def _is_orphaned(identity: ServerIdentity, bundle: Sequence[x509.Certificate]) -> bool:
    """Whether the CA above a certificate is in no bundle; by its signature where it came without its chain."""
    above = identity.chain[1:2]
    return above[0] not in bundle if above else not any(is_issued_by(identity.certificate, one) for one in bundle)


def _warn_of_names(identity: ServerIdentity, source: Source) -> None:
    """The runtime knows one name of this host, whatever the settings say."""
    held = names_of(identity.certificate)
    wanted = reserved_names(source.settings.listener.hostnames)
    missing = [name for name in wanted if name.casefold() not in held]
    if missing and held:
        told = (
            f"The IoT Edge runtime made it for {', '.join(held)} alone; who comes by {', '.join(missing)} refuses it. "
            "Leave such names out of listener.hostnames, or write source = issued."
        )
        source.sink(Trouble("server certificate", told))
