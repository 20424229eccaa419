"""The options of `nestor device config`, and the parts of a plan that they come to."""

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.errors import SettingsError

if TYPE_CHECKING:
    from nestor.device.plan import DPS, Bootstrap, Hub, Login, Renewing


class Way(StrEnum):
    """How a device authenticates to this server."""

    PASSWORD = "password"  # noqa: S105 -- a word of the command line
    BOOTSTRAP = "bootstrap"
    BOTH = "both"


class Identity(StrEnum):
    """What a device shows to IoT Hub and DPS."""

    EST = "est"
    KEY = "key"


_PATH = "Where that is on the device; by default below /var/aziot."
NameArgument = Annotated[str, typer.Argument(help="The device: its registration id in DPS, or its id in IoT Hub.")]
AuthOption = Annotated[Way, typer.Option("--auth", help="How it authenticates to this server.")]
UserOption = Annotated[str | None, typer.Option("--user", help="The user; by default named as the device.")]
PasswordOption = Annotated[
    str | None,
    typer.Option("--password-from", help="Where its password is: env:NAME or file:PATH. Left out, a placeholder."),
]
BootstrapCertOption = Annotated[str | None, typer.Option("--bootstrap-cert", help=_PATH)]
BootstrapKeyOption = Annotated[str | None, typer.Option("--bootstrap-key", help=_PATH)]
IdScopeOption = Annotated[str | None, typer.Option("--id-scope", help="Provision by the DPS of this id scope.")]
HubOption = Annotated[str | None, typer.Option("--iothub-hostname", help="Provision by hand, at this IoT Hub.")]
IdentityOption = Annotated[
    Identity,
    typer.Option("--identity", help="est: the device identity comes from here. key: Azure knows the device by a key."),
]
DeviceKeyOption = Annotated[
    str | None,
    typer.Option("--device-key-from", help="With --identity key, where that key is: env:NAME or file:PATH."),
]
EdgeCAOption = Annotated[bool, typer.Option("--edge-ca/--no-edge-ca", help="Whether its Edge CA comes from here.")]
HostnameOption = Annotated[str | None, typer.Option("--hostname", help="The name under which others reach it.")]
ParentOption = Annotated[str | None, typer.Option("--parent-hostname", help="The device of the layer above.")]
ThresholdOption = Annotated[str | None, typer.Option("--threshold", help="When to renew: 80%, or 7day before the end.")]
RetryOption = Annotated[str | None, typer.Option("--retry", help="How long to wait after a failure: 4%, 10min.")]
RotateOption = Annotated[bool, typer.Option("--rotate-key/--keep-key", help="A new key at each renewal.")]
LabelOption = Annotated[str | None, typer.Option("--label", help="The label of this server to ask.")]
IdentityLabelOption = Annotated[
    str | None, typer.Option("--identity-label", help="Another one for the device identity.")
]
EdgeCALabelOption = Annotated[str | None, typer.Option("--edge-ca-label", help="Another one for the Edge CA.")]


def url_below(url: str, label: str | None) -> str:
    """The URL of a label."""
    return url if label is None else f"{url.rstrip('/')}/{label}"


def provisioning_of(id_scope: str | None, iothub_hostname: str | None) -> "DPS | Hub":
    """How the device becomes known to IoT Hub. Raises SettingsError for two ways at once."""
    from nestor.device.plan import DPS, Hub  # noqa: PLC0415 -- pydantic

    if iothub_hostname is None:
        return DPS() if id_scope is None else DPS(id_scope)
    if id_scope is not None:
        raise SettingsError("--id-scope and --iothub-hostname are two ways of provisioning.", "Give one of them.")
    return Hub(iothub_hostname)


def login_of(auth: Way, name: str, user: str | None, password_from: str | None, *, tutorial: bool) -> "Login | None":
    """The user; the tutorial's, whose password is published, where nobody names another."""
    from nestor.app.tutorial import PASSWORD, USER  # noqa: PLC0415 -- argon2
    from nestor.device.plan import Login  # noqa: PLC0415 -- pydantic

    if auth is Way.BOOTSTRAP:
        return None
    if password_from is not None:
        return Login(user or name, _secret("--password-from", password_from))
    return Login(USER, PASSWORD) if tutorial and user is None else Login(user or name)


def bootstrap_of(auth: Way, certificate: str | None, key: str | None) -> "Bootstrap | None":
    """The factory certificate and its key. Raises SettingsError for what is no place on a device."""
    from nestor.device.plan import BOOTSTRAP_CERTIFICATE, BOOTSTRAP_KEY, Bootstrap  # noqa: PLC0415 -- pydantic

    if auth is Way.PASSWORD:
        return None
    return Bootstrap(
        _on_device("--bootstrap-cert", certificate) or BOOTSTRAP_CERTIFICATE,
        _on_device("--bootstrap-key", key) or BOOTSTRAP_KEY,
    )


def device_key_of(identity: Identity, key_from: str | None, *, edge_ca: bool) -> str | None:
    """The symmetric key of a device whose identity does not come from here. Raises SettingsError, MaterialError."""
    from nestor.device.plan import DEVICE_KEY  # noqa: PLC0415 -- pydantic

    if identity is Identity.EST:
        return None
    if not edge_ca:
        raise SettingsError("There is nothing left that would come from this server.", "Leave --no-edge-ca out.")
    return DEVICE_KEY if key_from is None else _secret("--device-key-from", key_from)


def renewing_of(threshold: str | None, retry: str | None, *, rotate_key: bool) -> "Renewing":
    """When its certificates renew."""
    from nestor.device.moments import USUAL  # noqa: PLC0415 -- pydantic
    from nestor.device.plan import Renewing  # noqa: PLC0415 -- pydantic

    return Renewing(threshold or USUAL["threshold"], retry or USUAL["retry"], rotate_key)


def _on_device(option: str, path: str | None) -> PurePosixPath | None:
    if path is not None and not path.startswith("/"):
        raise SettingsError(f"{option}: {path!r} is no whole path.", "Write it from the root: /var/aziot/...")
    return PurePosixPath(path) if path is not None else None


def _secret(option: str, text: str) -> str:
    """A secret that an option names. Raises SettingsError, MaterialError."""
    from nestor.document import Reference, parse_reference  # noqa: PLC0415 -- pydantic

    try:
        reference = parse_reference(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}.") from None
    return reference.read_text(Path()) if isinstance(reference, Reference) else ""
