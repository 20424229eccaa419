"""What the image is made of, as CycloneDX 1.6: Debian's packages, Python, its distributions, the OpenSSL in a wheel.

It is written from what is installed, not from what was asked for. Equal images, equal text: it has no date and no
number of its own. `python3 sbom.py` prints it.
"""

import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_DEBIAN = Path("/var/lib/dpkg/status")
_LONGEST_NAME = 80
"""A license field that is longer is the text of a license, not its name."""

Component = dict[str, Any]


def bill(name: str, packages: Iterable[Distribution], others: Iterable[Component]) -> dict[str, Any]:
    """The whole document, about the distribution `name` and everything beside it."""
    known: dict[str, Distribution] = {canonicalize_name(package.name): package for package in packages}
    components = sorted([*map(_distribution, known.values()), *others], key=lambda one: one["bom-ref"])
    subject = next(one for one in components if one["name"] == name)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**subject, "type": "container"}},
        "components": [one for one in components if one is not subject],
        "dependencies": [
            {
                "ref": _url_of(package),
                "dependsOn": sorted(_url_of(known[need]) for need in _needs(package) & set(known)),
            }
            for _, package in sorted(known.items())
        ],
    }


def debian(status: str, system: Mapping[str, str]) -> Iterator[Component]:
    """The packages that a status file of dpkg says are installed, on the system that os-release describes."""
    for paragraph in status.split("\n\n"):
        field = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if field.get("Status", "").endswith(" installed"):
            where = f"arch={field['Architecture']}&distro={system['ID']}-{system['VERSION_ID']}"
            place = f"deb/{system['ID']}/{quote(field['Package'])}"
            yield _component(field["Package"], field["Version"], place, f"?{where}")


def built_in() -> Iterator[Component]:
    """What no list of packages knows: the interpreter, and the OpenSSL that does TLS and signs."""
    from cryptography.hazmat.backends.openssl.backend import backend  # noqa: PLC0415 -- for this alone

    yield _component("python", platform.python_version(), "generic/python")
    yield {
        **_component("openssl", backend.openssl_version_text().split()[1], "generic/openssl"),
        "description": "in the wheel of cryptography; what Nestor serves and signs with",
    }


def _distribution(package: Distribution) -> Component:
    licenses = [_license(package)] if _license(package) else []
    return _component(package.name, package.version, f"pypi/{canonicalize_name(package.name)}", licenses=licenses)


def _component(name: str, version: str, place: str, qualifiers: str = "", **more: Any) -> Component:
    url = f"pkg:{place}@{quote(version, safe='')}{qualifiers}"
    told = {key: value for key, value in more.items() if value}
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url, **told}


def _url_of(package: Distribution) -> str:
    return str(_distribution(package)["bom-ref"])


def _license(package: Distribution) -> dict[str, Any]:
    """The license as the distribution tells it: an SPDX expression, a name, or the words of its classifiers."""
    if expression := _field(package, "License-Expression"):
        return {"expression": expression}
    words = _field(package, "License")
    if not words or "\n" in words or len(words) > _LONGEST_NAME:
        classifiers = package.metadata.get_all("Classifier") or []
        words = " AND ".join(line.rsplit(" :: ", 1)[1] for line in classifiers if line.startswith("License :: "))
    return {"license": {"name": words}} if words else {}


def _field(package: Distribution, name: str) -> str:
    return package.metadata[name] if name in package.metadata else ""  # noqa: SIM401 -- it has no get before 3.12


def _needs(package: Distribution) -> set[str]:
    """The distributions that it needs here, without its extras."""
    wanted = [Requirement(line) for line in package.requires or ()]
    return {canonicalize_name(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}


def main() -> None:
    """Print the bill of the machine that this runs on."""
    packages = debian(_DEBIAN.read_text("utf-8"), platform.freedesktop_os_release())
    json.dump(bill("nestor", distributions(), [*packages, *built_in()]), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
