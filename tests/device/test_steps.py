"""The shell lines: what a shell makes of them, played on a directory that stands for the device."""

from dataclasses import replace
from pathlib import Path

import pytest

from nestor.device.check import check_disk, read_config
from nestor.device.config import DeviceConfig
from nestor.device.files import look
from nestor.device.places import places_of
from nestor.device.plan import Plan
from nestor.device.steps import script_for, steps_for
from nestor.device.writing import write_config
from support.configs import BY_BOOTSTRAP, BY_PASSWORD
from support.pki import authority, write, yesterday
from support.playing import play
from support.trees import OWNER, users

ROOT = authority()


def _bring(place: Path) -> None:
    """What the factory put beside the device."""
    certificate, key = write(place, ROOT.issue("gw3"))
    certificate.rename(place / "est-bootstrap.pem")
    key.rename(place / "est-bootstrap.key.pem")


@pytest.mark.parametrize("plan", [BY_PASSWORD, BY_BOOTSTRAP])
def test_after_the_script_the_check_finds_nothing_wrong_on_disk(tmp_path: Path, plan: Plan) -> None:
    _bring(tmp_path)
    (tmp_path / "etc/aziot").mkdir(parents=True)
    text = write_config(plan)
    play(script_for(plan, ROOT.pem().decode(), text), tmp_path)
    users(tmp_path, OWNER, OWNER)
    written = tmp_path / "etc/aziot/config.toml"
    read = read_config(written.read_text(), "config.toml")
    assert isinstance(read, DeviceConfig)
    assert check_disk(read, look(places_of(read), tmp_path), yesterday()) == []
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text().strip() == text.strip()
    assert (tmp_path / "applied").read_text() == "config apply\n"


def test_a_script_that_runs_twice_keeps_the_first_config(tmp_path: Path) -> None:
    written = tmp_path / "etc/aziot/config.toml"
    written.parent.mkdir(parents=True)
    written.write_text("# by hand\n")
    for _ in range(2):
        play(script_for(BY_PASSWORD, ROOT.pem().decode(), write_config(BY_PASSWORD)), tmp_path)
    assert written.with_name("config.toml.before-nestor").read_text() == "# by hand\n"


def test_the_lines_without_a_config_leave_it_to_a_person(tmp_path: Path) -> None:
    play(steps_for(BY_PASSWORD, ROOT.pem().decode()), tmp_path)
    assert (tmp_path / "var/aziot/certs/nestor-ca.pem").read_bytes() == ROOT.pem()
    assert not (tmp_path / "etc/aziot").exists()


def test_a_root_that_is_not_known_is_to_be_brought() -> None:
    assert "nestor ca export --root" in steps_for(BY_PASSWORD, None)


def test_keys_are_for_their_service_alone() -> None:
    lines = steps_for(BY_BOOTSTRAP, None).splitlines()
    assert "sudo install -o aziotks -g aziotks -m 700 -d /var/aziot/secrets" in lines
    assert any(line.startswith("sudo install -o aziotks -g aziotks -m 600 est-bootstrap.key.pem") for line in lines)


def test_a_path_with_spaces_is_quoted() -> None:
    bootstrap = BY_BOOTSTRAP.bootstrap
    assert bootstrap is not None
    odd = replace(BY_BOOTSTRAP, bootstrap=replace(bootstrap, key=bootstrap.key.with_name("a key.pem")))
    assert "'/var/aziot/secrets/a key.pem'" in steps_for(odd, None)
