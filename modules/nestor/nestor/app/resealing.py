"""What guards the key of a CA, changed by its operator: sealed, recovered, or in a plain file again. The CA stays.

The new key file takes the place of the old one whole, and only once its key is known to be that of the CA. A server
that runs takes it up within half a minute.
"""

from dataclasses import replace

from nestor.app.authority import Source, existing_issuer
from nestor.app.seals import PATIENT, ready
from nestor.ca.issuer import Issuer
from nestor.errors import MaterialError
from nestor.keys.file import read_key_file, replace_key
from nestor.keys.sealed import check_recovery, is_sealed, lock, write_sealed
from nestor.keys.seals import Keyring, recovered


async def seal_ca(source: Source, keyring: Keyring, passphrase: str) -> Issuer:
    """Seal the key, or seal it anew, so that this passphrase recovers it from now on.

    Raises MaterialError, or CannotIssue where the runtime opens or seals nothing.
    """
    check_recovery(passphrase)
    issuer = existing_issuer(await ready(source, keyring, within=PATIENT))
    return await _sealed(source, keyring, issuer, passphrase)


async def recover_ca(source: Source, keyring: Keyring, passphrase: str) -> Issuer:
    """Open the key by the recovery passphrase, and seal it anew for the runtime of this host. Raises as `seal_ca`."""
    if not is_sealed_ca(source):
        raise MaterialError(
            f"The CA key {source.key_path} is not sealed: there is nothing to recover.", "nestor ca show"
        )
    return await _sealed(source, keyring, await _recovered(source, passphrase), passphrase)


async def unseal_ca(source: Source, keyring: Keyring, passphrase: str | None) -> Issuer:
    """Keep the key in a plain file, or in one under keys.passphrase; opened by the passphrase, if there is one.

    Raises MaterialError, or CannotIssue where nobody opens it.
    """
    if not is_sealed_ca(source):
        raise MaterialError(f"The CA key {source.key_path} is not sealed.", "Nothing is left to do.")
    if passphrase is None:
        issuer = existing_issuer(await ready(source, keyring, within=PATIENT))
    else:
        issuer = await _recovered(source, passphrase)
    replace_key(source.key_path, issuer.key, source.passphrase)
    return issuer


def is_sealed_ca(source: Source) -> bool:
    """Whether the key of the CA is sealed. Raises MaterialError where there is none."""
    content, _ = read_key_file(source.key_path)
    return is_sealed(content)


async def _recovered(source: Source, passphrase: str) -> Issuer:
    """The CA, its key opened by the recovery passphrase alone. Raises MaterialError."""
    return existing_issuer(replace(source, seals=await recovered(source.key_path, passphrase)))


async def _sealed(source: Source, keyring: Keyring, issuer: Issuer, passphrase: str) -> Issuer:
    write_sealed(source.key_path, lock(issuer.key, await keyring.wrap(passphrase, PATIENT)))
    return issuer
