"""The dev container opens with what continuous integration has: the same packages, the commands of the Makefile."""

import json
import re
import subprocess
from typing import Any

from support.manifests import ROOT
from support.openssl import tool
from support.shell import clean_environment

PLACE = ROOT / ".devcontainer"
INSTALLS = r"grep -v '\^#' \S*packages\"?"


def container() -> dict[str, Any]:
    return dict(json.loads((PLACE / "devcontainer.json").read_text("utf-8")))


def test_it_is_built_from_the_root_of_the_repository() -> None:
    build = container()["build"]
    assert (PLACE / build["dockerfile"]).exists()
    assert (PLACE / build["context"]).resolve() == ROOT


def test_its_base_is_pinned_and_has_the_python_of_the_tests() -> None:
    base = re.search(r"^FROM (\S+)$", (PLACE / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert base
    assert re.search(r":1-3\.11-bookworm$", base[1])


def test_one_list_has_the_packages_of_both() -> None:
    places = (PLACE / "Dockerfile", ROOT / ".ci" / "run")
    assert [place.name for place in places if not re.search(INSTALLS, place.read_text("utf-8"))] == []
    packages = [line for line in (ROOT / ".ci" / "packages").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert len(set(packages)) == len(packages) > 0
    assert [name for name in packages if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)] == []


def test_what_it_runs_first_is_in_the_makefile() -> None:
    program, *targets = container()["postCreateCommand"].split()
    command = (tool(program), "--dry-run", "--always-make", *targets)
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True)
    assert "pip install" in done.stdout


def test_it_forwards_the_port_of_est() -> None:
    assert container()["forwardPorts"] == [8085]
