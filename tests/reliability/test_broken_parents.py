"""Twelve broken parents: whatever the layer above does, nothing wrong comes down, nobody waits long, all recovers."""

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pytest

from support.answers import Answer
from support.broken import WAYS, BreakableParent
from support.device import wrapped
from support.layers import Forwarder, foreign_upstream, until
from support.shapes import est_identity

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("broken parents")]

_REFUSALS = {502, 503, 504}
_CROWD = 8
_QUICK = 0.05
_BUSY = 1.0
"""What the slowest may take while other tests have the cores: a parent that holds others up costs seconds."""


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BreakableParent]:
    with BreakableParent(tmp_path_factory.mktemp("parent")).open() as parent:
        yield parent


@pytest.fixture(scope="module")
def forwarder(parent: BreakableParent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forwarder]:
    place = tmp_path_factory.mktemp("forwarder")
    upstream = {**foreign_upstream(place, parent.sound), "url": parent.base}
    with Forwarder(place, upstream) as forwarder:
        yield forwarder.ready()


@pytest.fixture(scope="module")
def usual(forwarder: Forwarder) -> float:
    """How long the slowest of a hundred neighbors waits while the parent is sound: the machine may be busy."""
    with Neighbors(forwarder) as neighbors:
        until(lambda: len(neighbors.waited) >= 200)
    return neighbors.slowest


class Neighbors:
    """Those who ask meanwhile: for CA certificates, and for certificates of the CA here, on kept connections."""

    def __init__(self, forwarder: Forwarder) -> None:
        self.statuses: list[int] = []
        self.waited: list[float] = []
        self._line = forwarder.line()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def slowest(self) -> float:
        """How long one in a hundred waited for a certificate of the CA here."""
        return statistics.quantiles(self.waited, n=100)[-1]

    def _ask(self) -> None:
        local = self._line.but(label="here")
        requests = [wrapped(est_identity(f"neighbor-{number}").der) for number in range(20)]
        connection = local.connect()
        while not self._ended.wait(0.02):
            headers = {**local._headers({"Content-Type": "application/pkcs10"})}
            for method, path, body in (
                ("GET", self._line.path("cacerts"), None),
                ("POST", local.path("simpleenroll"), requests[len(self.waited) % 20]),
            ):
                begun = time.monotonic()
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                response.read()
                self.statuses.append(response.status)
            self.waited.append(time.monotonic() - begun)
        connection.close()


def _enroll(forwarder: Forwarder, name: str) -> tuple[Answer, float]:
    begun = time.monotonic()
    answer = forwarder.line().enroll(est_identity(name))
    return answer, time.monotonic() - begun


@pytest.mark.conformance("RA-14")
@pytest.mark.parametrize("how", WAYS)
def test_twelve_broken_parents_hand_down_no_wrong_certificate_and_nobody_waits_too_long(
    how: str, parent: BreakableParent, forwarder: Forwarder, usual: float
) -> None:
    parent.break_down(how)
    with Neighbors(forwarder) as neighbors, ThreadPoolExecutor(_CROWD) as crowd:
        names = [f"{how.replace(' ', '-')}-{number}" for number in range(_CROWD)]
        answers = list(crowd.map(lambda name: _enroll(forwarder, name), names))
        until(lambda: len(neighbors.waited) >= 100)
    parent.mend()
    recovered = until(lambda: _enroll(forwarder, "again")[0].status == 200)

    assert len(WAYS) == 12
    assert {answer.status for answer, _ in answers} <= _REFUSALS
    assert max(waited for _, waited in answers) <= 12
    assert all(int(answer["Retry-After"] or 1) <= 3600 for answer, _ in answers)
    assert set(neighbors.statuses) == {200}
    assert statistics.median(neighbors.waited) < max(_QUICK, 5 * usual)
    assert neighbors.slowest < max(_QUICK, 5 * usual, _BUSY)
    assert recovered < 5
