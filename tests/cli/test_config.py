"""`nestor config`: check, schema, example, as a shell sees them."""

import json
import tomllib
from pathlib import Path

from nestor.settings import Settings, judge
from support.shell import nestor


def test_the_example_is_the_default_configuration() -> None:
    assert judge(tomllib.loads(nestor("config", "example").stdout)) == Settings.model_validate({})


def test_the_example_tells_every_key_of_every_map_too() -> None:
    told = nestor("config", "example").stdout
    for key in ("passwordHash", "anchors", "extendedKeyUsage", "challengePassword", "keyEncryptionKeys"):
        assert key in told


def test_the_schema_is_json() -> None:
    assert "listener" in json.loads(nestor("config", "schema").stdout)["properties"]


def test_a_configuration_that_holds_is_said_to_hold(tmp_path: Path) -> None:
    (tmp_path / "nestor.toml").write_text('[profiles.deviceIdentity]\nlifetime = "7d"\n')
    done = nestor("config", "check", str(tmp_path / "nestor.toml"))
    assert done.returncode == 0
    assert "holds" in done.stdout


def test_a_wrong_one_ends_with_3_and_two_kinds_of_lines(tmp_path: Path) -> None:
    (tmp_path / "nestor.toml").write_text('[profiles.deviceIdentity]\nlifetim = "7d"\n')
    done = nestor("config", "check", str(tmp_path / "nestor.toml"))
    assert done.returncode == 3
    first, second = done.stderr.splitlines()
    assert first.startswith("error: profiles.deviceIdentity.lifetim: ")
    assert "did you mean lifetime" in first
    assert second.startswith("hint: ")


def test_rules_that_contradict_each_other_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "nestor.json").write_text('{"labels": {"a": {"profile": "nothing"}}}')
    done = nestor("config", "check", str(tmp_path / "nestor.json"))
    assert done.returncode == 3
    assert "labels.a.profile" in done.stderr
