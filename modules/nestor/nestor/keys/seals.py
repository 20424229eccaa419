"""What a sealer did for one reading or writing of a key file, asked beforehand: so that no reading waits for anybody.

    Keyring   asks the sealer, and remembers what it opened as long as the process lives
    Seals     what it knows at one moment: loads and saves key files, sealed or not, and asks nobody

Nothing that was opened is ever on a disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.errors import CannotIssue, MaterialError, NestorError, SettingsError, Unavailable
from nestor.keys.file import StoredKey, load_key, read_key_file, save_key
from nestor.keys.sealed import (
    SealedKey,
    Wrapping,
    is_sealed,
    lock,
    new_data_key,
    parse,
    unlock,
    unwrap_by_recovery,
    wrap_for_recovery,
    write_sealed,
)
from nestor.ports import Sealer

Passphrase = Callable[[], str]
"""Reads the recovery passphrase when it is needed; raises MaterialError."""

_AGAIN = "It is tried again every half minute."


@dataclass(frozen=True, slots=True)
class Seals:
    """How key files are loaded and saved at this moment.

    `opened` holds data keys by their sealed form, or what to raise. `fresh` is for a new sealed file: None where new
    keys are not sealed at all, and what to raise where it could not be had.
    """

    opened: Mapping[bytes, bytes | NestorError] = field(default_factory=dict, repr=False)
    fresh: Wrapping | NestorError | None = None

    def load(self, path: Path, passphrase: str | None) -> StoredKey:
        """Read a key file. Raises MaterialError for one that is no good, CannotIssue where nobody opens it now."""
        content, warnings = read_key_file(path)
        if not is_sealed(content):
            return load_key(path, passphrase)
        sealed = parse(content, path)
        return StoredKey(unlock(sealed, self._data_key(sealed, path), path), warnings, sealed=True)

    def check_new(self) -> None:
        """Raise what `save` would raise, before there is a key."""
        if isinstance(self.fresh, NestorError):
            raise self.fresh

    def save(self, path: Path, key: CertificateIssuerPrivateKeyTypes, passphrase: str | None) -> None:
        """Write a new key file. Raises MaterialError, SettingsError without a sealer, CannotIssue while it is away."""
        self.check_new()
        if not isinstance(self.fresh, Wrapping):
            save_key(path, key, passphrase)
        elif path.exists():
            raise MaterialError(f"The key file {path} is there already; a key is never overwritten.", "Move it away.")
        else:
            write_sealed(path, lock(key, self.fresh))

    def _data_key(self, sealed: SealedKey, path: Path) -> bytes:
        found = self.opened.get(sealed.sealed) or _not_asked(path)
        if isinstance(found, NestorError):
            raise found
        return found


class Keyring:
    """What a sealer has opened for this process; without a sealer, nothing."""

    def __init__(self, sealer: Sealer | None = None) -> None:
        self._sealer = sealer
        self._opened: dict[bytes, bytes] = {}
        self._proven: int | None = None

    async def seals(
        self, path: Path, *, within: float, new: Passphrase | None = None, spare: Passphrase | None = None
    ) -> Seals:
        """Everything that loading this file, or saving it anew, would have to ask for, had in so many seconds.

        `new` tells the recovery passphrase where a new key is to be sealed; `spare` where a file may be opened by it.
        Raises nothing: what could not be had is raised by whoever needs it.
        """
        fresh: Wrapping | NestorError | None = None
        if new is not None:
            try:
                fresh = await self.wrap(new(), within)
            except NestorError as error:
                fresh = error
        missing = await self._opening(path, within, spare)
        return Seals({**self._opened, **missing}, fresh)

    async def wrap(self, passphrase: str, within: float) -> Wrapping:
        """A new data key, sealed, and that seal tried.

        Raises SettingsError without a sealer, CannotIssue while it is away, MaterialError for a passphrase too short.
        """
        if self._sealer is None:
            raise SettingsError(
                "keys.protection: sealed needs the IoT Edge runtime, and it did not start this process.",
                "Write file, or let IoT Edge run Nestor.",
            )
        data_key = new_data_key()
        recovery = await asyncio.to_thread(wrap_for_recovery, data_key, passphrase)
        try:
            sealed = await _in_time(self._sealer.seal(data_key), within)
            if await _in_time(self._sealer.unseal(sealed), within) != data_key:
                raise MaterialError("What the IoT Edge runtime sealed does not open again.")
        except Unavailable as error:
            raise CannotIssue(f"The CA key cannot be sealed at this time: {error.sentence}", _AGAIN) from error
        self._opened[sealed] = data_key
        return Wrapping(data_key, sealed, recovery)

    async def recovers(self, path: Path, passphrase: str) -> bool:
        """Whether a recovery passphrase opens a file; one that is not sealed needs none. Raises nothing."""
        sealed = _sealed_key(path)
        asked = hash((sealed, passphrase))  # the passphrase itself is not kept
        if sealed is None or asked == self._proven:
            return True
        try:
            await asyncio.to_thread(unwrap_by_recovery, sealed, passphrase, path)
        except MaterialError:
            return False
        self._proven = asked
        return True

    async def _opening(
        self, path: Path, within: float, spare: Passphrase | None
    ) -> Mapping[bytes, bytes | NestorError]:
        """See that the data key of a sealed file is at hand; what else to open or to raise, by its sealed form."""
        sealed = _sealed_key(path)
        if sealed is None or sealed.sealed in self._opened:
            return {}
        try:
            self._opened[sealed.sealed] = await self._data_key(sealed, path, within)
        except NestorError as error:
            return {sealed.sealed: error if spare is None else await _spared(sealed, path, error, spare)}
        return {}

    async def _data_key(self, sealed: SealedKey, path: Path, within: float) -> bytes:
        """The data key, by the sealer. Raises CannotIssue."""
        if self._sealer is None:
            raise _not_asked(path)
        try:
            return await _in_time(self._sealer.unseal(sealed.sealed), within)
        except Unavailable as error:
            told = f"The CA key {path} is sealed, and nobody opens it at this time: {error.sentence}"
            raise CannotIssue(told, _AGAIN) from error
        except MaterialError as error:
            told = (
                f"The CA key {path} is sealed, and the key that sealed it is gone: the module was made anew, "
                "or keyd's keys were deleted."
            )
            remedy = "The same CA comes back by the recovery passphrase: nestor ca recover."
            raise CannotIssue(told, remedy) from error


async def _spared(sealed: SealedKey, path: Path, error: NestorError, spare: Passphrase) -> bytes | NestorError:
    """The data key by the recovery passphrase; where that does not help either, what to raise."""
    try:
        return await asyncio.to_thread(unwrap_by_recovery, sealed, spare(), path)
    except MaterialError as other:
        return CannotIssue(f"{error.sentence} {other.sentence}", other.hint or error.hint)


async def _in_time(answer: Awaitable[bytes], within: float) -> bytes:
    """What a sealer answers. Raises Unavailable where it takes too long."""
    try:
        async with asyncio.timeout(within):
            return await answer
    except TimeoutError:
        raise Unavailable("The IoT Edge runtime does not answer.") from None


async def recovered(path: Path, passphrase: str) -> Seals:
    """What loads a sealed file by the recovery passphrase alone. Raises MaterialError for another one."""
    content, _ = read_key_file(path)
    sealed = parse(content, path)
    return Seals({sealed.sealed: await asyncio.to_thread(unwrap_by_recovery, sealed, passphrase, path)})


def _sealed_key(path: Path) -> SealedKey | None:
    """What a file holds, where it is a sealed one; whatever is wrong with it, loading says so."""
    try:
        content, _ = read_key_file(path)
        return parse(content, path) if is_sealed(content) else None
    except MaterialError:
        return None


def _not_asked(path: Path) -> CannotIssue:
    return CannotIssue(
        f"The CA key {path} is sealed by the IoT Edge runtime, and that did not start this process.",
        "Run this in the module's container; or take the seal off, by the recovery passphrase: nestor ca unseal.",
    )
