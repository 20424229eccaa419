"""Whether somebody is known here at all, by whatever gate: for what is told to those who may ask for certificates."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from nestor.access.gate import Gate
from nestor.errors import NestorError
from nestor.model import Combination, Credentials, Label

_ANYBODY = Label("layers", combination=Combination.EITHER)


async def check_known(gates: Sequence[Gate], credentials: Credentials) -> None:
    """Raise what the first gate says where none knows them, as a forwarder or as whoever asks for themselves.

    A password is tried once: all gates have the same users.
    """
    first, *others = gates
    try:
        await _check_known(first, credentials)
    except NestorError:
        for gate in others:
            with suppress(NestorError):
                await _check_known(gate, replace(credentials, user=None, password=None))
                return
        raise


async def _check_known(gate: Gate, credentials: Credentials) -> None:
    if not await gate.is_forwarder(credentials):
        await gate.identify(credentials, _ANYBODY)
