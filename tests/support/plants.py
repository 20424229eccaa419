"""Places where a server runs, for tests that need it as it is in the field: a user, a factory, gateways by name."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.device import Device, Identity
from support.process import Mortal
from support.shapes import est_identity
from support.signing import CLIENT, Signed, root

USER = ("line", "0815")
NOW = datetime.now(UTC)  # noqa: TID251 -- the servers live now
_YEARS = timedelta(days=3650)


class Tutorial(Mortal):
    """`nestor serve --tutorial`, as `make run` starts it."""

    def words(self) -> tuple[str, ...]:
        """The command line."""
        return (*self.program, "serve", "--tutorial", "--data", str(self.data), "--port", str(self.port))


@dataclass(frozen=True)
class Plant:
    """A server that knows a user, who may have everything, and the maker of the devices; gateways are named `gw-*`."""

    server: Mortal
    factory: Signed

    @property
    def line(self) -> Device:
        """Somebody with the user's password."""
        return self.server.device(user=USER)

    def factory_identity(self, device: str, days: int = 30) -> Identity:
        """What the factory put into a device."""
        made = self.factory.sign(device, extensions=(CLIENT,), end=NOW + timedelta(days=days))
        return Identity(made.certificate, made.key)

    def enrolled(self, name: str) -> Device:
        """A device that has its EST identity."""
        return self.server.device(identity=self.line.enrolled(est_identity(name)))


def plant(
    place: Path, listener: dict[str, Any] | None = None, keys: dict[str, Any] | None = None, **process: Any
) -> Plant:
    """A plant that is not started yet."""
    server = Mortal(place, {"access": access(), "listener": listener or {}, "keys": keys or {}}, **process)
    return Plant(server, furnish(server))


def access(**more: Any) -> dict[str, Any]:
    """Who may have what in a plant."""
    return {"gateways": "gw-*", "bootstrap": {"factory": {"anchors": "file:factory.pem"}}, **more}


def furnish(server: Mortal) -> Signed:
    """Give a server its user and its factory; the answer is the factory's CA."""
    factory = root("Factory", end=NOW + _YEARS)
    (server.data / "factory.pem").write_bytes(factory.pem)
    server.add_user(*USER, "*", profiles=("*",))
    return factory
