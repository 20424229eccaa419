"""An IoT Edge host in memory: the Sealer and Runtime ports as plainly as they can be written, and what befalls them.

It keeps the promises of the ones on the workload API; `tests/contract` holds both to them.
"""

import asyncio
import hmac
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nestor.app.clock import SystemClock
from nestor.app.edge_host import EdgeHost
from nestor.errors import MaterialError, Unavailable
from nestor.ports import Clock
from support import pki

_NONCE = 12
_DAYS = 30


@dataclass
class Mood:
    """How the runtime of a host is at the moment."""

    away: bool = False
    hangs: bool = False
    calls: list[str] = field(default_factory=list)

    async def take(self, call: str) -> None:
        """Take a call. Raises Unavailable, or never returns."""
        self.calls.append(call)
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise Unavailable("The runtime of this host is away.")


class MemorySealer:
    """A key that seals, and that can be lost."""

    def __init__(self, mood: Mood) -> None:
        self._mood = mood
        self.lose_key()

    def lose_key(self) -> None:
        """Seal with another key from now on."""
        self._key = AESGCM(AESGCM.generate_key(256))

    async def seal(self, plaintext: bytes) -> bytes:
        await self._mood.take("seal")
        nonce = os.urandom(_NONCE)
        return nonce + self._key.encrypt(nonce, plaintext, None)

    async def unseal(self, sealed: bytes) -> bytes:
        await self._mood.take("unseal")
        try:
            return self._key.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            raise MaterialError("The key that sealed this is gone.") from None


class MemoryRuntime:
    """An Edge CA that issues, and that can be renewed."""

    def __init__(self, mood: Mood, clock: Clock, module: str) -> None:
        self._mood = mood
        self._clock = clock
        self._module = module
        self.key = secrets.token_bytes(32)
        self._root = pki.authority("Site root")
        self.renew_edge_ca()

    def renew_edge_ca(self) -> None:
        """Issue below another Edge CA from now on."""
        self.edge_ca = self._root.intermediate("aziot-edge CA gateway-1")

    async def trust_bundle(self) -> Sequence[x509.Certificate]:
        await self._mood.take("trust-bundle")
        return [self.edge_ca.certificate, self._root.certificate]

    async def server_certificate(
        self, common_name: str
    ) -> tuple[Sequence[x509.Certificate], CertificateIssuerPrivateKeyTypes]:
        await self._mood.take("certificate")
        names = [common_name, self._module]
        made = self.edge_ca.issue(
            common_name, alternative_names=names, client=False, server=True, days=_DAYS, not_before=self._clock.now()
        )
        return [made.certificate, self.edge_ca.certificate], made.key

    async def sign(self, data: bytes) -> bytes:
        await self._mood.take("sign")
        return hmac.digest(self.key, data, "sha256")


class MemoryHost:
    """One host; `edge` is what a plan of a server takes."""

    def __init__(self, clock: Clock | None = None, name: str = "gw3.plant.example", module: str = "nestor") -> None:
        self.mood = Mood()
        self.sealer = MemorySealer(self.mood)
        self.runtime = MemoryRuntime(self.mood, clock or SystemClock(), module)
        self.edge = EdgeHost(name, self.runtime, self.sealer)
