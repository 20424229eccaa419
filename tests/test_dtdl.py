"""The model of the module keeps the rules of DTDL, and has a property for whatever a twin says or is told."""

import re
from collections.abc import Iterator
from typing import Any

from nestor.app.methods.table import METHODS
from nestor.app.status import Status
from nestor.app.twin.rules import HOST_ONLY
from nestor.settings import Settings
from nestor.twin.model import MODEL_ID
from support.dtdl import CONTEXT, LONGEST_DESCRIPTION, interface

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_ID = re.compile(r"dtmi:[A-Za-z](?:\w*[A-Za-z0-9])?(?::[A-Za-z](?:\w*[A-Za-z0-9])?)*;[1-9]\d{0,8}")
_PLAIN = {"boolean", "dateTime", "double", "long", "string"}
_DEEPEST = 8


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for below in value:
            yield from nodes(below)


def depth(schema: Any) -> int:
    if not isinstance(schema, dict):
        return 0
    below = [field["schema"] for field in schema.get("fields", ())]
    below += [
        schema[key] if key == "elementSchema" else schema[key]["schema"]
        for key in schema
        if key in {"elementSchema", "mapValue"}
    ]
    return 1 + max(map(depth, below), default=0)


def test_the_model_is_an_interface_of_its_version() -> None:
    model = interface()
    assert (model["@context"], model["@id"], model["@type"]) == (CONTEXT, MODEL_ID, "Interface")
    assert _ID.fullmatch(MODEL_ID)
    assert len(MODEL_ID) <= 128


def test_every_name_and_description_is_one_of_dtdl() -> None:
    for node in nodes(interface()):
        if "name" in node:
            assert _NAME.fullmatch(node["name"]), node
            assert len(node["name"]) <= 64
        assert len(node.get("description", "")) <= LONGEST_DESCRIPTION


def test_no_name_stands_twice_in_one_place() -> None:
    for node in nodes(interface()):
        for key in ("contents", "fields", "enumValues"):
            names = [below["name"] for below in node.get(key, ())]
            assert len({*names}) == len(names), node


def test_every_schema_is_one_of_dtdl_and_not_too_deep() -> None:
    for node in nodes(interface()):
        schema = node.get("schema")
        assert schema is None or isinstance(schema, dict) or schema in _PLAIN
        assert depth(schema) <= _DEEPEST


def test_whatever_a_twin_says_is_writable_and_the_status_is_not() -> None:
    contents = {one["name"]: one for one in interface()["contents"]}
    wished = {field.alias or name for name, field in Settings.model_fields.items()} - {HOST_ONLY}
    assert {name for name, one in contents.items() if one.get("writable")} == wished
    told = {field.alias or name for name, field in Status.model_fields.items()}
    assert {name for name, one in contents.items() if one["@type"] == "Property" and not one.get("writable")} == told
    assert {name for name, one in contents.items() if one["@type"] == "Command"} == {*METHODS}
