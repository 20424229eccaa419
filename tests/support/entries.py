"""Entries as issuing would make them, except that nobody signed them: random bytes stand for a certificate."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from nestor.model import Entry, Method, Refusal, Replay

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def an_entry(device: str = "pump-1", **changes: Any) -> Entry:
    """A device identity, issued at noon for thirty days; everything that must be unique is."""
    entry = Entry(
        serial=int.from_bytes(os.urandom(16), "big") >> 1,
        sha256=os.urandom(32),
        der=os.urandom(600),
        device=device,
        subject=f"CN={device}",
        profile="deviceIdentity",
        label="default",
        not_before=NOON,
        not_after=NOON + timedelta(days=30),
        issued_at=NOON,
        method=Method.PASSWORD,
        requester="line1",
        origin=Method.PASSWORD,
        via=None,
        address="192.0.2.7",
        csr_sha256=os.urandom(32),
        spki_sha256=os.urandom(32),
        request_id=os.urandom(8).hex(),
    )
    return replace(entry, **changes)


def a_replay(**changes: Any) -> Replay:
    """A key of its own, good for two minutes from noon."""
    return replace(Replay(key=os.urandom(32), until=NOON + timedelta(seconds=120)), **changes)


def a_refusal(**changes: Any) -> Refusal:
    """Somebody who asked for a name that is not theirs."""
    refusal = Refusal(
        at=NOON,
        address="192.0.2.7",
        label="default",
        operation="simpleenroll",
        method=Method.PASSWORD,
        requester="line1",
        subject="CN=pump-1",
        reason="Forbidden",
        sentence="line1 may not ask for pump-1.",
        request_id=os.urandom(8).hex(),
    )
    return replace(refusal, **changes)
