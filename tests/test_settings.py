"""The configuration document: read, merged, judged whole; every wrong key named with what would be right."""

from pathlib import Path
from typing import Any

import pytest

from nestor.errors import SettingsError
from nestor.settings import Settings, json_schema, judge, merge, read_document


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as told:
        judge(document)
    return told.value.sentence


def test_an_empty_document_is_the_default_configuration() -> None:
    settings = judge({})
    assert settings.listener.port == 8085
    assert settings.access.users == {}
    assert settings == Settings.model_validate({})


def test_equal_settings_have_equal_revisions_and_others_another() -> None:
    assert judge({}).revision == judge({"listener": {"port": 8085}}).revision
    assert judge({}).revision != judge({"listener": {"port": 8086}}).revision


@pytest.mark.parametrize(
    ("document", "path", "right"),
    [
        ({"listner": {}}, "listner", "did you mean listener"),
        ({"listener": {"prt": 1}}, "listener.prt", "did you mean port"),
        ({"listener": {"limits": {"conections": 9}}}, "listener.limits.conections", "did you mean connections"),
        ({"profiles": {"x": {"lifetim": "1d"}}}, "profiles.x.lifetim", "did you mean lifetime"),
        ({"access": {"users": {"u": {"password": "x"}}}}, "access.users.u.password", "passwordHash"),
        ({"labels": {"a": {"zzz": 1}}}, "labels.a.zzz", "known here are profile"),
    ],
)
def test_an_unknown_key_is_named_by_its_path_with_what_would_be_right(
    document: dict[str, Any], path: str, right: str
) -> None:
    sentence = refusal(document)
    assert any(line.startswith(f"{path}:") for line in sentence.splitlines())
    assert right in sentence


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"listener": {"port": "8085"}}, "listener.port"),
        ({"listener": {"port": 70_000}}, "listener.port"),
        ({"ca": {"keyType": "dsa"}}, "ca.keyType"),
        ({"profiles": {"deviceIdentity": {"lifetime": "60m"}}}, "profiles.deviceIdentity.lifetime"),
        ({"access": {"users": {"u": {"passwordHash": "hunter2"}}}}, "access.users.u.passwordHash"),
        ({"access": []}, "access"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(document: dict[str, Any], path: str) -> None:
    assert refusal(document).startswith(f"{path}:")


def test_a_secret_written_out_is_refused_and_not_repeated() -> None:
    assert "hunter2" not in refusal({"access": {"users": {"u": {"passwordHash": "hunter2"}}}})


def test_every_wrong_key_has_its_line() -> None:
    assert len(refusal({"listener": {"port": 0.5, "x": 1}, "log": {"level": "loud"}}).splitlines()) == 3


def test_a_patch_merges_maps_deletes_with_null_and_replaces_the_rest() -> None:
    document = {"a": {"b": 1, "c": 2}, "d": "e"}
    assert merge(document, {"a": {"b": None, "f": {"g": 3}}, "d": {"h": 4}}) == {
        "a": {"c": 2, "f": {"g": 3}},
        "d": {"h": 4},
    }
    assert document == {"a": {"b": 1, "c": 2}, "d": "e"}


def test_toml_and_json_are_the_same_document(tmp_path: Path) -> None:
    toml, json = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text('[profiles.deviceIdentity]\nlifetime = "7d"\n')
    json.write_text('{"profiles": {"deviceIdentity": {"lifetime": "7d"}}}')
    assert judge(read_document(toml)) == judge(read_document(json))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", "x = "), ("a.json", "{"), ("a.json", "[]"), ("b.json", "[" * 100_000), ("c.toml", "\x00")],
)
def test_a_file_that_is_no_document_is_told_by_its_name(tmp_path: Path, name: str, content: str) -> None:
    place = tmp_path / name
    place.write_text(content)
    with pytest.raises(SettingsError, match=name):
        read_document(place)


def test_a_missing_or_binary_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_document(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_document(tmp_path / "binary.toml")


def test_the_schema_describes_every_key_and_allows_no_other() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    for definition in [schema, *schema["$defs"].values()]:
        for name, field in definition.get("properties", {}).items():
            assert "description" in field or "$ref" in field, name
