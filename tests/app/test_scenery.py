"""What a stage has in place of the world: clock, ledger, CA."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from nestor.app.clock import SystemClock
from nestor.app.scenery import StageClock, StageLedger, imitated
from nestor.model import Entry, OneTime, Standing
from support.asking import NOW, entry
from support.pki import authority

ONCE = OneTime("password")


def _asked(one: Entry, **changes: Any) -> dict[str, Any]:
    usual = {"device": one.device, "profile": one.profile, "spki_sha256": b"", "replay_key": b"", "one_time": None}
    return {**usual, "now": NOW, **changes}


async def test_a_ledger_without_a_real_one_knows_what_was_issued_on_the_stage() -> None:
    ledger, one = StageLedger(None), entry(b"der", "gw3")
    assert await ledger.find(one.sha256) is None
    assert await ledger.newest() is None
    assert await ledger.standing(**_asked(one)) == Standing()
    await ledger.record(one, replay=None, one_time=ONCE)
    assert await ledger.find(one.sha256) == one
    assert (await ledger.standing(**_asked(one, spki_sha256=one.spki_sha256))).key_used
    assert (await ledger.standing(**_asked(one, one_time=ONCE))).spent_at == one.issued_at


async def test_a_one_time_password_is_spent_for_one_device_and_profile() -> None:
    ledger, one = StageLedger(None), entry(b"der", "gw3")
    await ledger.record(one, replay=None, one_time=ONCE)
    later = replace(one, issued_at=one.issued_at + timedelta(days=1), sha256=hashlib.sha256(b"2").digest())
    await ledger.record(later, replay=None, one_time=ONCE)
    assert (await ledger.standing(**_asked(one, one_time=ONCE))).spent_at == one.issued_at
    assert (await ledger.standing(**_asked(one, one_time=ONCE, device="gw4"))).spent_at is None
    assert (await ledger.standing(**_asked(one, one_time=OneTime("another")))).spent_at is None


def test_an_imitated_ca_has_everything_but_the_key() -> None:
    root = authority("Top")
    real = root.intermediate("Issuing").certificate
    cardboard = imitated([real, root.certificate])
    copy = cardboard.certificate
    assert (copy.subject, copy.issuer) == (real.subject, real.issuer)
    assert copy.not_valid_before_utc == real.not_valid_before_utc
    assert copy.not_valid_after_utc == real.not_valid_after_utc
    assert copy.public_key() != real.public_key()
    assert copy.public_key() == cardboard.key.public_key()
    kinds = (x509.BasicConstraints, x509.KeyUsage)
    for kind in kinds:
        assert copy.extensions.get_extension_for_class(kind) == real.extensions.get_extension_for_class(kind)
    assert cardboard.chain == (root.certificate,)


def test_the_clock_of_a_stage_goes_on_and_never_back() -> None:
    clock = StageClock(SystemClock())
    start, ticks = clock.now(), clock.monotonic()
    clock.go_on_to(start + timedelta(days=24))
    assert clock.now() - start >= timedelta(days=24)
    assert clock.monotonic() - ticks == pytest.approx(24 * 86_400, abs=1)
    clock.go_on_to(start)
    assert clock.now() - start >= timedelta(days=24)
