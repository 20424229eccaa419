"""A plant whose server is started for one test, for tests that leave nothing behind worth keeping."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.plants import Plant
from support.plants import plant as make_plant


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = make_plant(tmp_path)
    with made.server:
        assert made.server.ca_file.exists(), "devices have their anchor before anything goes wrong"
        yield made
