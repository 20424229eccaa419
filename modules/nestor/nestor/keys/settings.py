"""What the document says of how private keys are kept. No behavior: `file.py` and `sealed.py` keep them so."""

from enum import StrEnum

from nestor.document import Document, SecretReference, described


class Protection(StrEnum):
    """What guards the key of the CA on the disk."""

    FILE = "file"
    SEALED = "sealed"


class KeySettings(Document):
    """How Nestor's own private keys are kept."""

    protection: Protection = described(
        "What guards a new CA key. file: its mode, and the passphrase if one is set. "
        "sealed: the IoT Edge runtime of this device, which alone opens it.",
        Protection.FILE,
        strict=False,
    )
    recovery: SecretReference | None = described(
        "For sealed: where a passphrase is kept that opens the key as well, should the runtime's own key be lost. "
        "It is read when a key is sealed or recovered, and may be taken away between.",
        None,
        examples=["file:/run/secrets/nestor-recovery"],
    )
    passphrase: SecretReference | None = described(
        "Where the passphrase is kept that encrypts key files. Left out, a file is guarded by its mode 0600 alone.",
        None,
        examples=["env:NESTOR_CA_PASSPHRASE"],
    )
