"""What a device will ask for, derived from its config."""

from dataclasses import replace

from nestor.device.moments import Moment
from nestor.device.plan import Login
from nestor.device.requests import Kind, requests_of
from support.configs import BY_BOOTSTRAP, BY_HAND, BY_PASSWORD, URL, config


def test_a_password_goes_along_with_every_request() -> None:
    identity, edge_ca = requests_of(config())
    assert (identity.kind, identity.subject, identity.url) == (Kind.DEVICE_IDENTITY, {"CN": "gw3"}, URL)
    assert (edge_ca.kind, edge_ca.subject) == (Kind.EDGE_CA, {"CN": "aziot-edge CA gw3"})
    for asked in (identity, edge_ca):
        assert (asked.login, asked.files, asked.identity) == (("gw3", "0815"), None, None)
        assert "0815" not in repr(asked)


def test_a_bootstrap_certificate_gets_an_est_identity_which_gets_the_rest() -> None:
    est, identity, edge_ca = requests_of(config(BY_BOOTSTRAP))
    assert (est.kind, est.id, est.subject) == (Kind.EST_IDENTITY, "est-id", {"CN": "gw3"})
    assert est.files is not None
    assert (identity.identity, edge_ca.identity) == ("est-id", "est-id")
    assert (identity.files, edge_ca.files) == (None, None)


def test_the_est_identity_is_named_for_what_is_asked_first() -> None:
    alone, _ = requests_of(config(replace(BY_BOOTSTRAP, device_key="a2V5")))
    assert alone.subject == {"CN": "aziot-edge CA gw3"}
    other = config(BY_BOOTSTRAP, provisioning__attestation__identity_cert__common_name="other")
    assert requests_of(other)[0].subject == {"CN": "other"}


def test_a_certificate_with_its_own_authentication_has_its_own_est_identity() -> None:
    pair = {"edge_ca__bootstrap_identity_cert": "file:///c", "edge_ca__bootstrap_identity_pk": "file:///k"}
    asked = requests_of(config(BY_BOOTSTRAP, **pair))
    assert [one.id for one in asked] == ["est-id", "device-id", "est-id-aziot-edged-ca", "aziot-edged-ca"]


def test_an_identity_from_a_file_is_shown_as_it_is() -> None:
    auth = {"identity_cert": "file:///c", "identity_pk": "file:///k"}
    identity, _ = requests_of(config(cert_issuance__est__auth=auth))
    assert identity.files is not None
    assert identity.identity is None


def test_renewals_follow_the_policy_and_the_ids_of_renewal() -> None:
    listed = {"default": f"{URL}/later", "device-id": URL}
    policy = {"rotate_key": False, "threshold": "60min", "retry": "5min"}
    identity, edge_ca = requests_of(config(cert_issuance__est__urls=listed, edge_ca__auto_renew=policy))
    assert identity.url == URL
    assert identity.renewal is not None
    assert (identity.renewal.url, identity.renewal.moment) == (f"{URL}/later", Moment(percent=80))
    assert edge_ca.renewal is not None
    assert not edge_ca.renewal.rotate_key


def test_what_never_renews_has_no_renewal() -> None:
    assert requests_of(config(BY_HAND))[0].renewal is None
    assert requests_of(config(provisioning__attestation__identity_cert__auto_renew=None))[0].renewal is None
    assert requests_of(config(edge_ca__auto_renew=None))[1].renewal is not None


def test_what_cannot_be_asked_is_left_out() -> None:
    assert requests_of(config(cert_issuance__est__auth=None)) == ()
    assert requests_of(config(cert_issuance__est__urls=None)) == ()


def test_a_placeholder_is_no_password() -> None:
    identity, _ = requests_of(config(replace(BY_PASSWORD, login=Login("gw3"))))
    assert identity.login is None
