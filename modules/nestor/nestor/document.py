"""How the configuration document is written: the base of every settings class, and the words that its values use.

The same document is a file and, under IoT Edge, a module twin. So lists that people patch are maps keyed by name, short
lists are one string with commas, no string reaches 4 KB, and a secret is only ever *named*: `env:NAME` or `file:PATH`.
Settings classes have no behavior; rooms build their validated values from them.
"""

import errno
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from nestor.errors import MaterialError
from nestor.naming import fold

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_DURATION = re.compile(r"(\d{1,12})(s|min|h|d|y)", re.ASCII)
_LARGEST_FILE = 4 * 1024 * 1024
_LONGEST = 100 * _UNITS["y"]


class Document(BaseModel):
    """A part of the configuration document: frozen, strict, keys in camel case, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        str_max_length=4095,
        str_strip_whitespace=True,
    )


def merge(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a patch over a document: maps are merged, null deletes, all else replaces (RFC 7386)."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def parse_duration(value: object) -> object:
    """Read `90s`, `60min`, `12h`, `30d` or `20y` (of 365 days); nothing here takes no time, or more than a century."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST:
        msg = "a duration is a whole number and a unit, from 1s to 100y: 90s, 60min, 12h, 30d or 20y"
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def show_duration(value: timedelta) -> str:
    """Write a duration in its largest whole unit."""
    seconds = int(value.total_seconds())
    unit = next(unit for unit in ("y", "d", "h", "min", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def parse_percent(value: object) -> object:
    """Read `5%` as 0.05."""
    match = re.fullmatch(r"([0-9]{1,3})%", value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 100:  # noqa: PLR2004 -- a percentage
        msg = "a share is a whole percentage: 0% to 100%"
        raise ValueError(msg)
    return int(match[1]) / 100


def show_percent(share: float) -> str:
    """Write a share as a whole percentage."""
    return f"{round(share * 100)}%"


def parse_words(value: object) -> object:
    """Read `a, b, c` as a tuple of words."""
    if not isinstance(value, str):
        msg = 'several values are one string with commas between them: "a, b"'
        raise ValueError(msg)  # noqa: TRY004 -- pydantic turns ValueError into an error of the document
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration),
    _schema(r"^0*[1-9][0-9]*(s|min|h|d|y)$"),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(show_percent),
    _schema(r"^([0-9]{1,2}|100)%$"),
]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_words),
    PlainSerializer(", ".join),
    WithJsonSchema({"type": "string"}),
]


HASH = "hash"
"""The kind of a reference that is itself what it names: the hash of a password, from which no password follows."""

_HASH_SIGN = "$"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a value is kept that the document must not hold: `env:NAME` or `file:PATH`; or a hash in its place."""

    kind: str
    place: str = field(repr=False)

    def __str__(self) -> str:
        """The reference as the document writes it."""
        return self.place if self.kind == HASH else f"{self.kind}:{self.place}"

    def path(self, base: Path) -> Path:
        """The file, relative ones below `base`. Raises MaterialError for a reference into the environment."""
        if self.kind != "file":
            raise MaterialError(f"{self} names an environment variable where a file is needed.", "Write file:PATH.")
        return base / self.place

    def read_text(self, base: Path) -> str:
        """The value, one trailing line break removed. Raises MaterialError; the text never shows content."""
        if self.kind == HASH:
            return self.place
        if self.kind == "env":
            value = os.environ.get(self.place)  # noqa: TID251 -- this is the one place that reads it
            if value is None:
                raise MaterialError(f"The environment variable {self.place} is not set.", f"Set it, or change {self}.")
            return value
        try:
            return read_bounded(self.path(base)).decode().removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise MaterialError(f"The file of {self} cannot be read: {_why(error)}.", "Check path and mode.") from error

    def read_bytes(self, base: Path) -> bytes:
        """The content of the file, whole. Raises MaterialError; the text never shows content."""
        try:
            return read_bounded(self.path(base))
        except OSError as error:
            raise MaterialError(f"The file of {self} cannot be read: {_why(error)}.", "Check path and mode.") from error


def read_bounded(path: Path, most: int = _LARGEST_FILE) -> bytes:
    """The content of a file. Raises OSError also for one that is larger than so many bytes.

    Who names a file may name any: a ledger would fill the memory, and hold up everybody.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
    return content


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"


def parse_reference(value: object) -> object:
    """Read `env:NAME` or `file:PATH`."""
    if isinstance(value, Reference):
        return value
    kind, colon, place = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in {"env", "file"} or not colon or not place:
        msg = "a secret or file is named, not written out: env:NAME or file:PATH"
        raise ValueError(msg)
    return Reference(kind, place)


def _only_file(reference: Reference) -> Reference:
    if reference.kind != "file":
        msg = "a file is needed here: file:PATH"
        raise ValueError(msg)
    return reference


