"""Where an EST server is asked: a base URL as people write it becomes the one that operations are appended to."""

from dataclasses import dataclass

from nestor.est.address import split_base
from nestor.est.menu import BASE
from nestor.model import Operation


@dataclass(frozen=True, slots=True)
class Address:
    """The base URL of an EST server, without a slash at its end; `server` names it in sentences."""

    base: str
    server: str

    def url(self, operation: Operation) -> str:
        """Where an operation is asked for (RFC 7030, 3.2.2)."""
        return f"{self.base}/{operation}"

    def beside(self, path: str) -> str:
        """Where the same server has what is none of EST."""
        return f"https://{self.server}{path}"


def parse_address(text: str, label: str | None = None) -> Address:
    """Read `HOST`, `HOST:PORT`, `https://HOST:PORT` or a whole base URL, and append the label.

    A path is taken as it stands, as aziot-certd does; without one, it is RFC 7030's. Raises SettingsError.
    """
    parts = split_base(text, label)
    path = parts.path.rstrip("/") or BASE
    base = f"https://{parts.netloc}{path}"
    return Address(base if label is None else f"{base}/{label}", parts.netloc)
