"""Whether somebody is known here at all, by whatever gate: for what is told to those who may ask for certificates."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from nestor.access.gate import Gate
from nestor.errors import NestorError
from nestor.model import Combination, Credentials, Label

_ANYBODY = Label("layers", combination=Combination.EITHER)


async def check_known(gates: Sequence[Gate], credentials: Credentials) -> None:
    """Raise what the first gate says where none knows them. A password is tried once: all gates have the same users."""
    first, *others = gates
    try:
        await first.recognize(credentials, _ANYBODY)
    except NestorError:
        for gate in others:
            with suppress(NestorError):
                await gate.recognize(replace(credentials, user=None, password=None), _ANYBODY)
                return
        raise
