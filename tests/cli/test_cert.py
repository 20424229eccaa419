"""`nestor cert`: the ledger as an operator reads it."""

import asyncio
import csv
import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from nestor.model import Entry, Method
from support.entries import a_refusal, an_entry
from support.ledgers import NoonClock
from support.shell import nestor

NOW = datetime.now(UTC)  # noqa: TID251 -- the command lives now
SOON, LATER, PAST = (NOW + timedelta(days=days) for days in (2, 30, -1))
ENTRIES = {
    "pump-1": an_entry("pump-1", not_after=SOON, requester="line1"),
    "pump-2": an_entry("pump-2", not_after=LATER, requester="line2", address="=cmd|' /C calc'!A0"),
    "gw-3": an_entry("gw-3", not_after=LATER, profile="edgeCa", method=Method.CERTIFICATE, requester="gw-3"),
    "old": an_entry("old", not_after=PAST),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("ledger")
    asyncio.run(_fill(place, *ENTRIES.values()))
    return place


async def _fill(place: Path, *entries: Entry) -> None:
    ledger = open_ledger(LedgerSettings.model_validate({}), place, create=True, clock=NoonClock())
    for entry in entries:
        await ledger.record(entry, replay=None, one_time=None)
    ledger.refuse(a_refusal())
    await ledger.close()


def _cert(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return nestor("cert", *words, "--data", str(data))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["gw-3", "pump-2", "pump-1"]),
        (("--all",), ["old", "gw-3", "pump-2", "pump-1"]),
        (("--device", "pump-*"), ["pump-2", "pump-1"]),
        (("--profile", "edgeCa"), ["gw-3"]),
        (("--expiring-in", "7d"), ["pump-1"]),
        (("--asked-by", "line*", "--all"), ["old", "pump-2", "pump-1"]),
        (("--state", "revoked"), []),
        (("--limit", "2"), ["gw-3", "pump-2"]),
        (("--serial", f"0x{ENTRIES['old'].serial:X}"), ["old"]),
        (("--thumbprint", ENTRIES["pump-1"].sha256.hex(":")), ["pump-1"]),
    ],
)
def test_what_is_looked_for_is_found_the_newest_first(data: Path, words: tuple[str, ...], found: list[str]) -> None:
    listed = json.loads(_cert(data, "list", "--json", *words).stdout)
    assert [one["device"] for one in listed] == found


def test_a_line_in_a_pipe_is_one_certificate(data: Path) -> None:
    lines = _cert(data, "list", "--all").stdout.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["old", "gw-3", "pump-2", "pump-1"]


def test_csv_tells_everything_and_runs_nothing_in_a_spreadsheet(data: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(_cert(data, "list", "--csv").stdout)))
    assert [row["serial"] for row in rows] == [f"{ENTRIES[name].serial:x}" for name in ("gw-3", "pump-2", "pump-1")]
    assert rows[1]["from"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["asked for by"] == "certificate gw-3"


def test_one_certificate_is_shown_by_serial_or_thumbprint_as_the_portal_writes_it(data: Path) -> None:
    entry = ENTRIES["pump-1"]
    shown = json.loads(_cert(data, "show", f"{entry.serial:x}", "--json").stdout)
    assert shown["SHA-256"] == entry.sha256.hex().upper()
    assert json.loads(_cert(data, "show", shown["SHA-1"], "--json").stdout) == shown
    assert "reason" not in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("list", "--json", "--csv"), 2, "one form at a time"),
        (("list", "--thumbprint", "abc"), 2, "40 or 64"),
        (("list", "--serial", "pump"), 4, "neither a serial number nor a thumbprint"),
        (("show", ""), 4, "neither a serial number nor a thumbprint"),
        (("show", "ab12"), 4, "The ledger has no certificate ab12"),
        (("list", "--expiring-in", "soon"), 3, "--expiring-in"),
    ],
)
def test_what_cannot_be_found_is_told(data: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = _cert(data, *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_refusals_and_counts_are_told(data: Path) -> None:
    assert "line1 may not ask for pump-1." in _cert(data, "refusals").stdout
    counted = json.loads(_cert(data, "count").stdout)
    assert counted["issued"] == {"deviceIdentity": 3, "edgeCa": 1}


def test_a_certificate_is_revoked_once_and_stays_so(tmp_path: Path) -> None:
    entry = an_entry("pump-9", not_after=LATER)
    asyncio.run(_fill(tmp_path, entry))
    assert "is revoked: stolen" in _cert(tmp_path, "revoke", f"{entry.serial:x}", "--reason", "stolen").stderr
    assert "is revoked: stolen" in _cert(tmp_path, "revoke", entry.sha256.hex(), "--reason", "again").stderr
    (shown,) = json.loads(_cert(tmp_path, "list", "--state", "revoked", "--json").stdout)
    assert shown["reason"] == "stolen"
