"""How a device becomes known to IoT Hub: by DPS or by hand, with a certificate or a key; what does not hold. Pure.

The certificate of a device that DPS knows has the registration id as its common name, and becomes the device id.
"""

import re
from collections.abc import Iterator

from nestor.device.config import DeviceConfig
from nestor.device.findings import problem, warning
from nestor.device.part import Part
from nestor.finding import Finding

GLOBAL_ENDPOINT = "https://global.azure-devices-provisioning.net"

_SOURCES = ("dps", "manual", "none")
_DPS_METHODS = ("x509", "symmetric_key", "tpm")
_MANUAL_METHODS = ("x509", "sas")
_DEVICE_ID = re.compile(r"[A-Za-z0-9.%_#*?!(),:=@$'-]{1,128}")
_REGISTRATION_ID = re.compile(r"[A-Za-z0-9._:-]*[A-Za-z0-9-]")
_LONGEST_NAME = 64


def check_provisioning(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with [provisioning]."""
    part = config.provisioning
    source = part.text("source")
    if "provisioning" not in config.file:
        yield problem(part.at, "it is missing, and the runtime needs it.", "Add it; nestor device config writes it.")
    elif source not in _SOURCES:
        yield problem(part.path("source"), _not_among("it", source, _SOURCES), 'Write source = "dps" or "manual".')
    elif source == "dps":
        yield from _check_dps(config)
    elif source == "manual" and "connection_string" not in part:
        yield from _check_manual(config)


def _check_dps(config: DeviceConfig) -> Iterator[Finding]:
    part, proof = config.provisioning, config.proof
    if config.parent_hostname is not None:
        yield problem(
            part.path("source"),
            "under a parent the runtime refuses DPS.",
            'Provision by hand: source = "manual", with iothub_hostname and device_id.',
        )
    yield from _check_present(part, "id_scope", "global_endpoint")
    method = proof.text("method")
    if method not in _DPS_METHODS:
        yield problem(proof.path("method"), _not_among("it", method, _DPS_METHODS), 'Write method = "x509".')
    yield from _check_present(proof, "registration_id")
    yield from _check_registration_id(config)
    if method == "x509":
        yield from _check_certificate(config)


def _check_manual(config: DeviceConfig) -> Iterator[Finding]:
    part, proof = config.provisioning, config.proof
    yield from _check_present(part, "iothub_hostname", "device_id")
    hub = part.text("iothub_hostname")
    if hub is not None and ("/" in hub or ":" in hub):
        yield problem(part.path("iothub_hostname"), "it has to be a host name, not a URL.", "example.azure-devices.net")
    device = part.text("device_id")
    if device is not None and not _DEVICE_ID.fullmatch(device):
        yield problem(
            part.path("device_id"),
            f"{device!r} cannot be a device id of IoT Hub.",
            "It takes up to 128 letters, digits and - . % _ # * ? ! ( ) , : = @ $ '",
        )
    method = proof.text("method")
    if method not in _MANUAL_METHODS:
        yield problem(proof.path("method"), _not_among("it", method, _MANUAL_METHODS), 'Write method = "x509".')
    if method == "x509":
        yield from _check_certificate(config)
        yield from _check_length(part.path("device_id"), config.device)


def _check_registration_id(config: DeviceConfig) -> Iterator[Finding]:
    at, name = config.proof.path("registration_id"), config.device
    if name is None:
        return
    if not _REGISTRATION_ID.fullmatch(name):
        yield problem(
            at,
            f"{name!r} cannot be a registration id of DPS.",
            "It takes letters, digits and - . _ : with a letter, digit or dash at the end.",
        )
    yield from _check_length(at, name)


def _check_length(at: str, name: str | None) -> Iterator[Finding]:
    if name is not None and len(name) > _LONGEST_NAME:
        yield problem(
            at,
            f"it has {len(name)} characters; a certificate has room for {_LONGEST_NAME}, and the rest is cut off.",
            "Give the device a shorter id.",
        )


def _check_certificate(config: DeviceConfig) -> Iterator[Finding]:
    """The device identity: named after the device, or a pair of files."""
    proof, identity = config.proof, config.identity
    at = proof.path("identity_cert")
    if identity is None:
        yield from _check_present(proof, "identity_cert")
        if proof.text("identity_cert") is not None:
            yield from _check_present(proof, "identity_pk")
        return
    device, name = config.device, identity.common_name
    if not identity.subject:
        yield problem(
            at, "it has neither common_name nor subject, so its request has no name.", f'common_name = "{device or ""}"'
        )
    elif device is not None and name is not None and name != device:
        id_at = "registration_id" if config.uses_dps else "device_id"
        yield warning(
            f"{at}.common_name",
            f"{name!r} is not what the certificate gets: that is the {id_at}, {device!r}.",
            "Write the same name in both places.",
        )


def _check_present(part: Part, *keys: str) -> Iterator[Finding]:
    for key in keys:
        if key not in part:
            yield problem(part.path(key), "it is missing.", _EXAMPLES[key])


def _not_among(what: str, said: str | None, known: tuple[str, ...]) -> str:
    if said is None:
        return f"{what} is missing."
    return f"{said!r} is unknown to the runtime; known are {', '.join(known)}."


_EXAMPLES = {
    "id_scope": 'The overview page of the DPS tells it: id_scope = "0ne00112233".',
    "global_endpoint": f'global_endpoint = "{GLOBAL_ENDPOINT}"',
    "registration_id": "It becomes the common name of the certificate, and with an enrollment group the device id.",
    "iothub_hostname": 'iothub_hostname = "example.azure-devices.net"',
    "device_id": "Write the id under which IoT Hub knows the device.",
    "identity_cert": 'identity_cert = { method = "est", common_name = "..." }',
    "identity_pk": 'identity_pk = "file:///var/aziot/secrets/device-id.key.pem"',
}
