"""Who is asking, and may they: credentials as labels want them, and what each is good for."""

import json

import pytest
from cryptography import x509

from support.device import Device, basic_header
from support.proving import PASSWORD, Place
from support.shapes import CLIENT_AUTH, CMC_RA, client_auth, device_identity, est_identity, new_names, purposes, request

_CERTIFICATE, _PASSWORD, _BOTH = "certificate", "password", "both"
_ALLOWED = {
    "by-certificate": {_CERTIFICATE, _BOTH},
    "by-password": {_PASSWORD, _BOTH},
    "by-either": {_CERTIFICATE, _PASSWORD, _BOTH},
    "by-both": {_BOTH},
}


@pytest.mark.conformance("AUTH-1")
@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll", "serverkeygen"])
def test_nothing_is_issued_to_a_stranger(plant: Place, operation: str) -> None:
    answer = plant.stranger.but(label="keys").enroll(device_identity("stranger"), operation)
    listed = plant.server.command("cert", "list", "--device", "stranger", "--json").stdout
    assert (answer.status, json.loads(listed)) == (401, [])


@pytest.mark.conformance("AUTH-2")
def test_a_handshake_alone_allows_nothing(plant: Place) -> None:
    device = plant.enrolled("mine")
    assert device.enroll(device_identity("mine")).status == 200
    assert device.enroll(device_identity("yours")).status == 403
    assert plant.from_factory("mine-too").enroll(est_identity("yours")).status == 403


@pytest.mark.conformance("AUTH-3", "AUTH-5")
def test_a_certificate_is_enough_where_either_counts(plant: Place) -> None:
    device = plant.enrolled("certified").but(label="by-either")
    answers = [device.enroll(est_identity("certified")), device.enroll(est_identity("other")), device.get("cacerts")]
    assert [answer.status for answer in answers] == [200, 403, 200]
    assert all(answer["WWW-Authenticate"] is answer["Set-Cookie"] is None for answer in answers)


@pytest.mark.conformance("AUTH-4")
@pytest.mark.parametrize("label", _ALLOWED)
@pytest.mark.parametrize("shown", ["nothing", _CERTIFICATE, _PASSWORD, _BOTH])
def test_a_label_says_which_credentials_count(plant: Place, label: str, shown: str) -> None:
    identity = plant.enrolled("matrix").identity if shown in {_CERTIFICATE, _BOTH} else None
    user = ("line", PASSWORD) if shown in {_PASSWORD, _BOTH} else None
    answer = plant.stranger.but(label=label, identity=identity, user=user).enroll(est_identity("matrix"))
    assert (answer.status == 200) == (shown in _ALLOWED[label])
    assert answer.status in {200, 401, 403}


@pytest.mark.conformance("AUTH-6")
def test_a_password_with_an_empty_user_name_is_that_of_the_device(plant: Place) -> None:
    plant.server.add_user("otp-1", "onetime-7Q2", one_time=True)
    device = plant.stranger.but(user=("", "onetime-7Q2"))
    assert device.enroll(est_identity("otp-1")).status == 200
    assert device.enroll(est_identity("otp-2")).status == 401


@pytest.mark.conformance("AUTH-7")
def test_a_password_may_hold_colons_and_any_letter(plant: Place) -> None:
    assert ":" in PASSWORD
    assert not PASSWORD.isascii()
    assert plant.line.enroll(est_identity("unicode")).status == 200


@pytest.mark.conformance("AUTH-8")
def test_basic_alone_is_offered(stranger: Device) -> None:
    challenges = [value for name, value in stranger.enroll(est_identity("x")).headers if name == "WWW-Authenticate"]
    assert [challenge.split()[0] for challenge in challenges] == ["Basic"]


@pytest.mark.conformance("AUTH-9")
@pytest.mark.parametrize("value", [basic_header("line", "wrong"), basic_header("nobody", ""), "Basic !", "Bearer x"])
@pytest.mark.parametrize("operation", ["cacerts", "csrattrs"])
def test_credentials_that_nobody_asked_for_disturb_nothing(stranger: Device, operation: str, value: str) -> None:
    assert stranger.get(operation, Authorization=value).status == 200


@pytest.mark.conformance("AUTH-10")
@pytest.mark.parametrize("label", [None, *_ALLOWED])
@pytest.mark.parametrize("operation", ["cacerts", "csrattrs"])
def test_what_everybody_may_know_needs_no_credentials(stranger: Device, operation: str, label: str | None) -> None:
    assert stranger.but(label=label).get(operation).status == 200


@pytest.mark.conformance("AUTH-11")
def test_the_mark_of_a_registration_authority_means_nothing_in_a_factory_certificate(plant: Place) -> None:
    device = plant.from_factory("forger", x509.ExtendedKeyUsage([CLIENT_AUTH, CMC_RA]))
    assert device.enroll(est_identity("victim")).status == 403
    assert device.enroll(est_identity("forger")).status == 200


@pytest.mark.conformance("AUTH-11")
def test_the_mark_of_a_registration_authority_is_not_issued(plant: Place) -> None:
    wanted = request("marked", extensions=[purposes(CLIENT_AUTH, CMC_RA)])
    answer = plant.line.but(label="est").enroll(wanted)
    given = answer.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(given) == [CLIENT_AUTH]


@pytest.mark.conformance("AUTH-12")
def test_a_factory_certificate_gets_new_names_as_far_as_policy_grants(plant: Place) -> None:
    granted = plant.stranger.but(identity=plant.works_factory.make("works-1"))
    bound = plant.from_factory("bound-1")
    renamed = granted.enroll(request("works-1", None, [client_auth()], [new_names("works-2")]))
    assert renamed.certificate.subject.rfc4514_string() == "CN=works-2"
    assert bound.enroll(request("bound-1", None, [client_auth()], [new_names("bound-2")])).status == 403
    assert granted.enroll(request("works-1", None, [client_auth()], [new_names("office-1")])).status == 403
