"""Plans as config.toml: TOML it is, and the check finds nothing wrong with it, whatever was chosen."""

import itertools
import tomllib
from dataclasses import replace

import pytest

from nestor.device.check import check_config, read_config
from nestor.device.config import DeviceConfig
from nestor.device.plan import DPS, Bootstrap, Hub, Login, Plan, Renewing
from nestor.device.writing import write_config
from nestor.finding import Gravity
from support.configs import BY_PASSWORD, SCOPE, URL

HUB = Hub("plant.azure-devices.net")
WAYS = ((Login("gw3", "0815"), None), (None, Bootstrap()), (Login("gw3", "0815"), Bootstrap()))
NAMES = ((None, None), ("gw3.line.example", None), ("gw3.line.example", "gw1.plant.example"))
RENEWALS = (Renewing(), Renewing("60min", "10min", rotate_key=False), Renewing("7day", "1day"))
LABELS = ((None, None), (f"{URL}/device", f"{URL}/edge-ca"))
BY_HAND = "provisioning.authentication.identity_cert"


def _plans() -> list[Plan]:
    """Every combination that a device can have."""
    choices = itertools.product(WAYS, (SCOPE, HUB), (None, "a2V5"), (True, False), NAMES, RENEWALS, LABELS)
    return [
        Plan("gw3", URL, hub, login, bootstrap, key, edge_ca, *urls, *names, renewing=renewing)
        for (login, bootstrap), hub, key, edge_ca, names, renewing, urls in choices
        if (edge_ca or key is None) and not (names[1] and isinstance(hub, DPS))
    ]


def test_nothing_is_wrong_with_what_is_written() -> None:
    plans = _plans()
    assert len(plans) > 250
    for plan in plans:
        read = read_config(write_config(plan), "config.toml")
        assert isinstance(read, DeviceConfig)
        by_hand = isinstance(plan.provisioning, Hub) and plan.device_key is None
        found = [(finding.gravity, finding.about) for finding in check_config(read)]
        # A device provisioned by hand never renews its identity: that is so, and is said.
        assert found == ([(Gravity.WARNING, BY_HAND)] if by_hand else []), plan


@pytest.mark.parametrize("text", ['a"b\\c', "grün ✓", "tab\tand\x7f", "new\nline", "'''", "#no comment"])
def test_any_password_survives(text: str) -> None:
    written = tomllib.loads(write_config(replace(BY_PASSWORD, login=Login(text, text))))
    assert written["cert_issuance"]["est"]["auth"] == {"username": text, "password": text}


def test_what_stands_at_the_top_comes_first() -> None:
    child = replace(BY_PASSWORD, provisioning=HUB, parent_hostname="gw1")
    lines = write_config(child).splitlines()
    assert lines[:3] == [
        'hostname = "gw3.line.example"',
        'parent_hostname = "gw1"',
        'trust_bundle_cert = "file:///var/aziot/certs/nestor-ca.pem"',
    ]


def test_a_label_is_written_where_renewals_find_it() -> None:
    written = tomllib.loads(write_config(replace(BY_PASSWORD, edge_ca_url=f"{URL}/edge-ca")))
    assert written["edge_ca"]["url"] == f"{URL}/edge-ca"
    assert written["cert_issuance"]["est"]["urls"] == {"default": URL}


def test_a_symmetric_key_takes_the_place_of_the_certificate() -> None:
    keyed = replace(BY_PASSWORD, device_key="a2V5")
    by_dps = tomllib.loads(write_config(keyed))["provisioning"]["attestation"]
    assert by_dps == {"method": "symmetric_key", "registration_id": "gw3", "symmetric_key": {"value": "a2V5"}}
    by_hand = tomllib.loads(write_config(replace(keyed, provisioning=HUB)))["provisioning"]["authentication"]
    assert by_hand == {"method": "sas", "device_id_pk": {"value": "a2V5"}}


def test_secrets_are_in_the_text_and_in_no_repr() -> None:
    plan = replace(BY_PASSWORD, device_key="a2V5")
    assert "0815" in write_config(plan)
    assert "0815" not in repr(plan)
    assert "a2V5" not in repr(plan)
