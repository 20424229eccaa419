"""A source that is ready: whatever the IoT Edge runtime has to be asked about its CA's key has been asked.

So that finding a CA asks nobody, a server starts and serves /cacerts whether the runtime answers or not.
"""

from dataclasses import replace

from nestor.app.authority import Source
from nestor.ca.home import CAHome
from nestor.ca.settings import CASource
from nestor.keys.seals import Keyring
from nestor.keys.settings import Protection

AT_ONCE = 2.0
"""Seconds that whoever is waited for waits for the runtime; it takes some hundredths of one."""

PATIENT = 10.0
"""Seconds for whoever nobody waits for."""


async def ready(source: Source, keyring: Keyring, *, within: float = AT_ONCE, spare: bool = False) -> Source:
    """The same source, able to find or make its CA; with `spare`, by the recovery passphrase where nothing else helps.

    Raises nothing: what could not be had is raised by whoever needs it.
    """
    seals = await keyring.seals(
        source.key_path,
        within=within,
        new=(lambda: source.recovery) if _makes_sealed(source) else None,
        spare=(lambda: source.recovery) if spare else None,
    )
    return replace(source, seals=seals)


def _makes_sealed(source: Source) -> bool:
    """Whether a CA may be made now whose key is to be sealed."""
    settings = source.settings
    wanted = settings.ca.source is CASource.ROOT and settings.keys.protection is Protection.SEALED
    return wanted and not CAHome(source.data).was_made
