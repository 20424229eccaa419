"""The files of a device below a directory, as the lines of `nestor device config` would leave them.

Whoever runs the test owns them, and the users of the services stand for that one, or for somebody else.
"""

import os
from pathlib import Path

from support.device import Identity
from support.pki import CA

CA_FILE = "var/aziot/certs/nestor-ca.pem"
CERTIFICATE = "var/aziot/certs/est-bootstrap.pem"
KEY = "var/aziot/secrets/est-bootstrap.key.pem"
OWNER = os.getuid()
STRANGER = OWNER + 4711
_BEGIN = b"-----BEGIN CERTIFICATE-----"


def tree(
    root: Path, authority: CA, identity: Identity | None = None, *, reader: int = OWNER, keeper: int = OWNER
) -> Path:
    """A device with the CA's certificate, and the pair of a bootstrap identity; the numbers are its two users."""
    put(root, CA_FILE, authority.pem())
    if identity is not None:
        key, begin, certificates = identity.pem.partition(_BEGIN)
        put(root, CERTIFICATE, begin + certificates)
        put(root, KEY, key, 0o600)
    users(root, reader, keeper)
    return root


def users(root: Path, reader: int, keeper: int) -> None:
    """The users of aziot-certd and aziot-keyd, each with a group of its number."""
    put(
        root,
        "etc/passwd",
        f"root:x:0:0::/:\naziotcs:x:{reader}:{reader}::/:\naziotks:x:{keeper}:{keeper}::/:\n".encode(),
    )
    put(root, "etc/group", b"aziotcs:x:7001:aziotks\nothers:x:7002:\n")


def put(root: Path, name: str, content: bytes, mode: int = 0o644) -> Path:
    """One file below folders that everybody may pass."""
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    for folder in (place.parent, *place.parent.parents):
        if folder.is_relative_to(root):
            folder.chmod(0o755)
    place.write_bytes(content)
    place.chmod(mode)
    return place
