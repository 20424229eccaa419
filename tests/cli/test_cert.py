"""`nestor cert`: the ledger as an operator reads it."""

import asyncio
import csv
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from nestor.model import Entry, Method
from support.entries import a_refusal, an_entry
from support.ledgers import NoonClock
from support.shell import Done, nestor_here

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


def _cert(data: Path, *words: str) -> Done:
    return nestor_here("cert", *words, "--data", str(data))


def _on_a_terminal(data: Path, *words: str, typed: bytes = b"", columns: int = 80) -> str:
    """What a person at a terminal of that width sees of a command."""
    manager, terminal = pty.openpty()
    command = (sys.executable, "-m", "nestor", "cert", *words, "--data", str(data))
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}  # noqa: TID251 -- the shell's
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        os.write(manager, typed)
        shown = b""
        try:
            while chunk := os.read(manager, 65_536):
                shown += chunk
        except OSError:  # the terminal was closed at the other end
            pass
        process.wait(30)
    os.close(manager)
    return re.sub(r"\x1b\[\d*m", "", shown.decode().replace("\r\n", "\n"))


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
        (("--serial", f"{ENTRIES['old'].serial:x}"[:9]), ["old"]),
        (("--thumbprint", ENTRIES["pump-1"].sha256.hex(":")), ["pump-1"]),
        (("--thumbprint", ENTRIES["pump-1"].sha256.hex(":")[:14]), ["pump-1"]),
        (("--state", "expired"), ["old"]),
        (("--state", "active", "--all"), ["gw-3", "pump-2", "pump-1"]),
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
    assert (rows[0]["method"], rows[0]["askedForBy"]) == ("certificate", "gw-3")


def test_one_certificate_is_shown_by_serial_or_thumbprint_as_the_portal_writes_it(data: Path) -> None:
    entry = ENTRIES["pump-1"]
    shown = json.loads(_cert(data, "show", f"{entry.serial:x}", "--json").stdout)
    assert shown["sha256"] == entry.sha256.hex().upper()
    assert json.loads(_cert(data, "show", shown["sha1"], "--json").stdout) == shown
    assert "reason" not in shown


@pytest.mark.parametrize("digits", [6, 7, 12])
def test_the_first_digits_of_a_serial_number_or_thumbprint_will_do(data: Path, digits: int) -> None:
    entry = ENTRIES["gw-3"]
    sha1 = hashlib.sha1(entry.der, usedforsecurity=False).hexdigest().upper()
    for whole in (f"{entry.serial:x}", entry.sha256.hex(), sha1):
        assert f"\nserial              {entry.serial:x}\n" in _cert(data, "show", f"{whole[:digits]}…").stdout


def test_too_few_digits_name_nothing_and_shared_ones_are_no_name(tmp_path: Path) -> None:
    twins = [an_entry(f"twin-{number}", serial=0xABCDEF0000 + number) for number in (1, 2)]
    asyncio.run(_fill(tmp_path, *twins))
    assert _cert(tmp_path, "show", "abcde").returncode == 4
    shared = _cert(tmp_path, "revoke", "abcdef")
    assert shared.returncode == 2
    assert "more than one certificate begins with abcdef" in shared.stderr
    assert _cert(tmp_path, "show", "abcdef0001").returncode == 0


def test_a_serial_number_of_several_issuers_is_no_name(tmp_path: Path) -> None:
    twins = [an_entry(f"twin-{issuer}", serial=0x17, issuer=issuer.encode()) for issuer in ("one", "other")]
    asyncio.run(_fill(tmp_path, *twins))
    shared = _cert(tmp_path, "revoke", "17")
    assert shared.returncode == 2
    assert "certificates of several issuers have this serial number" in shared.stderr
    assert _cert(tmp_path, "show", twins[1].sha256.hex()).returncode == 0


