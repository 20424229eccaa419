"""A CA made by hand, before the first start. Its ledger comes first: a CA without one is taken for one that lost it."""

from datetime import timedelta
from pathlib import Path

from nestor.app.authority import Source, make_ca, make_ca_below
from nestor.app.directory import make_directory
from nestor.ca.home import CAHome
from nestor.ca.issuer import Issuer
from nestor.ca.settings import CASource
from nestor.errors import SettingsError
from nestor.ledger.opening import open_ledger


async def found_root(source: Source) -> Issuer:
    """Make a ledger, and a root that issues. Raises MaterialError where there is, or was, a CA; SettingsError."""
    await _make_ledger(source)
    return make_ca(source)


async def found_below(source: Source, offline_root: Path, subject: str, lifetime: timedelta) -> tuple[Issuer, Issuer]:
    """Make a ledger, a root whose key is put aside, and the CA below it; answers both. Raises as `found_root` does."""
    await _make_ledger(source)
    return make_ca_below(source, offline_root, subject, lifetime)


async def _make_ledger(source: Source) -> None:
    if source.settings.ca.source is not CASource.ROOT:
        hint = "nestor serve takes the CA that ca.certificate and ca.key name."
        raise SettingsError("ca.source is file: there is nothing to make.", hint)
    if CAHome(source.data).was_made:
        return  # making the CA will say so
    make_directory(source.data)
    await open_ledger(source.settings.ledger, source.data, create=True, clock=source.clock).close()
