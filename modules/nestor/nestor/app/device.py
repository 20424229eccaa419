"""What `nestor device` does, put together: a config for a device of this server, and the check of one."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from nestor.app.authority import Source
from nestor.app.clock import SystemClock
from nestor.app.known import known_server
from nestor.app.rehearsal import rehearse
from nestor.device.check import check_config, check_disk, check_rules, read_config
from nestor.device.config import DeviceConfig
from nestor.device.files import find_users, look, step_of
from nestor.device.form import check_filled
from nestor.device.ownership import check_own_mode
from nestor.device.part import Part
from nestor.device.places import places_of
from nestor.device.plan import Plan
from nestor.device.server import HTTPS, KnownServer, check_server
from nestor.device.writing import write_config
from nestor.errors import MaterialError, SettingsError
from nestor.model import Finding, Gravity


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and what could not be looked at."""

    findings: list[Finding]
    untold: tuple[str, ...] = ()


async def examine(file: Path, root: Path | None, source: Source | None) -> Examined:
    """Check a config.toml: by itself, with the files of the device, and by what a server would say.

    `root` is where the files of the device lie; None looks at this machine, if it is a device. Raises MaterialError.
    """
    config = read_config(_read(file), str(file))
    if isinstance(config, Finding):
        return Examined([config])
    found, untold = check_config(config), []
    place = root or (Path("/") if find_users(Path("/")) else None)
    disk = look(places_of(config), place) if place else None
    if disk is None:
        untold.append("This machine is no device of IoT Edge: the files that it names were not looked at (--root DIR).")
    else:
        found += check_disk(config, disk, SystemClock().now())
    if _holds_secret(config):
        found += check_own_mode(step_of(file))
    if source is None:
        untold.append("What a server says to it was not asked (--data DIR, --config FILE).")
    else:
        found += check_server(config, known_server(source), disk)
        found += await rehearse(config, disk, source)
    return Examined(found, tuple(untold))


def write_checked(plan: Plan) -> str:
    """The plan as config.toml. Raises SettingsError for one that would not work on a device."""
    text = write_config(plan)
    config = read_config(text, "config.toml")
    found = [config] if isinstance(config, Finding) else check_rules(config)
    wrong = [finding for finding in found if finding.gravity is Gravity.PROBLEM]
    if wrong:
        raise SettingsError("\n".join(finding.sentence for finding in wrong), wrong[0].remedy)
    return text


def unfilled(text: str) -> list[str]:
    """The places of a config.toml that was written here where a person has to write something."""
    return [finding.about for finding in check_filled(Part("", tomllib.loads(text)))]


def server_for(source: Source, url: str | None) -> KnownServer:
    """The server that devices are told of; with a URL, one that need not be this one. Raises MaterialError."""
    if url is None:
        return known_server(source)
    try:
        known = known_server(source)
    except MaterialError:
        return KnownServer(url, (), HTTPS, (), root=None)
    return replace(known, url=url)


def _holds_secret(config: DeviceConfig) -> bool:
    keys = (config.proof.below("symmetric_key"), config.proof.below("device_id_pk"))
    connection = "connection_string" in config.provisioning
    return connection or any("value" in key for key in keys) or any(auth.login for auth in config.auths)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise MaterialError(f"{file} cannot be read: it is not UTF-8 text.", "Save it as UTF-8.") from error
    except OSError as error:
        raise MaterialError(f"{file} cannot be read: {error.strerror}.", "Check path and mode.") from error
