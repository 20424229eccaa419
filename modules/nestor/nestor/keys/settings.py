"""What the document says of how private keys are kept. No behavior: `file.py` keeps them so."""

from enum import StrEnum

from nestor.document import Document, SecretReference, described


class KeyStore(StrEnum):
    """The places where a private key can live."""

    FILE = "file"


class KeySettings(Document):
    """How Nestor's own private keys are kept."""

    kind: KeyStore = described("Where private keys live: file.", KeyStore.FILE, strict=False)
    passphrase: SecretReference | None = described(
        "Where the passphrase is kept that encrypts key files. Left out, a file is guarded by its mode 0600 alone.",
        None,
    )
