"""The CA of a layer: its place in the chain, and the names that it may not issue for."""

from ipaddress import ip_network

import pytest
from cryptography import x509

from nestor.ca.hierarchy import make_intermediate
from nestor.ca.issuer import Issuer
from nestor.ca.layers import Layers
from nestor.ca.own_names import own_names
from nestor.errors import CannotIssue, Forbidden
from nestor.model import BasicConstraints
from support.asking import NOW
from support.issuing import (
    CLIENT,
    DAY,
    EDGE_CA,
    LAYER_CA,
    OWN,
    SERIAL,
    asked_for,
    catalog,
    changed,
    content,
    draft,
    ec_key,
    issue,
    request,
    root,
    sign,
)

LAYERS = Layers(
    {
        "layer2": own_names(["gw2.plant.example", "10.0.2.1"]),
        "layer1": own_names(["gw1.plant.example"]),
    }
)


def below(room: int) -> Issuer:
    return make_intermediate(root(), ec_key(), "CN=Issuing", lifetime=4000 * DAY, now=NOW, serial=SERIAL, room=room)


def place(certificate: x509.Certificate) -> x509.BasicConstraints:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value


def layer_ca(path_length: int | None, issuer: Issuer | None = None, allowed: int = 3) -> x509.Certificate:
    asked = request("Nestor CA layer2", **{**LAYER_CA, "basic_constraints": BasicConstraints(True, path_length)})
    kind = changed({"layerCa": {"pathLength": allowed}})["layerCa"]
    return sign(draft(content(kind, asked), issuer), issuer)


@pytest.mark.parametrize(("asked", "issued"), [(0, 0), (1, 1), (3, 3), (None, 3)])
def test_a_layer_gets_the_path_length_that_it_asks_for(asked: int | None, issued: int) -> None:
    assert place(layer_ca(asked)) == x509.BasicConstraints(ca=True, path_length=issued)


def test_a_longer_path_than_that_of_the_profile_is_refused() -> None:
    with pytest.raises(Forbidden, match=r"path length of 4, and the profile layerCa gives 3 at most"):
        layer_ca(4)


def test_a_path_for_which_the_chain_leaves_no_room_is_refused() -> None:
    assert place(layer_ca(1, below(2))).path_length == 1
    with pytest.raises(Forbidden, match="The path length of this CA is 1, which leaves no room") as refusal:
        layer_ca(1, below(1))
    assert "Ask for 0 at most" in refusal.value.hint
    with pytest.raises(CannotIssue, match="leaves no room for the profile edgeCa"):
        issue("edgeCa", issuer=below(0))


def test_an_edge_ca_has_a_path_length_of_zero_whatever_it_asks_for() -> None:
    asked = request("aziot-edge CA dev1", **{**EDGE_CA, "basic_constraints": BasicConstraints(True, 5)})
    assert place(sign(draft(content(catalog()["edgeCa"], asked)))).path_length == 0


def test_a_layer_may_not_issue_for_this_server_nor_for_another_layer() -> None:
    excluded = LAYERS.excluded("layer2", OWN)
    assert x509.DNSName("gw3.plant.example") in excluded
    assert x509.DNSName("gw1.plant.example") in excluded
    assert x509.IPAddress(ip_network("10.0.0.3")) in excluded
    assert x509.DNSName("gw2.plant.example") not in excluded
    assert x509.IPAddress(ip_network("10.0.2.1")) not in excluded
    assert x509.DNSName("gw2.plant.example") in LAYERS.excluded("layer1", OWN)


def test_a_name_above_that_of_the_layer_does_not_forbid_the_layer_its_own() -> None:
    assert x509.DNSName("plant.example") not in LAYERS.excluded("layer2", own_names(["plant.example"]))
    assert x509.DNSName("ant.example") in LAYERS.excluded("layer2", own_names(["ant.example"]))


def test_a_forwarder_is_marked_whatever_its_request_says() -> None:
    usages = [
        list(
            sign(draft(content(catalog()["forwarder"], asked)))
            .extensions.get_extension_for_class(x509.ExtendedKeyUsage)
            .value
        )
        for asked in (asked_for("forwarder"), request("layer2", extended_key_usage=(CLIENT,)))
    ]
    assert usages == [[CLIENT, x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")]] * 2


def test_no_other_profile_is_marked_so() -> None:
    asked = request("layer2", extended_key_usage=(x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28"),))
    for name in ("estIdentity", "server", "bootstrap"):
        with pytest.raises(Forbidden, match="does not give the extended key usage"):
            content(catalog()[name], asked)
