"""Requests that have to be approved, as the desk would put them; usual unless told."""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from nestor.approval import Approval
from support.entries import NOON


def an_approval(device: str = "pump-1", **changes: Any) -> Approval:
    """A user of line 1 asks at noon for an EST identity; everything that must be unique is."""
    approval = Approval(
        key=os.urandom(32),
        id=os.urandom(6).hex(),
        device=device,
        subject=f"CN={device}",
        alternative_names="",
        profile="estIdentity",
        label="default",
        caller="password:line1",
        address="192.0.2.7",
        bound_key=b"",
        takes_over_from="",
        asked_by="password line1",
        spki_sha256=os.urandom(32),
        asked_at=NOON,
        last_asked_at=NOON,
        requests=1,
        until=NOON + timedelta(hours=1),
    )
    return replace(approval, **changes)
