"""What a device is to be told, before it is written as a config.toml: frozen values, no behavior. Pure."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from nestor.device.moments import USUAL

CERTIFICATES = PurePosixPath("/var/aziot/certs")
KEYS = PurePosixPath("/var/aziot/secrets")
CA_FILE = CERTIFICATES / "nestor-ca.pem"
BOOTSTRAP_CERTIFICATE = CERTIFICATES / "est-bootstrap.pem"
BOOTSTRAP_KEY = KEYS / "est-bootstrap.key.pem"

ID_SCOPE = "<DPS-ID-SCOPE>"
PASSWORD = "<PASSWORD>"  # noqa: S105 -- stands for one
DEVICE_KEY = "<DEVICE-KEY>"


@dataclass(frozen=True, slots=True)
class Renewing:
    """When certificates renew, in the words of the runtime; percentages fit every lifetime."""

    threshold: str = USUAL["threshold"]
    retry: str = USUAL["retry"]
    rotate_key: bool = True


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the EST server."""

    user: str
    password: str = field(default=PASSWORD, repr=False)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A factory certificate and its key, as files on the device."""

    certificate: PurePosixPath = BOOTSTRAP_CERTIFICATE
    key: PurePosixPath = BOOTSTRAP_KEY


@dataclass(frozen=True, slots=True)
class DPS:
    """Provisioning by DPS."""

    id_scope: str = ID_SCOPE


@dataclass(frozen=True, slots=True)
class Hub:
    """Provisioning by hand, at one IoT Hub."""

    hostname: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One device on one EST server.

    `url` is for everything that has no URL of its own. `device_key` is the symmetric key by which IoT Hub or DPS knows
    the device, as base64; with one, its identity is no certificate from here.
    """

    device: str
    url: str
    provisioning: DPS | Hub = DPS()
    login: Login | None = None
    bootstrap: Bootstrap | None = None
    device_key: str | None = field(default=None, repr=False)
    edge_ca: bool = True
    identity_url: str | None = None
    edge_ca_url: str | None = None
    hostname: str | None = None
    parent_hostname: str | None = None
    ca_file: PurePosixPath | None = CA_FILE
    renewing: Renewing = Renewing()
