"""Where the files are that a twin may name: in the data directory and those of the host, by no step and no link out."""

import os
from pathlib import Path

import pytest

from nestor.app.twin.places import open_places
from nestor.ca.home import CAHome
from nestor.document import HASH, Reference
from nestor.settings import judge
from nestor.twin.settings import TwinSettings


@pytest.fixture(autouse=True)
def _disk(data: Path) -> None:
    (data / "ca").mkdir(parents=True)
    (data.parent / "secrets").mkdir()
    (data.parent / "outside").write_text("secret")


def twin(data: Path) -> TwinSettings:
    return judge({"twin": {"directories": str(data.parent / "secrets")}}).twin


def may(data: Path, place: str) -> bool:
    return open_places(data, twin(data))(Reference("file", place))


def test_a_file_within_is_open_whether_it_is_there_or_not(data: Path) -> None:
    assert may(data, "maker.pem")
    assert may(data, "below/maker.pem")
    assert may(data, str(data / "maker.pem"))
    assert may(data, str(data.parent / "secrets" / "maker.pem"))


_ELSEWHERE = (
    "/etc/passwd",
    "../outside",
    "a/../../outside",
    "a/../b",
    "/proc/self/environ",
    "/run/secrets/x",
    "ca/key.pem",
    "./ca/key.pem",
    "a\0b",
    "a\nb",
)


@pytest.mark.parametrize("place", _ELSEWHERE)
def test_a_file_elsewhere_is_not(data: Path, place: str) -> None:
    assert not may(data, place)


def test_a_link_that_leads_out_is_not_followed_and_one_that_stays_is(data: Path) -> None:
    (data / "out").symlink_to(data.parent / "outside")
    (data / "away").symlink_to(data.parent)
    (data / "in").symlink_to(data / "maker.pem")
    (data / "key").symlink_to(CAHome(data).key_path)
    assert [may(data, name) for name in ("out", "away/outside", "key", "in")] == [False, False, False, True]


def test_of_the_environment_only_what_was_meant_for_it_is_open(data: Path) -> None:
    ask = open_places(data, twin(data))
    assert ask(Reference("env", "NESTOR_SECRET_LINE1"))
    assert not ask(Reference("env", "NESTOR_CA_PASSPHRASE"))
    assert not ask(Reference("env", "IOTEDGE_WORKLOADURI"))
    assert ask(Reference(HASH, "$argon2id$"))


def test_the_usual_place_of_secrets_is_open_where_the_host_says_nothing(data: Path) -> None:
    assert open_places(data, judge({}).twin)(Reference("file", "/run/secrets/maker.pem"))


def test_what_is_no_regular_file_is_not(data: Path) -> None:
    os.mkfifo(data / "pipe")
    (data / "below").mkdir()
    assert not may(data, "pipe")
    assert not may(data, "below")
    assert may(data, "x" * 4000), "whoever reads it says what is wrong with such a name"
