"""The link over the real SDK, against what edgeHub does to a twin: changes not told, gaps, another order, no cloud."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nestor.edge.patience import Patience
from standin.edge import Edge
from standin.faults import Delivery
from support.linked import SHORT, linked


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge(desired={"a": 1}) as edge:
        yield edge


# 3.5: a notice can be lost; only reading again gives certainty.


async def test_a_change_that_is_not_told_is_found_by_reading_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch, replace(SHORT, reread=0.5)) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.SKIPPED
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})
        assert edge.connections == 1


def test_a_change_made_while_away_is_in_force_within_a_minute_of_the_return() -> None:
    patience = Patience()
    assert max(patience.pause(failures, lambda _low, high: high) for failures in range(100)) + patience.twin <= 60
    assert patience.reread + patience.call <= 60


# 3.5: versions, as Microsoft's own proxy and the official flow take them.


async def test_a_gap_in_the_versions_leads_to_a_reading(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.SKIPPED
        edge.patch_desired({"b": 2})
        edge.faults.clear()
        edge.patch_desired({"c": 3})
        await running.holds({"a": 1, "b": 2, "c": 3})


async def test_patches_in_another_order_end_in_the_newest_document(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.HELD
        for number in range(2, 12):
            edge.patch_desired({"a": number})
        edge.release_patches(reverse=True)
        await running.holds({"a": 11})
        await asyncio.sleep(0.2)
        assert running.side.documents[-1] == ({"a": 11}, edge.desired_version)


async def test_a_patch_that_the_reading_knew_already_changes_nothing(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.HELD
        edge.patch_desired({"b": 2})
        edge.faults.delivery = Delivery.SKIPPED
        edge.patch_desired({"b": None})
        edge.faults.clear()
        edge.drop()
        await running.away()
        await running.connected()
        await running.holds({"a": 1})
        handed = len(running.side.documents)
        edge.release_patches()
        await running.link.report({"after": 1})
        assert running.side.documents[handed:] == []


async def test_a_twin_whose_version_fell_is_handed_on_for_judgment(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.patch_desired({"a": 2})
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 2})
        edge.reset_versions(1)
        edge.drop()
        await running.side.until(lambda: running.side.documents[-1] == ({"a": 2}, 1))


# The reported document.


async def test_the_reported_document_is_handed_over_after_each_reading_as_the_hub_holds_it(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.faults.metadata = True
    async with linked(edge, monkeypatch, replace(SHORT, reread=0.3)) as running:
        await running.connected()
        await running.link.report({"x": {"y": 1}, "z": 2})
        await running.link.report({"x": {"y": None}, "z": 3})
        await running.side.until(lambda: running.side.reports[-1] == {"x": {}, "z": 3})
        assert edge.reported == {"x": {}, "z": 3}
