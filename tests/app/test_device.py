"""A config.toml as it lies on a disk, and one written from a plan."""

from dataclasses import replace
from pathlib import Path

import pytest

from nestor.app.device import examine, unfilled, write_checked
from nestor.device.plan import DPS, Login, Plan
from nestor.device.writing import write_config
from nestor.errors import MaterialError, SettingsError
from support.configs import BY_BOOTSTRAP, BY_PASSWORD, problems, warnings
from support.pki import authority
from support.trees import put, tree

ROOT = authority()


def _place(root: Path, text: str) -> Path:
    return put(root, "etc/aziot/config.toml", text.encode(), 0o600)


def test_a_good_config_on_a_good_device_has_no_findings(tmp_path: Path) -> None:
    tree(tmp_path, ROOT, ROOT.issue("gw3"))
    examined = examine(_place(tmp_path, write_config(BY_BOOTSTRAP)), tmp_path)
    assert examined.findings == []
    assert examined.config is not None
    assert examined.disk is not None


def test_without_a_root_files_are_looked_at_on_devices_only(tmp_path: Path) -> None:
    place = _place(tmp_path, write_config(BY_PASSWORD))
    on_a_device = "aziotcs" in Path("/etc/passwd").read_text("utf-8")
    assert (examine(place, None).disk is not None) == on_a_device


@pytest.mark.parametrize("plan", [BY_PASSWORD, replace(BY_BOOTSTRAP, device_key="a2V5")])
def test_a_config_with_a_secret_is_for_its_owner(tmp_path: Path, plan: Plan) -> None:
    place = _place(tmp_path, write_config(plan))
    place.chmod(0o640)
    tree(tmp_path, ROOT, ROOT.issue("gw3"))
    assert warnings(examine(place, tmp_path).findings) == [str(place)]


def test_a_config_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    place = _place(tmp_path, write_config(BY_BOOTSTRAP))
    place.chmod(0o644)
    tree(tmp_path, ROOT, ROOT.issue("gw3"))
    assert examine(place, tmp_path).findings == []


def test_what_is_no_toml_has_one_finding_and_no_config(tmp_path: Path) -> None:
    examined = examine(_place(tmp_path, "["), tmp_path)
    assert len(problems(examined.findings)) == 1
    assert examined.config is None


def test_a_file_that_is_not_there_cannot_be_examined(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="cannot be read"):
        examine(tmp_path / "none", tmp_path)


def test_a_plan_that_would_not_work_is_not_written() -> None:
    with pytest.raises(SettingsError, match="refuses DPS"):
        write_checked(replace(BY_PASSWORD, parent_hostname="gw1"))


def test_what_is_left_to_fill_in_is_told() -> None:
    text = write_checked(replace(BY_PASSWORD, login=Login("gw3"), provisioning=DPS()))
    assert unfilled(text) == ["provisioning.id_scope", "cert_issuance.est.auth.password"]
