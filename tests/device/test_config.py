"""A config.toml as the runtime understands it: which certificates, whose names, which URL, which authentication."""

from dataclasses import replace

from nestor.device.config import DeviceConfig
from nestor.device.part import Part
from support.configs import BY_HAND, BY_PASSWORD, URL, config


def test_a_device_of_dps_is_named_by_its_registration_id() -> None:
    assert config().device == "gw3"
    assert config().uses_dps


def test_a_device_provisioned_by_hand_is_named_by_its_device_id() -> None:
    assert config(BY_HAND).device == "gw3"


def test_a_connection_string_names_the_device_and_its_key_is_left_alone() -> None:
    secret = "HostName=plant.azure-devices.net;DeviceId=gw7;SharedAccessKey=c2VjcmV0"
    read = DeviceConfig(Part("", {"provisioning": {"source": "manual", "connection_string": secret}}))
    assert read.device == "gw7"
    assert "c2VjcmV0" not in repr(read)


def test_certificates_are_asked_for_in_the_order_of_the_runtime() -> None:
    assert [one.id for one in config().enrolled] == ["device-id", "aziot-edged-ca"]
    assert [one.id for one in config(replace(BY_PASSWORD, edge_ca=False)).enrolled] == ["device-id"]


def test_an_edge_ca_from_files_or_made_by_the_device_is_not_enrolled() -> None:
    assert config(edge_ca={"cert": "file:///a", "pk": "file:///b"}).edge_ca is None
    assert config(edge_ca={"auto_generated_edge_ca_expiry_days": 90}).edge_ca is None


def test_the_name_of_a_device_identity_is_the_registration_id_whatever_the_file_says() -> None:
    other = config(provisioning__attestation__identity_cert__common_name="other")
    assert other.identity is not None
    assert other.subject_of(other.identity) == {"CN": "gw3"}


def test_an_edge_ca_is_named_for_its_device_unless_the_file_names_it() -> None:
    usual, named = config(), config(edge_ca__common_name="plant-ca")
    assert usual.edge_ca is not None
    assert named.edge_ca is not None
    assert usual.subject_of(usual.edge_ca) == {"CN": "aziot-edge CA gw3"}
    assert named.subject_of(named.edge_ca) == {"CN": "plant-ca"}


def test_a_subject_keeps_its_other_attributes_and_long_names_are_cut() -> None:
    long = config(edge_ca__subject={"O": "Contoso", "CN": "x" * 70})
    assert long.edge_ca is not None
    assert long.subject_of(long.edge_ca) == {"O": "Contoso", "CN": "x" * 64}


def test_a_certificate_may_have_an_authentication_of_its_own() -> None:
    own = config(edge_ca__username="ca", edge_ca__password="4711")
    assert own.edge_ca is not None
    assert own.identity is not None
    assert own.auth_of(own.edge_ca).login == ("ca", "4711")
    assert own.auth_of(own.identity).login == ("gw3", "0815")


def test_a_url_comes_from_the_certificate_then_from_its_id_then_from_the_default() -> None:
    listed = config(cert_issuance__est__urls={"default": URL, "aziot-edged-ca": f"{URL}/ca"})
    assert listed.edge_ca is not None
    assert listed.url_of(listed.edge_ca) == ("cert_issuance.est.urls.aziot-edged-ca", f"{URL}/ca")
    assert listed.url_of(listed.edge_ca, renewal=True) == ("cert_issuance.est.urls.default", URL)
    own = config(edge_ca__url=f"{URL}/own")
    assert own.edge_ca is not None
    assert own.url_of(own.edge_ca, renewal=True) == ("edge_ca.url", f"{URL}/own")
