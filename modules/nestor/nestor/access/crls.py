"""Revocation lists of the makers of factory certificates (RFC 5280, section 5). Pure but for reading the file.

A list counts if the issuer of the certificate signed it. A serial in it is revoked also when the list is out of date;
that a serial is absent means something only while the list is current.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from nestor.access.certificates import sha256_of
from nestor.document import read_bounded
from nestor.errors import CannotIssue, Forbidden, MaterialError

_BEGIN = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"
_LARGEST = 64 * 1024 * 1024
"""Bytes of a file: lists of a million entries have half of it."""


class RevocationList:
    """One list, its serials looked up by hash and its signature checked once for each issuer: some lists are long."""

    def __init__(self, crl: x509.CertificateRevocationList) -> None:
        self.crl = crl
        self._serials = frozenset(entry.serial_number for entry in crl)
        self._signed_by: dict[bytes, bool] = {}

    def has(self, serial: int) -> bool:
        """Whether a serial number is revoked."""
        return serial in self._serials

    def is_signed_by(self, issuer: x509.Certificate) -> bool:
        """Whether a CA signed it."""
        known = sha256_of(issuer)
        if known not in self._signed_by:
            self._signed_by[known] = _is_signed_by(self.crl, issuer)
        return self._signed_by[known]

    def is_current(self, now: datetime) -> bool:
        """Whether it is meant for this time."""
        until = self.crl.next_update_utc
        return self.crl.last_update_utc <= now and until is not None and now <= until


def read_crls(path: Path) -> tuple[RevocationList, ...]:
    """The lists of a file: one as DER, or any number as PEM. Raises MaterialError."""
    try:
        data = read_bounded(path, _LARGEST)
        crls = tuple(map(x509.load_pem_x509_crl, _blocks(data))) if _BEGIN in data else (x509.load_der_x509_crl(data),)
        partial = any(extension.critical for crl in crls for extension in crl.extensions)
        lists = tuple(map(RevocationList, crls))
    except OSError as error:
        raise MaterialError(
            f"The revocation list {path} cannot be read: {error.strerror}.", "Check its path."
        ) from error
    except (ValueError, TypeError, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise MaterialError(f"{path} holds no readable revocation list.", "Fetch it anew from its maker.") from error
    if partial:
        # RFC 5280, 5.2: a list with a critical extension that is not understood must not be relied on.
        raise MaterialError(f"{path} holds a delta or partitioned revocation list.", "Use the maker's complete list.")
    return lists


def check_revocation(
    path: Sequence[x509.Certificate],
    crls: Sequence[RevocationList],
    *,
    required: bool,
    now: datetime,
) -> None:
    """Check every certificate of a verified path, leaf first, below its anchor, which stands last.

    Raises Forbidden for a revoked one. Raises CannotIssue where a list is required and no current one covers it.
    """
    for certificate, issuer in itertools.pairwise(path):
        signed = [crl for crl in crls if crl.is_signed_by(issuer)]
        if any(crl.has(certificate.serial_number) for crl in signed):
            raise Forbidden("The certificate presented, or a CA above it, has been revoked by its maker.")
        if required and not any(crl.is_current(now) for crl in signed):
            raise CannotIssue(
                "Whether the certificate presented is revoked cannot be told: no current revocation list is here.",
                "The operator of this server fetches the maker's newest list.",
            )


def _blocks(data: bytes) -> list[bytes]:
    return [_BEGIN + part.partition(_END)[0] + _END for part in data.split(_BEGIN)[1:]]


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if crl.issuer != issuer.subject:
        return False
    try:
        return crl.is_signature_valid(cast("Any", issuer.public_key()))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
