"""`nestor ca import --libest`: what a person types and sees."""

import json
from pathlib import Path

from support.estca import est_ca
from support.shapes import est_identity
from support.shell import nestor

MATERIAL = 4


def test_an_import_says_what_it_took_and_what_to_do_next(tmp_path: Path) -> None:
    libest = est_ca(tmp_path / "libest", passphrase="of libest")
    libest.issue(est_identity("gw-1"))
    libest.issue(est_identity("old"), digest="sha1")
    words = ("ca", "import", "--libest", str(libest.folder), "--data", str(tmp_path / "data"), "--json")
    told = nestor(*words)
    assert (told.returncode, "is encrypted" in told.stderr) == (MATERIAL, True)
    secret = {"LIBEST_SECRET": "of libest"}
    done = nestor(*words, "--passphrase", "env:LIBEST_SECRET", "--onboarded-by", "bootstrap", environment=secret)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["CA"], said["certificates"]) == ("CN=estExampleCA", "1 estIdentity")
    assert said["leftOut"] == ["2 /CN=old: It is signed with SHA1, which TLS and Nestor refuse."]
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Left out: 2 /CN=old")
    assert lines[1].startswith("1. Users")
    listed = nestor("cert", "list", "--json", "--data", str(tmp_path / "data"))
    assert [row["askedForBy"] for row in json.loads(listed.stdout)] == ["libest"]
    shown = nestor("cert", "show", "1", "--json", "--data", str(tmp_path / "data"))
    assert json.loads(shown.stdout)["firstOnboardedBy"] == "bootstrap"


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    done = nestor("ca", "import", "--libest", str(tmp_path), "--data", str(tmp_path / "data"))
    assert (done.returncode, done.stderr.splitlines()[1]) == (
        MATERIAL,
        "hint: Name the estCA folder of a libest server.",
    )
