"""A factory that is interrupted, that is not alone, and whose devices find a server that knows them."""

import signal
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nestor.app.authority import Source
from support.device import Identity
from support.factories import certificate_in, founded, put_list, put_requests, read_list
from support.load import Load
from support.plants import plant as make_plant
from support.process import NESTOR, wait_for
from support.shapes import device_identity, edge_ca, est_identity
from support.survival import violations

MANY = 1500


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return founded(tmp_path / "data")


def _command(data: Path, out: Path, *words: str | Path) -> list[str]:
    return [*NESTOR, "cert", "issue", *map(str, words), "--out", str(out), "--data", str(data)]


def _start(command: list[str]) -> subprocess.Popen[str]:
    # Where the tests run in the background of a shell, SIGINT is ignored, and a process that they start inherits that.
    return subprocess.Popen(["env", "--default-signal=INT", *command], stderr=subprocess.PIPE, text=True)


def _interrupted(command: list[str], out: Path, how: signal.Signals) -> tuple[int, str]:
    """Start a batch, and end it when some of its files are there: its exit code, and what it said."""
    process = _start(command)
    wait_for(lambda: len(list(out.glob("*.pem"))) > 70, 30, every=0.002)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


def _issued(ledger: Path, profile: str = "bootstrap") -> Counter[str]:
    """How many certificates each device got."""
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT device FROM certificates WHERE profile = ?", (profile,))
        return Counter(device for (device,) in rows)


def _forget_the_last_minutes(ledger: Path) -> None:
    """What decides between two at once is gone two minutes later, when somebody starts the batch again."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("DELETE FROM replays")


@pytest.mark.parametrize("made_here", [True, False])
def test_a_batch_that_was_killed_goes_on_and_issues_nothing_twice(
    source: Source, tmp_path: Path, made_here: bool
) -> None:
    names, out = [f"pump{number}" for number in range(MANY)], tmp_path / "out"
    if made_here:
        words: tuple[str | Path, ...] = ("--from", put_list(tmp_path / "list.csv", ("name",), *((n,) for n in names)))
    else:
        put_requests(tmp_path / "csrs", names)
        words = ("--csrs", tmp_path / "csrs")
    command = _command(source.data, out, *words)
    assert _interrupted(command, out, signal.SIGKILL)[0] == -signal.SIGKILL
    ledger = source.data / "ledger.db"
    assert 0 < sum(_issued(ledger).values()) < MANY, "it was killed in the middle"
    whole = {place.name: place.read_bytes() for place in out.glob("*.pem")}
    assert not (out / "manifest.csv").exists()
    _forget_the_last_minutes(ledger)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{MANY:,} issued" not in done.stderr
    assert _issued(ledger) == dict.fromkeys(names, 1)
    assert len(read_list(out / "manifest.csv")) == len(list(out.glob("*.pem"))) == MANY
    assert all((out / name).read_bytes() == content for name, content in whole.items()), "each was whole already"
    for name in names:
        certificate = certificate_in(out / f"{name}.pem")
        if made_here:
            key = load_pem_private_key((out / f"{name}.key").read_bytes(), None)
            assert certificate.public_key() == key.public_key()
    assert violations(ledger, []) == []


def test_a_batch_that_is_interrupted_says_how_it_goes_on(source: Source, tmp_path: Path) -> None:
    put_requests(tmp_path / "csrs", (f"pump{number}" for number in range(MANY)))
    command = _command(source.data, tmp_path / "out", "--csrs", tmp_path / "csrs")
    code, said = _interrupted(command, tmp_path / "out", signal.SIGINT)
    assert code == 130
    assert said.splitlines()[-1].endswith(f" of {MANY:,} are done; the same command goes on from there.")
    assert "Traceback" not in said


def test_two_batches_of_the_same_requests_at_once_issue_one_certificate_each(source: Source, tmp_path: Path) -> None:
    names = [f"pump{number}" for number in range(200)]
    put_requests(tmp_path / "csrs", names)
    outs = [tmp_path / "one", tmp_path / "other"]
    both = [_start(_command(source.data, out, "--csrs", tmp_path / "csrs")) for out in outs]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert _issued(source.data / "ledger.db") == dict.fromkeys(names, 1)
    for name in names:
        assert (outs[0] / f"{name}.pem").read_bytes() == (outs[1] / f"{name}.pem").read_bytes()


def test_a_batch_and_a_serving_server_write_to_one_ledger(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    put_requests(tmp_path / "csrs", (f"pump{number}" for number in range(MANY)))
    with place.server:
        assert place.server.ca_file.exists()
        with Load(place.line, workers=2) as load:
            load.wait_for(1)
            before = len(load.received)
            process = _start(_command(place.server.data, tmp_path / "out", "--csrs", tmp_path / "csrs"))
            _, said = process.communicate(timeout=60)
            during = len(load.received) - before
            load.wait_for(1)
        assert process.returncode == 0, said
    assert during > 10
    assert load.refused == load.broken == []
    assert sum(_issued(place.server.ledger).values()) == MANY
    assert violations(place.server.ledger, load.received) == []


def test_a_bootstrap_certificate_gets_its_device_an_est_identity_and_nothing_else(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    with place.server:
        place.server.command("cert", "issue", "gw-7", "--out", str(tmp_path / "out"))
        key = load_pem_private_key((tmp_path / "out" / "gw-7.key").read_bytes(), None)
        bootstrap = Identity(certificate_in(tmp_path / "out" / "gw-7.pem"), key)
        device = place.server.device(identity=bootstrap)
        for refused in (device_identity("gw-7"), edge_ca("gw-7"), est_identity("gw-8")):
            assert device.enroll(refused).status == 403
        assert device.reenroll(est_identity("gw-7")).status == 403
        wanted = est_identity("gw-7")
        own = place.server.device(identity=Identity(device.enroll(wanted).certificate, wanted.key))
        assert own.enroll(device_identity("gw-7")).status == 200
        assert own.enroll(edge_ca("gw-7")).status == 200
        place.server.command("cert", "revoke", f"{bootstrap.certificate.serial_number:x}")
        assert device.enroll(est_identity("gw-7")).status == 403


def test_a_listed_user_enrolls_at_once_with_the_password_that_was_made(tmp_path: Path) -> None:
    place = make_plant(tmp_path)
    listed = put_list(tmp_path / "list.csv", ("name",), ("plc-1",), ("plc-2",))
    with place.server:
        assert place.server.ca_file.exists()
        place.server.command("user", "add", "--from", str(listed), "--password-out", str(tmp_path / "passwords.csv"))
        first, second = ((row["name"], row["password"]) for row in read_list(tmp_path / "passwords.csv"))
        assert place.server.device(user=first).enroll(est_identity("plc-1")).status == 200
        assert place.server.device(user=first).enroll(est_identity("plc-2")).status == 403
        assert place.server.device(user=("plc-2", first[1])).enroll(est_identity("plc-2")).status == 401
        assert place.server.device(user=second).enroll(est_identity("plc-2")).status == 200
