"""The layers as network namespaces: a link to the neighbor above, one to the neighbor below, and nobody forwards.

Each has a default route to its parent: what it may not reach is refused by the parent, not by a missing route. The
names hold the number of this process, so that two runs do not meet; what a killed run left, the next one removes.
"""

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

BOTTOM, TOP = 1, 5
LAYERS = range(BOTTOM, TOP + 1)

_PREFIX = "nestor-layers"
_HOSTS = Path("/etc/netns")
_NAMED = Path("/run/netns")
_CLONE_NEWNET = 0x40000000

Got = TypeVar("Got")


def why_not() -> str | None:
    """Why no layers can be laid out here; None where they can."""
    if os.geteuid() != 0:
        return "network namespaces are made by root alone"
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    return None


def host(layer: int) -> str:
    """The name of a layer's gateway."""
    return f"layer{layer}.plant.test"


def address(layer: int) -> str:
    """Where the layer below finds it; the bottom is asked by its own devices."""
    return f"10.95.{layer - 1}.2" if layer > BOTTOM else "127.0.0.1"


class Ground:
    """Five namespaces, while the context lasts."""

    def __init__(self) -> None:
        self._run = f"{_PREFIX}-{os.getpid()}"

    def __enter__(self) -> Self:
        _remove_leftovers()
        try:
            for layer in LAYERS:
                self._dig(layer)
            for layer in LAYERS[:-1]:
                self._link(layer)
        except BaseException:
            self._fill_in()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._fill_in()

    def inside(self, layer: int, *words: str) -> tuple[str, ...]:
        """A command as it is run on a layer."""
        return ("ip", "netns", "exec", self._name(layer), *words)

    def on(self, layer: int, do: Callable[[], Got]) -> Got:
        """What a function answers whose sockets belong to a layer."""
        with ThreadPoolExecutor(1, initializer=_enter, initargs=(_NAMED / self._name(layer),)) as thread:
            return thread.submit(do).result()

    def cut(self, layer: int) -> None:
        """Break the link to the layer above, as a pulled plug does."""
        _ip("-n", self._name(layer), "link", "set", "dev", "parent", "down")

    def mend(self, layer: int) -> None:
        """Put the plug in again."""
        _ip("-n", self._name(layer), "link", "set", "dev", "parent", "up")
        self._lead_up(layer)

    def _name(self, layer: int) -> str:
        return f"{self._run}-{layer}"

    def _dig(self, layer: int) -> None:
        name = self._name(layer)
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "dev", "lo", "up")
        _run(*self.inside(layer, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"))
        place = _HOSTS / name
        place.mkdir(parents=True)
        (place / "hosts").write_text("".join(_hosts(layer)), "ascii")

    def _link(self, layer: int) -> None:
        """Lay the link from a layer to the one above."""
        below, above = self._name(layer), self._name(layer + 1)
        _ip("link", "add", "name", "parent", "netns", below, "type", "veth", "peer", "name", "child", "netns", above)
        for name, end, last in ((below, "parent", 1), (above, "child", 2)):
            _ip("-n", name, "address", "add", f"10.95.{layer}.{last}/30", "dev", end)
            _ip("-n", name, "link", "set", "dev", end, "up")
        self._lead_up(layer)

    def _lead_up(self, layer: int) -> None:
        _ip("-n", self._name(layer), "route", "replace", "default", "via", address(layer + 1))

    def _fill_in(self) -> None:
        for layer in LAYERS:
            _remove(self._name(layer))


def _hosts(layer: int) -> Iterator[str]:
    """The names that are known on a layer: its own, and its parent's."""
    yield f"127.0.0.1 localhost {host(layer)}\n"
    if layer < TOP:
        yield f"{address(layer + 1)} {host(layer + 1)}\n"


def _enter(place: Path) -> None:
    """Let this thread's sockets belong to a namespace (setns(2), which Python has from 3.12 on)."""
    with place.open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", str(place))


def _remove_leftovers() -> None:
    for place in (*_NAMED.glob(f"{_PREFIX}-*"), *_HOSTS.glob(f"{_PREFIX}-*")):
        if not Path("/proc", place.name.split("-")[-2]).exists():
            _remove(place.name)


def _remove(name: str) -> None:
    if (_NAMED / name).exists():
        for process in _ip("netns", "pids", name).split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        _ip("netns", "delete", name)
    shutil.rmtree(_HOSTS / name, ignore_errors=True)
    with suppress(OSError):
        _HOSTS.rmdir()


def _ip(*words: str) -> str:
    return _run("ip", *words)


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
