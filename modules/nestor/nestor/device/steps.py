"""The shell lines that put a device on an EST server: folders, owners, modes, the CA file, the config. Pure.

Every line works as it stands when pasted on the device, and again when pasted twice. aziot-certd reads certificates as
aziotcs, aziot-keyd keys as aziotks; wrong owners are what most often goes wrong.
"""

import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from nestor.device.places import CERTIFICATE_READER, KEY_READER
from nestor.device.plan import Bootstrap, Plan

CONFIG = PurePosixPath("/etc/aziot/config.toml")
_END_OF_CA = "END-OF-CA"
_END_OF_CONFIG = "END-OF-CONFIG"


def steps_for(plan: Plan, ca_pem: str | None, config: str | None = None) -> str:
    """The lines; `ca_pem` is the server's root, `config` the text to write, or None where a person pastes it."""
    lines = [
        f"# On {plan.device}:",
        *_folders(plan),
        *_ca(plan, ca_pem),
        *(_bootstrap(plan.bootstrap) if plan.bootstrap else ()),
        *_config(config),
        "sudo iotedge config apply",
    ]
    return "\n".join(lines) + "\n"


def script_for(plan: Plan, ca_pem: str | None, config: str) -> str:
    """The same as a script that stops at the first line that fails."""
    return f"#!/bin/sh\nset -eu\n{steps_for(plan, ca_pem, config)}"


def _folders(plan: Plan) -> Iterator[str]:
    certificates = [plan.ca_file] if plan.ca_file else []
    keys = []
    if plan.bootstrap:
        certificates.append(plan.bootstrap.certificate)
        keys.append(plan.bootstrap.key)
    for folder in dict.fromkeys(path.parent for path in certificates):
        yield _install(CERTIFICATE_READER, "755", f"-d {_quoted(folder)}")
    for folder in dict.fromkeys(path.parent for path in keys):
        yield _install(KEY_READER, "700", f"-d {_quoted(folder)}")


def _ca(plan: Plan, ca_pem: str | None) -> Iterator[str]:
    if plan.ca_file is None:
        return
    place = _quoted(plan.ca_file)
    if ca_pem is None:
        yield f"# Bring the root of the server's CA here as {plan.ca_file.name}; there: nestor ca export --root"
        yield _install(CERTIFICATE_READER, "644", f"{_quoted(plan.ca_file.name)} {place}")
        return
    yield _install(CERTIFICATE_READER, "644", f"/dev/stdin {place} <<'{_END_OF_CA}'")
    yield f"{ca_pem.rstrip()}\n{_END_OF_CA}"


def _bootstrap(bootstrap: Bootstrap) -> Iterator[str]:
    certificate, key = bootstrap.certificate, bootstrap.key
    yield f"# {certificate.name} and {key.name}: the bootstrap certificate of this device, and its key"
    yield _install(CERTIFICATE_READER, "644", f"{_quoted(certificate.name)} {_quoted(certificate)}")
    yield _install(KEY_READER, "600", f"{_quoted(key.name)} {_quoted(key)}")


def _config(config: str | None) -> Iterator[str]:
    if config is None:
        yield f"sudoedit {CONFIG}  # the blocks go there; a table that is there already may not stand twice"
        return
    kept = f"{CONFIG}.before-nestor"
    yield f"if sudo test -e {CONFIG} && ! sudo test -e {kept}; then sudo cp -p {CONFIG} {kept}; fi"
    yield f"sudo install -m 600 /dev/stdin {CONFIG} <<'{_END_OF_CONFIG}'"
    yield f"{config.rstrip()}\n{_END_OF_CONFIG}"


def _install(owner: str, mode: str, what: str) -> str:
    return f"sudo install -o {owner} -g {owner} -m {mode} {what}"


def _quoted(path: PurePosixPath | str) -> str:
    return shlex.quote(str(path))
