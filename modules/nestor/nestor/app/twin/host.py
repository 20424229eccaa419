"""What this host says, which the module twin cannot: defaults, the host's own document, where files may be."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nestor.document import merge
from nestor.settings import Settings, judge
from nestor.twin.kept import Origin

_AROUND = {"twin", "listener", "operations", "log", "reporting"}
_MAY, _NAMES = "NESTOR_TWIN_MAY", "NESTOR_TWIN_NAMES"


@dataclass(frozen=True, slots=True)
class Host:
    """Where settings come from beside the twin.

    `base` are the defaults of a container, `document` reads the host's own document, which is laid over them; the
    twin's goes over both, and `over`, the options of the command line, over everything. `origin` says whose twin it is.
    """

    data: Path
    origin: Origin
    base: Mapping[str, Any]
    document: Callable[[], Mapping[str, Any]]
    over: Mapping[str, Any]

    @property
    def says_something(self) -> bool:
        """Whether the host's document says what to issue, and not only where and for whom. Raises SettingsError."""
        return any(key not in _AROUND for key in self.document())

    def said(self) -> Settings:
        """The settings of the host's document alone, without the defaults below it. Raises SettingsError."""
        return judge(self.document())

    def overruled(self, desired: Mapping[str, Any]) -> Sequence[str]:
        """The keys of a wish that come to nothing, because options of the start say otherwise."""
        return list(_contested(self.over, desired))

    def settings(self, desired: Mapping[str, Any] | None = None) -> Settings:
        """The settings of the host alone, or with what the twin lays over them. Raises SettingsError."""
        own = merge(self.base, self.document())
        return judge(merge(merge(own, desired or {}), self.over))


def _contested(over: Mapping[str, Any], desired: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key in over.keys() & desired.keys():
        said, wished, place = over[key], desired[key], f"{path}.{key}".lstrip(".")
        if isinstance(said, Mapping) and isinstance(wished, Mapping):
            yield from _contested(said, wished, place)
        elif said != wished:
            yield place


def environment_document(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:  # noqa: TID251 -- the default
    """What the environment says of the twin, as a document to lay below the host's own.

    A module that has no file yet is told so by its deployment. Whoever writes that chooses image and mounts as well,
    and so is the host already.
    """
    told = {key: environment[name] for key, name in (("may", _MAY), ("names", _NAMES)) if environment.get(name)}
    return {"twin": told} if told else {}
