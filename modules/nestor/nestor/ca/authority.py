"""The Authority that signs here: settle what an order gets, prepare, lint, sign, check; nothing leaves before that.

It records nothing and knows nobody: the ledger comes after it, the gate before it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.ca.attributes import csr_attributes
from nestor.ca.catalog import Catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.content import Content, Key, settle
from nestor.ca.goodkey import check_key
from nestor.ca.issuer import Issuer
from nestor.ca.layers import NO_LAYERS, Layers
from nestor.ca.lint import check_signed, lint
from nestor.ca.own_names import OwnNames
from nestor.ca.own_server import server_content
from nestor.ca.possession import possession_content
from nestor.ca.prepare import last_problem, prepare
from nestor.ca.serials import RANDOM_OCTETS, serial_number
from nestor.ca.signing import is_signature, is_slow
from nestor.ca.tbs import encode_certificate
from nestor.errors import Malformed
from nestor.model import KeyType, Order

_TRIAL = b"Nestor tries its CA key."
_TRIAL_SECONDS = 15.0
_TRY_AGAIN = "Restart the server; if it stays, check where the key is kept."

MakeKey = Callable[[KeyType, int], CertificateIssuerPrivateKeyTypes]


class LocalAuthority:
    """A CA of this server's own; implements the Authority port."""

    def __init__(
        self,
        issuer: Issuer,
        catalog: Catalog,
        guard: ClockGuard,
        *,
        own: OwnNames,
        layers: Layers = NO_LAYERS,
        make_key: MakeKey,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._issuer = issuer
        self._catalog = catalog
        self._guard = guard
        self._own = own
        self._layers = layers
        self._make_key = make_key
        self._random = random
        self._failure: str | None = None

    @property
    def issuer(self) -> Issuer:
        """The CA that signs."""
        return self._issuer

    def ca_certificates(self) -> Sequence[x509.Certificate]:
        """The CA certificate first, former ones after it, its root last."""
        return self._issuer.shown

    def chain(self) -> Sequence[x509.Certificate]:
        """The CA certificate and those above it, its root last."""
        return self._issuer.certificates

    def accepted(self) -> Sequence[x509.Certificate]:
        """Whose directly issued certificates are this CA's own: former ones stay good while they last."""
        return self._issuer.accepted

    def csr_attributes(self, profile: str | None, *, link: bool) -> bytes:
        """What requests for a profile should hold (RFC 7030, 4.5.2); nothing where the shape chooses the profile."""
        return csr_attributes(None if profile is None else self._catalog[profile], link=link)

    def problem(self) -> str | None:
        """Why nothing can be signed at this time, and what to do; None when all is well."""
        return self._guard.problem() or last_problem(self._issuer, self._catalog, self._guard.now())

    def failure(self) -> str | None:
        """What was wrong when the key was tried last; None when nothing was."""
        return self._failure

    async def try_key(self) -> None:
        """Sign a sentence that is no certificate, on a thread as slow keys do: what fails is missed before it counts.

        So a key that has gone, that is another one, or threads that hang, are found although nobody enrolls.
        """
        try:
            async with asyncio.timeout(_TRIAL_SECONDS):
                signature = await asyncio.to_thread(self._issuer.sign, _TRIAL)
        except TimeoutError:
            self._failure = f"The CA key has not signed within {_TRIAL_SECONDS:.0f} s. {_TRY_AGAIN}"
        except Exception as error:  # noqa: BLE001 -- whatever a key's provider raises
            self._failure = f"The CA key cannot sign: {type(error).__name__}. {_TRY_AGAIN}"
        else:
            fits = is_signature(self._issuer.certificate.public_key(), signature, _TRIAL)
            self._failure = None if fits else f"What the CA key signs does not fit the CA certificate. {_TRY_AGAIN}"

    async def enroll(self, order: Order) -> x509.Certificate:
        """Issue the certificate of an admitted order, for the key in its request.

        Raises Forbidden or Malformed where the profile does not allow the request, CannotIssue where nothing can be
        signed.
        """
        profile = self._catalog[order.profile]
        check_key(order.csr, profile)
        return await self._issue(settle(profile, order, _key_of(order), self._own, self._layers))

    async def generate(self, order: Order) -> tuple[CertificateIssuerPrivateKeyTypes, x509.Certificate]:
        """Make a key of the profile's kind and issue a certificate for it; the key in the request is ignored."""
        profile = self._catalog[order.profile]
        key = await asyncio.to_thread(self._make_key, profile.server_key, profile.rsa_minimum)
        content = settle(profile, order, Key(key.public_key(), profile.server_key), self._own, self._layers)
        return key, await self._issue(content)

    async def issue_server_certificate(self, names: Sequence[str], key: Key, lifetime: timedelta) -> x509.Certificate:
        """Issue the TLS certificate of this server itself, for its own names; no request can get one like it."""
        return await self._issue(server_content(names, key, lifetime))

    async def issue_proof_of_possession(self, code: str, key: Key) -> x509.Certificate:
        """Issue the certificate that DPS or IoT Hub asks for by a code. Raises MaterialError for what is no code."""
        return await self._issue(possession_content(code, key))

    async def _issue(self, content: Content) -> x509.Certificate:
        now = self._guard.time_to_issue()
        draft = prepare(
            content,
            self._issuer,
            now=now,
            serial=serial_number(self._random(RANDOM_OCTETS)),
            jitter=self._jitter(),
        )
        lint(draft, self._issuer, self._own)
        signature = await self._sign(draft.tbs)
        der = encode_certificate(draft.tbs, self._issuer.algorithm.der, signature)
        certificate = x509.load_der_x509_certificate(der)
        check_signed(certificate, draft, self._issuer)
        return certificate

    async def _sign(self, content: bytes) -> bytes:
        """Sign; a slow key in a thread, so that others are served meanwhile."""
        if is_slow(self._issuer.key):
            return await asyncio.to_thread(self._issuer.sign, content)
        return self._issuer.sign(content)

    def _jitter(self) -> float:
        """A number in [0, 1)."""
        return int.from_bytes(self._random(4), "big") / 2**32


def _key_of(order: Order) -> Key:
    csr = order.csr
    if csr.public_key is None or csr.key_type is None:
        raise Malformed("The key of the request cannot be read.")
    return Key(csr.public_key, csr.key_type)
