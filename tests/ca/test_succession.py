"""One CA takes the place of another in the data directory: whatever interrupts it, one whole CA is left."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from nestor.ca.hierarchy import make_intermediate
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import Issuer
from nestor.errors import MaterialError
from nestor.keys.file import load_key, save_key
from support.asking import NOW
from support.issuing import DAY, SERIAL, root

_KILLED = 9
_MOST_STEPS = 60


def layer(serial: int = SERIAL) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    return make_intermediate(root(), key, "CN=Layer", lifetime=90 * DAY, now=NOW, serial=serial)


def kept(data: Path) -> tuple[CAHome, Issuer]:
    home, issuer = CAHome(data), layer()
    home.keep(issuer, lambda place: save_key(place, issuer.key))
    return home, issuer


def succeed(home: CAHome, issuer: Issuer) -> None:
    home.succeed(issuer, lambda place: save_key(place, issuer.key))


def load(home: CAHome, pinned: str | None = None) -> Issuer:
    found = home.load(lambda: load_key(home.key_path).key, pinned=pinned)
    assert isinstance(found, Issuer), found
    return found


def test_the_next_ca_issues_and_the_one_before_still_counts(tmp_path: Path) -> None:
    home, first = kept(tmp_path)
    second = layer(SERIAL + 1)
    succeed(home, second)
    found = load(home, pinned=first.fingerprint)
    assert found.certificate == second.certificate
    assert found.accepted == (second.certificate, first.certificate)
    assert found.shown == (second.certificate, first.certificate, root().certificate)
    assert home.mark_path.read_text("ascii").strip() == second.fingerprint
    assert [path.name for path in home.certificates_path.parent.glob("key*")] == [home.key_path.name]


def test_it_happens_again_and_again_and_what_has_ended_is_forgotten(tmp_path: Path) -> None:
    home, first = kept(tmp_path)
    for number in range(1, 4):
        succeed(home, layer(SERIAL + number))
    assert len(load(home, pinned=first.fingerprint).former) == 3
    home.forget(first.certificate)
    assert len(load(home).former) == 2
    assert isinstance(home.load(lambda: load_key(home.key_path).key, pinned=first.fingerprint), LostCA)


def test_a_ca_that_nobody_succeeded_is_not_taken_for_another_one(tmp_path: Path) -> None:
    home, _ = kept(tmp_path)
    found = home.load(lambda: load_key(home.key_path).key, pinned=layer().fingerprint)
    assert isinstance(found, LostCA)


def test_a_key_that_cannot_be_kept_changes_nothing(tmp_path: Path) -> None:
    home, first = kept(tmp_path)

    def full(_: Path) -> None:
        raise MaterialError("The disk is full.")

    with pytest.raises(MaterialError, match="full"):
        home.succeed(layer(SERIAL + 1), full)
    assert load(home, pinned=first.fingerprint).accepted == (first.certificate,)


def _killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do work in a process that dies at one of its steps on the disk; whether it came so far."""
    child = os.fork()
    if child == 0:
        _die_at(step)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == _KILLED


def _die_at(step: int) -> None:
    count = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def die_or_do(*words: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == step:
                os._exit(_KILLED)
            return call(*words, **named)

        return die_or_do

    os.fsync = counted(os.fsync)  # type: ignore[assignment]  # in a process of its own
    for name in ("rename", "unlink", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))


def test_whenever_it_is_killed_one_whole_ca_is_left(tmp_path: Path) -> None:
    left = []
    for step in range(1, _MOST_STEPS):
        data = tmp_path / str(step)
        data.mkdir()
        home, first = kept(data)
        second = layer(SERIAL + 1)
        killed = _killed_at(step, lambda home=home, second=second: succeed(home, second))  # type: ignore[misc]
        found = load(home, pinned=first.fingerprint)
        assert found.certificate in {first.certificate, second.certificate}
        left.append(found.certificate == second.certificate)
        succeed(home, layer(SERIAL + 2))
        assert found.certificate in load(home, pinned=found.fingerprint).accepted
        if not killed:
            break
    assert left == sorted(left)  # from one step on, it is the next one
    assert left[0] is False
    assert left.count(True) > 1
    assert len(left) > 10
