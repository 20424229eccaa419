"""The reference pages of docs/, written from the product itself: `make reference` writes them, a test compares them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from nestor.app.twin.rules import RULES, Rule
from nestor.cli.commands import app
from nestor.settings import json_schema
from nestor.twin.settings import Power
from support.dtdl import interface
from support.reference_cloud import cloud_pages
from support.shell import nestor_here

DOCS = Path(__file__).parents[2] / "docs" / "reference"
_PLACES = (
    "| every `file:` and `env:` | the file is neither in the data directory (but for `ca/`) nor in `twin.directories`, "
    "the variable is none of `NESTOR_SECRET_*`, and the host names neither | something would be read that is not open |"
)
_WRITTEN = "Written from the program by `make reference`; a test fails when this page is out of date.\n"


def pages() -> dict[Path, str]:
    """Every page, and what it has to say."""
    return {
        DOCS / "commands.md": command_page(),
        DOCS / "settings.md": settings_page(),
        DOCS / "twin.md": twin_page(),
        DOCS / "settings.schema.json": _as_json(json_schema()),
        DOCS / "module.dtdl.json": _as_json(interface()),
        **cloud_pages(DOCS),
    }


def twin_page() -> str:
    """What the module twin may change by itself, and what only where the host lets it."""
    lines = ["# What the twin may widen", "", _WRITTEN]
    lines += [
        "A desired document that does one of these is refused, unless the host lets its twin do it, by the power in",
        "`twin.may`, or by `all`; where devices are named, by `twin.names` too. How and why: [twin.md](../twin.md).",
        "",
    ]
    for power in (*Power, None):
        rules = {path: rule for path, rule in RULES.items() if rule.power is power and _widens(rule)}
        lines += [f"## {power or 'names'}", "", "| keys | when | what it would let happen |", "|---|---|---|"]
        lines += [*_rows(rules), *([_PLACES] if power is Power.FILES else []), ""]
    free = {path: rule for path, rule in RULES.items() if not _widens(rule)}
    lines += [
        "## What is the twin's to decide",
        "",
        "| keys | | why it widens nothing |",
        "|---|---|---|",
        *_rows(free),
    ]
    return "\n".join([*lines, ""])


def _widens(rule: Rule) -> bool:
    return bool(_when(rule))


def _when(rule: Rule) -> str:
    return (rule.names.__doc__ or rule.widens.__doc__ or "").rstrip(".")


def _rows(rules: dict[str, Rule]) -> Iterator[str]:
    """Keys that are measured alike, and let the same happen, stand in one row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for path, rule in rules.items():
        rows.setdefault((_when(rule), rule.lets), []).append(f"`{path}`")
    for (when, lets), keys in rows.items():
        yield f"| {', '.join(keys)} | {_cell(when[:1].lower() + when[1:])} | {_cell(lets)} |"


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def command_page() -> str:
    """Every command, as its `--help` tells it."""
    head = ["# Commands", "", _WRITTEN, "What all commands have in common is in [cli.md](../cli.md).", ""]
    return "\n".join([*head, *(line for command in commands() for line in _command(command))])


def commands() -> dict[str, Any]:
    """Every command by its words, `nestor` left out."""
    return dict(_leaves(typer.main.get_command(app), ""))


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from _leaves(below, f"{path} {name}".strip())
    if not hasattr(command, "commands"):
        yield path, command


def _command(command: str) -> list[str]:
    told = nestor_here(*command.split(), "--help").stdout
    return [f"## nestor {command}", "", "```text", *(line.rstrip() for line in told.strip().splitlines()), "```", ""]


def settings_page() -> str:
    """Every key of the configuration document, from its JSON Schema."""
    schema = json_schema()
    head = ["# Settings", "", _WRITTEN]
    head += [
        "`nestor config example` prints all of this as a file to start from, `nestor config schema` as JSON Schema.",
        "",
    ]
    return "\n".join([*head, *_keys(schema, schema, "")])


def _keys(schema: dict[str, Any], whole: dict[str, Any], path: str) -> Iterator[str]:
    """A table of plain keys, then the sections below them."""
    properties: dict[str, Any] = schema.get("properties", {})
    sections = {key: found for key, value in properties.items() if (found := _below(value, whole)) is not None}
    plain = {key: value for key, value in properties.items() if key not in sections}
    if plain:
        yield from (f"## {path or 'the document'}", "", "| key | what it is | default |", "|---|---|---|")
        yield from (_key(key, value, whole) for key, value in plain.items())
        yield ""
    for key, (below, step) in sections.items():
        yield from _keys(below, whole, ".".join(part for part in (path, key, step) if part))


def _key(key: str, value: dict[str, Any], whole: dict[str, Any]) -> str:
    default = value.get("default")
    shown = "" if default in (None, "", [], {}) else f"`{_word(default)}`"
    words = _resolved(value, whole).get("enum")
    choice = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return f"| `{key}` | {_cell(value.get('description', ''))}{choice} | {shown} |"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _below(value: dict[str, Any], whole: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
    """The document within a key, and the name that stands for those that people choose."""
    found = _resolved(value, whole)
    if "properties" in found:
        return found, ""
    entry = found.get("additionalProperties")
    if isinstance(entry, dict) and "properties" in (inner := _resolved(entry, whole)):
        return inner, "NAME"
    return None


def _resolved(value: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    for part in (value, *value.get("allOf", ()), *value.get("anyOf", ())):
        if "$ref" in part:
            found: dict[str, Any] = whole["$defs"][part["$ref"].rpartition("/")[2]]
            return found
    return value


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> None:
    """Write every page."""
    for place, text in pages().items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
