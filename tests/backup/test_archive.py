"""The inside of a backup: what goes in comes out, and what is not what it says does not."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nestor.backup.archive import pack, unpack
from nestor.backup.manifest import CAFacts, LedgerFacts, Manifest, Member, Part, decode_manifest
from nestor.errors import MaterialError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONTENT = {"data/ledger.db": b"rows" * 1000, "data/ca/key.pem": b"secret", "elsewhere/etc/nestor.toml": b""}


def manifest(files: dict[str, bytes], **changes: object) -> Manifest:
    members = tuple(
        Member(path=path, sha256=hashlib.sha256(content).hexdigest(), part=Part.CA if path[0] == "d" else None)
        for path, content in files.items()
    )
    return Manifest(
        version="0.1.0",
        made=NOON,
        data="/var/lib/nestor",
        ca=CAFacts(fingerprint="ab", subject="CN=Root", ends=NOON, key=True),
        ledger=LedgerFacts(certificates=1, revoked=0, newest_serial="a", newest_at=NOON),
        members=members,
    ).model_copy(update=changes)


def packed(place: Path, files: dict[str, bytes], listed: Manifest | None = None) -> bytes:
    found = {}
    for path, content in files.items():
        found[path] = place / path.replace("/", "_")
        found[path].write_bytes(content)
    return pack(listed or manifest(files), found)


def test_what_goes_in_comes_out_readable_by_its_owner_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    read = unpack(packed(tmp_path, CONTENT), out)
    assert read == manifest(CONTENT)
    for path, content in CONTENT.items():
        assert (out / path).read_bytes() == content
        assert (out / path).stat().st_mode & 0o777 == 0o600
    assert (out / "data" / "ca").stat().st_mode & 0o777 == 0o700


def test_any_tar_opens_it(tmp_path: Path) -> None:
    place = tmp_path / "archive.tar.gz"
    place.write_bytes(packed(tmp_path, CONTENT))
    listed = subprocess.run(("tar", "tzf", place), check=True, capture_output=True, text=True).stdout.split()
    assert listed == ["nestor-backup/manifest.json", *(f"nestor-backup/{path}" for path in CONTENT)]


def test_a_file_that_is_not_what_the_manifest_says_does_not_come_out(tmp_path: Path) -> None:
    lying = packed(tmp_path, {**CONTENT, "data/ca/key.pem": b"Secret"}, manifest(CONTENT))
    with pytest.raises(MaterialError, match=r"data/ca/key\.pem is not what"):
        unpack(lying, tmp_path / "out")


@pytest.mark.parametrize("listed", [{"data/ledger.db": b"rows" * 1000}, {**CONTENT, "data/more": b""}])
def test_a_manifest_that_lists_other_files_is_an_error(tmp_path: Path, listed: dict[str, bytes]) -> None:
    with pytest.raises(MaterialError, match="not those that its manifest lists"):
        unpack(packed(tmp_path, CONTENT, manifest(listed)), tmp_path / "out")


@pytest.mark.parametrize("path", ["ledger.db", "data/../../escaped", "/data/ledger.db"])
def test_a_file_outside_of_its_places_is_an_error(tmp_path: Path, path: str) -> None:
    with pytest.raises(MaterialError):
        unpack(packed(tmp_path, {path: b"x"}), tmp_path / "out" / "below")
    assert not (tmp_path / "out" / "escaped").exists()


def _linked(archive: tarfile.TarFile) -> None:
    link = tarfile.TarInfo("nestor-backup/data/ledger.db")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive.addfile(link)


def _bare(archive: tarfile.TarFile) -> None:
    archive.addfile(tarfile.TarInfo("nestor-backup/data/ledger.db"), io.BytesIO())


@pytest.mark.parametrize("fill", [_linked, _bare, lambda _: None])
def test_an_archive_of_somebody_else_is_an_error(tmp_path: Path, fill: Callable[[tarfile.TarFile], None]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        fill(archive)
    with pytest.raises(MaterialError, match="cannot be taken apart"):
        unpack(buffer.getvalue(), tmp_path / "out")


def test_an_archive_cut_off_anywhere_gives_nothing_or_everything(tmp_path: Path) -> None:
    whole, complete = packed(tmp_path, CONTENT), set()
    for length in (*range(0, len(whole), 23), len(whole) - 1):
        out = tmp_path / f"out-{length}"
        try:
            unpack(whole[:length], out)
        except MaterialError:
            continue
        complete.add(length)
        assert {path: (out / path).read_bytes() for path in CONTENT} == CONTENT
    assert min(complete, default=len(whole)) > len(whole) - 64  # what is behind the last file is of no weight


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="damaged"):
        unpack(b"hello", tmp_path / "hello")


@pytest.mark.parametrize(
    "content", [b"", b"{}", manifest({}).encode().replace(b'"format": 1', b'"format": 2'), b'{"format": 1, "new": 1}']
)
def test_a_manifest_that_is_not_understood_says_so(content: bytes) -> None:
    with pytest.raises(MaterialError, match="manifest") as caught:
        decode_manifest(content)
    assert "newer Nestor" in caught.value.hint
