"""`nestor config`: check, schema, example, as a shell sees them."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from nestor.ca.builtin import BUILT_IN
from nestor.ca.catalog import build_catalog
from nestor.settings import Settings, judge
from support.documents import check_schema_takes
from support.process import Mortal
from support.shell import nestor, nestor_here


@pytest.fixture(scope="module")
def example() -> str:
    return nestor_here("config", "example").stdout


def _without_a_mark(example: str) -> str:
    """The example with every key and table in force that stands behind a mark."""
    return re.sub(r"(?m)^# (\[[\w.]+\]|\w+ = .+)$", r"\1", example)


def test_the_example_is_the_default_configuration(example: str) -> None:
    settings = judge(tomllib.loads(example))
    assert settings.model_copy(update={"profiles": {}}) == Settings.model_validate({})
    written, built_in = build_catalog(settings.profiles), build_catalog({})
    assert written.names() == built_in.names()
    assert [written[name] for name in written.names()] == [built_in[name] for name in built_in.names()]


def test_the_example_tells_every_key_of_every_map_too(example: str) -> None:
    for key in ("passwordHash", "anchors", "extendedKeyUsage", "challengePassword", "keyEncryptionKeys"):
        assert key in example


def test_the_example_leaves_nothing_blank_and_what_is_behind_a_mark_holds_as_well(example: str) -> None:
    assert not re.search(r"(?m)= *$", example)
    document = tomllib.loads(_without_a_mark(example))
    judge(document)
    check_schema_takes(document)
    assert document["profiles"]["NAME"]["lifetime"] == "30d"
    assert document["profiles"]["edgeCa"]["lifetime"] == BUILT_IN["edgeCa"]["lifetime"] == "90d"
    assert document["profiles"]["edgeCa"]["alternativeNames"]["dns"] == ""


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


def test_what_a_start_would_refuse_is_refused_and_nothing_is_made_by_either(tmp_path: Path) -> None:
    server = Mortal(tmp_path, {"listener": {"hostnames": "bad name"}, "ca": {"subject": "Plant"}})
    checked = nestor_here("config", "check", str(server.config))
    code, said = server.refused_start()
    assert (checked.returncode, checked.stderr) == (code, said)
    assert said.splitlines()[:2] == [
        "error: listener.hostnames: 'bad name' is no host name and no IP address.",
        "error: ca.subject: 'Plant' is no name of a CA.",
    ]
    assert list(server.data.iterdir()) == []


def test_what_is_hardly_meant_is_told_and_holds_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "nestor.toml"
    place.write_text('[profiles.deviceIdentiy]\nlifetime = "7d"\n')
    done = nestor_here("config", "check", str(place))
    assert done.returncode == 0
    assert done.stdout.startswith("warning  profiles.deviceIdentiy: this new profile is issued nowhere.\n")
    assert "Did you mean deviceIdentity?" in done.stdout
    (told,) = json.loads(nestor_here("config", "check", str(place), "--json").stdout)
    assert told["about"] == "profiles.deviceIdentiy"


def test_what_only_a_start_would_find_is_told_before_it(tmp_path: Path) -> None:
    place = tmp_path / "nestor.toml"
    place.write_text('[routes.above]\nto = "$parent"\nanchors = "file:none.pem"\n')
    done = nestor_here("config", "check", str(place), "--data", str(tmp_path))
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("warning")] == [
        "routes.above.to:",
        "routes.above.anchors:",
    ]
    assert "Set proxy.parent" in done.stdout
