"""Bytes sealed by the IoT Edge runtime of this host: a Sealer on the workload API's encrypt and decrypt.

The key is the host's and stays there; it is bound to this module and its generation. It dies when the module's identity
is made anew or the host's key store is emptied: what is sealed by it alone is then gone for good.
"""

import secrets
from collections.abc import Callable

from nestor.edge.workload import RuntimeRefusal, WorkloadAPI
from nestor.errors import MaterialError, Unavailable

_MARK = b"nestor-sealed-1\n"
"""What a sealed value begins with: kind and version. The vector follows it, then the ciphertext."""

_VECTOR = 12
"""Bytes of the initialization vector: what AES-256-GCM is made for."""


class RuntimeSealer:
    """Seals with the key that the host keeps for this module; `random` gives as many random bytes as asked for."""

    def __init__(self, workload: WorkloadAPI, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._workload = workload
        self._random = random

    async def seal(self, plaintext: bytes) -> bytes:
        """Bytes that tell nothing, under a vector that was never used before. Raises Unavailable."""
        vector = self._random(_VECTOR)
        return _MARK + vector + await self._workload.encrypt(plaintext, vector)

    async def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises MaterialError where the sealing key is gone, Unavailable where nobody answers."""
        if not sealed.startswith(_MARK) or len(sealed) <= len(_MARK) + _VECTOR:
            raise MaterialError(
                "This is not a value that Nestor sealed by the IoT Edge runtime, or one of a later version.",
                "Restore the file from a backup.",
            )
        vector, ciphertext = sealed[len(_MARK) :][:_VECTOR], sealed[len(_MARK) + _VECTOR :]
        try:
            return await self._workload.decrypt(ciphertext, vector)
        except RuntimeRefusal as refusal:
            await self._check_that_it_unseals_others(refusal)
            raise MaterialError(
                "The IoT Edge runtime cannot unseal this any more: the key that sealed it is gone.",
                "The module's identity was made anew, the host's key store was emptied, or the value is from another"
                " host: recover it by its recovery wrap.",
            ) from refusal

    async def _check_that_it_unseals_others(self, refusal: RuntimeRefusal) -> None:
        """Find out whether a refusal is about this value or about every one. Raises Unavailable for every one.

        The runtime has one status for a key that is gone and for a key store that does not answer.
        """
        vector, trial = self._random(_VECTOR), b"trial"
        try:
            whole = await self._workload.decrypt(await self._workload.encrypt(trial, vector), vector) == trial
        except RuntimeRefusal:
            whole = False
        if not whole:
            raise Unavailable("The IoT Edge runtime seals and unseals nothing at this time.", refusal.hint) from refusal
