"""Whatever edgeHub, the SDK and the runtime do wrong: devices are served, and a change counts within a minute.

Each fault is a story of a module of its own. They live at the same time, because most of a story is waiting.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Semaphore

import pytest

from standin.edge import Edge
from standin.faults import Delivery, Refusal
from support.module import DESIRED, Module, acknowledged
from support.shapes import device_identity

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("module-faults")]

MINUTE = 60.0
Story = Callable[[Edge, Module], None]


def _change(edge: Edge, days: int) -> int:
    return edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": f"{days}d"}}})


def _counts(edge: Edge, version: int, seconds: float = MINUTE) -> None:
    edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version), seconds)


def an_answer_is_lost(edge: Edge, module: Module) -> None:
    edge.faults.lost_answers = 1
    edge.drop()
    edge.wait_until(lambda: edge.faults.lost_answers == 0, MINUTE)
    _counts(edge, _change(edge, 8))


def a_report_is_never_answered(edge: Edge, module: Module) -> None:
    edge.faults.lost_answers = 1
    _counts(edge, _change(edge, 8))


def a_patch_is_never_told(edge: Edge, module: Module) -> None:
    edge.faults.delivery = Delivery.SKIPPED
    _counts(edge, _change(edge, 8))


def patches_come_in_another_order(edge: Edge, module: Module) -> None:
    edge.faults.delivery = Delivery.HELD
    last = [_change(edge, days) for days in (8, 9, 10)][-1]
    edge.release_patches(reverse=True)
    _counts(edge, last)


def a_patch_has_no_version(edge: Edge, module: Module) -> None:
    edge.faults.delivery = Delivery.UNVERSIONED
    _counts(edge, _change(edge, 8))


def a_key_is_deleted_while_edgehub_is_away(edge: Edge, module: Module) -> None:
    edge.hub_leaves()
    edge.patch_desired({"access": {"users": {"line": None}}})
    version = _change(edge, 8)
    edge.hub_returns()
    _counts(edge, version)
    assert module.line.enroll(device_identity("gone-1")).status == 401
    module.become_ready(seconds=MINUTE)


def a_session_is_forgotten(edge: Edge, module: Module) -> None:
    edge.forget_session()
    _counts(edge, _change(edge, 8))
    edge.wait_until(lambda: any("methods" in topic for topic in edge.subscriptions), MINUTE)
    assert edge.invoke("getStatus")[0] == 200


def subscriptions_are_lost_under_a_living_connection(edge: Edge, module: Module) -> None:
    edge.lose_subscriptions()
    _counts(edge, _change(edge, 8), 2 * MINUTE)


def credentials_are_refused_for_a_while(edge: Edge, module: Module) -> None:
    before = edge.refusals
    edge.faults.refusal = Refusal.NOT_AUTHORIZED
    edge.drop()
    version = _change(edge, 8)
    edge.wait_until(lambda: edge.refusals > before + 1, MINUTE)
    edge.faults.clear()
    _counts(edge, version)


def the_runtime_does_not_sign(edge: Edge, module: Module) -> None:
    before = len(edge.workload_calls)
    edge.faults.workload_failing = frozenset({"sign"})
    edge.drop()
    version = _change(edge, 8)
    edge.wait_until(lambda: len(edge.workload_calls) > before + 2, MINUTE)
    edge.faults.clear()
    _counts(edge, version)


def the_twin_cannot_be_read(edge: Edge, module: Module) -> None:
    edge.faults.twin_status = 429
    edge.drop()
    version = _change(edge, 8)
    edge.wait_connected(MINUTE)
    edge.faults.clear()
    _counts(edge, version)


def edgehub_knows_no_twin_yet(edge: Edge, module: Module) -> None:
    edge.faults.twin_empty = True
    reads = edge.twin_reads
    edge.drop()
    edge.wait_until(lambda: edge.twin_reads > reads, MINUTE)
    assert module.line.enroll(device_identity("empty-1")).status == 200
    edge.faults.clear()
    _counts(edge, _change(edge, 8))


def the_runtime_hangs_from_the_start_on(edge: Edge, module: Module) -> None:
    module.stop()
    edge.faults.workload_hangs = True
    module.start()
    assert module.line.enroll(device_identity("hanging-1")).status == 200
    edge.faults.clear()
    edge.wait_connected(2 * MINUTE)
    _counts(edge, _change(edge, 8))


STORIES: tuple[Story, ...] = (
    an_answer_is_lost,
    a_report_is_never_answered,
    a_patch_is_never_told,
    patches_come_in_another_order,
    a_patch_has_no_version,
    a_key_is_deleted_while_edgehub_is_away,
    a_session_is_forgotten,
    subscriptions_are_lost_under_a_living_connection,
    credentials_are_refused_for_a_while,
    the_runtime_does_not_sign,
    the_twin_cannot_be_read,
    edgehub_knows_no_twin_yet,
    the_runtime_hangs_from_the_start_on,
)


def _live(story: Story, place: Path, starts: Semaphore) -> None:
    """Let a module serve, let the story happen, and see that it still serves."""
    with Edge(desired=DESIRED) as edge, ExitStack() as ends:
        with starts:  # a start takes seconds of a processor
            module = ends.enter_context(Module(place, edge))
            edge.wait_for_reported(lambda reported: reported.get("health", {}).get("ready"), MINUTE)
        story(edge, module)
        assert module.line.enroll(device_identity("after-1")).status == 200
        assert edge.broken_rules == ()
        assert "Traceback" not in module.log()
        module.process.terminate()
        assert module.wait(10) == 0


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[None]]]:
    starts = Semaphore(2)
    with ThreadPoolExecutor(len(STORIES)) as threads:
        yield {
            story.__name__: threads.submit(_live, story, tmp_path_factory.mktemp(story.__name__), starts)
            for story in STORIES
        }


@pytest.mark.parametrize("fault", [story.__name__ for story in STORIES])
def test_it_serves_and_a_change_counts_although(fault: str, lived: Mapping[str, Future[None]]) -> None:
    lived[fault].result(240)
