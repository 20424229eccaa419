"""The image has what Nestor needs and nothing else, at the versions that the tests ran with, every file by its hash."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.manifests import ROOT

DEVELOPMENT = ROOT / "requirements.lock"
RUNNING = ROOT / "modules" / "nestor" / "requirements.lock"
BUILDING = ROOT / "modules" / "nestor" / "build.lock"
IOTEDGEDEV = ROOT / "tests" / "package" / "iotedgedev.lock"
LOCKS = (DEVELOPMENT, RUNNING, BUILDING, IOTEDGEDEV)
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; .*)? \\$", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    """The version of each distribution in a lock file."""
    return {canonicalize_name(pin["name"]): pin["version"] for pin in _PIN.finditer(lock.read_text("utf-8"))}


def closure(*wanted: str) -> set[str]:
    """Everything that some requirements need here, as the installed distributions tell it."""
    found: set[str] = set()
    ahead = [Requirement(line) for line in wanted]
    while ahead:
        one = ahead.pop()
        name = canonicalize_name(one.name)
        if (one.marker is None or one.marker.evaluate({"extra": ""})) and name not in found:
            found.add(name)
            ahead += [Requirement(line) for line in distribution(name).requires or ()]
    return found


def test_what_runs_has_the_versions_that_the_tests_ran_with() -> None:
    tested = pins(DEVELOPMENT)
    assert {name: tested.get(name) for name in pins(RUNNING)} == pins(RUNNING), "hint: make lock"


def test_what_builds_has_the_versions_of_development() -> None:
    tested, building = pins(DEVELOPMENT), pins(BUILDING)
    assert {name: version for name, version in building.items() if tested.get(name, version) != version} == {}


def test_what_runs_is_what_nestor_needs_and_nothing_else() -> None:
    needed = closure(*_PROJECT["project"]["dependencies"])
    assert needed <= set(pins(RUNNING))
    assert set(pins(RUNNING)) - needed <= {"colorama"}  # of Windows alone


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_its_hashes(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert len(re.findall(r"^\S+==", text, re.MULTILINE)) == len(pins(lock)) > 0
    for part in re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in part, part


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_lock_says_where_to_load_from(lock: Path) -> None:
    assert re.findall(r"^-|https?:|index-url", lock.read_text("utf-8"), re.MULTILINE) == []
