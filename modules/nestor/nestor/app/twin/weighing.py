"""Whether a wish holds: its form, its secrets, its settings as a whole, and what the host lets it widen.

Cheap questions come first: nothing reads a document whose form is not that of a twin, no file is looked for before the
host has let the twin name it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestor.app.trial import try_settings
from nestor.app.twin.host import Host
from nestor.app.twin.places import open_places
from nestor.app.twin.rules import HOST_ONLY
from nestor.app.twin.widening import Widening, check_allowed, widenings
from nestor.errors import SettingsError
from nestor.settings import Settings
from nestor.twin.form import check_form
from nestor.twin.secrets import check_secrets


@dataclass(frozen=True, slots=True)
class Weighed:
    """A wish that holds: the settings it makes, and what it widens, all of which the host allows."""

    settings: Settings
    widenings: Sequence[Widening]


def weigh(host: Host, desired: Mapping[str, Any]) -> Weighed:
    """Weigh a desired document. Raises SettingsError, a line for every key that does not hold."""
    check_form(desired)
    check_secrets(desired)
    if HOST_ONLY in desired:
        raise SettingsError(
            f"{HOST_ONLY}: the twin cannot say what the twin may do; only the host can.", "Remove it (docs/twin.md)."
        )
    wanted = host.settings(desired)
    try_settings(wanted)
    own = host.settings()
    found = widenings(own, wanted, host.said(), open_places(host.data, own.twin))
    check_allowed(found, own.twin)
    return Weighed(wanted, found)
