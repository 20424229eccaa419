"""The servers that the rows are proved against, each started once.

`plant`  a CA below a root, from files; factories, users and a label for every rule.
`layer`  the same, showing its chain in order; for tests that exhaust a limit.
`desk`   default settings: a root of its own, which it loses on the way.
`tower`  a root of its own, above two lines whose forwarders it lists.
"""

from collections.abc import Iterator

import pytest

from support.device import Device
from support.forwarding import Tower, lay_out_tower
from support.proving import PASSWORD, Place, lay_out
from support.server import Server

_SERVERS = ("plant", "layer", "desk", "tower")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one server in one worker, so that every server is started once."""
    for item in items:
        server = next((name for name in _SERVERS if name in getattr(item, "fixturenames", ())), None)
        if server is not None:
            item.add_marker(pytest.mark.xdist_group(server))


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = lay_out(tmp_path_factory.mktemp("plant"), "der")
    with place.server:
        yield place


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = lay_out(tmp_path_factory.mktemp("layer"), "chain")
    with place.server:
        yield place


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("desk"), {})
    server.add_user("line", PASSWORD, "*", profiles=("*",))
    with server:
        yield server


@pytest.fixture(scope="session")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tower]:
    place = lay_out_tower(tmp_path_factory.mktemp("tower"))
    with place.server:
        yield place


@pytest.fixture
def stranger(plant: Place) -> Device:
    return plant.stranger


@pytest.fixture
def line(plant: Place) -> Device:
    return plant.line
