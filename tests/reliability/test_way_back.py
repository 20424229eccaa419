"""The way back from disaster, told with real servers and real devices: backup, loss, restore, adoption, renewal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.device import Device, Identity
from support.estca import EDGE, SERVER, est_ca
from support.load import Load
from support.plants import NOW, Plant
from support.plants import plant as make_plant
from support.process import Mortal
from support.shapes import client_auth, device_identity, edge_ca, est_identity, p256, request
from support.shell import nestor
from support.signing import CLIENT, Signed
from support.survival import violations

pytestmark = pytest.mark.xdist_group("way back")

SECRET = {"NESTOR_SECRET": "correct horse battery"}
_SEALED = ("--passphrase", "env:NESTOR_SECRET")
DAYS = 100


@dataclass
class Backup:
    """A sealed file, and when it was made."""

    file: Path
    made: str


def back_up(place: Plant, name: str = "b.age") -> Backup:
    file = place.server.place / name
    words = ("ca", "backup", "--out", str(file), "--data", str(place.server.data))
    done = nestor(*words, "--config", str(place.server.config), *_SEALED, environment=SECRET)
    assert done.returncode == 0, done.stderr
    made = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("made"))
    return Backup(file, made)


def restore(place: Plant, backup: Backup, *words: str) -> subprocess.CompletedProcess[str]:
    where = ("ca", "restore", str(backup.file), "--data", str(place.server.data))
    done = nestor(*where, *_SEALED, *words, environment=SECRET)
    assert done.returncode == 0, done.stderr
    return done


def renews(device: Device, name: str) -> int:
    return device.enroll(request(name, device.identity.key if device.identity else None, [client_auth()])).status


def all_renew(place: Plant, held: dict[str, Identity]) -> dict[str, int]:
    with ThreadPoolExecutor(4) as pool:
        devices = {name: place.server.device(identity=identity) for name, identity in held.items()}
        return dict(zip(devices, pool.map(renews, devices.values(), devices), strict=True))


def onboard(place: Plant, names: Sequence[str]) -> dict[str, Identity]:
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: place.line.enrolled(est_identity(name)), names), strict=True))


@pytest.mark.slow
def test_a_backup_a_hundred_certificates_old_locks_no_device_out(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        before = onboard(place, ["early-1", "early-2"])
        anchor = place.line.get("cacerts").certificates
        backup = back_up(place)
        held = onboard(place, [f"dev-{number}" for number in range(DAYS)])
        stolen, denied, gateway = (place.line.enrolled(est_identity(name)) for name in ("stolen", "denied", "gw-1"))
        edge = place.line.enrolled(edge_ca("gw-1"))
        place.server.revoke(stolen)
    place.server.ledger.unlink()
    told = restore(place, backup)
    assert f"nestor ledger adopt --since {backup.made}" in told.stderr
    with place.server:
        assert place.line.get("cacerts").certificates == anchor
        assert set(all_renew(place, before).values()) == {200}
        assert set(all_renew(place, dict(list(held.items())[:3])).values()) == {403}
        place.server.command("ledger", "adopt", "--since", backup.made, "--deny", "denied")
        assert set(all_renew(place, held).values()) == {200}
        answer = place.server.device(identity=stolen).enroll(est_identity("stolen"))
        assert (answer.status, "revoked" in answer.text) == (403, True)
        answer = place.server.device(identity=denied).enroll(est_identity("denied"))
        assert (answer.status, "forbidden to adopt" in answer.text) == (403, True)
        _minted_and_forged_ones_stay_out(place, edge)
        assert place.server.device(identity=gateway).enroll(edge_ca("gw-1")).status == 200
        assert place.server.log().count("adopted:") == DAYS + 1
        place.server.command("ledger", "adopt", "--end")
    listed = place.server.command("ledger", "adopt", "--list").stdout.split("\t")
    assert (listed[4], listed[5]) == ("ended", str(DAYS + 1))


def _minted_and_forged_ones_stay_out(place: Plant, edge: Identity) -> None:
    """What an Edge CA signed, and what somebody signed in the name of our CA, is no certificate of ours."""
    life = {"start": NOW, "end": datetime.fromtimestamp(time.time() + 3600, UTC)}
    minted = Signed(edge.certificate, edge.key).sign("dev-1", extensions=(CLIENT,), **life)
    thief = Signed(edge.certificate, p256())
    forged = thief.sign("dev-1", extensions=(CLIENT,), issuer_name=edge.certificate.issuer, **life)
    for signed in (minted, forged):
        for chain in ((), (edge.certificate,)):
            device = place.server.device(identity=Identity(signed.certificate, signed.key, chain))
            try:
                assert device.enroll(est_identity("dev-1")).status in {401, 403}
            except OSError:
                continue  # refused in the handshake


def test_what_was_not_issued_in_the_period_stays_unknown(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        backup = back_up(place)
        device = place.enrolled("dev-1")
    place.server.ledger.unlink()
    restore(place, backup)
    with place.server:
        place.server.command("ledger", "adopt", "--since", "2026-01-01T00:00:00Z", "--until", "2026-01-31T00:00:00Z")
        answer = device.enroll(est_identity("dev-1"))
        assert (answer.status, "not issued in the period" in answer.text) == (403, True)
        place.server.command("ledger", "adopt", "--end")
        assert "does not know it." in device.enroll(est_identity("dev-1")).text
        place.server.command("ledger", "adopt", "--since", backup.made)
        assert device.enroll(est_identity("dev-1")).status == 200


@pytest.mark.slow
def test_backups_taken_under_load_hold_everything_that_was_answered_before_they_began(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server, Load(place.line) as load:
        load.wait_for(20)
        received = [(list(load.received), back_up(place, name)) for name in ("first.age", "second.age")]
        load.wait_for(5)
        load.stop()
        assert load.refused == []
    for number, (before, backup) in enumerate(received):
        back = tmp_path / f"back-{number}"
        done = nestor("ca", "restore", str(backup.file), "--data", str(back), *_SEALED, environment=SECRET)
        assert done.returncode == 0, done.stderr
        assert violations(back / "ledger.db", before) == []
    assert len(received[1][0]) > len(received[0][0]) >= 20


def _killed(place: Plant, backup: Backup, number: int, *words: str) -> bool:
    """Restore in a process that is killed at its n-th renaming; whether it came so far."""
    search = os.pathsep.join(path for path in sys.path if path)
    where = ("ca", "restore", str(backup.file), "--data", str(place.server.data), *_SEALED)
    done = subprocess.run(
        (sys.executable, "-m", "support.mortality", str(number), *where, *words),
        env={**os.environ, **SECRET, "PYTHONPATH": search},  # noqa: TID251 -- handed on to the process
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        before = place.enrolled("early-1")
        backup = back_up(place)
        after = place.enrolled("late-1")
    ledger, outcomes, killed = place.server.ledger.read_bytes(), [], True
    while killed:
        place.server.ledger.write_bytes(ledger)
        killed = _killed(place, backup, len(outcomes) + 1, "--replace", "ledger")
        if (place.server.data / ".restoring" / "plan.json").exists():
            half = nestor("cert", "list", "--data", str(place.server.data))
            assert (half.returncode, "was interrupted" in half.stderr) == (4, True)
        with place.server:
            assert before.enroll(est_identity("early-1")).status == 200
            outcomes.append(after.enroll(est_identity("late-1")).status)
        assert not (place.server.data / ".restoring").exists()
    assert place.server.log().count("A restore that was interrupted has been finished.") == 2
    # Killed before the decision, the old ledger still knows the later device; killed after it, the restored one stands.
    assert outcomes == [200, 403, 403, 403]


def test_devices_of_libest_go_on_renewing_with_what_it_gave_them(tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest")
    libest.issue(request("127.0.0.1"), extensions=SERVER)
    identity = libest.issue(est_identity("gw-1"))
    device = libest.issue(device_identity("gw-1"))
    libest.issue(edge_ca("gw-1"), extensions=EDGE)
    revoked = libest.issue(est_identity("gw-2"))
    libest.revoke(revoked)
    server = Mortal(tmp_path / "nestor", {"access": {"gateways": "gw-1"}})
    done = nestor("ca", "import", "--libest", str(libest.folder), "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    server.add_user("estuser", "estpwd", "*", profiles=("*",))
    with server:
        # The anchor of the devices is still the file that libest's tutorial had them copy.
        old = Device(server.port, libest.folder / "cacert.crt")
        by_identity = old.but(identity=identity)
        for asked in (est_identity("gw-1"), device_identity("gw-1"), edge_ca("gw-1")):
            assert by_identity.enroll(asked).status == 200
        assert old.but(identity=device).enroll(device_identity("gw-1")).status == 200
        assert old.but(user=("estuser", "estpwd")).enroll(device_identity("gw-1")).status == 200
        answer = old.but(identity=revoked).enroll(est_identity("gw-2"))
        assert (answer.status, "revoked" in answer.text) == (403, True)
        answer = old.but(identity=identity).enroll(est_identity("gw-2"))
        assert answer.status == 403
