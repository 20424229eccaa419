"""Proof to DPS and IoT Hub that this is the holder of a CA's key (design section "What people touch": `ca prove`)."""

from datetime import datetime
from pathlib import Path

from cryptography import x509

from nestor.app.authority import Source, existing_issuer, load_offline_root
from nestor.app.own_entry import own_entry
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import build_catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.content import Key
from nestor.ca.own_names import own_names
from nestor.ca.possession import PROFILE
from nestor.keys.make import generate
from nestor.ledger.opening import open_ledger
from nestor.model import KeyType
from nestor.ports import Ledger


async def prove_possession(source: Source, code: str, offline_root: Path | None) -> x509.Certificate:
    """A certificate named by the code, signed by the CA that issues here, or by the root whose key was put aside.

    Raises MaterialError for a CA, a code or a ledger that cannot be used, CannotIssue where nothing can be signed at
    this time.
    """
    issuer = existing_issuer(source) if offline_root is None else load_offline_root(source, offline_root)
    ledger = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock)
    try:
        guard = ClockGuard(source.clock, await ledger.newest())
        authority = LocalAuthority(issuer, build_catalog({}), guard, own=own_names(()), make_key=generate)
        return await prove_with(authority, ledger, code, source.clock.now())
    finally:
        await ledger.close()


async def prove_with(authority: LocalAuthority, ledger: Ledger, code: str, now: datetime) -> x509.Certificate:
    """A certificate named by the code, signed by this authority; it is in the ledger before it is answered.

    Raises MaterialError for what is no code, CannotIssue where nothing can be signed or recorded at this time.
    """
    key = Key(generate(KeyType.EC_P256).public_key(), KeyType.EC_P256)
    certificate = await authority.issue_proof_of_possession(code, key)
    await ledger.record(own_entry(certificate, PROFILE, now), replay=None, one_time=None)
    return certificate
