"""The story goes as it is told, and leaves nothing behind; docs/layers.md tells it as it goes."""

import os
from pathlib import Path

import pytest

from layers.ground import LAYERS, Ground, why_not
from layers.story import tell
from layers.transcript import Transcript

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layers")]

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"


@pytest.fixture(scope="module")
def told() -> Transcript:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"the layers cannot be laid out: {reason}")
    transcript = Transcript()
    with Ground() as ground:
        tell(ground, transcript)
    return transcript


def test_a_device_lives_below_four_layers_and_the_site_outlives_a_cut(told: Transcript) -> None:
    """Whatever does not hold has raised Untrue."""
    assert len(told.lines) > 50


def test_nothing_is_left_behind(told: Transcript) -> None:
    left = [path.name for path in Path("/run/netns").glob(f"nestor-layers-{os.getpid()}-*")]
    assert left == []
    assert not list(Path("/etc/netns").glob(f"nestor-layers-{os.getpid()}-*"))


def test_the_page_tells_every_scene(told: Transcript) -> None:
    page = PAGE.read_text("utf-8")
    scenes = [line for line in told.lines if line and not line.startswith((" ", "="))]
    assert len(scenes) > len(LAYERS)
    assert [scene for scene in scenes if scene not in page] == []
