"""Enrollment: what is issued for which request, and what never is."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem

from support.der import utf8
from support.device import Device, wrapped
from support.proving import Place
from support.shapes import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Extension,
    attribute,
    broken,
    client_auth,
    device_identity,
    edge_ca,
    est_identity,
    key_usage,
    local_identity,
    purposes,
    request,
    server,
    spki_of,
)

_UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")


def _purposes_of(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def _usage_of(certificate: x509.Certificate) -> x509.KeyUsage:
    return certificate.extensions.get_extension_for_class(x509.KeyUsage).value


def _constraints_of(certificate: x509.Certificate) -> x509.BasicConstraints:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value


@pytest.mark.conformance("ENR-1")
def test_a_request_whose_signature_is_broken_is_refused(line: Device) -> None:
    asked = est_identity("unproved")
    assert line.post("simpleenroll", wrapped(broken(asked))).status == 400
    assert line.enroll(asked).status == 200


@pytest.mark.conformance("ENR-2")
def test_the_answer_is_one_certificate_for_the_key_of_the_request(plant: Place) -> None:
    asked = est_identity("alone")
    (issued,) = plant.line.enroll(asked).certificates
    assert issued.public_key() == asked.key.public_key()
    issued.verify_directly_issued_by(plant.issuing.certificate)


@pytest.mark.conformance("ENR-3")
def test_an_unknown_attribute_is_ignored(line: Device) -> None:
    odd = attribute(_UNKNOWN.dotted_string, utf8("odd"))
    assert line.enroll(request("odd", None, [client_auth()], [odd])).status == 200


@pytest.mark.conformance("ENR-3")
@pytest.mark.parametrize("critical", [False, True])
def test_an_unknown_extension_is_not_copied(line: Device, critical: bool) -> None:
    odd = Extension(x509.UnrecognizedExtension(_UNKNOWN, b"\x05\x00"), critical)
    answer = line.but(label="est").enroll(request("odd", None, [client_auth(), odd]))
    assert answer.status == 403 or _UNKNOWN not in [one.oid for one in answer.certificate.extensions]


@pytest.mark.conformance("ENR-3")
@pytest.mark.parametrize("label", [None, "device", "est"])
def test_nobody_becomes_a_ca_by_asking(line: Device, label: str | None) -> None:
    wish = Extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    answer = line.but(label=label).enroll(request("ambitious", None, [wish, client_auth()]))
    assert answer.status == 403 or not _constraints_of(answer.certificate).ca


@pytest.mark.conformance("ENR-4")
def test_what_is_issued_is_less_than_asked_for_or_nothing(line: Device) -> None:
    device = line.but(label="est")
    fewer = device.enroll(request("less", None, [client_auth(), key_usage("digital_signature", "key_agreement")]))
    usage = _usage_of(fewer.certificate)
    assert (usage.digital_signature, usage.key_agreement) == (True, False)
    assert device.enroll(request("turned", None, [client_auth(), key_usage("key_agreement")])).status == 403
    assert device.enroll(request("turned", None, [purposes(SERVER_AUTH)])).status == 403


@pytest.mark.conformance("ENR-5")
def test_an_est_identity_gets_what_its_profile_grants_and_no_more(plant: Place) -> None:
    device = plant.enrolled("more")
    assert device.enroll(device_identity("more")).status == 200
    assert device.enroll(server("more")).status == 403


@pytest.mark.conformance("ENR-6")
def test_a_gateway_gets_an_edge_ca_that_cannot_pass_for_this_server(plant: Place) -> None:
    for label in (None, "edge-ca"):
        issued = plant.enrolled("gw-1").but(label=label).enroll(edge_ca("gw-1")).certificate
        assert _constraints_of(issued) == x509.BasicConstraints(ca=True, path_length=0)
        assert _usage_of(issued).key_cert_sign
        excluded = issued.extensions.get_extension_for_class(x509.NameConstraints).value.excluded_subtrees
        assert x509.DNSName("nestor.plant.example") in (excluded or [])


@pytest.mark.conformance("ENR-6")
def test_another_device_gets_no_edge_ca(plant: Place) -> None:
    assert plant.enrolled("leaf-1").enroll(edge_ca("leaf-1")).status == 403
    assert plant.enrolled("gw-2").but(label="device").enroll(edge_ca("gw-2")).status == 403
    assert plant.enrolled("gw-2").enroll(edge_ca("gw-3")).status == 403


@pytest.mark.conformance("ENR-7")
@pytest.mark.parametrize("shape", [device_identity, est_identity])
def test_what_certd_asks_for_can_authenticate_and_renew_itself(plant: Place, shape: type) -> None:
    name = f"certd-{shape.__name__.replace('_', '-')}"
    identity = plant.line.enrolled(shape(name))
    assert CLIENT_AUTH in _purposes_of(identity.certificate)
    assert _constraints_of(identity.certificate) == x509.BasicConstraints(ca=False, path_length=None)
    assert plant.stranger.but(identity=identity).enroll(shape(name)).status == 200


@pytest.mark.conformance("ENR-7")
@pytest.mark.parametrize("served", [False, True])
def test_a_local_identity_is_issued(line: Device, served: bool) -> None:
    issued = line.enroll(local_identity("module.gateway.example", server=served)).certificate
    assert CLIENT_AUTH in _purposes_of(issued)
    assert (SERVER_AUTH in _purposes_of(issued)) == served


@pytest.mark.conformance("ENR-8")
def test_a_key_that_cannot_sign_is_refused_in_plain_words(line: Device) -> None:
    key = mlkem.MLKEM768PrivateKey.generate()
    answer = line.enroll(request("kem", extensions=[client_auth()], spki=spki_of(key)))
    assert answer.status == 400
    assert "cannot sign" in answer.text


@pytest.mark.conformance("ENR-9")
def test_a_post_quantum_key_is_certified_where_a_profile_takes_it(line: Device) -> None:
    asked = est_identity("quantum", mldsa.MLDSA65PrivateKey.generate())
    assert line.but(label="quantum").enroll(asked).certificate.public_key() == asked.key.public_key()
    refused = line.but(label="est").enroll(asked)
    assert (refused.status, "ml-dsa-65" in refused.text) == (403, True)
