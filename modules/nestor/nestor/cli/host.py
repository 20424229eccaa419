"""What a command asks of the IoT Edge runtime, where it runs in the module's container: to open a sealed CA key."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nestor.app.authority import Source
    from nestor.keys.seals import Keyring


def make_keyring() -> "Keyring":
    """The keyring of this process: by the runtime that started it, if one did. Raises SettingsError."""
    from nestor.app.edge_host import edge_host  # noqa: PLC0415 -- every room
    from nestor.edge.identity import read_identity  # noqa: PLC0415 -- only now
    from nestor.keys.seals import Keyring  # noqa: PLC0415 -- cryptography

    host = edge_host(read_identity())
    return Keyring(host.sealer if host else None)


def make_ready(source: "Source", *, spare: bool = False) -> "Source":
    """The same source, its CA key opened if it is sealed; with `spare`, by the recovery passphrase if need be."""
    from nestor.app.seals import PATIENT, ready  # noqa: PLC0415 -- every room

    return asyncio.run(ready(source, make_keyring(), within=PATIENT, spare=spare))
