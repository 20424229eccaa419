"""A look at a tree of files: what is there, whose it is, and who reads files on a device."""

import os
import stat
from pathlib import Path

from nestor.device.files import find_users, look, step_of
from nestor.device.places import Place, Use
from support.pki import authority
from support.trees import CA_FILE, OWNER, put, tree, users

PLACE = Place("cert_issuance.est.trusted_certs[1]", f"/{CA_FILE}", Use.TRUST)


def test_a_file_is_seen_with_every_step_to_it(tmp_path: Path) -> None:
    root = authority()
    (seen,) = look([PLACE], tree(tmp_path, root)).files
    assert [step.path for step in seen.steps] == ["/", "/var", "/var/aziot", "/var/aziot/certs", f"/{CA_FILE}"]
    assert seen.is_there
    assert seen.content == root.pem()
    assert (seen.steps[-1].uid, stat.S_IMODE(seen.steps[-1].mode)) == (OWNER, 0o644)


def test_a_file_that_is_missing_is_seen_as_far_as_there_is_a_way(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (seen,) = look([PLACE], tmp_path).files
    assert [step.path for step in seen.steps] == ["/", "/var"]
    assert not seen.is_there
    assert "No such file" in seen.trouble


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    place = put(tmp_path, CA_FILE, b"")
    place.unlink()
    os.mkfifo(place)
    (seen,) = look([PLACE], tmp_path).files
    assert seen.content == b""


def test_users_are_those_of_the_tree(tmp_path: Path) -> None:
    users(tmp_path, 7003, 7004)
    found = find_users(tmp_path)
    assert (found["aziotcs"].uid, found["aziotcs"].groups) == (7003, frozenset({7003}))
    assert (found["aziotks"].uid, found["aziotks"].groups) == (7004, frozenset({7004, 7001}))


def test_a_tree_without_users_has_none(tmp_path: Path) -> None:
    assert find_users(tmp_path) == {}
    put(tmp_path, "etc/passwd", b"aziotcs:x\nroot:x:0:0::/:\naziotks:x:many:1::\n")
    assert find_users(tmp_path) == {}


def test_what_was_seen_never_shows_content(tmp_path: Path) -> None:
    put(tmp_path, CA_FILE, b"-----BEGIN PRIVATE KEY-----\nMII\n")
    assert "PRIVATE" not in repr(look([PLACE], tmp_path))


def test_content_is_found_by_its_path(tmp_path: Path) -> None:
    disk = look([PLACE], tree(tmp_path, authority()))
    assert disk.content_of(f"/{CA_FILE}")
    assert disk.content_of("/elsewhere") is None


def test_a_step_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert step_of(tmp_path / "x") is None
