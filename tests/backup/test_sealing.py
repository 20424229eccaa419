"""The seal of a backup: another tool opens it, another passphrase does not, and damage is noticed wherever it is."""

import os
from pathlib import Path

import pytest

from nestor.backup.sealing import check_passphrase, seal, unseal
from nestor.errors import MaterialError
from support.openssl import tool
from support.terminal import typed

PASSPHRASE = "correct horse battery staple"
CONTENT = os.urandom(150_000)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal(CONTENT, PASSPHRASE)


def test_what_was_sealed_comes_out_again(sealed: bytes) -> None:
    assert CONTENT[:64] not in sealed
    assert unseal(sealed, PASSPHRASE) == CONTENT


def test_another_passphrase_does_not_open_it_and_is_not_repeated(sealed: bytes) -> None:
    with pytest.raises(MaterialError) as caught:
        unseal(sealed, "Correct horse battery staple")
    assert "does not open with this passphrase" in caught.value.sentence
    assert "horse" not in caught.value.text
    assert caught.value.__cause__ is None


def test_a_file_cut_off_anywhere_does_not_open(sealed: bytes) -> None:
    # The header costs no key derivation; behind it, each try does.
    for length in (0, 1, 21, 22, 60, 100, 150, 181, 66_000, len(sealed) - 1):
        with pytest.raises(MaterialError):
            unseal(sealed[:length], PASSPHRASE)


@pytest.mark.parametrize("place", [30, 100_000])
def test_a_flipped_bit_does_not_pass(sealed: bytes, place: int) -> None:
    damaged = bytearray(sealed)
    damaged[place] ^= 1
    with pytest.raises(MaterialError):
        unseal(bytes(damaged), PASSPHRASE)


def test_more_than_was_sealed_does_not_pass(sealed: bytes) -> None:
    with pytest.raises(MaterialError):
        unseal(sealed + b"\0", PASSPHRASE)


@pytest.mark.parametrize("passphrase", ["", "short", "elevensigns"])
def test_a_passphrase_that_can_be_guessed_is_refused(passphrase: str) -> None:
    with pytest.raises(MaterialError, match="12"):
        check_passphrase(passphrase)
    assert check_passphrase("twelve signs") == "twelve signs"


def test_the_age_command_opens_it(sealed: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.age").write_bytes(sealed)
    command = (tool("age"), "-d", "-o", str(tmp_path / "opened"), str(tmp_path / "b.age"))
    code, said = typed(command, PASSPHRASE)
    assert code == 0, said
    assert (tmp_path / "opened").read_bytes() == CONTENT
