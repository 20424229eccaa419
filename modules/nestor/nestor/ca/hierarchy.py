"""The CA's own certificates: roots and intermediates, made once. Pure; where they are kept is `home.py`'s."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from nestor.ca.issuer import Issuer
from nestor.ca.settings import SubjectSettings
from nestor.ca.signing import algorithm_for, signature_of
from nestor.ca.subjects import issued_subject, subject_rules
from nestor.ca.tbs import Extension, encode_certificate, encode_tbs
from nestor.ca.usages import key_usage
from nestor.errors import DeviceFault, SettingsError
from nestor.model import KeyUsage

BACKDATED = timedelta(minutes=5)
"""How far a CA certificate begins in the past, so that devices with slow clocks take it at once."""

ROOM_BELOW = 1
"""The path length of an issuing CA below a root: Edge CAs, and no further (design D3).

For layers that have CAs of their own it is larger by one for each of them, one below the other."""

_ROOT, _LONGEST = "Nestor Root CA", 64  # characters that a common name may have (RFC 5280, appendix A)
_SIGNS = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


def make_root(
    key: CertificateIssuerPrivateKeyTypes, subject: str, *, lifetime: timedelta, now: datetime, serial: int
) -> Issuer:
    """A self-signed CA. Raises SettingsError for a subject that is none, MaterialError for a key that cannot sign."""
    name = read_subject(subject)
    extensions = _extensions(key, path_length=None)
    return Issuer(_signed(key, key, name, name, extensions, now, now + lifetime, serial), key)


def make_intermediate(
    parent: Issuer,
    key: CertificateIssuerPrivateKeyTypes,
    subject: str,
    *,
    lifetime: timedelta,
    now: datetime,
    serial: int,
    room: int = ROOM_BELOW,
) -> Issuer:
    """A CA below another one, which issues to devices while its root is kept offline; `room` is its path length."""
    end = min(now + lifetime, parent.end)
    extensions: list[Extension] = [
        *_extensions(key, path_length=room),
        (x509.AuthorityKeyIdentifier(parent.key_identifier, None, None), False),
    ]
    name = read_subject(subject)
    certificate = _signed(parent.key, key, parent.certificate.subject, name, extensions, now, end, serial)
    return Issuer(certificate, key, parent.certificates)


def root_name(subject: str | None, layer: str | None) -> str:
    """The name of a root: the one that the settings say, else one that no layer above or below has for its own."""
    if subject is not None:
        return subject
    text = f"{_ROOT} {layer}" if layer else _ROOT
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_LONGEST])]).rfc4514_string()


def read_subject(text: str) -> x509.Name:
    """A name as RFC 4514 writes it, such as `CN=Plant 3 CA,O=Contoso`. Raises SettingsError."""
    rules = subject_rules(SubjectSettings.model_validate({}))
    try:
        return issued_subject(x509.Name.from_rfc4514_string(text), rules)
    except (ValueError, KeyError, DeviceFault) as error:
        raise SettingsError(
            f"ca.subject: {text!r} is no name of a CA.", "Write it like CN=Plant 3 CA,O=Contoso."
        ) from error


def _extensions(key: CertificateIssuerPrivateKeyTypes, path_length: int | None) -> list[Extension]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (key_usage(_SIGNS), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]


def _signed(  # noqa: PLR0917 -- who signs, for whom, what, when: as the certificate has them
    signer: CertificateIssuerPrivateKeyTypes,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: x509.Name,
    subject: x509.Name,
    extensions: Iterable[Extension],
    now: datetime,
    end: datetime,
    serial: int,
) -> x509.Certificate:
    algorithm = algorithm_for(signer.public_key()).der
    tbs = encode_tbs(
        serial=serial,
        algorithm=algorithm,
        issuer=issuer.public_bytes(),
        not_before=now - BACKDATED,
        not_after=end,
        subject=subject.public_bytes(),
        spki=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extensions=extensions,
    )
    return x509.load_der_x509_certificate(encode_certificate(tbs, algorithm, signature_of(signer, tbs)))
