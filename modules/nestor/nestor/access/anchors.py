"""Whose factory certificates are believed: the CA certificates of makers, kept strictly apart from our own CA."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from nestor.access.certificates import is_ca, is_issued_by, spki_of
from nestor.errors import MaterialError, Unauthenticated

_MAKERS = "Bootstrap certificates come from a CA of their own; see `nestor cert issue` for those of this CA."


@dataclass(frozen=True, slots=True)
class Bundle:
    """A maker's CA certificates: the tops of what was given are anchors, what hangs below them is intermediate."""

    anchors: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """All of them."""
        return self.anchors + self.intermediates


def read_bundle(data: bytes, where: str) -> Bundle:
    """The CA certificates of a PEM file. Raises MaterialError for none, or for one that is not a CA's."""
    try:
        certificates = x509.load_pem_x509_certificates(data)
        strangers = [certificate for certificate in certificates if not is_ca(certificate)]
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm, Unauthenticated) as error:
        raise MaterialError(
            f"{where} holds no readable PEM certificates.", "Give the maker's CA certificates."
        ) from error
    if strangers:
        subject = strangers[0].subject.rfc4514_string()
        raise MaterialError(f"{where} holds {subject}, which is not a CA's certificate.", "Leave only CA certificates.")
    below = [one for one in certificates if any(one != other and is_issued_by(one, other) for other in certificates)]
    return Bundle(tuple(one for one in certificates if one not in below), tuple(below))


def keep_apart(bundle: Bundle, own: Iterable[x509.Certificate], where: str, hint: str = _MAKERS) -> Bundle:
    """The same bundle, if none of it is our own CA, above it, or below it. Raises MaterialError, with the hint.

    Otherwise what our CA or its Edge CAs sign would count as somebody else's word, and nobody asked the ledger.
    """
    for certificate in own:
        for given in bundle.certificates:
            if _are_kin(given, certificate):
                raise MaterialError(
                    f"{where} holds {given.subject.rfc4514_string()}, which is this CA's own, above it, or below it.",
                    hint,
                )
    return bundle


def check_distinct(bundles: Sequence[tuple[str, Bundle]]) -> None:
    """Refuse one anchor under two names: which rules hold would be a matter of order. Raises MaterialError."""
    seen: dict[bytes | None, str] = {}
    for name, bundle in bundles:
        for anchor in bundle.anchors:
            other = seen.setdefault(spki_of(anchor), name)
            if other != name:
                subject = anchor.subject.rfc4514_string()
                raise MaterialError(f"access.bootstrap: {other} and {name} share the anchor {subject}.", "Join them.")


def _are_kin(given: x509.Certificate, own: x509.Certificate) -> bool:
    return (
        given.subject == own.subject
        or spki_of(given) == spki_of(own)
        or is_issued_by(given, own)
        or is_issued_by(own, given)
    )
