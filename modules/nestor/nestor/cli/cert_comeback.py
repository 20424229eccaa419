"""By what a device can come back whose certificates were revoked: the credentials that have let it in so far. Pure.

A revoked certificate lets nobody in. A password or a factory certificate that did so before still does, and only
whoever keeps it can take it away: here, or at the forwarder that verified it.
"""

from collections.abc import Iterable
from typing import Final

from nestor.model import Entry, Method

_OUTSIDE: Final = (Method.PASSWORD, Method.BOOTSTRAP)
"""What comes from outside the ledger, and is not revoked with what stands in it."""


def ways_back(entries: Iterable[Entry], device: str) -> list[str]:
    """A sentence for each credential that certificates of these devices were got by, each once, in their order."""
    return list(dict.fromkeys(_way_back(entry, device) for entry in entries if entry.method in _OUTSIDE))


def _way_back(entry: Entry, device: str) -> str:
    who = entry.requester
    if entry.method is Method.PASSWORD:
        came, end = f"the password of {who}", f"nestor user remove {who}"
    else:
        came, end = f"the factory certificate of {who}", "have its maker revoke it, and renew the list in crls"
    through = f" through {entry.forwarder}" if entry.forwarder else ""
    place = ", at the layer that let it in" if entry.forwarder else ""
    return f"{device} came by {came}{through}, and can come back by it. To end that{place}: {end}."
