"""Takes certificates of ours into a ledger that does not know them: asks it, has `adoption` decide, records, tells."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from nestor.access.adoption import Recognize, adopted_entry, decide, device_of, is_open, name_of
from nestor.access.certificates import sha256_of
from nestor.events import Adopted
from nestor.model import Entry, Method
from nestor.naming import issuer_id
from nestor.ports import Ledger


@dataclass(frozen=True, slots=True)
class Adopter:
    """Does what an operator's words about unknown certificates say, when such a certificate is first presented."""

    ledger: Ledger
    recognize: Recognize
    report: Callable[[Adopted], None]

    async def adopt(self, certificate: x509.Certificate, address: str, now: datetime) -> Entry | None:
        """The entry of a certificate that one of our issuers signed; None where no word is good at this time.

        Raises Forbidden or Unauthenticated where there is one, and it does not cover this certificate.
        """
        words = await self.ledger.adoptions()
        if not any(is_open(word, now) for word in words):
            return None
        revoked = await self.ledger.was_revoked(
            sha256_of(certificate), certificate.serial_number, issuer_id(certificate)
        )
        word, profile = decide(certificate, words, revoked=revoked, recognize=self.recognize, now=now)
        entry = adopted_entry(
            certificate,
            profile=profile.name,
            origin=await origin_of(self.ledger, device_of(certificate), now),
            requester=name_of(word),
            address=address,
            now=now,
        )
        recorded = await self.ledger.adopt(entry)
        self.report(Adopted(recorded))
        return recorded


async def origin_of(ledger: Ledger, device: str, now: datetime) -> Method:
    """The class of credential that first onboarded a device, as far as the ledger still knows.

    Where it does not, the certificate itself stands for it: no password and no factory certificate takes the name over.
    """
    live = await ledger.live_certificates(device, now)
    return live[0].origin if live else Method.CERTIFICATE
