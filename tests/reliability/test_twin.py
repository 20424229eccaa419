"""Whoever writes the twin, and whatever: hostile documents change nothing, a storm ends in its last word, and devices
are served while settings change under them. Each module is a process; four share the work, and live at the same time.
"""

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nestor.document import merge
from nestor.settings import Settings
from standin.edge import Edge
from standin.errors import StandInError
from support.hostile import Hostile, corpus
from support.load import Load
from support.module import DESIRED, USER, Module, acknowledged
from support.shapes import device_identity

pytestmark = [pytest.mark.xdist_group("twin"), pytest.mark.slow]

MODULES = 4
PLAIN = {name: DESIRED[name] for name in ("profiles", "reporting")}
NOTHING = {"twin": {"may": "", "names": "line1"}}
"""A host that lets its twin widen next to nothing; whom devices are let in by is in a file of its own."""

KNOWN = frozenset(field.alias or name for name, field in Settings.model_fields.items())
CHANGES = 200
PATCHES = 1000
STORM_SECONDS = 10
SOON = 2.0
GRACE = 30.0
"""More than `SOON`, for a machine that is shared: what is asserted of time is the median."""


class Tenant:
    """One module, whoever writes its twin, and how long each answer took."""

    def __init__(self, edge: Edge, module: Module) -> None:
        self.edge = edge
        self.module = module
        self.took: list[float] = []

    def refuse(self, hostile: Hostile) -> None:
        """Write a hostile twin; it is answered with its path."""
        begun = time.monotonic()
        version = self.edge.replace_desired(dict(hostile.document))
        try:
            self.edge.wait_for_reported(lambda reported: _refused(reported, hostile, version), GRACE)
        except StandInError as error:
            raise AssertionError(f"{hostile.name}: {hostile.path!r} is not told. {error}") from None
        self.took.append(time.monotonic() - begun)

    def accept(self, document: Mapping[str, Any]) -> float:
        """Write a good twin; how long it took to be in force."""
        begun = time.monotonic()
        version = self.edge.replace_desired(dict(document))
        self.edge.wait_for_reported(
            lambda reported: all(acknowledged(reported, name, version) for name in document), GRACE
        )
        return time.monotonic() - begun

    def change(self, days: int) -> None:
        """Write another lifetime, and wait until it counts."""
        version = self.edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": f"{days}d"}}})
        self.edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version), GRACE)


def _refused(reported: Mapping[str, Any], hostile: Hostile, version: int) -> bool:
    answers = [value for value in reported.values() if isinstance(value, dict) and value.get("av") == version]
    known = any(key in KNOWN for key in hostile.document)
    told = [reported.get("lastRefusedSettings", {}).get("sentence", ""), *(answer.get("ad", "") for answer in answers)]
    wanted = all(answer["ac"] in {200, 400} for answer in answers) and (not known or any(answers))
    return wanted and any(hostile.path in text for text in told)


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Tenant]]:
    with ExitStack() as ends:
        made = []
        for number in range(MODULES):
            edge = ends.enter_context(Edge(desired=PLAIN))
            module = Module(tmp_path_factory.mktemp(f"tenant-{number}"), edge, NOTHING)
            module.add_user(*USER, "*")
            ends.enter_context(module)
            edge.wait_for_reported(lambda reported: reported.get("health", {}).get("ready"), 30)
            made.append(Tenant(edge, module))
        yield made


def _each(tenants: Sequence[Tenant], work: Any) -> list[Any]:
    """Let every tenant do its part at the same time."""
    with ThreadPoolExecutor(len(tenants)) as threads:
        parts: list[Future[Any]] = [threads.submit(work, number, one) for number, one in enumerate(tenants)]
        return [part.result() for part in parts]


def test_hostile_twins_change_nothing_and_are_answered_with_their_path(tenants: Sequence[Tenant]) -> None:
    # A null never stands in a twin: it deletes.
    hostile = [one for one in corpus() if one.travels and merge({}, one.document) == one.document]
    assert len(hostile) >= 300

    def endure(number: int, tenant: Tenant) -> float:
        before, said = tenant.module.process.pid, len(tenant.module.log())
        for one in hostile[number::MODULES]:
            tenant.refuse(one)
        assert tenant.module.line.enroll(device_identity("calm-1")).status == 200
        assert (tenant.module.process.pid, tenant.module.process.poll()) == (before, None)
        assert "settings applied" not in tenant.module.log()[said:]
        assert tenant.edge.broken_rules == ()
        assert len(json.dumps(tenant.edge.reported)) < 8 * 1024
        return tenant.accept({**PLAIN, "log": {"level": "debug"}})

    good = _each(tenants, endure)
    took = sorted(itertools.chain.from_iterable(tenant.took for tenant in tenants))
    assert took[len(took) // 2] < SOON
    assert min(good) < SOON


def test_a_storm_of_patches_ends_in_the_last_one(tenants: Sequence[Tenant]) -> None:
    tenant = tenants[0]
    tenant.accept(PLAIN)
    said = len(tenant.module.log())
    begun = time.monotonic()
    for number in range(PATCHES):
        version = tenant.edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": f"{1 + number % 300}d"}}})
        time.sleep(max(0.0, begun + STORM_SECONDS * number / PATCHES - time.monotonic()))
    tenant.edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version), GRACE)
    assert tenant.edge.reported["profiles"]["value"] == {"deviceIdentity": {"lifetime": f"{1 + (PATCHES - 1) % 300}d"}}
    applied = tenant.module.log()[said:].count("settings applied")
    assert 1 <= applied <= STORM_SECONDS + GRACE, "one a second, and not one for each"


def test_no_handshake_fails_while_settings_change(tenants: Sequence[Tenant]) -> None:
    def change(_: int, tenant: Tenant) -> None:
        tenant.accept(PLAIN)
        with Load(tenant.module.line, workers=1, requests_per_connection=1) as load:
            load.wait_for(1)
            for number in range(CHANGES // MODULES):
                tenant.change(2 + number)
            load.wait_for(1)
        assert (load.broken, load.refused) == ([], [])
        assert len(load.received) > CHANGES // MODULES

    _each(tenants, change)


@pytest.mark.parametrize("away", [20])
def test_an_edgehub_that_comes_goes_and_comes_back_is_no_matter_to_devices(tmp_path: Path, away: float) -> None:
    with Edge(desired=DESIRED, hub_present=False) as edge, Module(tmp_path, edge) as module:
        module.wait_for_log("listening")
        edge.hub_returns()
        edge.wait_for_reported(lambda reported: reported.get("health", {}).get("ready"), 60)
        with Load(module.line, workers=1) as load:
            load.wait_for(1)
            edge.hub_leaves()
            time.sleep(away)
            load.wait_for(1)
            edge.hub_returns()
            edge.wait_connected(60)
            load.wait_for(1)
        assert (load.broken, load.refused) == ([], [])
        issued = len({one.serial for one in load.received}) + 1  # and its own server certificate
        edge.wait_for_reported(lambda reported: reported["issuance"]["total"] == issued, 15)
