"""CA certificates: what /cacerts shows, in which order, and what can be proved with it."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.certd import Certd
from support.der import is_sorted
from support.device import Device
from support.openssl import run
from support.proving import PASSWORD, Place
from support.server import Server
from support.shapes import est_identity


@pytest.mark.conformance("CA-1", "CA-2")
def test_cacerts_holds_the_root(plant: Place) -> None:
    shown = plant.stranger.get("cacerts").certificates
    roots = [certificate for certificate in shown if certificate.subject == certificate.issuer]
    assert roots == [plant.top.certificate]


@pytest.mark.conformance("CA-1", "CA-2")
def test_a_ca_that_is_its_own_root_shows_that(desk: Server) -> None:
    (shown,) = desk.device().get("cacerts").certificates
    assert shown.public_bytes(Encoding.PEM) == desk.ca_file.read_bytes()
    shown.verify_directly_issued_by(shown)


@pytest.mark.conformance("CA-3")
def test_what_was_issued_is_proved_by_cacerts_alone(line: Device) -> None:
    link = line.enroll(est_identity("proved")).certificate
    shown = line.get("cacerts").certificates
    while link.issuer != link.subject:
        (above,) = [certificate for certificate in shown if certificate.subject == link.issuer]
        link.verify_directly_issued_by(above)
        link = above


@pytest.mark.conformance("CA-6")
def test_the_client_of_nestor_expects_no_order(plant: Place, layer: Place) -> None:
    for place in (plant, layer):
        shown = json.loads(place.server.est("cacerts", "--json"))
        assert [(one["role"], one["subject"]) for one in shown] == [
            ("root", "CN=Plant Root"),
            ("below the root", "CN=Plant Issuing CA"),
        ]


@pytest.mark.conformance("CA-7")
def test_the_order_is_that_of_der_by_default(plant: Place) -> None:
    shown = plant.stranger.get("cacerts").certificates
    assert is_sorted([certificate.public_bytes(Encoding.DER) for certificate in shown])


@pytest.mark.conformance("CA-7")
def test_the_order_can_be_that_of_the_chain(layer: Place) -> None:
    shown = layer.stranger.get("cacerts").certificates
    assert shown == [layer.issuing.certificate, layer.top.certificate]


@pytest.mark.conformance("CA-7")
def test_what_certd_keeps_is_a_chain_that_openssl_takes(plant: Place, layer: Place) -> None:
    for place in (plant, layer):
        certd = Certd(place.server.url, place.server.ca_file, basic=("line", PASSWORD))
        leaf, *others = certd.create_cert(est_identity("chained").der)
        directory = place.server.place
        (directory / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        (directory / "others.pem").write_bytes(_pem(others))
        anchor, rest = place.server.ca_file, directory / "others.pem"
        assert b"OK" in run("verify", "-CAfile", anchor, "-untrusted", rest, directory / "leaf.pem")


@pytest.mark.conformance("CA-9")
def test_cacerts_comes_from_memory_and_may_be_kept_a_minute(layer: Place) -> None:
    files = [layer.server.data / name for name in ("ca.pem", "root.pem")]
    contents = [file.read_bytes() for file in files]
    try:
        for file in files:
            file.unlink()
        answer = layer.stranger.get("cacerts")
    finally:
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
    assert (len(answer.certificates), answer["Cache-Control"]) == (2, "max-age=60")


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
