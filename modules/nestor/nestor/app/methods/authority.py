"""`getCaCertificates` and `proveCa`: what DPS and IoT Hub want to see before they trust a CA."""

from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AfterValidator

from nestor.app.answer import Answer, Moment
from nestor.app.methods.form import Nothing, Office
from nestor.app.possession import prove_with
from nestor.ca.issuer import fingerprint_of
from nestor.ca.possession import is_code
from nestor.document import Document, described
from nestor.errors import CannotIssue


def _code(text: str) -> str:
    if not is_code(text):
        msg = "a verification code is up to 64 letters and digits"
        raise ValueError(msg)
    return text


class ProveCa(Document):
    """What is to be proven."""

    code: Annotated[str, AfterValidator(_code)] = described("The verification code that DPS or IoT Hub shows.")


class Proof(Answer):
    """The proof."""

    pem: str = described("The certificate to upload as verification certificate, as PEM.")
    serial: str = described("Its serial number, in hex; the ledger has it.")
    expires: Moment = described("When it ends.")


class CaCertificate(Answer):
    """One CA certificate."""

    subject: str = described("Its name.")
    fingerprint: str = described("Its SHA-256, in hex.")
    thumbprint: str = described("Its SHA-1, in hex, as portals show it.")
    valid_from: Moment = described("When it begins.")
    expires: Moment = described("When it ends.")
    root: bool = described("Whether it is signed by itself.")
    pem: str = described("The certificate, as PEM: the content of a file to upload.")


class CaCertificates(Answer):
    """The chain of the CA."""

    certificates: tuple[CaCertificate, ...] = described("The CA that issues here first, its root last.")
    chain: str = described("All of them as one PEM text, in that order.")


async def get_ca_certificates(office: Office, _: Nothing) -> CaCertificates:
    """Hand out the certificates of the CA, never a key.

    Upload the first one to DPS or IoT Hub, and let devices trust the last one.
    """
    house = office.server.house
    certificates = house.authority.ca_certificates()
    if not certificates:
        raise CannotIssue(house.authority.problem() or "There is no CA yet.")
    shown = tuple(_shown(certificate) for certificate in certificates)
    return CaCertificates(certificates=shown, chain="".join(one.pem for one in shown))


async def prove_ca(office: Office, wish: ProveCa) -> Proof:
    """Prove possession of the CA's key: issue the certificate, named by a code, that DPS and IoT Hub want to see."""
    certificate = await prove_with(office.authority, office.ledger, wish.code, office.now)
    return Proof(
        pem=_pem(certificate), serial=f"{certificate.serial_number:x}", expires=certificate.not_valid_after_utc
    )


def _shown(certificate: x509.Certificate) -> CaCertificate:
    return CaCertificate(
        subject=certificate.subject.rfc4514_string(),
        fingerprint=fingerprint_of(certificate),
        thumbprint=certificate.fingerprint(SHA1()).hex(),  # noqa: S303 -- how portals show it
        valid_from=certificate.not_valid_before_utc,
        expires=certificate.not_valid_after_utc,
        root=certificate.issuer == certificate.subject,
        pem=_pem(certificate),
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
