"""The layers are laid out apart from each other, and nothing outlives them."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from layers.ground import BOTTOM, LAYERS, Ground, address, host, why_not

pytestmark = pytest.mark.xdist_group("layers")

PORT = 8085


@pytest.fixture
def ground() -> Iterator[Ground]:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"the layers cannot be laid out: {reason}")
    with Ground() as laid_out:
        yield laid_out


def reaches(layer: int) -> bool:
    try:
        socket.create_connection((address(layer), PORT), timeout=0.3).close()
    except OSError:
        return False
    return True


def test_a_layer_reaches_its_parent_and_nobody_above(ground: Ground) -> None:
    listening = [ground.on(layer, partial(socket.create_server, ("", PORT))) for layer in LAYERS]
    try:
        for layer in LAYERS[:-1]:
            above = [other for other in LAYERS[layer:] if ground.on(layer, partial(reaches, other))]
            assert above == [layer + 1]
    finally:
        for one in listening:
            one.close()


def test_a_link_that_was_cut_is_mended(ground: Ground) -> None:
    with ground.on(4, partial(socket.create_server, ("", PORT))):
        ground.cut(3)
        assert not ground.on(3, partial(reaches, 4))
        ground.mend(3)
        assert ground.on(3, partial(reaches, 4))


def test_programs_of_a_layer_know_its_name_and_its_parent_s(ground: Ground) -> None:
    command = ground.inside(BOTTOM, "getent", "hosts", host(BOTTOM), host(BOTTOM + 1))
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert found == ["127.0.0.1", "localhost", host(BOTTOM), address(BOTTOM + 1), host(BOTTOM + 1)]


def test_what_runs_on_a_layer_ends_with_it(ground: Ground) -> None:
    with subprocess.Popen(ground.inside(BOTTOM, "sleep", "60")) as left:
        ground.on(BOTTOM, lambda: None)
        while "sleep" not in Path(f"/proc/{left.pid}/cmdline").read_text("ascii"):
            pass
        ground.__exit__()
        assert left.wait(5) == -9
    assert not list(Path("/run/netns").glob(f"nestor-layers-{os.getpid()}-*"))


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_not() == "network namespaces are made by root alone"


def test_without_iproute2_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert why_not() == "iproute2 is not installed"
