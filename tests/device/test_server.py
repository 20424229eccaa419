"""A config held against the server that the device is to live on."""

from dataclasses import replace
from pathlib import Path

import pytest

from nestor.device.files import Disk, look
from nestor.device.places import places_of
from nestor.device.server import KnownServer, check_server, label_of
from nestor.finding import Finding
from support.configs import URL, URLS, config, only, problems, warnings
from support.pki import authority
from support.trees import tree

ROOT = authority()
NAMES = ("gw3.plant.example", "10.3.0.7", "*.dmz.example")
SERVER = KnownServer(URL, NAMES, NAMES, 8085, {"edge-ca"}, ROOT.certificate)
TRUST = "cert_issuance.est.trusted_certs"


def _found(server: KnownServer = SERVER, disk: Disk | None = None, **changes: object) -> list[Finding]:
    return list(check_server(config(**changes), server, disk))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}/",
        f"{URL}/edge-ca",
        URL.replace("gw3.plant", "GW3.Plant"),
        URL.replace("gw3.plant.example", "10.3.0.7"),
        URL.replace("gw3.plant.example", "x.dmz.example"),
    ],
)
def test_a_url_that_the_server_serves_is_fine(url: str) -> None:
    assert _found(cert_issuance__est__urls__default=url) == []


@pytest.mark.parametrize("host", ["gw3", "10.3.0.8", "a.b.dmz.example", "dmz.example", "[2001:db8::7]"])
def test_a_name_that_the_certificate_does_not_have_is_a_problem(host: str) -> None:
    found = only(_found(cert_issuance__est__urls__default=URL.replace("gw3.plant.example", host)))
    assert problems([found]) == [f"{URLS}.default"]
    assert "gw3.plant.example, 10.3.0.7" in found.sentence


def test_another_port_is_a_warning_for_something_may_map_it() -> None:
    assert warnings(_found(cert_issuance__est__urls__default=URL.replace("8085", "8443"))) == [f"{URLS}.default"]
    (found,) = _found(cert_issuance__est__urls__default=URL.replace(":8085", ""))
    assert "443" in found.sentence


@pytest.mark.parametrize("path", ["/est", "", "/.well-known/est/a/b", "/.well-known/est/edge"])
def test_a_path_or_label_that_is_not_served_is_a_problem(path: str) -> None:
    url = URL.replace("/.well-known/est", path)
    assert problems(_found(cert_issuance__est__urls__default=url)) == [f"{URLS}.default"]


def test_the_urls_of_certificates_and_renewals_are_held_against_it_too() -> None:
    assert problems(_found(edge_ca__url=f"{URL}/x")) == ["edge_ca.url"]
    listed = {"default": f"{URL}/y", "aziot-edged-ca": URL, "device-id": URL, "est-id": URL, "device-id-temp": URL}
    assert problems(_found(cert_issuance__est__urls=listed)) == [f"{URLS}.default"]


def test_a_server_that_only_its_own_machine_reaches_is_a_warning() -> None:
    assert warnings(_found(replace(SERVER, open_names=("localhost",)))) == [f"{URLS}.default"]
    local = replace(SERVER, names=("localhost",), open_names=("localhost",))
    assert _found(local, cert_issuance__est__urls__default=URL.replace("gw3.plant.example", "localhost")) == []


def test_trusted_certs_have_to_hold_the_root(tmp_path: Path) -> None:
    disk = look(places_of(config()), tree(tmp_path, ROOT))
    assert _found(disk=disk) == []
    below = replace(SERVER, root=authority("Another Root").certificate)
    found = only(_found(below, disk))
    assert problems([found]) == [TRUST]
    assert "Another Root" in found.sentence


def test_without_trusted_certs_a_server_of_its_own_ca_is_a_stranger() -> None:
    assert problems(_found(cert_issuance__est__trusted_certs=None)) == [TRUST]
    assert _found(replace(SERVER, root=None), cert_issuance__est__trusted_certs=None) == []


def test_files_that_were_not_seen_are_not_judged(tmp_path: Path) -> None:
    assert _found(disk=None) == []
    assert _found(disk=look(places_of(config()), tmp_path)) == []


def test_the_label_of_a_url_is_read() -> None:
    assert label_of(URL) is None
    assert label_of(f"{URL}/edge-ca/") == "edge-ca"
    with pytest.raises(ValueError, match="nowhere"):
        label_of("https://gw3/nowhere")
