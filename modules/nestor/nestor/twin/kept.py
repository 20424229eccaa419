"""The last good desired document, as it is kept over restarts: whose it was, its version, its digest. Pure.

Whatever a disk makes of the file, reading it ends in a document or in a sentence.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from nestor.errors import MaterialError

FILE = "twin.json"
MOST_BYTES = 256 * 1024
"""More than any desired document takes as JSON: a file that is larger is not one of these."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose twin it is; a module that is made anew, under the same name, has another generation."""

    hub: str
    device: str
    module: str
    generation: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A desired document that was in force, and which version of it."""

    origin: Origin
    version: int
    document: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Equal documents, equal digest."""
        return digest_of(self.document)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    hub: str
    device: str
    module: str
    generation: str
    version: int
    digest: str
    desired: dict[str, Any]


def digest_of(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def write_kept(kept: Kept) -> bytes:
    """The content of the file."""
    origin = kept.origin
    file = _File(
        hub=origin.hub,
        device=origin.device,
        module=origin.module,
        generation=origin.generation,
        version=kept.version,
        digest=kept.digest,
        desired=dict(kept.document),
    )
    return json.dumps(file.model_dump(), indent=2).encode() + b"\n"


def read_kept(content: bytes) -> Kept:
    """What a file holds. Raises MaterialError for one that is torn, or that somebody wrote by hand."""
    damaged = MaterialError(
        f"The kept settings of the module twin, {FILE} in the data directory, are damaged.",
        "Nothing is to be done: they are written anew as soon as the twin is heard.",
    )
    if len(content) > MOST_BYTES:
        raise damaged
    try:
        file = _File.model_validate_json(content)
    except ValidationError:
        raise damaged from None
    kept = Kept(Origin(file.hub, file.device, file.module, file.generation), file.version, file.desired)
    if kept.digest != file.digest:
        raise damaged
    return kept
