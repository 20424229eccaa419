"""`listCertificates`, `getCertificate`, `revokeCertificate`: the ledger, from afar."""

from collections.abc import Iterator, Sequence
from ssl import DER_cert_to_PEM_cert
from typing import Annotated

from pydantic import AfterValidator, model_validator

from nestor.app.methods.form import Office
from nestor.app.methods.record import CertificateWithPem, Page, Record, RevokedCertificate, fields_of
from nestor.app.record import Search, Wanted, hex_digits, selection_of
from nestor.document import Document, Duration, described
from nestor.errors import Malformed, UnknownPath
from nestor.model import Entry, State
from nestor.twin.legal import size

_PAGE = 96 * 1024
"""Bytes of a page: IoT Hub takes 128 KB of an answer, everything included."""

_THUMBPRINTS = {40, 64}
_WAY = "direct method"


def _thumbprint(text: str) -> str:
    digits = hex_digits(text)
    if len(digits) not in _THUMBPRINTS:
        msg = "a thumbprint has 40 digits in hex (SHA-1) or 64 (SHA-256)"
        raise ValueError(msg)
    return digits


def _cursor(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 -- 64 bits
        msg = "a cursor is what the page before answered"
        raise ValueError(msg)
    return text


_Hex = Annotated[str, AfterValidator(hex_digits)]
_Thumbprint = Annotated[str, AfterValidator(_thumbprint)]


class ListCertificates(Document):
    """Which certificates to list; without keys, all that have not ended."""

    device: str = described("Only device ids that match this pattern: gw3, line1-*.", "*")
    serial: _Hex | None = described("Only this serial number, in hex, or that begins so.", None)
    thumbprint: _Hex | None = described("Only this SHA-1 or SHA-256 thumbprint, in hex, or that begins so.", None)
    profile: str | None = described("Only this profile.", None)
    state: Wanted | None = described("Only in this state.", None, strict=False)
    expiring_in: Duration | None = described("Only those that expire within: 12h, 7d ...", None)
    asked_by: str = described("Only those asked for by users or devices of this pattern.", "*")
    all: bool = described("Expired ones too, as where one is named.", default=False)
    limit: int = described("At most so many in one answer.", 50, ge=1, le=500)
    cursor: Annotated[str, AfterValidator(_cursor)] | None = described(
        "What the page before answered, to go on after it.", None
    )


class _Named(Document):
    serial: _Hex | None = described("Its serial number, in hex.", None)
    thumbprint: _Thumbprint | None = described("Or its SHA-1 or SHA-256 thumbprint, in hex.", None)

    @model_validator(mode="after")
    def _names_one(self) -> "_Named":
        if (self.serial is None) == (self.thumbprint is None):
            msg = "say which certificate: by its serial or by its thumbprint"
            raise ValueError(msg)
        return self


class GetCertificate(_Named):
    """Which certificate to show: one of the two."""


class RevokeCertificate(_Named):
    """Which certificate to revoke: one of the two; and why."""

    reason: str = described("Why, for whoever reads it later.", "unspecified", min_length=1, max_length=200)


async def list_certificates(office: Office, wish: ListCertificates) -> Page:
    """List certificates, the newest first, page by page: ask again with the cursor of the answer until it has none."""
    search = Search(
        device=wish.device,
        asked_by=wish.asked_by,
        serial=wish.serial or "",
        thumbprint=wish.thumbprint or "",
        profile=wish.profile,
        state=wish.state,
        expiring_in=wish.expiring_in,
        every=wish.all,
    )
    after = None if wish.cursor is None else int(wish.cursor)
    selection = selection_of(search, office.now)
    found = await office.ledger.page(selection, after_id=after, limit=wish.limit + 1)
    shown = list(_that_fit(office, found[: wish.limit]))
    more = len(found) > len(shown)
    return Page(certificates=tuple(shown), cursor=str(found[len(shown) - 1].id) if more else None)


async def get_certificate(office: Office, wish: GetCertificate) -> CertificateWithPem:
    """Show everything about one certificate, and the certificate itself."""
    entry = await _find(office, wish)
    return CertificateWithPem(**fields_of(entry, office.now), pem=DER_cert_to_PEM_cert(entry.der))


async def revoke_certificate(office: Office, wish: RevokeCertificate) -> RevokedCertificate:
    """Revoke a certificate: from the next request on it no longer authenticates to this server.

    IoT Hub and DPS do not know of it: disable the device there as well.
    """
    entry = await _find(office, wish)
    revoked = await office.server.revocations.revoke(office.ledger, entry, wish.reason, at=office.now, by=_WAY)
    return RevokedCertificate(**fields_of(revoked, office.now), already_revoked=entry.state is State.REVOKED)


async def _find(office: Office, wish: _Named) -> Entry:
    """The one certificate that is meant. Raises UnknownPath where there is none, Malformed where there are several."""
    if wish.serial is not None:
        found = await office.ledger.certificates_of_serial(int(wish.serial, 16))
    else:
        entry = await office.ledger.find_thumbprint(bytes.fromhex(wish.thumbprint or ""))
        found = [entry] if entry else []
    if not found:
        raise UnknownPath(f"The ledger has no certificate {wish.serial or wish.thumbprint}.", "Try listCertificates.")
    if len(found) > 1:
        raise Malformed(
            f"serial: {len(found)} certificates of several issuers have the serial number {wish.serial}.",
            "Try listCertificates, and name the thumbprint.",
        )
    return found[0]


def _that_fit(office: Office, entries: Sequence[Entry]) -> Iterator[Record]:
    """The first records, as many as have room in one answer."""
    left = _PAGE
    for entry in entries:
        record = Record(**fields_of(entry, office.now))
        left -= size(record.document())
        if left < 0:
            return
        yield record
