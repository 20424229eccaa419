"""A source that is ready: whatever the IoT Edge runtime has to be asked about its CA's key has been asked.

So that finding a CA asks nobody, a server starts and serves /cacerts whether the runtime answers or not.
"""

from dataclasses import replace

from nestor.app.authority import Source
from nestor.ca.home import CAHome
from nestor.ca.settings import CASource
from nestor.errors import MaterialError
from nestor.events import Trouble
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


async def check_recovery(source: Source, keyring: Keyring) -> None:
    """Tell where the recovery passphrase, if it is at hand, would not bring the CA back."""
    try:
        passphrase = source.recovery
    except MaterialError:
        return  # it may be kept anywhere until it is needed
    if not await keyring.recovers(source.key_path, passphrase):
        told = f"keys.recovery does not open the sealed CA key {source.key_path}: nestor ca seal seals it anew for it"
        source.sink(Trouble("recovery", told))


def _makes_sealed(source: Source) -> bool:
    """Whether a CA may be made now whose key is to be sealed."""
    settings = source.settings
    wanted = settings.ca.source is CASource.ROOT and settings.keys.protection is Protection.SEALED
    return wanted and not CAHome(source.data).was_made
