"""A module twin: two documents with a version each, merged as RFC 7396 says. Values; nothing is changed in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """What the cloud wants of a module, and what the module said."""

    desired: Document = field(default_factory=dict)
    reported: Document = field(default_factory=dict)
    desired_version: int = 1
    reported_version: int = 1

    def wanting(self, desired: Document) -> "Twin":
        """The twin with other desired properties."""
        return replace(self, desired=desired, desired_version=self.desired_version + 1)

    def saying(self, patch: Document) -> "Twin":
        """The twin after a patch of its reported properties."""
        return replace(self, reported=merged(self.reported, patch), reported_version=self.reported_version + 1)

    def document(self) -> Document:
        """The whole twin, as a module reads it."""
        return {
            "desired": {**self.desired, "$version": self.desired_version},
            "reported": {**self.reported, "$version": self.reported_version},
        }


def merged(document: Document, patch: Document) -> Document:
    """A document after a patch; null deletes."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def difference(old: Document, new: Document) -> Document:
    """The patch that makes the new document of the old one: how edgeHub tells of a replacement."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            below = difference(before, value)
            patch |= {name: below} if below else {}
        elif name not in old or value != before:
            patch[name] = value
    return patch
