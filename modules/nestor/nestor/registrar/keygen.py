"""How a key that the server makes reaches its owner (RFC 7030, 4.4): inside TLS alone, or wrapped for one reader too.

The key is never logged, never kept, never given twice. A request that names a wrapping key gets it wrapped or is
refused: there is no falling back to the clear (RFC 7030, 4.4.1). Wrapped or not, it takes a session as strong as it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nestor.errors import Forbidden, Malformed
from nestor.est import envelope
from nestor.est.recipients import check_recipient
from nestor.model import CertificationRequest, KeyProtection, Label, ProfileTraits, Requester
from nestor.ports import Ledger


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """What /serverkeygen answers with: a PKCS#8 key, or CMS around one, and the certificate."""

    key: bytes
    encrypted: bool
    certificate: x509.Certificate

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "GeneratedKey()"


def check_session(secret_bits: int, profile: ProfileTraits) -> None:
    """Raise Forbidden where the TLS session is weaker than the key that it is to carry (RFC 7030, 4.4)."""
    if secret_bits < profile.server_key_strength:
        raise Forbidden(
            f"Keys of the profile {profile.name} have {profile.server_key_strength} bits of security, and the cipher"
            f" of this TLS session has {secret_bits}.",
            "Let the client offer AES-256 or ChaCha20-Poly1305.",
        )


_CONTENT_KEY, _IV = 32, 16

Wrap = Callable[[CertificateIssuerPrivateKeyTypes, x509.Certificate], GeneratedKey]


@dataclass(frozen=True, slots=True)
class Generator:
    """Who made the key: signs the package around it (RFC 7030, 4.4.2; RFC 5958, 4)."""

    key: CertificateIssuerPrivateKeyTypes
    certificate: x509.Certificate


class KeyGenerator:
    """Chooses the wrapping before a key is made, so that a request that cannot be served makes none."""

    def __init__(self, generator: Generator, shared_keys: Mapping[str, Mapping[bytes, bytes]], ledger: Ledger) -> None:
        self._generator = generator
        self._shared_keys = shared_keys
        self._ledger = ledger

    @staticmethod
    def spki(key: CertificateIssuerPrivateKeyTypes) -> bytes:
        """The public key of a private one, as DER."""
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    async def wrapping(self, csr: CertificationRequest, label: Label, requester: Requester, now: datetime) -> Wrap:
        """How the key will be handed over. Raises Malformed for a wrapping key that is unknown or does not fit."""
        protection = csr.key_protection
        if protection is None or (protection.symmetric_key_id is None and protection.asymmetric_key_id is None):
            _check_alone(requester)
            return _in_the_clear
        if protection.symmetric_key_id is not None:
            return self._with_shared_key(protection.symmetric_key_id, protection, label)
        reader = await self._reader(protection.asymmetric_key_id or b"", csr, requester, now)
        return self._for_reader(reader, protection)

    def _with_shared_key(self, key_id: bytes, protection: KeyProtection, label: Label) -> Wrap:
        shared = self._shared_keys.get(label.name, {}).get(key_id)
        if shared is None:
            raise Malformed(
                "The request names a key-encryption key that this server does not have.",
                "Its operator adds it to serverKeyGeneration.keyEncryptionKeys of this label.",
            )

        def envelop(signed: bytes) -> bytes:
            return envelope.envelop_symmetric(
                signed, key_id, shared, protection.algorithms, os.urandom(_CONTENT_KEY), os.urandom(_IV)
            )

        return self._wrapped(envelop)

    def _for_reader(self, reader: x509.Certificate, protection: KeyProtection) -> Wrap:
        check_recipient(reader)

        def envelop(signed: bytes) -> bytes:
            return envelope.envelop_certificate(
                signed, reader, protection.algorithms, os.urandom(_CONTENT_KEY), os.urandom(_IV)
            )

        return self._wrapped(envelop)

    def _wrapped(self, envelop: Callable[[bytes], bytes]) -> Wrap:
        envelop(b"")  # an envelope that its reader could not open is refused before a key is made

        def wrap(key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate) -> GeneratedKey:
            return GeneratedKey(envelop(self._package(key)), encrypted=True, certificate=certificate)

        return wrap

    def _package(self, key: CertificateIssuerPrivateKeyTypes) -> bytes:
        return envelope.sign_package(_pkcs8(key), self._generator.key, self._generator.certificate)

    async def _reader(
        self, key_id: bytes, csr: CertificationRequest, requester: Requester, now: datetime
    ) -> x509.Certificate:
        """The certificate that a request names by key identifier: the one presented, or a live one of the device."""
        presented = [requester.certificate] if requester.certificate else []
        own = [
            x509.load_der_x509_certificate(entry.der) for entry in await self._ledger.live_certificates(csr.device, now)
        ]
        for certificate in presented + own:
            if _subject_key_id(certificate) == key_id:
                return certificate
        raise Malformed(
            "The request names a key-encryption certificate that this server does not know.",
            "Name the subject key identifier of the presented certificate, or of a live one of this device.",
        )


def _subject_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def _pkcs8(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _check_alone(requester: Requester) -> None:
    """A key in the clear is for a reader at the other end of this very session (RFC 9148, 9.2)."""
    if requester.forwarder is not None:
        raise Forbidden(
            f"The forwarder {requester.forwarder} would see the key: through it keys are sent wrapped only.",
            "Name a key-encryption key in the request (RFC 7030, 4.4.1), or make the key on the device.",
        )


def _in_the_clear(key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate) -> GeneratedKey:
    return GeneratedKey(_pkcs8(key), encrypted=False, certificate=certificate)
