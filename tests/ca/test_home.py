"""The home of a CA: born once, and never again, whatever of it is deleted, cut off or exchanged."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from nestor.ca.hierarchy import make_intermediate, make_root
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import Issuer
from nestor.errors import MaterialError
from support.asking import NOW
from support.issuing import DAY, SERIAL, ec_key, root, rsa_key

CERTIFICATES, KEY, MARK = "ca/certificates.pem", "ca/key.pem", "ca-made"


def saver(key: CertificateIssuerPrivateKeyTypes) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    return save


def load(data: Path, pinned: str | None = None) -> Issuer | LostCA | None:
    """Load as the app does, with a small stand-in for the room of keys."""
    home = CAHome(data)

    def key() -> CertificateIssuerPrivateKeyTypes:
        try:
            loaded = load_pem_private_key(home.key_path.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise MaterialError("The key cannot be read.") from error
        return loaded  # type: ignore[return-value] -- an EC key

    return home.load(key, pinned=pinned)


def born(data: Path, issuer: Issuer | None = None) -> Issuer:
    kept = issuer or root()
    CAHome(data).keep(kept, saver(kept.key))
    return kept


def lost(data: Path, pinned: str | None = None) -> LostCA:
    found = load(data, pinned)
    assert isinstance(found, LostCA)
    assert found.reason.sentence
    with pytest.raises(MaterialError, match="already"):
        CAHome(data).keep(root(), saver(root().key))
    return found


def test_an_empty_directory_never_had_a_ca(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_ca_that_is_kept_is_found_again(tmp_path: Path) -> None:
    middle = make_intermediate(root(), ec_key(), "CN=Middle", lifetime=DAY, now=NOW, serial=SERIAL)
    born(tmp_path, middle)
    found = load(tmp_path, pinned=middle.fingerprint)
    assert isinstance(found, Issuer)
    assert found.certificates == middle.certificates


def test_a_ca_is_kept_in_a_directory_of_its_owner(tmp_path: Path) -> None:
    born(tmp_path)
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in tmp_path.iterdir()} == {"ca", "ca-made"}


def test_a_second_ca_is_never_kept(tmp_path: Path) -> None:
    born(tmp_path)
    with pytest.raises(MaterialError, match="already"):
        born(tmp_path, make_root(ec_key(), "CN=Second", lifetime=DAY, now=NOW, serial=SERIAL))


@pytest.mark.parametrize("name", [CERTIFICATES, KEY, "ca"])
def test_a_part_that_is_deleted_means_a_lost_ca(tmp_path: Path, name: str) -> None:
    issuer = born(tmp_path)
    place = tmp_path / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    found = lost(tmp_path)
    assert found.certificates == ((issuer.certificate,) if name == KEY else ())


@pytest.mark.parametrize("name", [CERTIFICATES, KEY])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9])
def test_a_part_that_is_cut_off_means_a_lost_ca(tmp_path: Path, name: str, share: float) -> None:
    born(tmp_path)
    place = tmp_path / name
    content = place.read_bytes()
    place.write_bytes(content[: int(len(content) * share)])
    lost(tmp_path)


@pytest.mark.parametrize("name", [CERTIFICATES, KEY, "ca"])
def test_a_part_that_is_exchanged_means_a_lost_ca(tmp_path: Path, name: str) -> None:
    born(tmp_path / "one")
    other = make_root(rsa_key(), "CN=Other", lifetime=DAY, now=NOW, serial=SERIAL)
    born(tmp_path / "other", other)
    place = tmp_path / "one" / name
    if place.is_dir():
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "other" / name, place)
    else:
        shutil.copy(tmp_path / "other" / name, place)
    found = lost(tmp_path / "one")
    assert other.certificate not in found.certificates


def test_everything_deleted_but_the_ledger_means_a_lost_ca(tmp_path: Path) -> None:
    found = load(tmp_path, pinned=root().fingerprint)
    assert isinstance(found, LostCA)
    assert "Restore it from a backup" in found.reason.hint


def test_a_ca_that_the_ledger_does_not_know_is_not_used(tmp_path: Path) -> None:
    born(tmp_path)
    assert "the ledger knows" in lost(tmp_path, pinned="0" * 64).reason.sentence


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"half a finger"])
def test_a_lost_mark_is_made_again_from_a_whole_ca(tmp_path: Path, content: bytes | None) -> None:
    issuer = born(tmp_path)
    if content is None:
        (tmp_path / MARK).unlink()
    else:
        (tmp_path / MARK).write_bytes(content)
    assert isinstance(load(tmp_path), Issuer)
    assert (tmp_path / MARK).read_text() == f"{issuer.fingerprint}\n"


def test_an_interrupted_birth_is_no_birth(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half a key")
        raise MaterialError("The disk is full.")

    with pytest.raises(MaterialError, match="disk is full"):
        CAHome(tmp_path).keep(root(), fail)
    assert load(tmp_path) is None
    born(tmp_path)
    assert isinstance(load(tmp_path), Issuer)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("not a directory")
    with pytest.raises(MaterialError, match="cannot be kept"):
        born(place)


def test_a_key_elsewhere_is_read_from_there(tmp_path: Path) -> None:
    issuer = root()
    CAHome(tmp_path).keep(issuer, lambda _: None)
    assert CAHome(tmp_path).load(lambda: issuer.key) == issuer
