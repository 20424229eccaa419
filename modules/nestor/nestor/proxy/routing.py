"""Which route takes a request. Pure: a table is put in order once, and then only read.

The most specific route goes first: of two, the one with the longer path; of equal paths the one that asks for a header,
and for a value of it; then the one that names methods; then by name. What a route's path is compared with is the path
as it was sent, percent-encoding still in it: what is written otherwise is another path, here and above.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from urllib.parse import unquote

Headers = Sequence[tuple[bytes, bytes]]
"""Fields of a header section in their order, names as they were written."""

NEVER = frozenset({"CONNECT", "TRACE"})
"""Methods that are not carried: TRACE echoes to the client what was put on for the target (RFC 9110, 9.3.8)."""

_SLASHES = re.compile(r"[/\\]+")
_DOTS = {".", ".."}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a route takes: a path and what is below it; empty parts ask for nothing."""

    path: str = "/"
    header: str = ""
    value: str = ""
    methods: frozenset[str] = frozenset()

    def takes(self, method: str, path: str, headers: Headers) -> bool:
        """Whether a request is one of these; `path` without its query."""
        return self._is_below(path) and (not self.methods or method in self.methods) and self._has_header(headers)

    def _is_below(self, path: str) -> bool:
        stem = self.path.rstrip("/")
        return path.startswith(stem) and path[len(stem) : len(stem) + 1] in {"", "/"}

    def _has_header(self, headers: Headers) -> bool:
        if not self.header:
            return True
        name = self.header.lower().encode()
        given = [value.decode("latin-1") for key, value in headers if key.lower() == name]
        return self.value in given if self.value else bool(given)

    @property
    def rank(self) -> tuple[int, bool, bool, bool]:
        """What puts a route before another: the smaller goes first."""
        return -len(self.path.rstrip("/")), not self.header, not self.value, not self.methods


class Routed(Protocol):
    """Something with a name and a pattern."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def pattern(self) -> Pattern:
        """What it takes."""


Route = TypeVar("Route", bound=Routed)


class Table(Generic[Route]):
    """Routes in the order in which they are asked. `reserved` paths, and all below them, are taken by none."""

    def __init__(self, routes: Iterable[Route], reserved: Collection[str]) -> None:
        self.routes = tuple(sorted(routes, key=lambda route: (route.pattern.rank, route.name)))
        self._reserved = tuple(reserved)

    def find(self, method: str, target: str, headers: Headers) -> Route | None:
        """The route of a request; None where there is none. `target` is as the request line has it."""
        path, _, _ = target.partition("?")
        if method in NEVER or not path.startswith("/") or is_reserved(path, self._reserved):
            return None
        return next((route for route in self.routes if route.pattern.takes(method, path, headers)), None)


def is_reserved(path: str, reserved: Iterable[str]) -> bool:
    """Whether a path, however it is written, is one of the reserved ones or lies below one."""
    plain = _SLASHES.sub("/", unquote(path))
    return any(plain == one or plain.startswith(f"{one}/") for one in reserved)


def climbs(target: str) -> bool:
    """Whether a path has segments of dots, which whoever is above may resolve to a path that no route takes."""
    path, _, _ = target.partition("?")
    return not _DOTS.isdisjoint(_SLASHES.split(unquote(path)))
