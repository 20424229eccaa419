"""A certificate of ours that the ledger does not know, as after a restore: may it be taken in? (design D23) Pure.

Only on an operator's word, within its period and its time, and only what could authenticate at all; never what was
denied or revoked. That one of our issuers signed it directly is asked before (`own.kinship`).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from nestor.access.certificates import AGAIN, PRESENTED, check_dates, check_purpose, sha256_of, spki_of
from nestor.adoption import Adoption
from nestor.errors import Forbidden, Unauthenticated
from nestor.model import Entry, Method, ProfileTraits
from nestor.naming import device_id, issuer_id

BACKDATED = timedelta(minutes=5)
"""How much earlier than it was issued a certificate may begin (design D20)."""

Recognize = Callable[[x509.Certificate, str | None], ProfileTraits]
"""Tells the profile of a certificate; a name decides where several could be it. Raises Forbidden where it cannot."""

UNKNOWN = f"{PRESENTED} is signed by this CA, but the ledger does not know it"


def decide(
    certificate: x509.Certificate,
    words: Sequence[Adoption],
    *,
    revoked: bool,
    recognize: Recognize,
    now: datetime,
) -> tuple[Adoption, ProfileTraits]:
    """The word by which it is taken in, and its profile; `words` are all that were ever given.

    Raises Forbidden or Unauthenticated with the reason why it is not.
    """
    look_at(certificate, words, revoked=revoked, now=now)
    check_purpose(certificate)
    word = _word_for(certificate, words, now)
    profile = recognize(certificate, word.profile)
    if not profile.authenticates:
        raise Unauthenticated(f"Certificates of the profile {profile.name} do not authenticate here.", AGAIN)
    return word, profile


def look_at(certificate: x509.Certificate, words: Iterable[Adoption], *, revoked: bool, now: datetime) -> None:
    """Raise Forbidden for what was revoked or is denied by any word, be it that it has ended; Unauthenticated by date.

    What passes may be adopted by an operator who holds it in hand.
    """
    if revoked:
        raise Forbidden(f"{PRESENTED} has been revoked.", "Ask the operator of this server.")
    names = {device_of(certificate), *_names_of(certificate)}
    if any(not names.isdisjoint(word.denied) for word in words):
        raise Forbidden(f"{UNKNOWN}, and its operator has forbidden to adopt it.", AGAIN)
    check_dates(certificate, now)


def name_of(word: Adoption) -> str:
    """What the entries that came by a word say of who asked for them."""
    return f"adoption {word.id}"


def denied_names(text: str) -> frozenset[str]:
    """A device id, serial number or thumbprint in every form in which `Adoption.denied` may have to hold it."""
    digits = text.replace(":", "").replace(" ", "").casefold().removeprefix("0x")
    is_number = bool(digits) and all(sign in "0123456789abcdef" for sign in digits)
    return frozenset({device_id(text.strip())} | ({_plain(digits)} if is_number else set()))


def is_open(word: Adoption, now: datetime) -> bool:
    """Whether a word is good at this time."""
    return word.ended_at is None and word.opened_at <= now < word.ends_at


def device_of(certificate: x509.Certificate) -> str:
    """The device id that a certificate is for. Raises Forbidden where it does not name one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    device = device_id(str(names[0].value)) if len(names) == 1 else ""
    if not device:
        raise Forbidden("The certificate does not say which device it is for: it has no common name, or several.")
    return device


def adopted_entry(
    certificate: x509.Certificate, *, profile: str, origin: Method, requester: str, address: str, now: datetime
) -> Entry:
    """What the ledger is to know of it; when it was issued is what the certificate says of itself."""
    der = certificate.public_bytes(Encoding.DER)
    return Entry(
        serial=certificate.serial_number,
        issuer=issuer_id(certificate),
        sha256=sha256_of(certificate),
        der=der,
        device=device_of(certificate),
        subject=certificate.subject.rfc4514_string(),
        profile=profile,
        label="",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=certificate.not_valid_before_utc,
        method=Method.OPERATOR,
        requester=requester,
        origin=origin,
        via=None,
        address=address,
        csr_sha256=b"",
        spki_sha256=hashlib.sha256(spki_of(certificate) or b"").digest(),
        request_id="",
        adopted_at=now,
    )


def _word_for(certificate: x509.Certificate, words: Iterable[Adoption], now: datetime) -> Adoption:
    """The newest open word whose period it began in."""
    begun = certificate.not_valid_before_utc
    good = [word for word in words if is_open(word, now)]
    if not good:
        raise Forbidden(f"{UNKNOWN}.", AGAIN)
    covering = [word for word in good if word.since - BACKDATED <= begun <= word.until]
    if not covering:
        raise Forbidden(f"{UNKNOWN}, and it was not issued in the period of which certificates are adopted.", AGAIN)
    return covering[-1]


def _names_of(certificate: x509.Certificate) -> set[str]:
    der = certificate.public_bytes(Encoding.DER)
    digests = (sha256_of(certificate).hex(), hashlib.sha1(der, usedforsecurity=False).hexdigest())
    return {f"{certificate.serial_number:x}", *map(_plain, digests)}


def _plain(digits: str) -> str:
    """A number as one writes it: without zeros before it."""
    return digits.lstrip("0") or "0"
