"""When a certificate of this server's own is renewed, and when its operator hears that nobody has renewed it. Pure."""

from datetime import datetime, timedelta

from cryptography import x509

_RENEWED_AFTER = 2 / 3
_SPREAD = 1 / 20
"""The share of a life by which renewals are earlier, each by another part of it: many begin at the same time."""

_WARNED_AT = (1 / 3, 1 / 10)
"""The shares that are left when the operator hears of it."""

MOST_URGENT = len(_WARNED_AT)
"""The urgency of what is close to its end."""


def renewal_time(certificate: x509.Certificate) -> datetime:
    """When to renew it: a little before two thirds of its life, always the same moment for the same certificate."""
    early = certificate.serial_number % 1000 / 1000 * _SPREAD
    return certificate.not_valid_before_utc + _life(certificate) * (_RENEWED_AFTER - early)


def is_good(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it is valid at this time."""
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def urgency(certificate: x509.Certificate, now: datetime) -> int:
    """How often its operator should have heard by now that it ends: once at a third of its life, twice at a tenth."""
    left = certificate.not_valid_after_utc - now
    return sum(left <= _life(certificate) * share for share in _WARNED_AT)


def _life(certificate: x509.Certificate) -> timedelta:
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc
