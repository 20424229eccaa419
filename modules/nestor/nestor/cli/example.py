"""The configuration document as a commented example: every key, what it means, and its default. Generated, so it holds.

Keys of maps that people name stand commented out under `NAME`; all else stands as it is by default.
"""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nestor.settings import Settings

_HEAD = """\
# Nestor's configuration: every key with its default. Keep what you change, delete the rest.
# Durations: 90s, 60min, 12h, 30d, 20y. Several values are one string: "a, b". Secrets are named: env:NAME or file:PATH.
"""


def example_toml() -> str:
    """The whole document as TOML; without its comments it is the default configuration."""
    return "\n".join([_HEAD, *_table(Settings, Settings.model_validate({}), path="", off=False)]) + "\n"


def _table(kind: type[BaseModel], value: BaseModel | None, *, path: str, off: bool) -> Iterator[str]:
    """The plain keys of a document first, as TOML wants them, then the documents within it."""
    if path:
        yield f"{'# ' if off else ''}[{path}]"
    below: list[tuple[str, FieldInfo, Any]] = []
    for name, field in kind.model_fields.items():
        current = getattr(value, name) if value is not None else field.get_default(call_default_factory=True)
        if _inner(field.annotation) is None:
            yield from _line(field, field.alias or name, value, name, off=off)
        else:
            below.append((f"{path}.{field.alias or name}".lstrip("."), field, current))
    yield ""
    for place, field, current in below:
        yield from _section(place, field, current, off=off)


def _section(place: str, field: FieldInfo, current: Any, *, off: bool) -> Iterator[str]:
    yield f"# {field.description}"
    inner = _inner(field.annotation)
    if inner is None:
        return
    named = _is_map(field.annotation)
    known = current if named and isinstance(current, dict) else {}
    for name, entry in known.items():
        yield from _table(inner, entry, path=f"{place}.{name}", off=off)
    if named and not known:
        yield from _table(inner, None, path=f"{place}.NAME", off=True)
    elif not named:
        yield from _table(inner, current if isinstance(current, BaseModel) else None, path=place, off=off)


def _line(field: FieldInfo, key: str, holder: BaseModel | None, name: str, *, off: bool) -> Iterator[str]:
    yield f"# {field.description}"
    shown = _shown(field, holder, name)
    if shown is None:
        yield f"# {key} ="
    else:
        yield f"{'# ' if off else ''}{key} = {shown}"


def _shown(field: FieldInfo, holder: BaseModel | None, name: str) -> str | None:
    """The default as TOML writes it; None where there is none."""
    if holder is not None:
        value = holder.model_dump(mode="json", include={name})[name]
    else:
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        value = value if isinstance(value, str | int | bool | None) else None
    return None if value is None or value == {} else json.dumps(value)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The document class within an annotation: itself, the values of a map, or the other half of `| None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = get_args(annotation)
    candidates = parts[1:] if _is_map(annotation) else parts
    return next((found for part in candidates if (found := _inner(part)) is not None), None)


def _is_map(annotation: Any) -> bool:
    return get_origin(annotation) is dict
