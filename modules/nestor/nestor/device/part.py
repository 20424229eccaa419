"""One table of a config.toml, and where it stands. What is absent, or of another kind than asked for, reads as None.

So every rule reads what it needs, and `form.py` alone says what is of the wrong kind. Nothing of the content is ever
shown by accident: a config.toml holds passwords.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A table and its dotted path, which is empty for the whole file."""

    at: str
    table: Table = field(repr=False)

    def __contains__(self, key: str) -> bool:
        return key in self.table

    def path(self, key: str) -> str:
        """The dotted path of a key of this table."""
        return f"{self.at}.{key}" if self.at else key

    def text(self, key: str) -> str | None:
        """A text, or None."""
        value = self.table.get(key)
        return value if isinstance(value, str) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list; none where there is no list."""
        value = self.table.get(key)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    def part(self, key: str) -> "Part | None":
        """A table within, or None."""
        value = self.table.get(key)
        return Part(self.path(key), value) if isinstance(value, dict) else None

    def below(self, *keys: str) -> "Part":
        """A table further down; an empty one where it is absent."""
        found: Part = self
        for key in keys:
            found = found.part(key) or Part(found.path(key), {})
        return found

    def every_text(self) -> Iterator[tuple[str, str]]:
        """Every text below, with its path."""
        for key, value in self.table.items():
            yield from _texts(self.path(key), value)


def _texts(at: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        yield from Part(at, value).every_text()
    elif isinstance(value, list):
        for place, one in enumerate(value, 1):
            yield from _texts(f"{at}[{place}]", one)