def test_what_has_expired_is_said_to_be_so(data: Path) -> None:
    states = {one["device"]: one["state"] for one in json.loads(_cert(data, "list", "--all", "--json").stdout)}
    assert states == {"old": "expired", "gw-3": "active", "pump-1": "active", "pump-2": "active"}
    assert "state               expired" in _cert(data, "show", f"{ENTRIES['old'].serial:x}").stdout


def test_a_table_fits_a_terminal_of_80_columns_and_its_serial_numbers_are_good_for_commands(data: Path) -> None:
    shown = _on_a_terminal(data, "list", "--all")
    assert max(map(len, shown.splitlines())) <= 80
    heading, *lines = shown.splitlines()
    assert heading.split() == ["serial", "device", "profile", "state", "valid", "until"]
    assert [line.split()[1] for line in lines] == ["old", "gw-3", "pump-2", "pump-1"]
    assert lines[-1].endswith(f"{SOON:%Y-%m-%d %H:%M}")
    for line, name in zip(lines, ("old", "gw-3", "pump-2", "pump-1"), strict=True):
        assert f"{ENTRIES[name].serial:x}" in _cert(data, "show", line.split()[0]).stdout
    assert "password line1" in _on_a_terminal(data, "list", columns=160)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("list", "--json", "--csv"), 2, "one form at a time"),
        (("list", "--serial", "pump"), 2, "neither a serial number nor a thumbprint"),
        (("show", ""), 2, "neither a serial number nor a thumbprint"),
        (("show", "ab12", "--pem", "--json"), 2, "one form at a time"),
        (("show", "ab12"), 4, "The ledger has no certificate ab12"),
        (("list", "--expiring-in", "soon"), 2, "--expiring-in"),
        (("list", "--expiring-in", "5"), 2, "90s, 60min, 12h, 30d or 20y"),
        (("revoke",), 2, "a serial number or thumbprint, or --device"),
        (("revoke", "ab12", "--device", "gw-3"), 2, "a serial number or thumbprint, or --device"),
        (("revoke", "ab12", "--profile", "edgeCa"), 2, "go with --device"),
        (("revoke", "--device", "nobody"), 4, "nobody has no live certificate."),
        (("revoke", "--device", "old"), 4, "old has no live certificate."),
    ],
)
def test_what_cannot_be_found_is_told(data: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = _cert(data, *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_refusals_and_counts_are_told(data: Path) -> None:
    assert "line1 may not ask for pump-1." in _cert(data, "refusals").stdout
    counted = json.loads(_cert(data, "count", "--json").stdout)
    assert counted["issued"] == {"deviceIdentity": 3, "edgeCa": 1}
    assert "issued\tdeviceIdentity\t3\n" in _cert(data, "count").stdout


def test_json_and_csv_have_keys_in_camel_case(data: Path) -> None:
    serial = f"{ENTRIES['gw-3'].serial:x}"
    listed = json.loads(_cert(data, "list", "--json").stdout)
    told = [listed[0], json.loads(_cert(data, "show", serial, "--json").stdout)]
    told += json.loads(_cert(data, "refusals", "--json").stdout)
    told.append(dict.fromkeys(_cert(data, "list", "--csv").stdout.splitlines()[0].split(",")))
    for record in told:
        assert [key for key in record if not re.fullmatch(r"[a-z][A-Za-z0-9]*", key)] == []
    assert {"serial", "sha1", "sha256", "notBefore", "notAfter"} <= set(listed[0])
    assert listed[0]["revoked"] is None


def test_a_directory_without_any_data_is_not_taken_for_one_that_lost_its_ledger(tmp_path: Path) -> None:
    done = _cert(tmp_path / "typo", "list")
    assert (done.returncode, done.stderr) == (
        4,
        f"error: There is no Nestor data in {tmp_path / 'typo'}: no CA, no ledger.\nhint: Check --data.\n",
    )
    assert not (tmp_path / "typo").exists()
    (tmp_path / "revocations.log").touch()
    assert "is gone, but revocations.log is there." in _cert(tmp_path, "list").stderr


def test_a_certificate_is_revoked_once_and_stays_so(tmp_path: Path) -> None:
    entry = an_entry("pump-9", not_after=LATER)
    asyncio.run(_fill(tmp_path, entry))
    assert "is revoked: stolen" in _cert(tmp_path, "revoke", f"{entry.serial:x}", "--reason", "stolen").stderr
    assert "is revoked: stolen" in _cert(tmp_path, "revoke", entry.sha256.hex(), "--reason", "again").stderr
    (shown,) = json.loads(_cert(tmp_path, "list", "--state", "revoked", "--json").stdout)
    assert shown["reason"] == "stolen"


async def _live(place: Path) -> list[str]:
    ledger = open_ledger(LedgerSettings.model_validate({}), place, create=False, clock=NoonClock())
    found = [entry.profile for entry in await ledger.live_certificates("gw-3", NOW)]
    await ledger.close()
    return found


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    profiles = ("estIdentity", "deviceIdentity", "edgeCa")
    entries = [an_entry("gw-3", not_after=LATER, profile=profile) for profile in profiles]
    asyncio.run(_fill(tmp_path, *entries, an_entry("gw-33", not_after=LATER)))
    return tmp_path


def test_all_that_a_device_still_has_is_revoked_at_once(gateway: Path) -> None:
    done = _cert(gateway, "revoke", "--device", "gw-3", "--profile", "edgeCa")
    assert done.stderr.splitlines()[1] == "gw-3: 1 certificate revoked."
    assert asyncio.run(_live(gateway)) == ["estIdentity", "deviceIdentity"]
    done = _cert(gateway, "revoke", "--device", "gw-3", "--reason", "stolen")
    assert done.stderr.splitlines()[2] == "gw-3: 2 certificates revoked."
    assert asyncio.run(_live(gateway)) == []
    assert {one["device"] for one in json.loads(_cert(gateway, "list", "--json").stdout) if not one["revoked"]} == {
        "gw-33"
    }


def test_who_revokes_a_device_hears_by_what_it_can_come_back(tmp_path: Path) -> None:
    factory, forwarded = "maker CN=press-9,O=Press\x1b", "layer3 (layer2)"
    asyncio.run(
        _fill(
            tmp_path,
            an_entry("press-9", not_after=PAST, requester="line1"),
            an_entry("press-9", not_after=LATER, method=Method.CERTIFICATE, requester="press-9"),
            an_entry("press-9", not_after=LATER, method=Method.BOOTSTRAP, requester=factory),
            *(an_entry("press-9", not_after=LATER, requester="line", forwarder=forwarded) for _ in range(2)),
            an_entry("press-8", not_after=LATER, requester="line8"),
        )
    )
    told = _cert(tmp_path, "revoke", "--device", "press-9").stderr.splitlines()[5:]
    forwarded_way, factory_way, first_way = told
    assert forwarded_way.startswith("press-9 came by the password of line through layer3 (layer2), and can come back")
    assert forwarded_way.endswith("To end that, at the layer that let it in: nestor user remove line.")
    assert factory_way.startswith("press-9 came by the factory certificate of maker CN=press-9,O=Press\\x1b, and can")
    assert factory_way.endswith("To end that: have its maker revoke it, and renew the list in crls.")
    assert first_way.endswith("can come back by it. To end that: nestor user remove line1.")


def test_at_a_terminal_somebody_has_to_agree_first(gateway: Path) -> None:
    shown = _on_a_terminal(gateway, "revoke", "--device", "gw-3", typed=b"n\n")
    assert "Revoke 3 certificates of gw-3?" in shown
    assert len(asyncio.run(_live(gateway))) == 3
    _on_a_terminal(gateway, "revoke", "--device", "gw-3", typed=b"y\n")
    assert asyncio.run(_live(gateway)) == []
