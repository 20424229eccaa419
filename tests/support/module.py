"""A `nestor serve` that the runtime of IoT Edge has started: the stand-in's, with the real SDK between them.

What its host says is small: where it listens, and what its twin may do. All else comes by the twin.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nestor.access.passwords import hash_password
from nestor.document import merge
from standin.edge import Edge
from support.device import Device
from support.process import Mortal, wait_for

USER = ("line", "0815")
HOST = {"twin": {"may": "gateways", "names": "*"}}
DESIRED = {
    "access": {"users": {"line": {"passwordHash": hash_password(USER[1]), "names": "*"}}, "gateways": "gw-*"},
    "profiles": {"deviceIdentity": {"lifetime": "30d"}},
    "reporting": {"interval": "1s"},
}
"""A twin that makes it serve: a user who may have every name, gateways, and reports without delay."""


class Module(Mortal):
    """One module on one device. `host` goes over what every host here says."""

    def __init__(self, place: Path, edge: Edge, host: Mapping[str, Any] | None = None) -> None:
        operations = {"operations": {"addresses": edge.address}}
        super().__init__(place, merge(merge(HOST, operations), host or {}))
        self.edge = edge

    def environment(self) -> Mapping[str, str]:
        """What the runtime tells it."""
        return self.edge.environment()

    @property
    def line(self) -> Device:
        """Somebody with the password of the user in the twin."""
        return self.device(user=USER)

    def become_ready(self, desired: Mapping[str, Any] = DESIRED, seconds: float = 20) -> None:
        """Write a twin, and wait until its module serves by it."""
        version = self.edge.replace_desired(dict(desired))
        self.edge.wait_for_reported(
            lambda reported: all(acknowledged(reported, name, version) for name in desired), seconds
        )

    def wait_for_log(self, words: str, seconds: float = 15) -> None:
        """Wait until it says something."""
        wait_for(lambda: words in self.log(), seconds)


def acknowledged(reported: Mapping[str, Any], name: str, version: int, code: int = 200) -> bool:
    """Whether a desired property of that version was answered so."""
    answer = reported.get(name) or {}
    return (answer.get("ac"), answer.get("av")) == (code, version)
