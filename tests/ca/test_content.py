"""What is settled between order and profile: purposes narrowed, never widened; names of this server kept."""

import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.content import Content
from nestor.errors import Forbidden
from nestor.model import KeyUsage
from support.issuing import CLIENT, EDGE_CA, SERVER, catalog, content, profile, request, rsa_key

ODD = ExtendedKeyUsageOID.CODE_SIGNING
OWN_NAME, OWN_ADDRESS = "gw3.plant.example", x509.IPAddress(ipaddress.ip_address("10.0.0.3"))


def settled(
    name: str = "deviceIdentity", common_name: str = "dev1", *names: x509.GeneralName, **fields: Any
) -> Content:
    return content(catalog()[name], request(common_name, **fields), names)


def test_a_silent_request_gets_the_purposes_of_its_profile() -> None:
    assert settled().extended_key_usage == (CLIENT,)
    assert settled("server", "srv1").extended_key_usage == (SERVER, CLIENT)


@pytest.mark.parametrize(
    ("wanted", "given"), [((SERVER,), (SERVER,)), ((CLIENT, SERVER), (SERVER, CLIENT)), ((SERVER, ODD), (SERVER,))]
)
def test_a_request_may_narrow_the_purposes_and_never_widens_them(wanted: Any, given: Any) -> None:
    assert settled("server", "srv1", extended_key_usage=wanted).extended_key_usage == given


def test_a_purpose_is_never_exchanged_for_another() -> None:
    with pytest.raises(Forbidden, match="serverAuth") as refusal:
        settled(extended_key_usage=(SERVER,))
    assert "clientAuth" in refusal.value.hint
    with pytest.raises(Forbidden, match="clientAuth"):
        settled("edgeCa", **EDGE_CA, extended_key_usage=(CLIENT,))


def test_a_key_usage_is_never_exchanged_for_another() -> None:
    with pytest.raises(Forbidden, match="keyAgreement"):
        settled(key_usage=frozenset({KeyUsage.KEY_AGREEMENT}))
    with pytest.raises(Forbidden, match="keyCertSign"):
        settled(key_usage=frozenset({KeyUsage.KEY_CERT_SIGN}))
    assert settled(key_usage=frozenset({KeyUsage.KEY_AGREEMENT, KeyUsage.DIGITAL_SIGNATURE}))


def test_what_counts_is_the_key_usage_that_this_key_can_have() -> None:
    wanted = frozenset({KeyUsage.KEY_ENCIPHERMENT})
    assert settled(key=rsa_key(), key_usage=wanted)
    with pytest.raises(Forbidden, match="keyEncipherment"):
        settled(key_usage=wanted)


@pytest.mark.parametrize("names", [(x509.DNSName(OWN_NAME),), (x509.DNSName("GW3.Plant.Example"),), (OWN_ADDRESS,)])
def test_nobody_else_becomes_a_server_of_this_server_s_names(names: tuple[x509.GeneralName, ...]) -> None:
    with pytest.raises(Forbidden, match="belongs to this server"):
        settled("server", "srv1", *names)
    assert settled("deviceIdentity", "dev1", *names)


def test_a_common_name_of_this_server_is_no_way_around() -> None:
    with pytest.raises(Forbidden, match="belongs to this server"):
        settled("server", OWN_NAME, x509.DNSName("srv1"))
    with pytest.raises(Forbidden, match="nobody else gets a CA certificate"):
        settled("edgeCa", OWN_NAME, **EDGE_CA)


def test_a_server_without_a_name_to_check_gets_nothing() -> None:
    with pytest.raises(Forbidden, match="needs a subject alternative name"):
        settled("server", "not a host name")


def test_a_profile_that_takes_no_names_refuses_them() -> None:
    with pytest.raises(Forbidden, match="dns"):
        content(profile("edgeCa"), request("aziot-edge CA dev1", **EDGE_CA), (x509.DNSName("dev1"),))
