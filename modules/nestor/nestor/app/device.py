"""What `nestor device` does without a server: a config.toml examined as it lies on a disk, or written from a plan."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from nestor.app.clock import SystemClock
from nestor.device.check import check_config, check_disk, check_rules, read_config
from nestor.device.config import DeviceConfig
from nestor.device.files import Disk, find_users, look, step_of
from nestor.device.form import check_filled
from nestor.device.ownership import check_own_mode
from nestor.device.part import Part
from nestor.device.places import places_of
from nestor.device.plan import Plan
from nestor.device.writing import write_config
from nestor.errors import MaterialError, SettingsError
from nestor.finding import Finding, Gravity


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and on what: no config where the file is no TOML, no disk where none was looked at."""

    findings: list[Finding]
    config: DeviceConfig | None = None
    disk: Disk | None = None


def examine(file: Path, root: Path | None) -> Examined:
    """Check a config.toml by itself and with the files of the device. Raises MaterialError where it cannot be read.

    `root` is where the files of the device lie; None looks at this machine, if it is a device.
    """
    config = read_config(_read(file), str(file))
    if isinstance(config, Finding):
        return Examined([config])
    found = check_config(config)
    if _holds_secret(config):
        found += check_own_mode(step_of(file))
    place = root or (Path("/") if find_users(Path("/")) else None)
    if place is None:
        return Examined(found, config)
    disk = look(places_of(config), place)
    return Examined([*found, *check_disk(config, disk, SystemClock().now())], config, disk)


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
