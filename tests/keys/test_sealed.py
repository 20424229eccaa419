"""Sealed key files: what opens them, what does not, and that no byte of them can change unnoticed (R4)."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nestor.errors import MaterialError
from nestor.keys import sealed as subject
from nestor.keys.file import load_key
from nestor.keys.make import generate
from nestor.keys.sealed import (
    SealedKey,
    Wrapping,
    encode,
    is_sealed,
    lock,
    new_data_key,
    parse,
    unlock,
    unwrap_by_recovery,
    wrap_for_recovery,
    write_sealed,
)
from nestor.model import KeyType

SECRET = "correct horse battery staple"
WHERE = Path("ca/key.pem")
KEY = generate(KeyType.EC_P256)


def raw(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture(scope="module")
def wrapping() -> Wrapping:
    data_key = new_data_key()
    return Wrapping(data_key, b"sealed by somebody", wrap_for_recovery(data_key, SECRET))


@pytest.fixture(scope="module")
def sealed(wrapping: Wrapping) -> SealedKey:
    return lock(KEY, wrapping)


@pytest.fixture(scope="module")
def content(sealed: SealedKey) -> bytes:
    return encode(sealed)


@pytest.mark.parametrize("kind", [KeyType.EC_P256, KeyType.EC_P384, KeyType.ED25519, KeyType.RSA, KeyType.ML_DSA_65])
def test_a_sealed_key_comes_back_as_it_was(wrapping: Wrapping, kind: KeyType) -> None:
    key = generate(kind, 2048)
    read = parse(encode(lock(key, wrapping)), WHERE)
    assert read.sealed == wrapping.sealed
    assert raw(unlock(read, wrapping.data_key, WHERE)) == raw(key)


def test_the_recovery_passphrase_opens_it_as_well(sealed: SealedKey, content: bytes, wrapping: Wrapping) -> None:
    read = parse(content, WHERE)
    data_key = unwrap_by_recovery(read, SECRET, WHERE)
    assert data_key == wrapping.data_key
    assert raw(unlock(read, data_key, WHERE)) == raw(KEY)


def test_another_passphrase_does_not(sealed: SealedKey) -> None:
    with pytest.raises(MaterialError, match="does not open with this recovery passphrase"):
        unwrap_by_recovery(sealed, SECRET + "r", WHERE)


def test_a_passphrase_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(MaterialError, match="11 characters"):
        wrap_for_recovery(new_data_key(), "12345678901")


def test_the_file_tells_nothing_of_key_or_passphrase(content: bytes, wrapping: Wrapping) -> None:
    text = parse(content, WHERE).model_dump_json()
    for secret in (raw(KEY), wrapping.data_key, SECRET.encode()):
        assert secret not in content
    assert "PRIVATE" not in text
    assert repr(wrapping.data_key) not in repr(wrapping)


def test_no_two_files_of_one_key_are_alike(wrapping: Wrapping) -> None:
    assert lock(KEY, wrapping) != lock(KEY, wrapping)
    first, second = (wrap_for_recovery(wrapping.data_key, SECRET) for _ in range(2))
    assert first.salt != second.salt
    assert first.nonce != second.nonce


def _cuts(content: bytes) -> Iterator[bytes]:
    yield from (content[:length] for length in range(len(content)))
    yield content + b"\n"
    yield content + content


def _flips(content: bytes) -> Iterator[bytes]:
    for place, byte in enumerate(content):
        for bit in {place % 8, (5 * place + 3) % 8}:
            yield content[:place] + bytes([byte ^ 1 << bit]) + content[place + 1 :]


def _is_noticed(place: Path, content: bytes) -> bool:
    """Whether whoever loads this file hears that it is no good; a file without the label is read as a plain key."""
    place.write_bytes(content)
    try:
        if is_sealed(content):
            parse(content, place)
        else:
            load_key(place)
    except MaterialError as error:
        return "Restore it from a backup." in error.hint
    return False


@pytest.mark.parametrize("damage", [_cuts, _flips])
def test_a_file_that_was_cut_or_changed_anywhere_is_noticed(tmp_path: Path, content: bytes, damage: Any) -> None:
    assert [wrong for wrong in damage(content) if not _is_noticed(tmp_path / "key.pem", wrong)] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda one, other: one.model_copy(update={"sealed": other.sealed + b"!"}),
        lambda one, other: one.model_copy(update={"nonce": other.nonce}),
        lambda one, other: one.model_copy(update={"key": other.key}),
        lambda one, other: one.model_copy(update={"recovery": one.recovery.model_copy(update={"n": 2**16})}),
        lambda one, other: one.model_copy(
            update={"recovery": wrap_for_recovery(b"k" * 32, "another passphrase of theirs")}
        ),
    ],
    ids=["seal", "nonce", "key", "cost", "recovery"],
)
def test_parts_of_two_files_do_not_fit_together(wrapping: Wrapping, sealed: SealedKey, change: Any) -> None:
    """Whoever can write the file, and knows its digest, still cannot exchange one part of it."""
    forged = parse(encode(change(sealed, lock(KEY, wrapping))), WHERE)
    with pytest.raises(MaterialError, match="is damaged"):
        unlock(forged, wrapping.data_key, WHERE)


def test_a_form_of_later_times_is_told_as_such(sealed: SealedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    later = encode(sealed.model_copy(update={"version": 2}))
    with pytest.raises(MaterialError, match="a form that this Nestor does not know"):
        parse(later, WHERE)


@pytest.mark.parametrize("cost", [{"n": 2**24}, {"n": 2**10}, {"r": 1024}, {"p": 1000}])
def test_a_file_cannot_ask_for_any_amount_of_memory(sealed: SealedKey, cost: dict[str, int]) -> None:
    dear = sealed.model_copy(update={"recovery": sealed.recovery.model_copy(update=cost)})
    with pytest.raises(MaterialError):
        parse(encode(dear), WHERE)


def test_what_is_no_key_that_signs_is_not_given_out(wrapping: Wrapping, sealed: SealedKey) -> None:
    other = x25519.X25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    held = AESGCM(wrapping.data_key).encrypt(sealed.nonce, other, sealed.bound)
    with pytest.raises(MaterialError, match="cannot sign"):
        unlock(sealed.model_copy(update={"key": held}), wrapping.data_key, WHERE)


def test_no_error_shows_what_was_decrypted(wrapping: Wrapping, sealed: SealedKey) -> None:
    held = AESGCM(wrapping.data_key).encrypt(sealed.nonce, b"0\x0bnot a key!!", sealed.bound)
    with pytest.raises(MaterialError) as refused:
        unlock(sealed.model_copy(update={"key": held}), wrapping.data_key, WHERE)
    assert "not a key" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None


def test_it_takes_the_place_of_a_key_file_whole(tmp_path: Path, sealed: SealedKey, content: bytes) -> None:
    place = tmp_path / "key.pem"
    place.write_bytes(b"before")
    place.chmod(0o644)
    write_sealed(place, sealed)
    assert place.read_bytes() == content
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, sealed: SealedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "key.pem"
    place.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(MaterialError, match="No space left"):
        write_sealed(place, sealed)
    assert place.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [place]


def test_guessing_costs_what_is_recommended() -> None:
    """OWASP: n = 2^15 with p = 3 is as dear as n = 2^17 with p = 1, in a quarter of the memory."""
    assert (subject._N, subject._R, subject._P) == (2**15, 8, 3)
