"""When a device renews a certificate, as the engine that certd, identityd and edged share reckons it. Pure.

It counts from the beginning of the certificate, in whole seconds, and asks nothing of a new one but that it has not
ended. What goes wrong is tried again for ever.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

_SPAN = re.compile(r"([1-9]\d*)(%|min|day)")
_UNITS = {"min": timedelta(minutes=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Policy:
    """An `auto_renew` of a config.toml: NN% of the lifetime, or Nmin or Nday before the end."""

    threshold: str = "80%"
    retry: str = "4%"
    rotate_key: bool = True

    def due(self, certificate: x509.Certificate) -> datetime:
        """When a certificate is to be renewed."""
        span = _span(self.threshold, lifetime_of(certificate))
        begun, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return begun + span if self.threshold.endswith("%") else end - span

    def pause(self, certificate: x509.Certificate) -> timedelta:
        """How long the engine waits after a failure."""
        return max(_span(self.retry, lifetime_of(certificate)), timedelta(seconds=1))

    def turn(self, certificate: x509.Certificate, now: datetime) -> datetime:
        """When the engine turns to a certificate: one that is past its time, at the pace of retries."""
        due = self.due(certificate)
        return due if due >= now else now + self.pause(certificate)


def lifetime_of(certificate: x509.Certificate) -> timedelta:
    """From the beginning of a certificate to its end."""
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc


def has_ended(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether its time is over."""
    return certificate.not_valid_after_utc <= now


def _span(text: str, life: timedelta) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"bad units for policy: {text}")
    number, unit = int(match[1]), match[2]
    if unit == "%":
        return timedelta(seconds=int(life.total_seconds()) * number // 100)
    return number * _UNITS[unit]
