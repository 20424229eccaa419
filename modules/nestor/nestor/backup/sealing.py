"""The seal of a backup: the age format with a passphrase (scrypt), so that other tools open it too: `age -d FILE`.

The library works in memory; what a ledger of a hundred thousand certificates takes is written in
docs/backup-and-restore.md.
"""

from nestor.errors import MaterialError

SHORTEST = 12
"""Characters of the shortest passphrase: whoever finds the file may guess for years."""


def check_passphrase(passphrase: str) -> str:
    """The passphrase, if it is long enough to guard a CA key. Raises MaterialError."""
    if len(passphrase) < SHORTEST:
        raise MaterialError(
            f"The passphrase has {len(passphrase)} characters; a backup holds the CA key, so it needs {SHORTEST}.",
            "Make one: openssl rand -base64 24.",
        )
    return passphrase


def seal(content: bytes, passphrase: str) -> bytes:
    """Encrypt; takes about a second for the passphrase alone, on purpose."""
    from pyrage import passphrase as age  # noqa: PLC0415 -- only who makes or opens backups needs it

    return age.encrypt(content, passphrase)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt. Raises MaterialError for another passphrase, and for a file that is damaged, or no backup."""
    from pyrage import DecryptError  # noqa: PLC0415 -- only who makes or opens backups needs it
    from pyrage import passphrase as age  # noqa: PLC0415 -- the same

    try:
        return age.decrypt(sealed, passphrase)
    except DecryptError:
        raise MaterialError(
            "The backup does not open with this passphrase, or it is damaged.",
            "Check the passphrase; compare the size of the file with that of another copy.",
        ) from None
