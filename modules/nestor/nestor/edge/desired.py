"""Which desired properties count: a pure account of whole twins and patches, in whatever order they come.

A patch counts only where it follows what is known by exactly one version. Everything else is either old, and ignored,
or a sign that something was missed, and then only a reading of the whole twin tells. So order, repetition and loss
on the way do no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nestor.document import merge

_VERSION = "$version"
_METADATA = "$metadata"


@dataclass(frozen=True, slots=True)
class Apply:
    """This document is the newest."""

    document: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Reread:
    """Something was missed, or nobody can tell: read the whole twin."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing follows from this."""


Verdict = Apply | Reread | Ignore


@dataclass(frozen=True, slots=True)
class Desired:
    """What is known of the desired properties: nothing (version None), or a document and its version."""

    document: Mapping[str, Any]
    version: int | None

    def read(self, twin: object, asked_of: "Desired") -> tuple["Desired", Verdict]:
        """Take a twin that was read whole. One without a version is ignored: edgeHub answers so before it knows it.

        `asked_of` is what was known when it was asked for: an answer that a patch has overtaken since then is old. A
        lower version than the one known counts otherwise: whoever applies documents must see it and judge.
        """
        part = twin.get("desired") if isinstance(twin, Mapping) else None
        version = _version(part)
        if not isinstance(part, Mapping) or version is None:
            return self, Ignore()
        if self is not asked_of and self.version is not None and version < self.version:
            return self, Reread()
        known = Desired(without_metadata(part), version)
        return known, Apply(known.document, version)

    def hear(self, patch: object) -> tuple["Desired", Verdict]:
        """Take a patch. One with metadata may be a whole document in disguise, where missing keys mean deletion."""
        version = _version(patch)
        if self.version is None or version is None or not isinstance(patch, Mapping):
            return self, Reread()
        if version <= self.version:
            return self, Ignore()
        if version != self.version + 1 or _METADATA in patch:
            return self, Reread()
        known = Desired(merge(self.document, without_metadata(patch)), version)
        return known, Apply(known.document, version)


UNKNOWN = Desired({}, None)
"""Before the first reading."""


def without_metadata(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a twin without what the hub adds to it."""
    return {key: value for key, value in part.items() if key not in {_VERSION, _METADATA}}


def _version(part: object) -> int | None:
    version = part.get(_VERSION) if isinstance(part, Mapping) else None
    return version if isinstance(version, int) and not isinstance(version, bool) else None
