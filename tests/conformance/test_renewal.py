"""Renewal: the same names go on, by simplereenroll or, as certd does it, by simpleenroll."""

import pytest
from cryptography import x509

from support.device import Device
from support.proving import Place
from support.shapes import (
    Extension,
    Request,
    client_auth,
    common_name,
    device_identity,
    dns_names,
    edge_ca,
    est_identity,
    new_names,
    request,
)


def _named(name: str, *dns: str, attributes: tuple[bytes, ...] = ()) -> Request:
    extensions: list[Extension] = [client_auth(), *([dns_names(*dns)] if dns else [])]
    return request(name, None, extensions, attributes)


def _holder(plant: Place, name: str, *dns: str) -> Device:
    """A device on the label of EST identities, with one that has these names."""
    line = plant.line.but(label="est")
    return line.but(identity=line.enrolled(_named(name, *dns)), user=None)


def _names_of(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


@pytest.mark.conformance("RE-1")
def test_a_renewal_has_the_same_names(plant: Place) -> None:
    device = _holder(plant, "re-1", "re-1.example", "re-1.local")
    assert _names_of(device.reenroll(_named("re-1", "re-1.example", "re-1.local")).certificate) == [
        "re-1.example",
        "re-1.local",
    ]
    others = {
        "another subject": _named("re-2", "re-1.example", "re-1.local"),
        "another name": _named("re-1", "re-1.example", "re-2.local"),
        "a name less": _named("re-1", "re-1.example"),
        "a name more": _named("re-1", "re-1.example", "re-1.local", "re-1.more"),
        "no names": _named("re-1"),
    }
    assert {kind: device.reenroll(asked).status for kind, asked in others.items()} == dict.fromkeys(others, 403)


@pytest.mark.conformance("RE-2")
def test_string_types_letter_case_and_order_do_not_matter(plant: Place) -> None:
    device = _holder(plant, "re-order", "a.example", "b.example")
    names = [client_auth(), dns_names("b.example", "a.example")]
    assert device.reenroll(request(common_name("re-order", bytes), None, names)).status == 200
    assert device.reenroll(request(common_name("RE-Order"), None, names)).status == 200


@pytest.mark.conformance("RE-3")
def test_new_names_come_beside_the_old_ones(plant: Place) -> None:
    device = _holder(plant, "re-names", "old.example", "kept.example")
    old = ("re-names", "old.example", "kept.example")
    renamed = device.reenroll(_named(*old, attributes=(new_names("re-names", "kept.example"),)))
    assert _names_of(renamed.certificate) == ["kept.example"]
    refused = {
        "a name that is not granted": _named(*old, attributes=(new_names("re-others", "kept.example"),)),
        "new names in the subject": _named("re-others", "kept.example", attributes=(new_names("re-others"),)),
        "silence on the subject": _named(*old, attributes=(new_names(None, "kept.example"),)),
        "silence on the others": _named(*old, attributes=(new_names("re-names"),)),
    }
    assert {kind: device.reenroll(asked).status for kind, asked in refused.items()} == dict.fromkeys(refused, 403)


@pytest.mark.conformance("RE-4")
def test_a_renewal_keeps_its_key_or_brings_a_new_one(plant: Place) -> None:
    device = plant.enrolled("re-key")
    assert device.identity is not None
    same = device.reenroll(est_identity("re-key", device.identity.key))
    other = device.reenroll(est_identity("re-key"))
    assert same.certificate.public_key() == device.identity.certificate.public_key()
    assert other.certificate.public_key() != device.identity.certificate.public_key()


@pytest.mark.conformance("RE-4")
def test_a_profile_may_want_new_keys_only(plant: Place) -> None:
    line = plant.line.but(label="fresh")
    device = line.but(identity=line.enrolled(est_identity("re-fresh")), user=None)
    assert device.identity is not None
    assert device.reenroll(est_identity("re-fresh", device.identity.key)).status == 403
    assert device.reenroll(est_identity("re-fresh")).status == 200


@pytest.mark.conformance("RE-5")
def test_another_certificate_of_the_same_identity_will_do(plant: Place) -> None:
    plant.enrolled("re-twice")
    second = plant.enrolled("re-twice")
    assert second.reenroll(est_identity("re-twice")).status == 200


@pytest.mark.conformance("RE-6")
def test_without_a_certificate_of_this_ca_nothing_is_renewed(plant: Place) -> None:
    plant.enrolled("re-none")
    assert plant.line.reenroll(est_identity("re-none")).status == 403
    assert plant.from_factory("re-none-2").reenroll(est_identity("re-none-2")).status == 403


@pytest.mark.conformance("RE-7")
def test_certd_renews_by_simpleenroll_and_keeps_the_names_it_leaves_out(plant: Place) -> None:
    device = _holder(plant, "re-certd", "re-certd.example")
    assert _names_of(device.enroll(_named("re-certd")).certificate) == ["re-certd.example"]
    assert device.enroll(_named("re-other")).status == 403


@pytest.mark.conformance("RE-7")
def test_an_est_identity_gets_the_certificates_of_its_device(plant: Place) -> None:
    device = plant.enrolled("gw-re")
    assert device.enroll(device_identity("gw-re")).status == 200
    assert device.enroll(edge_ca("gw-re")).status == 200
    of_its_edge_ca = plant.enrolled("aziot-edge CA gw-re")
    assert of_its_edge_ca.enroll(edge_ca("gw-re")).status == 200


@pytest.mark.conformance("RE-8")
def test_renewing_early_and_often_leaves_the_older_ones_valid(plant: Place) -> None:
    devices = [plant.enrolled("re-often")]
    for _ in range(3):
        renewed = devices[-1].enrolled(est_identity("re-often"))
        devices.append(devices[-1].but(identity=renewed))
    assert [device.reenroll(est_identity("re-often")).status for device in devices] == [200] * 4
