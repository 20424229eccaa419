"""Key files: as they are written, and every way in which they cannot be used."""

import os
import traceback
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nestor.errors import MaterialError
from nestor.keys.file import StoredKey, load_key, save_key
from nestor.keys.make import generate
from nestor.model import KeyType

SECRET = "correct horse battery staple"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "key.pem"


@pytest.fixture
def key() -> Any:
    return generate(KeyType.EC_P256)


def raw(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def fault(path: Path, passphrase: str | None = None) -> MaterialError:
    with pytest.raises(MaterialError) as refusal:
        load_key(path, passphrase)
    assert str(path) in refusal.value.sentence
    assert refusal.value.hint
    return refusal.value


@pytest.mark.parametrize("passphrase", [None, SECRET])
@pytest.mark.parametrize("kind", [KeyType.EC_P256, KeyType.EC_P384, KeyType.ED25519, KeyType.RSA])
def test_a_key_comes_back_as_it_was_kept(place: Path, kind: KeyType, passphrase: str | None) -> None:
    key = generate(kind, 2048)
    save_key(place, key, passphrase)
    assert raw(load_key(place, passphrase).key) == raw(key)
    assert load_key(place, passphrase).warnings == ()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_key_file_is_its_owner_s_alone_whatever_the_umask(place: Path, key: Any, umask: int) -> None:
    before = os.umask(umask)
    try:
        save_key(place, key)
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_key_is_never_overwritten(place: Path, key: Any) -> None:
    save_key(place, key)
    with pytest.raises(MaterialError, match="never overwritten"):
        save_key(place, generate(KeyType.EC_P256))
    assert raw(load_key(place).key) == raw(key)


def test_what_an_interruption_left_behind_does_not_hinder(place: Path, key: Any) -> None:
    (place.parent / f".{place.name}.{os.getpid()}").write_bytes(b"half a key")
    save_key(place, key)
    assert raw(load_key(place).key) == raw(key)


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path, key: Any) -> None:
    with pytest.raises(MaterialError, match="cannot be written"):
        save_key(tmp_path / "no" / "key.pem", key)
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_encrypts(place: Path, key: Any) -> None:
    save_key(place, key, SECRET)
    assert b"ENCRYPTED" in place.read_bytes()


def test_an_empty_passphrase_is_none(place: Path, key: Any) -> None:
    with pytest.raises(MaterialError, match="empty"):
        save_key(place, key, "")


def test_a_missing_file_is_told() -> None:
    assert "No such file" in fault(Path("/nowhere/key.pem")).sentence


@pytest.mark.parametrize("passphrase", [None, SECRET])
def test_a_key_that_is_cut_off_is_told_and_never_shown(place: Path, key: Any, passphrase: str | None) -> None:
    save_key(place, key, passphrase)
    content = place.read_bytes()
    for end in range(0, len(content) - 2, 7):
        place.write_bytes(content[:end])
        told = fault(place, passphrase)
        shown = "".join(traceback.format_exception(told))
        assert not any(line in shown for line in content.decode().splitlines()[1:-1])
        assert SECRET not in shown


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff" * 100, b"-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_told(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    assert "does not hold a whole private key" in fault(place).sentence


def test_a_wrong_passphrase_is_told_and_never_shown(place: Path, key: Any) -> None:
    save_key(place, key, SECRET)
    told = fault(place, "open sesame")
    assert "does not open with this passphrase" in told.sentence
    assert "sesame" not in told.text


def test_a_missing_passphrase_is_told_with_its_setting(place: Path, key: Any) -> None:
    save_key(place, key, SECRET)
    assert "keys.passphrase" in fault(place).hint


def test_a_passphrase_that_changes_nothing_is_told(place: Path, key: Any) -> None:
    save_key(place, key)
    (warning,) = load_key(place, SECRET).warnings
    assert "not encrypted" in warning


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_use_is_told_with_the_command(place: Path, key: Any, mode: int) -> None:
    save_key(place, key)
    place.chmod(mode)
    (warning,) = load_key(place).warnings
    assert f"chmod 600 {place}" in warning


def test_a_key_that_cannot_sign_is_told(place: Path) -> None:
    place.write_bytes(
        x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert "cannot sign" in fault(place).sentence


def test_a_public_key_is_no_private_one(place: Path, key: Any) -> None:
    place.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert "does not hold" in fault(place).sentence


def test_a_key_is_not_shown(key: Any) -> None:
    assert repr(StoredKey(key)) == "StoredKey(warnings=(), sealed=False)"
