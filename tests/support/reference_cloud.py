"""The reference of what the cloud sees: direct methods and reported properties, from the documents themselves.

Pages for people, and a JSON Schema for every payload and answer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nestor.app.methods.faults import STATUSES
from nestor.app.methods.form import Method
from nestor.app.methods.table import METHODS
from nestor.app.status import Status
from nestor.document import DocumentSchema

_WRITTEN = "Written from the program by `make reference`; a test fails when this page is out of date.\n"
_SCHEMAS = "schemas"


def cloud_pages(docs: Path) -> dict[Path, str]:
    """Every page and schema, and what it has to say."""
    schemas = {f"{name}.{part}.json": kind for name, part, kind in _documents()} | {"reported.json": Status}
    return {
        docs / "methods.md": "\n".join(_methods()),
        docs / "reported.md": "\n".join(_reported()),
        **{docs / _SCHEMAS / name: f"{json.dumps(schema_of(kind), indent=2)}\n" for name, kind in schemas.items()},
    }


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a document."""
    return kind.model_json_schema(by_alias=True, schema_generator=DocumentSchema)


def _documents() -> Iterator[tuple[str, str, type[BaseModel]]]:
    for method in METHODS.values():
        yield method.name, "payload", method.payload
        yield method.name, "answer", method.answer


def _methods() -> Iterator[str]:
    yield from ("# Direct methods", "", _WRITTEN)
    yield "How to call them, and what for, is in [methods.md](../methods.md). A key without a default is needed."
    yield f"The JSON Schema of every payload and answer is in [{_SCHEMAS}](./{_SCHEMAS})."
    yield ""
    for method in METHODS.values():
        yield from _method(method)
    yield from ("## What can go wrong", "", "An answer with one of these statuses is `{error, hint}`.", "")
    yield from ("| status | meaning |", "|---|---|")
    yield from (f"| {status} | {meaning} |" for status, meaning in STATUSES.values())
    yield ""


def _method(method: Method) -> Iterator[str]:
    yield from (f"## {method.name}", "", method.summary, "")
    if method.payload.model_fields:
        yield from _payload(schema_of(method.payload))
    else:
        yield from ("It takes no payload: `null` or `{}`.", "")
    yield from _told("answer, status 200", schema_of(method.answer))


def _reported() -> Iterator[str]:
    yield from ("# Reported properties", "", _WRITTEN)
    yield "What they mean, and how they are kept small, is in [reported-properties.md](../reported-properties.md)."
    yield "Beside them stand the acknowledgements of desired properties, each under the name of its property."
    yield ""
    yield from _told("property", schema_of(Status))


def _payload(schema: dict[str, Any]) -> Iterator[str]:
    yield from ("| payload | what it is | default |", "|---|---|---|")
    for path, told, value in _keys(schema, schema, ""):
        default = value.get("default")
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        yield f"| `{path}` | {told} | {_needed(value) if default is None else shown} |"
    yield ""


def _needed(value: dict[str, Any]) -> str:
    return "none" if "default" in value else ""


def _told(head: str, schema: dict[str, Any]) -> Iterator[str]:
    yield from (f"| {head} | what it is |", "|---|---|")
    for path, told, value in _keys(schema, schema, ""):
        yield f"| `{path}` | {told}{' May be absent.' if 'default' in value else ''} |"
    yield ""


def _keys(schema: dict[str, Any], whole: dict[str, Any], path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every key by its path, what is told of it, and its schema."""
    for key, value in schema["properties"].items():
        told = next(part["description"] for part in _parts(value, whole) if "description" in part)
        yield f"{path}{key}", f"{told}{_choice(value, whole)}", value
        for step, inner in _below(value, whole):
            yield from _keys(inner, whole, f"{path}{key}{step}.")


def _choice(value: dict[str, Any], whole: dict[str, Any]) -> str:
    words = [word for part in _parts(value, whole) for word in part.get("enum", ())]
    return f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def _below(value: dict[str, Any], whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document within a key, or within each item of its list."""
    for part in _parts(value, whole):
        if "properties" in part:
            yield "", part
        for item in _parts(part.get("items", {}), whole):
            if "properties" in item:
                yield "[]", item


def _parts(value: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (value, *value.get("anyOf", ()), *value.get("allOf", ())):
        yield whole["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
