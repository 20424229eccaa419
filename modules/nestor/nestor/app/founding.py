"""A CA made by hand, before the first start."""

from datetime import timedelta
from pathlib import Path

from nestor.app.authority import Source, make_ca, make_ca_below
from nestor.ca.issuer import Issuer
from nestor.ca.settings import CASource
from nestor.errors import SettingsError


def found_root(source: Source) -> Issuer:
    """Make a root that issues. Raises MaterialError where there is, or was, a CA; SettingsError."""
    _check(source)
    return make_ca(source)


def found_below(source: Source, offline_root: Path, subject: str, lifetime: timedelta) -> tuple[Issuer, Issuer]:
    """Make a root whose key is put aside, and the CA below it; answers both. Raises as `found_root` does."""
    _check(source)
    return make_ca_below(source, offline_root, subject, lifetime)


def _check(source: Source) -> None:
    if source.settings.ca.source is CASource.PARENT:
        raise SettingsError(
            "ca.source is parent: there is nothing to make.", "nestor serve enrolls it from its parent."
        )
    if source.settings.ca.source is not CASource.ROOT:
        hint = "nestor serve takes the CA that ca.certificate and ca.key name."
        raise SettingsError("ca.source is file: there is nothing to make.", hint)
