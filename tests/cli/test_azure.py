"""`nestor ca azure`, run by a shell: the `az` of these tests does what DPS does with a CA and its proof."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.openssl import tool
from support.shell import nestor

AZ = """#!{python}
import pathlib, subprocess, sys
place, words = pathlib.Path({place!r}), sys.argv[1:]
options = {{name: value for name, value in zip(words, words[1:]) if name.startswith("--")}}
verb = words[3] if words[:3] == ["iot", {kind!r}, "certificate"] else " ".join(words[1:4])
with (place / "asked").open("a") as asked:
    print(verb, options.get("--dps-name") or options.get("--hub-name"), options["--resource-group"], file=asked)
tags = place / "etag"
def change(): tags.write_text(str(int(tags.read_text() if tags.exists() else 0) + 1))
if "--etag" in options and options["--etag"] != tags.read_text():
    sys.exit("precondition failed")
if verb == "create":
    (place / "known.pem").write_bytes(pathlib.Path(options["--path"]).read_bytes()); change()
elif verb == "show":
    print(tags.read_text())
elif verb == "generate-verification-code":
    change(); print("C0DE42")
elif verb == "verify":
    chain = ["-partial_chain", "-CAfile", str(place / "known.pem"), options["--path"]]
    subprocess.run([{openssl!r}, "verify", *chain], check=True)
    named = [{openssl!r}, "x509", "-noout", "-subject", "-nameopt", "multiline", "-in", options["--path"]]
    assert "= C0DE42" in subprocess.run(named, check=True, capture_output=True, text=True).stdout
    (place / "verified").touch()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "it's data"


def _run(script: str, place: Path, kind: str) -> list[str]:
    """Run the lines as they are pasted, and tell what was asked of Azure."""
    tools = place / "bin"
    tools.mkdir()
    az = AZ.format(python=sys.executable, place=str(place), kind=kind, openssl=tool("openssl"))
    for name, content in (("az", az), ("nestor", f'#!/bin/sh\nexec "{sys.executable}" -m nestor "$@"\n')):
        (tools / name).write_text(content)
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}  # noqa: TID251 -- the shell's own
    shell = ["/bin/sh", "-e"]
    done = subprocess.run(shell, input=script, capture_output=True, text=True, check=False, cwd=place, env=environment)
    assert done.returncode == 0, done.stderr
    assert (place / "verified").exists()
    return (place / "asked").read_text().splitlines()


def test_the_lines_make_a_ca_known_to_dps_and_let_its_devices_in(data: Path, tmp_path: Path) -> None:
    nestor("ca", "init", "--data", str(data))
    words = ("--dps", "plant-dps", "--resource-group", "rg 1", "--group", "plant3", "--data", str(data))
    asked = _run(nestor("ca", "azure", *words).stdout, tmp_path, "dps")
    verbs = ["create", "show", "generate-verification-code", "show", "verify", "dps enrollment-group create"]
    assert asked == [f"{verb} plant-dps rg 1" for verb in verbs]


@pytest.mark.parametrize("root", [False, True])
def test_a_ca_below_an_offline_root_is_made_known_or_the_root(data: Path, tmp_path: Path, root: bool) -> None:
    away = tmp_path / "usb stick"
    nestor("ca", "init", "--offline-root", str(away), "--data", str(data))
    more = ("--offline-root", str(away)) if root else ()
    words = ("--hub", "plant-hub", "-g", "rg", "--name", "plant 3", "--data", str(data), *more)
    _run(nestor("ca", "azure", *words).stdout, tmp_path, "hub")
    exported = nestor("ca", "export", "--root" if root else "--issuer", "--data", str(data)).stdout
    assert (tmp_path / "known.pem").read_text() == exported


def test_a_proof_is_in_the_ledger(data: Path) -> None:
    nestor("ca", "init", "--data", str(data))
    assert nestor("ca", "prove", "C0DE42", "--data", str(data)).returncode == 0
    assert "proofOfPossession" in nestor("cert", "list", "--data", str(data)).stdout


def test_what_cannot_be_proved_is_told(data: Path, tmp_path: Path) -> None:
    nestor("ca", "init", "--data", str(data))
    assert "verification code" in nestor("ca", "prove", "two words", "--data", str(data)).stderr
    lost = nestor("ca", "prove", "C0DE42", "--offline-root", str(tmp_path), "--data", str(data))
    assert (lost.returncode, "ca init --offline-root" in lost.stderr) == (4, True)
    (data / "ledger.db").unlink()
    unrecorded = nestor("ca", "prove", "C0DE42", "--data", str(data))
    assert (unrecorded.returncode, unrecorded.stdout) == (4, "")


@pytest.mark.parametrize("words", [(), ("--dps", "a", "--hub", "b"), ("--hub", "b", "--group", "c")])
def test_one_service_is_meant(words: tuple[str, ...]) -> None:
    assert nestor("ca", "azure", "-g", "rg", *words).returncode == 2
