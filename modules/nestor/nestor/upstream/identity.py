"""How this server shows itself to the server above: a certificate, its chain and its key, whoever keeps them.

The TLS library takes files only. So that no key lies on the disk a second time, they are files in memory that nobody
else can open, gone as soon as they have been read.
"""

import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nestor.errors import MaterialError, NestorError


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """A client certificate, what is above it, and its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    def leaf_only(self) -> "ClientIdentity":
        """The same without what is above it, for servers that take exactly one certificate."""
        return ClientIdentity(self.certificate, self.key)


Current = Callable[[], ClientIdentity | None]
"""Answers the identity of this moment, which renewals change; None where there is none yet."""


def _nothing() -> None:
    """Miss nothing."""


class Badge:
    """By what the server above knows this one, and whether it lets it in with that.

    `current` answers the identity of each moment; `missing` says why there is none where nothing is let in without.
    """

    def __init__(self, current: Current, missing: Callable[[], NestorError | None] = _nothing) -> None:
        self.current = current
        self.missing = missing
        self._refused: tuple[ClientIdentity | None, NestorError] | None = None

    @property
    def refusal(self) -> NestorError | None:
        """Why the server above does not let this one in; None as soon as it shows another identity."""
        shown, why = self._refused or (None, None)
        return why if why is not None and shown is self.current() else None

    def refuse(self, shown: ClientIdentity | None, why: NestorError) -> None:
        """Hear that whoever shows this one is not let in."""
        self._refused = (shown, why)

    def let_in(self) -> None:
        """Hear that this server is let in."""
        self._refused = None


def present(context: ssl.SSLContext, identity: ClientIdentity) -> None:
    """Have a TLS context show an identity. Raises MaterialError where the key is not the certificate's."""
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in (identity.certificate, *identity.chain))
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _load(context, [pem, key])
    except ssl.SSLError as error:
        raise MaterialError(
            "The client certificate for the server above and its key do not fit together.", "Name both of one pair."
        ) from error


def _load(context: ssl.SSLContext, contents: Sequence[bytes]) -> None:
    files = [os.memfd_create("identity", os.MFD_CLOEXEC) for _ in contents]
    try:
        for file, content in zip(files, contents, strict=True):
            os.write(file, content)
        context.load_cert_chain(*(f"/proc/self/fd/{file}" for file in files))
    finally:
        for file in files:
            os.close(file)