def parse_hash(value: object) -> object:
    """Read `env:NAME`, `file:PATH`, or a hash as `nestor user hash` prints it: `$argon2id$...`."""
    if isinstance(value, str) and value.startswith(_HASH_SIGN):
        return Reference(HASH, value)
    try:
        return parse_reference(value)
    except ValueError:
        msg = "a password is not written out: env:NAME, file:PATH, or its hash, as nestor user hash makes it"
        raise ValueError(msg) from None


HashReference = Annotated[
    Reference,
    BeforeValidator(parse_hash),
    PlainSerializer(str),
    _schema(r"^((env|file):.+|\$.+)$"),
]
SecretReference = Annotated[
    Reference,
    BeforeValidator(parse_reference),
    PlainSerializer(str),
    _schema(r"^(env|file):.+$"),
]
FileReference = Annotated[
    Reference,
    BeforeValidator(parse_reference),
    AfterValidator(_only_file),
    PlainSerializer(str),
    _schema(r"^file:.+$"),
]


class DocumentSchema(GenerateJsonSchema):
    """The JSON Schema of the document; defaults stand in it as the document would write them."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """The whole schema, with its dialect."""
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- the base's signature
        """A key is its own title."""
        return False

    def encode_default(self, dft: Any) -> Any:
        """A default as text, where its value is read from text."""
        match dft:
            case timedelta():
                return show_duration(dft)
            case float():
                return show_percent(dft)
            case tuple():
                return ", ".join(dft)
            case Reference():
                return str(dft)
            case _:
                return super().encode_default(dft)


_WORDS = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"<[^<>:]+: ('[^']*')>"), r"\1"),
    (re.compile(r"\b(Input|String) should "), "it has to "),
    (re.compile(r"it has to be a valid integer(, unable to parse.*)?"), "it has to be a whole number"),
    (re.compile(r"it has to be a valid boolean"), "it has to be true or false"),
    (re.compile(r"it has to be a valid string"), "it has to be a text"),
    (re.compile(r"it has to be an object"), "it has to be a table of keys"),
    (re.compile(r"it has to be less than or equal to"), "it has to be at most"),
    (re.compile(r"it has to be greater than or equal to"), "it has to be at least"),
)


def in_our_words(message: str) -> str:
    """What pydantic says is wrong with a value, as a person would say it."""
    for said, meant in _WORDS:
        message = said.sub(meant, message)
    return message


_ANY, _ONE, _AS_IS = "*", "?", "\\"


def literal(text: str) -> str:
    """The pattern that covers this text only."""
    return "".join(_AS_IS + sign if sign in {_ANY, _ONE, _AS_IS} else sign for sign in text)


def covers(pattern: str, text: str) -> bool:
    """Whether a pattern covers a text: whole, ignoring case. `*` stands for any text, `?` for one character.

    A backslash takes the next character as it is. This is no regular expression, so no pattern and no text can be slow:
    time grows with the product of the two lengths at most.
    """
    return pattern == _ANY or _match(_signs(pattern), [(sign, False) for sign in fold(text)])


def contains(pattern: str, other: str) -> bool:
    """Whether a pattern covers whatever another one covers.

    Never true where that is not so; of two that are written differently and cover the same, such as `*?` and `?*`, it
    may say no. A `*` is covered by a `*` alone.
    """
    return pattern == _ANY or _match(_signs(pattern), _signs(other))


def _match(wanted: Sequence[tuple[str, bool]], given: Sequence[tuple[str, bool]]) -> bool:
    at = place = 0
    star, resume = -1, 0
    while place < len(given):
        if at < len(wanted) and _fits(wanted[at], given[place]):
            at, place = at + 1, place + 1
        elif at < len(wanted) and wanted[at] == (_ANY, True):
            star, resume, at = at, place, at + 1
        elif star >= 0:
            # What followed the last star did not fit here: let that star take one character more.
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return all(sign == (_ANY, True) for sign in wanted[at:])


def _fits(wanted: tuple[str, bool], given: tuple[str, bool]) -> bool:
    """Whether one sign stands for another, if it stands for exactly one."""
    if wanted == (_ONE, True):
        return given != (_ANY, True)
    return wanted == given and wanted != (_ANY, True)


def any_covers(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns covers a text."""
    return any(covers(pattern, text) for pattern in patterns)


def any_contains(patterns: Iterable[str], other: str) -> bool:
    """Whether one of the patterns covers whatever another one covers."""
    return any(contains(pattern, other) for pattern in patterns)


@lru_cache(maxsize=1024)  # the patterns are those of the settings, the same for every request
def _signs(pattern: str) -> Sequence[tuple[str, bool]]:
    """The signs of a pattern as they are compared, and whether each is a wildcard."""
    signs: list[tuple[str, bool]] = []
    escaped = False
    for sign in fold(pattern):
        if sign == _AS_IS and not escaped:
            escaped = True
            continue
        signs.append((sign, not escaped and sign in {_ANY, _ONE}))
        escaped = False
    return [*signs, (_AS_IS, False)] if escaped else signs


def described(text: str, default: Any = PydanticUndefined, **rules: Any) -> Any:
    """Give a field its one-line description; no field of the document goes without one. Rules are those of `Field`."""
    return Field(default, description=text, **rules)
