"""The base URL of an EST server as people write it, taken apart; what is none is told, and secrets are kept out."""

from urllib.parse import SplitResult, urlsplit

from nestor.errors import SettingsError
from nestor.est.menu import is_label

_EXAMPLE = "Write https://HOST:PORT, or the whole base: https://HOST:PORT/.well-known/est."


def split_base(text: str, label: str | None, *, plain_http: bool = False) -> SplitResult:
    """Take `HOST`, `HOST:PORT` or a URL apart; HTTPS goes without saying (RFC 7030, 3.3). Raises SettingsError.

    The label is judged along. `plain_http` lets a URL without TLS pass, for those who say what is wrong with it.
    """
    parts = _split(text if "://" in text else f"https://{text}")
    if parts.username is not None or parts.password is not None:
        raise SettingsError("The URL carries a user or password, which logs and histories would keep.", _EXAMPLE)
    if parts.scheme != "https" and not (plain_http and parts.scheme == "http"):
        raise SettingsError(f"EST is spoken over HTTPS only, not {parts.scheme} (RFC 7030, 3.3).", _EXAMPLE)
    if not parts.hostname or not text.isprintable() or " " in text or parts.query or parts.fragment:
        raise SettingsError(f"{text!r} is not the base URL of an EST server.", _EXAMPLE)
    if label is not None and not is_label(label):
        raise SettingsError(f"{label!r} cannot be a label.", "A label is one segment of a path (RFC 7030, 3.2.2).")
    return parts


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 -- judges the port
    except ValueError:
        raise SettingsError(f"{text!r} is not a URL.", _EXAMPLE) from None
    return parts
