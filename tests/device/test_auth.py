"""Authentication to an EST server: whole pairs only, and the bootstrap pair first."""

from nestor.device.auth import Auth
from nestor.device.part import Part
from support.configs import BY_BOOTSTRAP, config


def test_half_a_pair_is_no_authentication() -> None:
    assert config().est_auth.login == ("gw3", "0815")
    assert config(cert_issuance__est__auth__password=None).est_auth.login is None
    assert config(BY_BOOTSTRAP).est_auth.bootstrap is not None
    assert config(BY_BOOTSTRAP, cert_issuance__est__auth__bootstrap_identity_pk=None).est_auth.pair is None


def test_the_bootstrap_pair_goes_before_an_identity() -> None:
    both = config(
        BY_BOOTSTRAP,
        cert_issuance__est__auth__identity_cert="file:///c",
        cert_issuance__est__auth__identity_pk="file:///k",
    )
    assert both.est_auth.identity is None
    assert both.est_auth.pair == both.est_auth.bootstrap


def test_nothing_said_is_nothing_usable() -> None:
    assert not Auth(Part("edge_ca", {"method": "est"})).is_usable
    assert Auth(Part("", {"username": "", "password": ""})).is_usable


def test_a_password_is_not_shown() -> None:
    assert "0815" not in repr(config().est_auth)
