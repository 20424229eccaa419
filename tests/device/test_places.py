"""File URIs: their three slashes, tokens for keys, and who reads what."""

from typing import Any

import pytest

from nestor.device.places import check_places, path_of, places_of
from support.configs import AUTH, BY_BOOTSTRAP, BY_PASSWORD, config, only, problems

KEY = f"{AUTH}.bootstrap_identity_pk"


def test_a_good_file_is_fine() -> None:
    for plan in (BY_PASSWORD, BY_BOOTSTRAP):
        assert list(check_places(config(plan))) == []


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///var/aziot/certs/a.pem", "/var/aziot/certs/a.pem"),
        ("file:///a%20b.pem", "/a b.pem"),
        ("file://localhost/a.pem", "/a.pem"),
        ("file:/a.pem", "/a.pem"),
        ("file://var/aziot/a.pem", None),
        ("/var/aziot/a.pem", None),
        ("file:a.pem", None),
        ("https://x/a.pem", None),
        ("file://[", None),
    ],
)
def test_the_path_of_a_uri_is_what_the_runtime_makes_of_it(uri: str, path: str | None) -> None:
    assert path_of(uri) == path


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("/var/aziot/certs/ca.pem", 'Write "file:///var/aziot/certs/ca.pem".'),
        ("file://var/aziot/certs/ca.pem", 'Write "file:///var/aziot/certs/ca.pem".'),
        ("certs/ca.pem", 'Write "file:///var/aziot/...".'),
        ("pkcs11:token=a?pin-value=1234", 'Write "file:///var/aziot/...".'),
    ],
)
def test_another_form_is_told_with_the_right_one(uri: str, word: str) -> None:
    found = only(check_places(config(cert_issuance__est__trusted_certs=[uri])))
    assert problems([found]) == ["cert_issuance.est.trusted_certs[1]"]
    assert found.remedy == word
    assert "1234" not in str(found)


def test_a_key_may_be_in_a_token_whose_library_is_named() -> None:
    token: dict[str, Any] = {"cert_issuance__est__auth__bootstrap_identity_pk": "pkcs11:token=a?pin-value=1234"}
    found = only(check_places(config(BY_BOOTSTRAP, **token)))
    assert problems([found]) == [KEY]
    assert "1234" not in str(found)
    library = {"aziot_keys__pkcs11_lib_path": "/usr/lib/libtoken.so"}
    assert list(check_places(config(BY_BOOTSTRAP, **token, **library))) == []


def test_every_file_is_listed_once_with_who_reads_it() -> None:
    listed = places_of(config(BY_BOOTSTRAP, trust_bundle_cert="file:///var/aziot/certs/nestor-ca.pem"))
    assert [(place.path, place.reader) for place in listed] == [
        ("/var/aziot/certs/nestor-ca.pem", "aziotcs"),
        ("/var/aziot/certs/est-bootstrap.pem", "aziotcs"),
        ("/var/aziot/secrets/est-bootstrap.key.pem", "aziotks"),
    ]


def test_files_of_the_device_identity_and_the_edge_ca_are_listed_too() -> None:
    proof = {
        "method": "x509",
        "registration_id": "gw3",
        "identity_cert": "file:///i.pem",
        "identity_pk": "file:///i.key",
    }
    edge_ca = {"cert": "file:///e.pem", "pk": "pkcs11:x"}
    listed = places_of(config(provisioning__attestation=proof, edge_ca=edge_ca))
    assert [place.path for place in listed][1:] == ["/i.pem", "/i.key", "/e.pem"]
