"""The settings of Microsoft's tutorial "Configure Enrollment over Secure Transport Server for Azure IoT Edge".

A drop-in for the test server that the tutorial builds: same port, same lifetimes, same user. For a desk, never for a
plant: its password is published, and whoever knows it may enroll every name, Edge CAs included.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nestor.access.passwords import hash_password, verify_password
from nestor.app.directory import make_directory
from nestor.ca.home import CAHome
from nestor.errors import MaterialError
from nestor.naming import fold
from nestor.settings import Settings

USER = "estuser"
PASSWORD = "estpwd"  # noqa: S105 -- published in Microsoft's tutorial
HASH_FILE = "tutorial-user.hash"

_KINDS = ("deviceIdentity", "estIdentity", "edgeCa", "server")


def tutorial_document(hostnames: Sequence[str]) -> dict[str, Any]:
    """The document that `--tutorial` stands for; a configuration file is laid over it."""
    # The Edge CA of this very machine signs certificates for the machine's own name, so it must not be excluded here.
    edge_ca = {"lifetime": "1d", "jitter": "0%", "excludeServerNames": False}
    return {
        "listener": {"port": 8085, "hostnames": ", ".join(hostnames), "serverCertificate": {"lifetime": "10y"}},
        "ca": {"subject": "CN=Nestor Tutorial Root CA", "lifetime": "20y"},
        "profiles": {kind: {"lifetime": "1d", "jitter": "0%"} for kind in _KINDS} | {"edgeCa": edge_ca},
        "access": {
            "users": {USER: {"passwordHash": f"file:{HASH_FILE}", "names": "*", "profiles": "*"}},
            "gateways": "*",
        },
    }


def prepare_tutorial(data_dir: Path) -> None:
    """Write the hash of the published password, unless somebody put another one there.

    Raises MaterialError, also for a directory whose CA is not the tutorial's.
    """
    place = data_dir / HASH_FILE
    if CAHome(data_dir).was_made and not place.exists():
        raise MaterialError(
            f"{data_dir} holds a CA that is not the tutorial's; its password would open it to everybody.",
            "Use another directory: --data.",
        )
    make_directory(data_dir)
    try:
        if not place.exists():
            place.write_text(hash_password(PASSWORD) + "\n", "utf-8")
            place.chmod(0o600)
    except OSError as error:
        raise MaterialError(f"{place} cannot be written: {error.strerror}.", "Check space and mode.") from error


def published_login(settings: Settings, data_dir: Path) -> tuple[str, str] | None:
    """The tutorial's user and password; None where somebody changed them. Raises MaterialError."""
    user = settings.access.users.get(USER)
    if user is None or not verify_password(user.password_hash.read_text(data_dir), PASSWORD):
        return None
    return USER, PASSWORD


def is_tutorial_user(name: str, data_dir: Path) -> bool:
    """Whether a name is that of the user whom `--tutorial` adds to the settings of this data directory."""
    return fold(name) == USER and (data_dir / HASH_FILE).exists()
