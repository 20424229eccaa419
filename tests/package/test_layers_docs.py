"""docs/layers.md: its settings hold, its commands are there, and what it leads to is there too.

So do those of a layer between two others, whose file is both parts of the page. What docs/troubleshooting.md quotes of
layers is what the program says.
"""

import re
import tomllib
from itertools import pairwise

import pytest

from nestor.app.advice import doubts
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


def blocks_of(heading: str) -> list[str]:
    """The files of a section: what every layer has where it says that, of the parent, then of the layer."""
    return re.findall(r"^```toml\n(.*?)^```", section(PAGE, heading), re.MULTILINE | re.DOTALL)


def settings_of(heading: str) -> list[Settings]:
    """The settings of a section: of the parent, then of the layer."""
    return [judge(tomllib.loads(block)) for block in blocks_of(heading)][-2:]


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


def test_by_forwarding_every_layer_has_a_file_of_the_parts_of_the_page() -> None:
    names, parent, layer = blocks_of("By forwarding")
    own = names.replace("gw4", "gw3")
    top, middle, bottom = (
        judge(tomllib.loads("".join(parts))) for parts in ((names, parent), (own, parent, layer), (own, layer))
    )
    for settings in (top, middle, bottom):
        try_settings(settings)
        assert doubts(settings) == []
        assert settings.access.gateways == ("press-*",)
        assert settings.ca.subject != judge({}).ca.subject
    assert (top.upstream.url, bottom.access.forwarders) == (None, {})
    assert middle.upstream.identity.label in middle.labels


@pytest.mark.parametrize("heading", ["By forwarding", "With a CA per layer"])
def test_what_a_layer_writes_for_the_one_below_is_not_what_it_has_from_the_one_above(heading: str) -> None:
    (layer,) = settings_of(heading)[1:]
    held = {str(layer.upstream.anchors), str(layer.upstream.password)}
    written = {
        f"file:{name}"
        for words in lines(section(PAGE, heading))
        for option, name in pairwise(words)
        if option in {"--out", "--password-out"}
    }
    assert (len(held), len(written), held & written) == (2, 2, set())


def test_with_a_ca_per_layer_a_layer_between_two_others_is_both() -> None:
    parent, layer = blocks_of("With a CA per layer")
    gateways = '[access]\ngateways = "press-*"\n'
    try_settings(judge(tomllib.loads(gateways + parent + layer)))


def test_every_command_is_there_with_its_options() -> None:
    commands = [words[1:] for words in lines(text(PAGE)) if words[:1] == ["nestor"]]
    assert len(commands) > 3
    assert [
        (words, word) for words in commands for word in words if word[:2] == "--" and word not in options_of(words)
    ] == []


def test_what_is_quoted_of_layers_is_what_the_program_says() -> None:
    page = text("troubleshooting.md")
    part = page[page.index("\n## Layers\n") : page.index("\n## As an IoT Edge module\n")]
    quoted = [words for told in re.findall(r"\*([^*`]+)\*", part) for words in re.split(r" ?\.\.\.", told) if words]
    sources = (path.read_text("utf-8") for path in (ROOT / "modules" / "nestor" / "nestor").rglob("*.py"))
    said = re.sub(r'"\s*f?"', "", "\n".join(sources))
    assert len(quoted) > 20
    assert [words for words in quoted if words not in said] == []


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
