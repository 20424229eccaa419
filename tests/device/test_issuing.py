"""Who issues, and how a device authenticates: what is missing, what counts for nothing, what will never renew."""

from typing import Any

import pytest

from nestor.device.issuing import check_issuing
from nestor.device.plan import Plan
from support.configs import AUTH, BY_BOOTSTRAP, BY_PASSWORD, IDENTITY, config, problems, warnings


@pytest.mark.parametrize("plan", [BY_PASSWORD, BY_BOOTSTRAP])
def test_a_good_file_is_fine(plan: Plan) -> None:
    assert list(check_issuing(config(plan))) == []


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"edge_ca__method": "scep"}, "edge_ca.method"),
        ({"provisioning__attestation__identity_cert__method": None}, f"{IDENTITY}.method"),
        ({"edge_ca": {"cert": "file:///c.pem"}}, "edge_ca"),
        ({"edge_ca": {}}, "edge_ca"),
        ({"edge_ca__method": "local_ca"}, "edge_ca.method"),
        ({"cert_issuance__est__auth__password": ""}, f"{AUTH}.password"),
        ({"cert_issuance__est__auth__username": "gw:3"}, f"{AUTH}.username"),
        ({"cert_issuance__est__auth__username": ""}, f"{AUTH}.username"),
    ],
)
def test_what_cannot_work_is_a_problem(changes: dict[str, Any], about: str) -> None:
    assert problems(check_issuing(config(**changes))) == [about]


def test_half_a_pair_is_told_as_what_is_missing() -> None:
    lonely = config(cert_issuance__est__auth__password=None)
    assert problems(check_issuing(lonely))[0] == f"{AUTH}.password"
    keyless = config(BY_BOOTSTRAP, cert_issuance__est__auth__bootstrap_identity_pk=None)
    assert problems(check_issuing(keyless))[0] == f"{AUTH}.bootstrap_identity_pk"


def test_without_authentication_each_certificate_misses_it() -> None:
    assert problems(check_issuing(config(cert_issuance__est__auth=None))) == [IDENTITY, "edge_ca"]
    own = {"edge_ca__username": "ca", "edge_ca__password": "4711"}
    assert problems(check_issuing(config(cert_issuance__est__auth=None, **own))) == [IDENTITY]


def test_without_the_table_of_est_nothing_is_trusted() -> None:
    own = {"url": "https://x/.well-known/est", "username": "gw3", "password": "0815"}
    alone = config(cert_issuance=None, edge_ca={"method": "est", **own}, provisioning__attestation={"method": "tpm"})
    assert problems(check_issuing(alone)) == ["edge_ca.method"]


def test_an_est_identity_from_a_file_is_never_renewed() -> None:
    pair = {"identity_cert": "file:///c.pem", "identity_pk": "file:///k.pem"}
    (found,) = check_issuing(config(cert_issuance__est__auth=pair))
    assert warnings([found]) == [f"{AUTH}.identity_cert"]
    assert "never renewed" in found.sentence
    (found,) = check_issuing(
        config(
            BY_BOOTSTRAP,
            cert_issuance__est__auth__identity_cert="file:///c.pem",
            cert_issuance__est__auth__identity_pk="file:///k.pem",
        )
    )
    assert "ignored" in found.sentence


def test_an_expiry_beside_est_is_ignored() -> None:
    assert warnings(check_issuing(config(edge_ca__expiry_days=30))) == ["edge_ca.expiry_days"]


def test_a_file_without_est_is_told_so() -> None:
    key = {"method": "tpm", "registration_id": "gw3"}
    nothing = config(edge_ca=None, provisioning__attestation=key)
    assert warnings(check_issuing(nothing)) == ["cert_issuance.est"]


def test_passwords_are_never_part_of_a_sentence() -> None:
    found = list(check_issuing(config(cert_issuance__est__auth__username="gw:3")))
    assert "0815" not in str(found)
