"""Two servers for the clients of others, each started once: a plant's, and one that follows Microsoft's tutorial."""

from collections.abc import Iterator

import pytest

from support.plants import Plant, Tutorial
from support.plants import plant as make_plant


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tutorial]:
    with Tutorial(tmp_path_factory.mktemp("tutorial")) as server:
        yield server


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    made = make_plant(tmp_path_factory.mktemp("plant"))
    with made.server:
        yield made
