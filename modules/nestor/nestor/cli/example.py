"""The configuration document as a commented example: every key, what it means, and its default. Generated, so it holds.

Keys of maps that people name stand commented out under `NAME`; all else stands as it is by default, the built-in
profiles too.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nestor.ca.builtin import BUILT_IN
from nestor.ca.catalog import settings_of
from nestor.settings import Settings

_HEAD = """\
# Nestor's configuration: every key with its default. Keep what you change, delete the rest.
# A key behind # has no default: what stands there is an example. A table behind # is one that you name yourself.
# Durations: 90s, 60min, 12h, 30d, 20y. Several values are one string: "a, b".
# Secrets and files are named: env:NAME or file:PATH; a path is relative to the data directory.
"""


def example_toml() -> str:
    """The whole document as TOML; without its comments it is the default configuration."""
    return "\n".join([_HEAD, *_table(Settings, Settings.model_validate({}), path="", off=False)]) + "\n"


def _table(kind: type[BaseModel], value: BaseModel, *, path: str, off: bool) -> Iterator[str]:
    """The plain keys of a document first, as TOML wants them, then the documents within it."""
    if path:
        yield f"{'# ' if off else ''}[{path}]"
    below: list[tuple[str, FieldInfo, Any]] = []
    for name, field in kind.model_fields.items():
        key = field.alias or name
        if _inner(field.annotation) is None:
            yield from _line(field, key, value.model_dump(mode="json", include={name}).get(name), off=off)
        else:
            below.append((f"{path}.{key}".lstrip("."), field, getattr(value, name, None)))
    yield ""
    for place, field, current in below:
        yield from _section(place, field, current, off=off)


def _section(place: str, field: FieldInfo, current: Any, *, off: bool) -> Iterator[str]:
    yield f"# {field.description}"
    inner = _inner(field.annotation)
    if inner is None:
        return
    if isinstance(current, BaseModel):
        yield from _table(inner, current, path=place, off=off)
        return
    # Nobody has named one yet; a key that has to be given is not in this value.
    yield from _table(inner, inner.model_construct(), path=f"{place}.NAME", off=True)
    if place == "profiles":
        yield "# The built-in ones."
        for name in BUILT_IN:
            yield from _values(f"{place}.{name}", settings_of(name, None).model_dump(mode="json", by_alias=True))


def _line(field: FieldInfo, key: str, value: Any, *, off: bool) -> Iterator[str]:
    yield f"# {field.description}"
    shown = next(iter(field.examples or ()), None) if value is None else value
    yield f"{'# ' if off or value is None else ''}{key} = {_written(shown)}"


def _values(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    """A table whose keys are described elsewhere; what has no value is left out."""
    tables = {key: value for key, value in values.items() if isinstance(value, dict) and value}
    yield f"[{path}]"
    yield from (
        f"{key} = {_written(value)}" for key, value in values.items() if key not in tables and value is not None
    )
    yield ""
    for key, value in tables.items():
        yield from _values(f"{path}.{key}", value)


def _written(value: Any) -> str:
    """A plain value as TOML writes it, which is how JSON does, but for maps."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_written(below)}' for key, below in value.items())} }}" if value else "{}"
    return json.dumps(value)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The document class within an annotation: itself, the values of a map, or the other half of `| None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = get_args(annotation)
    candidates = parts[1:] if get_origin(annotation) is dict else parts
    return next((found for part in candidates if (found := _inner(part)) is not None), None)
