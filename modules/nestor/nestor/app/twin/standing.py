"""The settings that a module serves by, for the commands that run beside it: the last good wish counts for them too."""

from nestor.app.twin.host import Host
from nestor.app.twin.store import load
from nestor.app.twin.weighing import weigh
from nestor.settings import Settings


def standing_settings(host: Host) -> Settings:
    """The host's settings, and the last good wish over them. Raises SettingsError, or MaterialError as for any file."""
    kept = load(host.data)
    return host.settings() if kept is None else weigh(host, kept.document).settings
