"""Names of a device, its parent and its Edge CA."""

from dataclasses import replace
from typing import Any

import pytest

from nestor.device.naming import check_names
from support.configs import BY_HAND, config, problems, warnings


def test_a_good_file_is_fine() -> None:
    assert list(check_names(config())) == []


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"hostname": "x" * 64}, "hostname"),
        ({"hostname": ""}, "hostname"),
        ({"edge_ca__common_name": "GW3.line.example"}, "edge_ca.common_name"),
        ({"edge_ca__subject": {"CN": "gw3.line.example"}}, "edge_ca.common_name"),
    ],
)
def test_names_that_break_tls_are_problems(changes: dict[str, Any], about: str) -> None:
    assert problems(check_names(config(**changes))) == [about]


@pytest.mark.parametrize("address", ["10.3.0.7", "2001:db8::7"])
def test_an_address_as_hostname_is_a_warning(address: str) -> None:
    assert warnings(check_names(config(hostname=address))) == ["hostname"]


def test_a_hostname_of_63_characters_is_fine() -> None:
    assert list(check_names(config(hostname="x" * 63))) == []


def test_a_child_needs_its_parents_root_and_is_not_its_own_parent() -> None:
    child = replace(BY_HAND, hostname="gw3", parent_hostname="gw1")
    assert list(check_names(config(child))) == []
    assert warnings(check_names(config(child, trust_bundle_cert=None))) == ["trust_bundle_cert"]
    assert problems(check_names(config(replace(child, parent_hostname="GW3")))) == ["parent_hostname"]


def test_an_edge_ca_with_a_name_of_its_own_is_fine() -> None:
    assert list(check_names(config(edge_ca__common_name="plant-3-ca"))) == []
