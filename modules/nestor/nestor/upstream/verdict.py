"""Whether what the server above answered may be handed down: the last look before a device gets it. Pure.

The key is the request's, the names are those that were admitted, the issuer is one that is believed, the time is now,
and the power is that of the profile and no more. A server above may word the rest of the subject as it likes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.errors import ParentUnusable
from nestor.est.names import same_alternative_names, same_value
from nestor.model import Order, ProfileTraits
from nestor.naming import common_name_of
from nestor.upstream.rollover import is_signed_by

AHEAD = timedelta(minutes=5)
"""By how much the clock of the server above may be ahead."""

Value = TypeVar("Value", bound=x509.ExtensionType)

_FOR_SERVERS = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def issuer_of(certificate: x509.Certificate, believed: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The one among those believed that signed it."""
    return next((one for one in believed if is_signed_by(certificate, one)), None)


def check(
    certificate: x509.Certificate, order: Order, profile: ProfileTraits, issuer: x509.Certificate | None, now: datetime
) -> None:
    """Raise ParentUnusable for a certificate that must not be handed down."""
    try:
        problem = _problem(certificate, order, profile, issuer)
    except _UNREADABLE as error:
        raise ParentUnusable("The server above answered with a certificate that cannot be read.", _HINT) from error
    if problem is not None:
        raise ParentUnusable(f"The server above answered with a certificate {problem}; it is not handed down.", _HINT)
    if issuer is not None and (late := _problem_of_time(certificate, issuer, now)) is not None:
        sentence = f"The server above answered with a certificate {late}, by the clock of this server, {now:{_TIME}}."
        raise ParentUnusable(f"{sentence} It is not handed down.", _CLOCKS)


_TIME = "%Y-%m-%d %H:%M UTC"
_CLOCKS = "One of the two clocks is wrong: compare them, and set it."
_HINT = "The operators of both servers should hear of it."


def _problem(
    certificate: x509.Certificate, order: Order, profile: ProfileTraits, issuer: x509.Certificate | None
) -> str | None:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key != order.csr.spki:
        return "for another key"
    if issuer is None:
        return "that none of its CA certificates has issued"
    return _problem_of_names(certificate, order) or _problem_of_power(certificate, profile)


def _problem_of_names(certificate: x509.Certificate, order: Order) -> str | None:
    if not same_value(common_name_of(certificate.subject), common_name_of(order.subject)):
        return "for another name"
    return None if _has_names(certificate, order) else "for other alternative names"


def _problem_of_time(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> str | None:
    end = min(certificate.not_valid_after_utc, issuer.not_valid_after_utc)
    if now > end:
        return f"that has ended already, {end:{_TIME}}"
    start = certificate.not_valid_before_utc
    return f"that is not valid before {start:{_TIME}}" if now + AHEAD < start else None


def _has_names(certificate: x509.Certificate, order: Order) -> bool:
    """Whether its alternative names are those that were asked for; the common name may be repeated among them."""
    found = tuple(_value(certificate, x509.SubjectAlternativeName) or ())
    wanted, own = order.alternative_names, common_name_of(order.subject)
    if same_alternative_names(found, wanted):
        return True
    return own.isascii() and same_alternative_names(found, (*wanted, x509.DNSName(own)))


def _problem_of_power(certificate: x509.Certificate, profile: ProfileTraits) -> str | None:
    constraints = _value(certificate, x509.BasicConstraints)
    ca = constraints is not None and constraints.ca
    if ca is not profile.ca:
        return "of a CA, which nobody asked for" if ca else "that is none of a CA, as was asked for"
    if constraints is not None and ca and not profile.entrusted and constraints.path_length != 0:
        return "of a CA that may have CAs below it (its path length is not 0)"
    usages = _value(certificate, x509.ExtendedKeyUsage)
    if profile.authenticates and (usages is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usages):
        return "that does not authenticate (it lacks clientAuth)"
    if not profile.server and usages is not None and not _FOR_SERVERS.isdisjoint(usages):
        return "for a server, which nobody asked for"
    return None


def _value(certificate: x509.Certificate, kind: type[Value]) -> Value | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
