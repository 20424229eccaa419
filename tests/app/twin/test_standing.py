"""What the commands beside a module take for its settings: the last good wish over what the host says."""

from pathlib import Path

import pytest

from nestor.app.twin.host import Host
from nestor.app.twin.standing import standing_settings
from nestor.app.twin.store import save
from nestor.errors import SettingsError
from nestor.twin.kept import Kept
from support.wishing import ORIGIN


def host(data: Path, may: str = "") -> Host:
    return Host(data, ORIGIN, {}, lambda: {"twin": {"may": may, "names": "*"}}, {})


@pytest.fixture(autouse=True)
def _kept(data: Path) -> None:
    data.mkdir()
    save(data, Kept(ORIGIN, 3, {"access": {"gateways": "gw*"}}))


def test_the_last_good_wish_counts(data: Path) -> None:
    assert standing_settings(host(data, "gateways")).access.gateways == ("gw*",)


def test_a_module_without_one_has_the_settings_of_its_host(data: Path) -> None:
    (data / "twin.json").unlink()
    assert standing_settings(host(data)).access.gateways == ()


def test_one_that_the_host_does_not_allow_any_more_is_none_to_work_by(data: Path) -> None:
    with pytest.raises(SettingsError, match=r"access\.gateways"):
        standing_settings(host(data))
