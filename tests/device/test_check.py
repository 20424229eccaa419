"""The whole check: what is no TOML, the order in which things are told, and that nothing breaks it."""

from hypothesis import given
from hypothesis import strategies as st

from nestor.device.check import check_config, check_rules, read_config
from nestor.device.config import DeviceConfig
from nestor.device.part import Part
from nestor.device.places import places_of
from nestor.device.requests import requests_of
from nestor.finding import Finding
from support.configs import BY_PASSWORD, config, document, problems


def test_what_is_no_toml_is_told_with_its_line() -> None:
    found = read_config('[provisioning]\nsource = "dps"\nid_scope = 0ne00112233\n', "config.toml")
    assert isinstance(found, Finding)
    assert "line 3" in found.sentence


def test_a_table_that_stands_twice_is_told_with_its_line() -> None:
    found = read_config("[edge_ca]\n[provisioning]\n[edge_ca]\n", "config.toml")
    assert isinstance(found, Finding)
    assert "line 3" in found.sentence


def test_findings_come_in_the_order_of_the_rules() -> None:
    wrong = config(
        hostname="x" * 64,
        provisioning__attestation__registration_id="gw 3",
        edge_ca__auto_renew__threshold="60m",
        cert_issuance__est__urls__default="http://gw3/.well-known/est",
        cert_issuance__est__trusted_certs=["/ca.pem"],
        cert_issuance__est__auth__password="",
    )
    assert problems(check_config(wrong)) == [
        "provisioning.attestation.registration_id",
        "hostname",
        "cert_issuance.est.auth.password",
        "cert_issuance.est.urls.default",
        "cert_issuance.est.trusted_certs[1]",
        "edge_ca.auto_renew.threshold",
    ]


def test_placeholders_are_left_to_those_who_fill_them_in() -> None:
    left = config(provisioning__id_scope="<DPS-ID-SCOPE>")
    assert check_rules(left) == []
    assert problems(check_config(left)) == ["provisioning.id_scope"]


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.just([]), st.just({}), st.just([{}])
)
_PATHS = st.sampled_from(
    (
        "hostname",
        "provisioning",
        "provisioning.source",
        "provisioning.attestation",
        "provisioning.attestation.method",
        "provisioning.attestation.registration_id",
        "provisioning.attestation.identity_cert",
        "provisioning.attestation.identity_cert.auto_renew",
        "edge_ca",
        "edge_ca.method",
        "edge_ca.auto_renew",
        "edge_ca.auto_renew.threshold",
        "edge_ca.subject",
        "edge_ca.url",
        "cert_issuance",
        "cert_issuance.est",
        "cert_issuance.est.trusted_certs",
        "cert_issuance.est.auth",
        "cert_issuance.est.auth.username",
        "cert_issuance.est.auth.bootstrap_identity_pk",
        "cert_issuance.est.urls",
        "cert_issuance.est.urls.default",
    )
)


@given(_PATHS, _VALUES)
def test_no_value_anywhere_breaks_the_check(path: str, value: object) -> None:
    *tables, key = path.split(".")
    place = written = document(BY_PASSWORD)
    for table in tables:
        place = place[table]
    place[key] = value
    read = DeviceConfig(Part("", written))
    assert all(finding.sentence and finding.remedy for finding in check_config(read))
    places_of(read)
    requests_of(read)
