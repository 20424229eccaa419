"""A gateway's life as aziot-certd leads it, with every kind of credential that its configuration may name."""

import pytest
from cryptography import x509

from support.certd import Certd, EstFailed, OldCertd
from support.device import Identity
from support.proving import PASSWORD, Place
from support.server import Server
from support.shapes import Request, device_identity, edge_ca, est_identity


def _certd(place: Place, identity: Identity | None = None, basic: tuple[str, str] | None = None) -> Certd:
    return Certd(place.server.url, place.server.ca_file, basic, identity)


def _keep(certd: Certd, asked: Request) -> Identity:
    """What certd keeps: the first certificate is taken as the leaf, all others as its chain."""
    leaf, *chain = certd.create_cert(asked.der)
    assert leaf.public_key() == asked.key.public_key()
    return Identity(leaf, asked.key, tuple(chain))


@pytest.mark.conformance("HTTP-1", "TLS-13", "ENR-2", "ENR-6", "ENR-7", "RE-7")
def test_a_gateway_is_onboarded_by_its_factory_certificate_and_renews_for_ever(plant: Place) -> None:
    identity = _keep(_certd(plant, plant.factory.make("gw-life")), est_identity("gw-life"))
    device = _keep(_certd(plant, identity), device_identity("gw-life"))
    gateway = _keep(_certd(plant, identity), edge_ca("gw-life"))
    leaf_only = Identity(identity.certificate, identity.key)
    renewed = _keep(_certd(plant, leaf_only), est_identity("gw-life"))
    same_key = _keep(_certd(plant, renewed), device_identity("gw-life", device.key))
    for kept in (identity, device, gateway, renewed, same_key):
        assert {plant.issuing.certificate, plant.top.certificate} == set(kept.chain)
    assert same_key.certificate.serial_number != device.certificate.serial_number


@pytest.mark.conformance("AUTH-4", "AUTH-9", "ENR-7")
def test_a_device_may_send_password_and_certificate_on_every_call(plant: Place) -> None:
    basic = ("line", PASSWORD)
    identity = _keep(_certd(plant, basic=basic), est_identity("both-1"))
    assert _keep(_certd(plant, identity, basic), device_identity("both-1")).certificate.issuer != x509.Name([])
    with pytest.raises(EstFailed, match="403"):
        _certd(plant, identity, basic).create_cert(device_identity("both-2").der)


@pytest.mark.conformance("ENC-4", "ENC-12")
def test_certd_up_to_1_2_3_is_served(plant: Place) -> None:
    certd = OldCertd(plant.server.url, plant.server.ca_file, basic=("line", PASSWORD))
    assert len(certd.create_cert(device_identity("vintage").der)) == 3


@pytest.mark.conformance("CA-1", "ENR-7")
def test_a_desk_with_a_root_of_its_own_serves_certd_too(desk: Server) -> None:
    certd = Certd(desk.url, desk.ca_file, basic=("line", PASSWORD))
    leaf, root = certd.create_cert(device_identity("desk-1").der)
    leaf.verify_directly_issued_by(root)
