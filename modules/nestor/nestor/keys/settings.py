"""What the document says of how private keys are kept. No behavior: `file.py` keeps them so."""

from nestor.document import Document, SecretReference, described


class KeySettings(Document):
    """How Nestor's own private keys are kept."""

    passphrase: SecretReference | None = described(
        "Where the passphrase is kept that encrypts key files. Left out, a file is guarded by its mode 0600 alone.",
        None,
        examples=["env:NESTOR_CA_PASSPHRASE"],
    )
