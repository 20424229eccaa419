"""Where a server is asked: the URL as it stands in a config.toml, read as aziot-certd reads it."""

from dataclasses import dataclass

from nestor.errors import SettingsError
from nestor.est.address import split_base
from nestor.est.menu import BASE
from nestor.model import Operation

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """The base URL of an EST server, taken apart. `base` is its path, without a slash at the end.

    `server` names it in sentences and in the Host header; `completed` tells that the URL had no path of its own.
    """

    secure: bool
    host: str
    port: int
    server: str
    base: str
    label: str | None = None
    completed: bool = False

    def path(self, operation: Operation) -> str:
        """Where an operation is asked for; a label stands between base and operation (RFC 7030, 3.2.2)."""
        return "/".join(part for part in (self.base, self.label, operation.value) if part is not None)

    @property
    def url(self) -> str:
        """The whole base with its label, as a config.toml must name it."""
        below = "" if self.label is None else f"/{self.label}"
        return f"http{'s' * self.secure}://{self.server}{self.base}{below}"


def read_address(text: str, label: str | None = None) -> Address:
    """Read `HOST`, `HOST:PORT`, or a URL; a path is taken as it stands, as aziot-certd does. Raises SettingsError."""
    parts = split_base(text, label, plain_http=True)
    if not text.isascii():
        raise SettingsError(f"{text!r} is not ASCII, as URLs are.", "Escape the path; write the host as xn--...")
    path = parts.path.rstrip("/")
    return Address(
        secure=parts.scheme == "https",
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        server=parts.netloc,
        base=path or BASE,
        label=label,
        completed=not path,
    )
