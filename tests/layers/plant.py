"""A Nestor on each of the five layers, brought up from the top down as their operators do it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from layers.ground import BOTTOM, LAYERS, TOP, Ground
from layers.site import Site
from layers.styles import PARENT_CA, PASSWORD, Style, first_profile, name_of, settings
from layers.transcript import Transcript

_READY = 30.0


@dataclass(frozen=True)
class Plant:
    """The Nestors by layer."""

    style: Style
    ground: Ground
    sites: dict[int, Site]

    @property
    def anchors(self) -> str:
        """What a device at the bottom trusts: the root of all that is issued, and that of the server it talks to."""
        roots = (self.sites[TOP].data / "root.pem", self.sites[BOTTOM].data / "root.pem")
        return "".join(dict.fromkeys(root.read_text("utf-8") for root in roots))


@contextmanager
def plant(style: Style, ground: Ground, transcript: Transcript) -> Iterator[Plant]:
    """The plant, while the context lasts."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nestor-layers-")))
        built = Plant(style, ground, {})
        for layer in reversed(LAYERS):
            site = built.sites[layer] = Site(ground, layer, place / name_of(layer), settings(style, layer))
            if layer < TOP:
                _introduce(built, site, transcript)
            stack.callback(site.stop)
            site.start()
            _wait_until_ready(built, site)
            transcript.fact(f"layer {layer} is ready.")
        yield built


def _introduce(plant: Plant, site: Site, transcript: Transcript) -> None:
    """Have the parent's operator make a layer known, and take its password and its root down."""
    parent = plant.sites[site.layer + 1]
    name, root = name_of(site.layer), "root.pem"
    add = ("user", "add", name, "--profiles", first_profile(plant.style), "--one-time", "--generate")
    transcript.typed(parent.layer, (*add, "--password-out", f"{name}.password"))
    parent.operate(*add, "--password-out", str(site.data / PASSWORD))
    transcript.typed(parent.layer, ("ca", "export", "--root", "--out", f"{name_of(parent.layer)}-ca.pem"))
    shutil.copy(_root(parent), site.data / PARENT_CA)
    if plant.style is Style.LAYER_CA:
        shutil.copy(site.data / PARENT_CA, site.data / root)


def _root(site: Site) -> Path:
    """The root of a layer's CA, exported once."""
    place = site.data / "root.pem"
    if not place.exists():
        site.operate("ca", "export", "--root", "--out", str(place))
    return place


def _wait_until_ready(plant: Plant, site: Site) -> None:
    """Wait until it has from its parent what it issues or forwards with."""
    anchors = _root(site) if plant.style is Style.FORWARDING or site.layer == TOP else site.data / PARENT_CA
    site.wait(lambda: site.shows_authorities(anchors), "did not get ready", _READY)
    if site.layer < TOP:
        site.wait((site.data / "upstream-identity.pem").exists, "is not known to its parent", _READY)
