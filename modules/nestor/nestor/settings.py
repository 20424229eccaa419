"""The whole configuration as one frozen value, composed of the rooms' own settings. The document is judged here.

TOML and JSON are the same document. A document that does not hold is refused whole, with a sentence for every key that
is wrong: its path, what is wrong, and what would be right.
"""

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nestor.access.settings import AccessSettings
from nestor.ca.settings import CASettings, ProfileSettings
from nestor.document import Document, DocumentSchema, described, in_our_words
from nestor.errors import EVERY_KEY, SettingsError
from nestor.keys.settings import KeySettings
from nestor.ledger.settings import LedgerSettings
from nestor.ops.settings import LogSettings
from nestor.proxy.settings import ProxySettings, RouteSettings
from nestor.registrar.settings import AuthoritySettings, LabelSettings
from nestor.twin.settings import ReportingSettings, TwinSettings
from nestor.upstream.settings import UpstreamSettings
from nestor.web.settings import ListenerSettings, OperationsSettings


def _empty(kind: type[Document]) -> Any:
    return lambda: kind.model_validate({})


class Settings(Document):
    """The configuration of a Nestor."""

    listener: ListenerSettings = described("Where the EST server listens.", default_factory=_empty(ListenerSettings))
    authority: AuthoritySettings = described("What answers enrollments.", default_factory=_empty(AuthoritySettings))
    upstream: UpstreamSettings = described(
        "The EST server of the layer above.", default_factory=_empty(UpstreamSettings)
    )
    ca: CASettings = described("The certificate authority.", default_factory=_empty(CASettings))
    profiles: dict[str, ProfileSettings] = described(
        "Kinds of certificates by name; the built-in ones may be changed key by key.", default_factory=dict
    )
    access: AccessSettings = described("Who may have what.", default_factory=_empty(AccessSettings))
    labels: dict[str, LabelSettings] = described(
        "Rules of EST paths by label; `default` is the path without one.", default_factory=dict
    )
    routes: dict[str, RouteSettings] = described(
        "What the API proxy carries, and where, by name; the more specific route goes first.", default_factory=dict
    )
    proxy: ProxySettings = described("The API proxy: what holds for all routes.", default_factory=_empty(ProxySettings))
    keys: KeySettings = described("How private keys are kept.", default_factory=_empty(KeySettings))
    ledger: LedgerSettings = described("What was issued.", default_factory=_empty(LedgerSettings))
    log: LogSettings = described("What is told on standard output.", default_factory=_empty(LogSettings))
    operations: OperationsSettings = described(
        "Where metrics and health are asked for, in plain HTTP.", default_factory=_empty(OperationsSettings)
    )
    reporting: ReportingSettings = described(
        "What is reported to the cloud, under IoT Edge.", default_factory=_empty(ReportingSettings)
    )
    twin: TwinSettings = described(
        "What the module twin may change; only the host's own document says so.", default_factory=_empty(TwinSettings)
    )

    @property
    def revision(self) -> str:
        """A short digest: equal settings, equal revision."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()[:12]


def read_document(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file as a plain document. Raises SettingsError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"The configuration {path} cannot be read: {reason}.", "Check path and mode.") from error
    try:
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise SettingsError(f"The configuration {path} is not {kind}: {error}.", "nestor config example") from error
    if not isinstance(document, dict):
        raise SettingsError(f"The configuration {path} is not an object.", "nestor config example")
    return document


def judge(document: Mapping[str, Any]) -> Settings:
    """Validate a document whole. Raises SettingsError with a line for every key that is wrong."""
    try:
        # Judged as JSON whatever the file was, so that both kinds of file and the twin are held to one strictness.
        return Settings.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise SettingsError("\n".join(sentences(error)), EVERY_KEY) from None


def sentences(error: ValidationError, kind: type[BaseModel] = Settings, whole: str = "the document") -> list[str]:
    """A sentence for everything that is wrong with what was to be a document of a kind, each with its path.

    `whole` is what the document itself is called. No sentence shows a value.
    """
    return [_sentence(detail, kind, whole) for detail in error.errors(include_url=False, include_input=False)]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return Settings.model_json_schema(by_alias=True, schema_generator=DocumentSchema)


def _sentence(detail: ErrorDetails, kind: type[BaseModel], whole: str) -> str:
    path = ".".join(str(step) for step in detail["loc"]) or whole
    if detail["type"] == "extra_forbidden":
        return f"{path}: there is no such key{_nearest(detail['loc'], kind)}."
    if detail["type"] == "missing":
        return f"{path}: this key is needed."
    message = in_our_words(detail["msg"])
    return f"{path}: {message[0].lower()}{message[1:]}."


def _nearest(location: tuple[int | str, ...], kind: type[BaseModel]) -> str:
    """Name the key that was probably meant, or those that are known there."""
    known = _known_keys(location[:-1], kind)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]}"
    return f"; known here are {', '.join(known)}" if known else ""


def _known_keys(location: tuple[int | str, ...], kind: Any) -> list[str]:
    for step in location:
        kind = _below(kind, str(step))
        if kind is None:
            return []
    return [field.alias or name for name, field in kind.model_fields.items()] if _is_document(kind) else []


def _below(kind: Any, step: str) -> Any:
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    for name, field in kind.model_fields.items() if _is_document(kind) else ():
        if step in {field.alias, name}:
            return next(_documents(field.annotation), None)
    return None


def _documents(annotation: Any) -> Iterator[Any]:
    """The document classes, or the map of them, within an annotation."""
    if get_origin(annotation) is dict or _is_document(annotation):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _documents(part)


def _is_document(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
