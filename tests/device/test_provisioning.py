"""Provisioning: what is missing, what the runtime refuses, and which name a device really gets."""

from typing import Any

import pytest

from nestor.device.plan import Plan
from nestor.device.provisioning import check_provisioning
from support.configs import BY_HAND, BY_PASSWORD, IDENTITY, config, problems, warnings

PROOF = "provisioning.attestation"
_SAS = {"method": "sas", "device_id_pk": {"value": "a2V5"}}


@pytest.mark.parametrize("plan", [BY_PASSWORD, BY_HAND])
def test_a_good_file_is_fine(plan: Plan) -> None:
    assert list(check_provisioning(config(plan))) == []


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"provisioning": None}, "provisioning"),
        ({"provisioning__source": "azure"}, "provisioning.source"),
        ({"provisioning__source": None}, "provisioning.source"),
        ({"parent_hostname": "gw1"}, "provisioning.source"),
        ({"local_gateway_hostname": "gw1"}, "provisioning.source"),
        ({"provisioning__id_scope": None}, "provisioning.id_scope"),
        ({"provisioning__global_endpoint": None}, "provisioning.global_endpoint"),
        ({"provisioning__attestation__method": "cert"}, f"{PROOF}.method"),
        ({"provisioning__attestation__registration_id": None}, f"{PROOF}.registration_id"),
        ({"provisioning__attestation__identity_cert": None}, f"{PROOF}.identity_cert"),
        ({"provisioning__attestation__identity_cert": "file:///c.pem"}, f"{PROOF}.identity_pk"),
        ({"provisioning__attestation__identity_cert__common_name": None}, IDENTITY),
    ],
)
def test_what_dps_needs_is_missed(changes: dict[str, Any], about: str) -> None:
    assert problems(check_provisioning(config(**changes))) == [about]


@pytest.mark.parametrize("name", ["gw 3", "gw3.", "gw3_", "gw/3", "größe", "", ":", "x" * 65])
def test_a_name_that_dps_refuses_is_found(name: str) -> None:
    changed = config(
        provisioning__attestation__registration_id=name, provisioning__attestation__identity_cert__common_name=name
    )
    assert problems(check_provisioning(changed)) == [f"{PROOF}.registration_id"]


@pytest.mark.parametrize("name", ["gw3", "GW-3", "a.b_c:d", "3-", "x" * 64])
def test_a_name_that_dps_takes_is_fine(name: str) -> None:
    changed = config(
        provisioning__attestation__registration_id=name, provisioning__attestation__identity_cert__common_name=name
    )
    assert list(check_provisioning(changed)) == []


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"provisioning__iothub_hostname": None}, "provisioning.iothub_hostname"),
        ({"provisioning__iothub_hostname": "https://x.azure-devices.net"}, "provisioning.iothub_hostname"),
        ({"provisioning__device_id": None}, "provisioning.device_id"),
        ({"provisioning__device_id": "x" * 65}, "provisioning.device_id"),
        ({"provisioning__device_id": "gw 3", "provisioning__authentication": _SAS}, "provisioning.device_id"),
        ({"provisioning__device_id": "gw\n3", "provisioning__authentication": _SAS}, "provisioning.device_id"),
        ({"provisioning__device_id": "", "provisioning__authentication": _SAS}, "provisioning.device_id"),
        ({"provisioning__authentication__method": "tpm"}, "provisioning.authentication.method"),
        ({"provisioning__authentication": None}, "provisioning.authentication.method"),
    ],
)
def test_what_provisioning_by_hand_needs_is_missed(changes: dict[str, Any], about: str) -> None:
    assert problems(check_provisioning(config(BY_HAND, **changes))) == [about]


@pytest.mark.parametrize("plan", [BY_PASSWORD, BY_HAND])
def test_a_common_name_that_the_certificate_will_not_have_is_a_warning(plan: Plan) -> None:
    path = "attestation" if plan is BY_PASSWORD else "authentication"
    changed = config(plan, **{f"provisioning__{path}__identity_cert__common_name": "other"})
    (found,) = check_provisioning(changed)
    assert warnings([found]) == [f"provisioning.{path}.identity_cert.common_name"]
    assert "'gw3'" in found.sentence


def test_other_ways_of_proof_need_no_certificate() -> None:
    key = {"method": "symmetric_key", "registration_id": "gw3", "symmetric_key": {"value": "a2V5"}}
    for proof in (key, {"method": "tpm", "registration_id": "gw3"}):
        assert list(check_provisioning(config(provisioning__attestation=proof))) == []
    plain = {"source": "manual", "connection_string": "HostName=h;DeviceId=gw3;SharedAccessKey=a2V5"}
    assert list(check_provisioning(config(provisioning=plain))) == []
    assert list(check_provisioning(config(provisioning={"source": "none"}))) == []
