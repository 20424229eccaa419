"""The model of the module for IoT Plug and Play (DTDL version 3), made from the settings, the status and the methods.

Every key of the settings that a twin may have is a writable property, every part of the status a property that is read,
every direct method a command.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from nestor.app.methods.table import METHODS
from nestor.app.status import Status
from nestor.app.twin.rules import HOST_ONLY
from nestor.settings import json_schema
from nestor.twin.model import MODEL_ID

CONTEXT = "dtmi:dtdl:context;3"
LONGEST_DESCRIPTION = 512

_PLAIN = {"integer": "long", "number": "double", "boolean": "boolean", "string": "string"}


def interface() -> dict[str, Any]:
    """The model, whole."""
    return {
        "@context": CONTEXT,
        "@id": MODEL_ID,
        "@type": "Interface",
        "displayName": "Nestor",
        "description": "EST server and certificate authority for IoT Edge.",
        "contents": [*_writable(), *_read(), *_commands()],
    }


def _writable() -> Iterator[dict[str, Any]]:
    schema = json_schema()
    for name, value in schema["properties"].items():
        if name != HOST_ONLY:
            yield {"@type": "Property", "writable": True, **_named(name, value, schema)}


def _read() -> Iterator[dict[str, Any]]:
    schema = _schema_of(Status, "serialization")
    for name, value in schema["properties"].items():
        yield {"@type": "Property", **_named(name, value, schema)}


def _commands() -> Iterator[dict[str, Any]]:
    for name, method in METHODS.items():
        payload, answer = _schema_of(method.payload, "validation"), _schema_of(method.answer, "serialization")
        command: dict[str, Any] = {"@type": "Command", "name": name, "description": _cut(method.summary)}
        if payload.get("properties"):
            command["request"] = {"name": "payload", "nullable": True, "schema": _schema(payload, payload)}
        yield command | {"response": {"name": "answer", "schema": _schema(answer, answer)}}


def _schema_of(kind: type[BaseModel], mode: Any) -> dict[str, Any]:
    return kind.model_json_schema(by_alias=True, mode=mode)


def _named(name: str, value: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": _cut(value["description"])} if value.get("description") else {}
    return {"name": name, **described, "schema": _schema(value, whole)}


def _schema(value: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    """One schema of JSON Schema as DTDL writes it."""
    found = _resolved(value, whole)
    if "enum" in found:
        return _enumeration(found["enum"])
    if found.get("properties"):
        return {
            "@type": "Object",
            "fields": [_named(name, below, whole) for name, below in found["properties"].items()],
        }
    if isinstance(found.get("additionalProperties"), Mapping):
        below = _schema(found["additionalProperties"], whole)
        key = {"name": "name", "schema": "string"}
        return {"@type": "Map", "mapKey": key, "mapValue": {"name": "value", "schema": below}}
    if found.get("type") == "array":
        return {"@type": "Array", "elementSchema": _schema(found["items"], whole)}
    return "dateTime" if found.get("format") == "date-time" else _PLAIN[found["type"]]


def _enumeration(values: list[str]) -> dict[str, Any]:
    listed = [{"name": re.sub(r"\W", "_", value), "enumValue": value} for value in values]
    return {"@type": "Enum", "valueSchema": "string", "enumValues": listed}


def _resolved(value: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference, or an alternative to null, stands for."""
    for part in (value, *value.get("allOf", ()), *value.get("anyOf", ())):
        if "$ref" in part:
            return _resolved(whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
    return next((part for part in value.get("anyOf", ()) if part.get("type") != "null"), value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 3]}..."
