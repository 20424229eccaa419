"""A server without a port whose clocks stand until somebody moves them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.issuing import HandClock
from support.stages import Stage


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def timed(tmp_path: Path, clock: HandClock) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    stage.plan = replace(stage.plan, clock=clock)
    yield stage
    await stage.close()
