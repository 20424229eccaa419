"""Where a server is asked: the URL as it stands in a config.toml, read as aziot-certd reads it."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from nestor.errors import SettingsError
from nestor.est.menu import BASE, is_label
from nestor.model import Operation

_PORTS = {"https": 443, "http": 80}
_EXAMPLE = "Write the whole base: https://HOST:PORT/.well-known/est."


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
    parts = _split(text if "://" in text else f"https://{text}")
    if label is not None and not is_label(label):
        raise SettingsError(f"{label!r} cannot be a label.", "A label is one segment of a path (RFC 7030, 3.2.2).")
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


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- judges the port
    except ValueError:
        raise SettingsError(f"{text!r} is not a URL.", _EXAMPLE) from None
    if parts.username is not None or parts.password is not None:
        raise SettingsError("The URL carries a user or password, which logs and histories would keep.", _EXAMPLE)
    if parts.scheme not in _PORTS:
        raise SettingsError(f"EST is spoken over HTTPS, not {parts.scheme}.", _EXAMPLE)
    plain = text.isascii() and text.isprintable() and " " not in text
    if not parts.hostname or not plain or parts.query or parts.fragment:
        raise SettingsError(f"{text!r} is not the base URL of an EST server.", _EXAMPLE)
    return parts
