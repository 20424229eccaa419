"""Which keys of the settings do not follow a change at once, but count from the next start on. Pure."""

from collections.abc import Sequence

from nestor.settings import Settings


def late(started: Settings, settings: Settings) -> Sequence[str]:
    """The paths of those that differ from what the process was started with."""
    then, now = started.listener, settings.listener
    paths = [f"listener.{key}" for key in ("addresses", "port", "limits") if getattr(then, key) != getattr(now, key)]
    if started.proxy.port != settings.proxy.port:
        paths.append("proxy.port")
    if started.proxy.passthrough.port != settings.proxy.passthrough.port:
        paths.append("proxy.passthrough.port")
    return [*paths, *(["ledger"] if started.ledger != settings.ledger else [])]
