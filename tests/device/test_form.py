"""Keys and kinds of values: what the runtime would ignore without a word, or refuse without a name."""

from typing import Any

import pytest

from nestor.device.form import check_filled, check_form, is_placeholder
from nestor.device.part import Part
from support.configs import document, only, problems, warnings


def _form(**changes: Any) -> list[Any]:
    return list(check_form(Part("", document(**changes))))


def test_a_good_file_has_the_right_form() -> None:
    assert _form() == []


@pytest.mark.parametrize(
    ("changes", "about", "meant"),
    [
        ({"cert_issuance__est__trusted_cert": ["file:///a"]}, "cert_issuance.est.trusted_cert", "trusted_certs"),
        ({"cert_issuance__est__auth__user": "x"}, "cert_issuance.est.auth.user", "username"),
        ({"edge_ca__autorenew": {}}, "edge_ca.autorenew", "auto_renew"),
        ({"provisioning__scope_id": "0ne"}, "provisioning.scope_id", "id_scope"),
        ({"hostnam": "x"}, "hostnam", "hostname"),
    ],
)
def test_a_key_that_nobody_knows_is_told_with_the_one_that_was_meant(
    changes: dict[str, Any], about: str, meant: str
) -> None:
    found = only(_form(**changes))
    assert warnings([found]) == [about]
    assert meant in found.remedy


def test_a_key_of_the_top_in_a_table_is_told_where_it_belongs() -> None:
    found = only(_form(cert_issuance__est__urls=None, cert_issuance__est__hostname="gw3"))
    assert "top of the file" in found.remedy


def test_what_this_room_does_not_know_at_the_top_is_left_alone() -> None:
    assert _form(moby_runtime={"uri": "unix:///run/docker.sock"}, watchdog={"max_retries": 3}, tpm={}) == []


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"edge_ca__auto_renew__rotate_key": "true"}, "edge_ca.auto_renew.rotate_key"),
        ({"edge_ca__auto_renew__threshold": 80}, "edge_ca.auto_renew.threshold"),
        ({"cert_issuance__est__trusted_certs": "file:///a.pem"}, "cert_issuance.est.trusted_certs"),
        ({"cert_issuance__est__auth__password": 815}, "cert_issuance.est.auth.password"),
        ({"edge_ca__auto_renew": True}, "edge_ca.auto_renew"),
        ({"provisioning__attestation__identity_cert": 1}, "provisioning.attestation.identity_cert"),
        ({"edge_ca__expiry_days": True}, "edge_ca.expiry_days"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_problem(changes: dict[str, Any], about: str) -> None:
    assert problems(_form(**changes)) == [about]


def test_a_placeholder_is_found_wherever_it_stands() -> None:
    left = document(provisioning__id_scope="<DPS-ID-SCOPE>", cert_issuance__est__auth__password="<PASSWORD>")
    assert problems(check_filled(Part("", left))) == ["provisioning.id_scope", "cert_issuance.est.auth.password"]
    assert list(check_filled(Part("", document()))) == []


@pytest.mark.parametrize("text", ["<a>", "a<B>", "<B>c", "0ne", "<>"])
def test_other_texts_are_no_placeholders(text: str) -> None:
    assert not is_placeholder(text)
