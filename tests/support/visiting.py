"""`nestor doctor` at a server, and what it found there, told apart by gravity."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.foreign import PASSWORD, USER, Foreign
from support.shell import nestor, nestor_here

_PASSWORD = {"NESTOR_EST_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Visited:
    """How a visit ended: the exit code, and all findings but the verdict."""

    code: int
    findings: Sequence[dict[str, str]]
    verdict: str

    def of(self, gravity: str, about: str = "") -> list[str]:
        """The sentences of a gravity, about one thing or about all."""
        told = [finding for finding in self.findings if about in {"", finding["about"]}]
        return [finding["sentence"] for finding in told if finding["gravity"] == gravity]

    @property
    def problems(self) -> list[str]:
        return self.of("problem")

    @property
    def warnings(self) -> list[str]:
        return self.of("warning")

    @property
    def fine(self) -> list[str]:
        return self.of("fine")

    @property
    def problem(self) -> str:
        """The one problem that there is; its remedy behind it."""
        ((sentence, remedy),) = [
            (finding["sentence"], finding["remedy"]) for finding in self.findings if finding["gravity"] == "problem"
        ]
        return f"{sentence} {remedy}"


def visit(*words: str | Path, process: bool = False, **more: Any) -> Visited:
    """Run the doctor, in a process of its own where told so."""
    told = [*map(str, words), "--json"]
    done = nestor("doctor", *told, **more) if process else nestor_here("doctor", *told, **more)
    assert done.stdout, done.stderr
    return visited(done.returncode, done.stdout)


def visit_foreign(server: Foreign, *words: str | Path, enroll: bool = True, **more: Any) -> Visited:
    """Visit somebody else's server as a device that has its user's password."""
    device = ("--enroll", "--name", "pump-1") if enroll else ()
    login = ("--user", USER)
    return visit(server.base, "--cacert", server.anchor, *login, *device, *words, environment=_PASSWORD, **more)


def visited(code: int, output: str) -> Visited:
    """What a visit told in JSON."""
    *findings, verdict = json.loads(output)
    assert verdict["about"] == "verdict"
    return Visited(code, findings, verdict["sentence"])
