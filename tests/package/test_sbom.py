"""The bill of materials says what is installed, whole, and the same for the same image."""

import json
import subprocess
import sys
from importlib.metadata import distributions
from typing import Any

from packaging.utils import canonicalize_name

from image.sbom import bill, built_in, debian
from support.manifests import ROOT

SYSTEM = {"ID": "debian", "VERSION_ID": "13"}
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12
Description: GNU C Library
 Version: of a description

Package: passwd
Status: install ok installed
Architecture: amd64
Version: 1:4.17.4-2+b1

Package: nano
Status: deinstall ok config-files
Architecture: amd64
Version: 8.4-1
"""


def names(document: dict[str, Any]) -> set[str]:
    return {component["name"] for component in document["components"]}


def test_every_distribution_is_told_but_nestor_which_it_is_about() -> None:
    document = bill("nestor", distributions(), [])
    installed = {package.name for package in distributions()}
    assert names(document) == installed - {"nestor"}
    assert document["metadata"]["component"]["name"] == "nestor"


def test_every_component_is_told_once_with_its_address() -> None:
    components = bill("nestor", distributions(), debian(STATUS, SYSTEM))["components"]
    addresses = [component["bom-ref"] for component in components]
    assert len(set(addresses)) == len(addresses)
    assert [one for one in components if one["purl"] != one["bom-ref"] or not one["version"]] == []


def test_dependencies_lead_to_components_that_are_there() -> None:
    document = bill("nestor", distributions(), [])
    known = {one["bom-ref"] for one in (document["metadata"]["component"], *document["components"])}
    depends = {one["ref"]: set(one["dependsOn"]) for one in document["dependencies"]}
    assert set(depends) == known
    assert set().union(*depends.values()) <= known
    needed = depends[document["metadata"]["component"]["bom-ref"]]
    assert {"aiohttp", "cryptography"} <= {canonicalize_name(url.split("/")[1].split("@")[0]) for url in needed}


def test_packages_of_debian_are_told_if_they_are_installed() -> None:
    assert [(one["name"], one["purl"]) for one in debian(STATUS, SYSTEM)] == [
        ("libc6", "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13"),
        ("passwd", "pkg:deb/debian/passwd@1%3A4.17.4-2%2Bb1?arch=amd64&distro=debian-13"),
    ]


def test_the_openssl_inside_the_wheel_is_told() -> None:
    assert [one["name"] for one in built_in()] == ["python", "openssl"]


def test_the_script_of_the_image_prints_the_same_text_twice() -> None:
    script = (sys.executable, str(ROOT / "modules" / "nestor" / "image" / "sbom.py"))
    first, second = (subprocess.run(script, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    document = json.loads(first)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
