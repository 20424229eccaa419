"""The configuration document: read, merged, judged whole; every wrong key named with what would be right."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nestor.document import merge
from nestor.errors import SettingsError
from nestor.settings import Settings, json_schema, judge, read_document
from support.documents import check_schema_takes, validator


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
        ({"ca": {"keyType": "ml-dsa-65"}}, "ca.keyType"),
        ({"ca": {"lifetime": "0d"}}, "ca.lifetime"),
        ({"keys": {"kind": "file"}}, "keys.kind"),
        ({"log": {"level": "loud"}}, "log.level"),
        ({"profiles": {"deviceIdentity": {"rsaMaximum": 8192}}}, "profiles.deviceIdentity.rsaMaximum"),
        ({"profiles": {"deviceIdentity": {"lifetime": "60m"}}}, "profiles.deviceIdentity.lifetime"),
        ({"access": {"users": {"u": {"passwordHash": "hunter2"}}}}, "access.users.u.passwordHash"),
        ({"access": []}, "access"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(document: dict[str, Any], path: str) -> None:
    assert refusal(document).startswith(f"{path}:")
    assert not validator().is_valid(document)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"ca": {"keyType": "dsa"}}, "ca.keyType: it has to be 'ec-p256', 'ec-p384' or 'rsa'."),
        ({"log": {"level": "loud"}}, "log.level: it has to be 'debug', 'info', 'warning', 'error' or 'fatal'."),
        ({"listener": {"port": "8085"}}, "listener.port: it has to be a whole number."),
        ({"listener": {"port": -1}}, "listener.port: it has to be at least 0."),
        ({"ca": {"subject": 4}}, "ca.subject: it has to be a text."),
        ({"ca": {"subject": "x" * 5000}}, "ca.subject: it has to have at most 4095 characters."),
        ({"labels": {"a": {"linking": "yes"}}}, "labels.a.linking: it has to be true or false."),
        ({"access": []}, "access: it has to be a table of keys."),
    ],
)
def test_what_would_be_right_is_said_in_plain_words(document: dict[str, Any], sentence: str) -> None:
    assert refusal(document) == sentence


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


def _definitions() -> list[dict[str, Any]]:
    schema = json_schema()
    return [schema, *schema["$defs"].values()]


def _properties() -> list[tuple[str, dict[str, Any]]]:
    return [item for definition in _definitions() for item in definition.get("properties", {}).items()]


def test_the_schema_is_one_of_its_dialect_with_plain_names() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert [name for name in json_schema()["$defs"] if "__" in name] == []


def test_a_default_in_the_schema_is_one_that_the_schema_takes() -> None:
    for definition in _definitions():
        for name, field in definition.get("properties", {}).items():
            if "default" in field:
                value = {"$defs": json_schema()["$defs"], **field}
                assert Draft202012Validator(value).is_valid(field["default"]), (name, field)
    assert dict(_properties())["jitter"]["default"] == "5%"


def test_an_example_in_the_schema_is_one_of_its_key() -> None:
    said = [example for _, field in _properties() for example in field.get("examples", [])]
    assert len(said) > 20
    assert max(map(said.count, said)) <= 3


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"listener": {"port": 0, "addresses": "*", "limits": {"handshake": "2s"}, "cacertsOrder": "chain"}},
        {"ca": {"source": "file", "certificate": "file:ca.pem", "chain": None, "key": "file:k.pem", "keyType": "rsa"}},
        {"profiles": {"mine": {"jitter": "0%", "subject": {"add": {"O": "Plant"}}, "minimumLifetime": "1h"}}},
        {"access": {"users": {"u": {"passwordHash": "env:U"}}, "bootstrap": {"f": {"anchors": "file:f.pem"}}}},
        {"labels": {"a": {"serverKeyGeneration": {"enabled": True, "keyEncryptionKeys": {"k": "file:k"}}}}},
        {"keys": {"passphrase": None}, "ledger": {"keptRefusals": 0}, "log": {"format": "json", "level": "error"}},
    ],
)
def test_what_nestor_takes_the_schema_takes(document: dict[str, Any]) -> None:
    judge(document)
    check_schema_takes(document)


def test_the_schema_describes_every_key_and_allows_no_other() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    for definition in [schema, *schema["$defs"].values()]:
        for name, field in definition.get("properties", {}).items():
            assert "description" in field or "$ref" in field, name
