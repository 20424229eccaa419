"""`nestor approval`: what a person types and sees."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.app.clock import SystemClock
from nestor.approval import Approval, ApprovalLimits
from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from support.awaiting import an_approval
from support.shell import nestor

HOUR = timedelta(hours=1)
REFUSED = 5
LIMITS = ApprovalLimits(HOUR, HOUR, 10, 10)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert nestor("ca", "init", "--data", str(tmp_path / "data")).returncode == 0
    return tmp_path / "data"


def wait(data: Path, device: str = "pump-1", **changes: Any) -> Approval:
    return asyncio.run(_wait(data, device, **changes))


async def _wait(data: Path, device: str, **changes: Any) -> Approval:
    now = SystemClock().now()
    there = (data / "ledger.db").exists()
    ledger = open_ledger(LedgerSettings.model_validate({}), data, create=not there, clock=SystemClock())
    try:
        asked = an_approval(device, asked_at=now, last_asked_at=now, until=now + HOUR, **changes)
        return await ledger.await_approval(asked, LIMITS)
    finally:
        await ledger.close()


def approval(data: Path, *words: str) -> tuple[int, str, str]:
    done = nestor("approval", *words, "--data", str(data))
    return done.returncode, done.stdout, done.stderr


def test_what_waits_is_listed_approved_and_listed_with_all(data: Path) -> None:
    asked = wait(data, takes_over_from="bootstrap")
    code, plain, _ = approval(data, "list")
    assert (code, plain.split("\t")[:5]) == (0, [asked.id, "pump-1", "estIdentity", "password line1", "192.0.2.7"])
    code, _, told = approval(data, "approve", asked.id, "--by", "Maria")
    assert code == 0
    assert told.startswith(f"{asked.id} is approved: one estIdentity for pump-1, asked for by password line1")
    assert "nestor cert revoke --device pump-1" in told
    assert json.loads(approval(data, "list", "--json")[1]) == []
    (shown,) = json.loads(approval(data, "list", "--all", "--json")[1])
    assert (shown["state"], shown["decidedBy"], shown["key"]) == (
        "approved",
        "command line, Maria",
        asked.spki_sha256.hex(),
    )


def test_the_first_digits_of_an_id_name_it_while_they_name_only_one(data: Path) -> None:
    asked = [wait(data, f"pump-{number}", id=f"aabbcc{number}ddeef") for number in range(2)]
    assert [one["requests"] for one in json.loads(approval(data, "list", "--json")[1])] == [1, 1]
    code, _, told = approval(data, "approve", "aabbcc")
    assert (code, "more than one request begins with aabbcc" in told) == (2, True)
    assert approval(data, "approve", "aabb")[0] == REFUSED  # too few to be no accident
    code, _, told = approval(data, "approve", "AABBCC1")
    assert (code, told.startswith(f"{asked[1].id} is approved")) == (0, True)


def test_who_competes_has_to_be_denied_first(data: Path) -> None:
    mine = wait(data)
    thieves = [wait(data, caller=f"password:thief{number}") for number in range(2)]
    code, _, told = approval(data, "approve", mine.id)
    assert code == REFUSED
    assert f"error: {mine.id} cannot be approved: pump-1 is also asked for as" in told
    assert "hint: Find out which of them is the device" in told
    assert [approval(data, "deny", thief.id)[0] for thief in thieves] == [0] * len(thieves)
    assert approval(data, "approve", mine.id)[0] == 0


def test_what_nobody_asked_for_cannot_be_approved(data: Path) -> None:
    wait(data)
    code, _, told = approval(data, "approve", "nobody")
    assert code == REFUSED
    assert "Nothing waits for approval as nobody." in told


def test_names_that_strangers_chose_reach_no_terminal_as_they_are(data: Path) -> None:
    wait(data, "\x1b[2J\nroot", subject="CN=\x1b[2J\t")
    _, plain, _ = approval(data, "list")
    assert "\x1b" not in plain
    assert len(plain.splitlines()) == 1
