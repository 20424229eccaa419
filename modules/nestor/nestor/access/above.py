"""Certificates that the server above issued, and that this ledger does not know, as a forwarder meets them (design D4).

That one of its issuers signed it directly was asked before (`own.kinship`). Here it is held against its dates, its
purpose and this server's own deny list; the server above looks into its ledger when the request arrives there. Nothing
of it is recorded.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from nestor.access.adopting import origin_of
from nestor.access.adoption import Recognize, adopted_entry, device_of, look_at
from nestor.access.certificates import check_purpose, sha256_of
from nestor.model import Entry
from nestor.naming import issuer_id
from nestor.ports import Ledger


@dataclass(frozen=True, slots=True)
class Above:
    """Tells what a certificate from above is, as if the ledger knew it."""

    ledger: Ledger
    recognize: Recognize

    async def entry(self, certificate: x509.Certificate, address: str, now: datetime) -> Entry:
        """What it says of itself. Raises Forbidden or Unauthenticated for one that is not good here."""
        revoked = await self.ledger.was_revoked(
            sha256_of(certificate), certificate.serial_number, issuer_id(certificate)
        )
        look_at(certificate, await self.ledger.adoptions(), revoked=revoked, now=now)
        check_purpose(certificate)
        entry = adopted_entry(
            certificate,
            profile=self.recognize(certificate, None).name,
            origin=await origin_of(self.ledger, device_of(certificate), now),
            requester="the server above",
            address=address,
            now=now,
        )
        return replace(entry, adopted_at=None)
