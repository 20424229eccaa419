"""docs/layers.md: its settings hold, its commands are there, and what it leads to is there too."""

import re
import tomllib

import pytest

from nestor.app.trial import try_settings
from nestor.settings import Settings, judge
from support.manifests import ROOT
from support.pages import lines, options_of, section, text

PAGE = "layers.md"
SECTIONS = (
    "Which style",
    "What a forwarder must be trusted for",
    "Bringing a layer up",
    "By forwarding",
    "With a CA per layer",
    "What IoT Edge makes of it",
    "Taking a layer off",
    "When something does not work",
    "What `make layers` tells",
)


def settings_of(heading: str) -> list[Settings]:
    """The settings of a section: of the parent, then of the layer."""
    blocks = re.findall(r"^```toml\n(.*?)^```", section(PAGE, heading), re.MULTILINE | re.DOTALL)
    return [judge(tomllib.loads(block)) for block in blocks]


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_guide_has_a_section(heading: str) -> None:
    assert re.search(rf"^##+ {re.escape(heading)}$", text(PAGE), re.MULTILINE)


@pytest.mark.parametrize("heading", ["By forwarding", "With a CA per layer"])
def test_parent_and_layer_know_each_other_by_the_same_names(heading: str) -> None:
    parent, layer = settings_of(heading)
    try_settings(layer)
    name = layer.upstream.identity.name
    (known,) = (*parent.access.forwarders, *parent.access.layers)
    (add,) = (words for words in lines(section(PAGE, heading)) if words[1:3] == ["user", "add"])
    assert name == layer.upstream.user == known == add[3]
    forwarder = parent.access.forwarders.get(known)
    assert forwarder is None or forwarder.subject == f"CN={name}"
    assert layer.ca.path_length in {1, parent.profiles["layerCa"].path_length if parent.profiles else 1}


def test_every_command_is_there_with_its_options() -> None:
    commands = [words[1:] for words in lines(text(PAGE)) if words[:1] == ["nestor"]]
    assert len(commands) > 3
    assert [
        (words, word) for words in commands for word in words if word[:2] == "--" and word not in options_of(words)
    ] == []


def test_what_it_leads_to_is_there() -> None:
    names = re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", text(PAGE))
    assert {"forwarding.md", "layer-ca.md", "approval.md", "proxy.md"} <= {name for name, _ in names}
    assert [name for name, _ in names if not (ROOT / "docs" / name).exists()] == []
    headings = {
        (name, re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-"))
        for name, anchor in names
        if anchor
        for heading in re.findall(r"^#+ (.*)$", text(name), re.MULTILINE)
    }
    assert [(name, anchor) for name, anchor in names if anchor and (name, anchor) not in headings] == []
