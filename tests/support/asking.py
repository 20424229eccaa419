"""What a gate is asked about, made up for one test: requests, requesters, profiles, labels; usual unless told."""

import base64
import hashlib
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.access.memory import Memory
from nestor.access.suspicion import Suspicion
from nestor.access.throttle import Rate
from nestor.document import literal
from nestor.model import CertificationRequest, Entry, Grant, KeyType, Label, Method, ProfileTraits, Requester, Standing
from nestor.naming import common_name_of, device_id
from support.memory import MemoryLedger

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DEFAULT = Label("default")
FRESH = Standing()


def cheap_hash(password: str, *, log_n: int = 4, r: int = 8, p: int = 1) -> str:
    """A scrypt hash that costs next to nothing."""
    salt = b"0123456789abcdef"
    digest = hashlib.scrypt(password.encode(), salt=salt, n=1 << log_n, r=r, p=p, dklen=32)
    salt_text, digest_text = (base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    return f"$scrypt$ln={log_n},r={r},p={p}${salt_text}${digest_text}"


def suspicion(tries: int = 20) -> Suspicion:
    """Nobody is doubted yet; so many failures a minute are usual."""
    return Memory().suspicion(Rate(tries, 60.0 / tries))


def ignore(_: object) -> None:
    """Hear of something, and do nothing."""


def subject(*common_names: str, **more: str) -> x509.Name:
    """A subject; further attributes by the name of their OID, such as ORGANIZATION_NAME."""
    kinds = [*((getattr(NameOID, kind), value) for kind, value in more.items())]
    kinds += [(NameOID.COMMON_NAME, name) for name in common_names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lengths that nobody may have are made on purpose
        return x509.Name([x509.NameAttribute(kind, value, _validate=False) for kind, value in kinds])


def csr(*common_names: str, name: x509.Name | None = None, **fields: Any) -> CertificationRequest:
    """A request that was read; `fields` are those of the model."""
    named = subject(*common_names) if name is None else name
    usual = CertificationRequest(
        der=b"der",
        subject=named,
        common_name=common_name_of(named),
        alternative_names=(),
        basic_constraints=None,
        key_usage=None,
        extended_key_usage=None,
        other_extensions=(),
        challenge_password=None,
        new_names=None,
        key_protection=None,
        public_key=None,
        key_type=KeyType.EC_P256,
        key_name="ec-p256",
        key_bits=256,
        signature_hash="sha256",
        sha256=hashlib.sha256(b"der").digest(),
        spki=b"spki",
        spki_sha256=hashlib.sha256(b"spki").digest(),
    )
    return replace(usual, **fields)


def traits(name: str, **fields: Any) -> ProfileTraits:
    """One of the usual profiles, or one that `fields` describes."""
    return replace(_PROFILES.get(name, _PROFILES["deviceIdentity"]), name=name, **fields)


def traits_or_none(name: str) -> ProfileTraits | None:
    """The usual profiles by name, as the gate is handed them."""
    return _PROFILES.get(name)


def password_requester(
    name: str = "dev1", *, names: tuple[str, ...] = (), profiles: tuple[str, ...] = ("*",), **fields: Any
) -> Requester:
    """A user whose password was verified."""
    usual = Requester(
        method=Method.PASSWORD,
        name=name,
        caller=f"password:{name}",
        grant=Grant(names or (literal(name),), frozenset(profiles)),
        origin=Method.PASSWORD,
        identity=name,
    )
    return replace(usual, **fields)


def bootstrap_requester(name: str = "dev1", **fields: Any) -> Requester:
    """A device that shows its factory certificate."""
    return password_requester(
        name, **{"method": Method.BOOTSTRAP, "origin": Method.BOOTSTRAP, "caller": f"bootstrap:{name}", **fields}
    )


def entry(certificate_der: bytes, common_name: str, profile: str = "estIdentity", **fields: Any) -> Entry:
    """A row of the ledger."""
    usual = Entry(
        serial=1,
        sha256=hashlib.sha256(certificate_der).digest(),
        der=certificate_der,
        device=device_id(common_name),
        subject=f"CN={common_name}",
        profile=profile,
        label="default",
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=29),
        issued_at=NOW - timedelta(days=1),
        method=Method.BOOTSTRAP,
        requester="factory",
        origin=Method.BOOTSTRAP,
        via=None,
        address="192.0.2.1",
        csr_sha256=b"csr",
        spki_sha256=b"spki",
        request_id="request",
    )
    return replace(usual, **fields)


async def adopt_none(certificate: x509.Certificate, address: str, now: datetime) -> None:
    """Nobody has given a word about certificates that the ledger does not know."""


def ledger_of(*rows: Entry) -> MemoryLedger:
    """A ledger that knows these certificates."""
    ledger = MemoryLedger()
    ledger.entries.extend(rows)
    return ledger


_DAY = timedelta(days=1)
_PROFILES = {
    profile.name: profile
    for profile in (
        ProfileTraits(
            name="deviceIdentity",
            ca=False,
            server=False,
            authenticates=True,
            renewable=True,
            may_request=frozenset(),
            key_reuse=True,
            lifetime=30 * _DAY,
            server_key_strength=128,
        ),
        ProfileTraits(
            name="estIdentity",
            ca=False,
            server=False,
            authenticates=True,
            renewable=True,
            may_request=frozenset({"deviceIdentity", "edgeCa"}),
            key_reuse=True,
            lifetime=30 * _DAY,
            server_key_strength=128,
        ),
        ProfileTraits(
            name="edgeCa",
            ca=True,
            server=False,
            authenticates=False,
            renewable=False,
            may_request=frozenset(),
            key_reuse=True,
            lifetime=90 * _DAY,
            server_key_strength=128,
        ),
        ProfileTraits(
            name="server",
            ca=False,
            server=True,
            authenticates=False,
            renewable=False,
            may_request=frozenset(),
            key_reuse=True,
            lifetime=90 * _DAY,
            server_key_strength=128,
        ),
        ProfileTraits(
            name="bootstrap",
            ca=False,
            server=False,
            authenticates=True,
            renewable=False,
            may_request=frozenset({"estIdentity"}),
            key_reuse=True,
            lifetime=365 * _DAY,
            server_key_strength=128,
        ),
    )
}
