"""What the files hold: whether they are certificates and keys, belong together, and are good for their use. Pure.

Of a key nothing is read but its public half.
"""

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.device.auth import Pair
from nestor.device.config import DeviceConfig
from nestor.device.files import Disk, Seen
from nestor.device.findings import problem, warning
from nestor.device.places import Use, path_of
from nestor.finding import Finding

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
_AGAIN = "Have the operator make another: nestor cert issue, or the maker's own way."


def check_material(config: DeviceConfig, disk: Disk, now: datetime) -> Iterator[Finding]:
    """What is wrong with the content of files."""
    for seen in disk.files:
        if seen.content is not None:
            yield from _check_content(seen, now)
    pairs = dict.fromkeys(auth.pair for auth in config.auths if auth.pair)
    for pair in pairs:
        yield from _check_pair(pair, disk, now)


def certificates_in(content: bytes | None) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file; none for what is not one."""
    try:
        return tuple(x509.load_pem_x509_certificates(content or b""))
    except _UNREADABLE:
        return ()


def _check_content(seen: Seen, now: datetime) -> Iterator[Finding]:
    at, path = seen.place.at, seen.place.path
    if seen.place.use is Use.KEY:
        yield from _check_key(seen)
        return
    certificates = certificates_in(seen.content)
    if not certificates:
        yield problem(at, f"{path} holds no certificate.", "It has to be PEM, with its BEGIN and END lines.")
    elif seen.place.use is Use.TRUST:
        yield from _check_trust(at, path, certificates, now)


def _check_trust(at: str, path: str, certificates: tuple[x509.Certificate, ...], now: datetime) -> Iterator[Finding]:
    if not any(map(_is_ca, certificates)):
        yield problem(at, f"{path} holds no certificate of a CA.", "nestor ca export --root gives the right one.")
    ended = [one for one in certificates if one.not_valid_after_utc <= now]
    if ended:
        name = ended[0].subject.rfc4514_string()
        say = problem if len(ended) == len(certificates) else warning
        yield say(at, f"{path} holds {name}, which ended {_day(ended[0].not_valid_after_utc)}.", "Replace it.")


def _check_key(seen: Seen) -> Iterator[Finding]:
    content = seen.content or b""
    if b"ENCRYPTED" in content:
        yield problem(
            seen.place.at, f"{seen.place.path} is encrypted, and nobody on the device has its passphrase.", _AGAIN
        )
    elif _public_half(content) is None:
        yield problem(seen.place.at, f"{seen.place.path} holds no whole private key as PEM.", _AGAIN)


def _check_pair(pair: Pair, disk: Disk, now: datetime) -> Iterator[Finding]:
    """The certificate that a device shows first: in date, for clients, and belonging to its key."""
    certificates = certificates_in(disk.content_of(path_of(pair.certificate) or ""))
    if not certificates:
        return
    leaf, path = certificates[0], path_of(pair.certificate)
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        began, ended = _day(leaf.not_valid_before_utc), _day(leaf.not_valid_after_utc)
        yield problem(pair.certificate_at, f"{path} is good from {began} to {ended} only, not today.", _AGAIN)
    if _is_ca(leaf):
        yield problem(pair.certificate_at, f"{path} begins with the certificate of a CA.", "Put the device's first.")
    elif not _is_for_clients(leaf):
        yield problem(pair.certificate_at, f"{path} is not for clients: it lacks clientAuth.", _AGAIN)
    public = _public_half(disk.content_of(path_of(pair.key) or "") or b"")
    if public is not None and public != _spki(leaf):
        sentence = f"the key {path_of(pair.key)} does not belong to {path}."
        yield problem(pair.key_at, sentence, "Bring the two that were made together.")


def _public_half(content: bytes) -> bytes | None:
    try:
        key = load_pem_private_key(content, None).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _UNREADABLE:
        return None


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return False


def _is_for_clients(certificate: x509.Certificate) -> bool:
    """A certificate that says nothing is good for everything (RFC 5280, 4.2.1.12)."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except _UNREADABLE:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
