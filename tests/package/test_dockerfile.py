"""The Dockerfiles keep what docs/deploy.md promises, on both kinds of machine alike."""

import re
from pathlib import Path

import pytest

from nestor import __version__
from support.manifests import ROOT

PLACE = ROOT / "modules" / "nestor"
AMD64, ARM64 = (PLACE / f"Dockerfile.{platform}" for platform in ("amd64", "arm64v8"))
_OWN = re.compile(r"^COPY (?!--from)(?P<files>.+) \S+$", re.MULTILINE)


def test_both_differ_in_their_base_alone() -> None:
    differing = [
        (one, other)
        for one, other in zip(*(path.read_text("utf-8").splitlines() for path in (AMD64, ARM64)), strict=True)
        if one != other
    ]
    assert differing == [
        ("ARG BASE=docker.io/library/python:3.13-slim-trixie", "ARG BASE=docker.io/arm64v8/python:3.13-slim-trixie")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "USER 13625:13625",
        "EXPOSE 8085/tcp 9600/tcp",
        "STOPSIGNAL SIGTERM",
        'ENTRYPOINT ["nestor"]',
        'CMD ["serve"]',
        f'      org.opencontainers.image.version="{__version__}" \\',
    ],
)
def test_it_says(line: str) -> None:
    assert line in AMD64.read_text("utf-8").splitlines()


def test_it_asks_nobody_for_another_builder() -> None:
    assert "syntax=" not in AMD64.read_text("utf-8").splitlines()[0]


def test_whatever_it_installs_is_known_by_hash_or_built_here() -> None:
    installs = re.findall(r"pip(?: --python \S+)? (?:install|wheel) .*", AMD64.read_text("utf-8"))
    assert len(installs) == 5
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []


def test_no_volume_is_made_that_nobody_asked_for() -> None:
    # An engine gives a declared volume a place without a name, and edgeAgent leaves it behind with the CA in it.
    assert "VOLUME" not in AMD64.read_text("utf-8")


def test_what_it_copies_is_there_and_reaches_the_builder() -> None:
    files = [Path(name) for copy in _OWN.finditer(AMD64.read_text("utf-8")) for name in copy["files"].split()]
    passed = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    assert files
    assert [name for name in files if not (ROOT / name).exists() or name.parts[0] not in passed] == []
