"""A process whose SDK hangs ends all the same, long before it is killed: IoT Edge kills after ten seconds."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from standin.edge import Edge

SOON = 5.0


@contextmanager
def process(edge: Edge) -> Iterator[subprocess.Popen[bytes]]:
    search = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, **edge.environment(), "PYTHONPATH": search}  # noqa: TID251 -- handed on to the process
    with subprocess.Popen((sys.executable, "-m", "support.linking"), env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def seconds_to_end(running: subprocess.Popen[bytes]) -> float:
    begun = time.monotonic()
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    return time.monotonic() - begun


def lose_answers(edge: Edge) -> None:
    edge.faults.lost_answers = 1000


def hang_the_runtime(edge: Edge) -> None:
    edge.faults.workload_hangs = True


@pytest.mark.parametrize(
    ("fault", "reached"),
    [
        (lambda _edge: None, lambda edge: len(edge.subscriptions) >= 3),
        (lose_answers, lambda edge: edge.twin_reads >= 1),
        (hang_the_runtime, lambda edge: len(edge.workload_calls) >= 1),
    ],
    ids=["nothing hangs", "a reading of the twin hangs", "the runtime hangs"],
)
def test_a_process_ends_whatever_the_sdk_waits_for(
    fault: Callable[[Edge], None], reached: Callable[[Edge], bool]
) -> None:
    with Edge() as edge:
        fault(edge)
        with process(edge) as running:
            edge.wait_until(lambda: reached(edge), 30)
            assert seconds_to_end(running) < SOON
        edge.faults.clear()


def test_a_process_ends_in_the_middle_of_a_handshake() -> None:
    with Edge(hub_present=False) as edge, socket.create_server((edge.address, 8883)) as silent:
        silent.settimeout(30)
        with process(edge) as running, silent.accept()[0]:
            assert seconds_to_end(running) < SOON
