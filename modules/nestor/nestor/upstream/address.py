"""Where an EST server is asked: a base URL as people write it becomes the one that operations are appended to."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from nestor.errors import SettingsError
from nestor.est.menu import BASE, is_label
from nestor.model import Operation

_EXAMPLE = "Write https://HOST:PORT, or the whole base: https://HOST:PORT/.well-known/est."


@dataclass(frozen=True, slots=True)
class Address:
    """The base URL of an EST server, without a slash at its end; `server` names it in sentences."""

    base: str
    server: str

    def url(self, operation: Operation) -> str:
        """Where an operation is asked for (RFC 7030, 3.2.2)."""
        return f"{self.base}/{operation}"


def parse_address(text: str, label: str | None = None) -> Address:
    """Read `HOST`, `HOST:PORT`, `https://HOST:PORT` or a whole base URL, and append the label.

    A path is taken as it stands, as aziot-certd does; without one, it is RFC 7030's. Raises SettingsError.
    """
    parts = _split(text if "://" in text else f"https://{text}")
    if label is not None and not is_label(label):
        raise SettingsError(f"{label!r} cannot be a label.", "A label is one segment of a path (RFC 7030, 3.2.2).")
    path = parts.path.rstrip("/") or BASE
    base = f"https://{parts.netloc}{path}"
    return Address(base if label is None else f"{base}/{label}", parts.netloc)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- judges the port
    except ValueError:
        raise SettingsError(f"{text!r} is not a URL.", _EXAMPLE) from None
    if parts.username is not None or parts.password is not None:
        raise SettingsError("The URL carries a user or password, which logs and histories would keep.", _EXAMPLE)
    if parts.scheme != "https":
        raise SettingsError(f"EST is spoken over HTTPS only, not {parts.scheme} (RFC 7030, 3.3).", _EXAMPLE)
    if not parts.hostname or not text.isprintable() or " " in text or parts.query or parts.fragment:
        raise SettingsError(f"{text!r} is not the base URL of an EST server.", _EXAMPLE)
    return parts
