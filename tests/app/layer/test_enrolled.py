"""A layer whose CA is its parent's: how it gets it, what it issues, and what is refused with a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.ca.usages import CMC_RA
from support import openssl
from support.nested import (
    LABELS,
    LAYER,
    LINE,
    acquaint,
    certificates,
    child_document,
    enrolled,
    has_ca,
    own_identity,
    parent_document,
    wait_for_ca,
    wait_until_said,
)
from support.process import Mortal
from support.shapes import edge_ca
from support.talks import has
from support.visiting import visit

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layer")]


class Family:
    """Servers that are stopped in the end."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._servers: list[Mortal] = []

    def server(self, name: str, document: dict[str, Any]) -> Mortal:
        server = Mortal(self._place / name, document)
        self._servers.append(server)
        return server

    def parent(self, document: dict[str, Any] | None = None) -> Mortal:
        server = self.server("parent", document or parent_document())
        server.start()
        return server

    def child(self, parent: Mortal, ca: dict[str, Any] | None = None, **upstream: Any) -> Mortal:
        child = self.server("child", child_document(parent, ca, **upstream))
        acquaint(parent, child)
        child.start()
        return child

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path)
    try:
        yield made
    finally:
        made.stop()


def pem(place: Path, *chain: x509.Certificate) -> Path:
    place.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    return place


def test_what_a_layer_issues_is_good_for_whoever_trusts_the_root(family: Family, tmp_path: Path) -> None:
    parent = family.parent()
    child = family.child(parent)
    wait_for_ca(child)
    issuer, root = certificates(child)
    assert root == certificates(parent)[-1]
    place = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (place.critical, place.value) == (True, x509.BasicConstraints(ca=True, path_length=1))
    device = enrolled(child, "gw-1")
    gateway = child.device(identity=device).enroll(edge_ca("gw-1"))
    anchor = pem(tmp_path / "root.pem", root)
    above = pem(tmp_path / "above.pem", issuer)
    for number, leaf in enumerate([device.certificate, gateway.certificate]):
        shown = pem(tmp_path / f"{number}.pem", leaf)
        assert b": OK" in openssl.run("verify", "-x509_strict", "-CAfile", anchor, "-untrusted", above, shown)
    assert own_identity(child).issuer == root.subject
    assert f'by="certificate {LAYER}"' in parent.log()
    shown = ("--cacert", anchor, "--user", LINE[0])
    known = {"NESTOR_EST_PASSWORD": LINE[1]}
    found = visit(child.url, *shown, environment=known)
    assert has(found.of("fine", "layers"), "is answered by localhost:", "it is the top")
    # A server that starts again has it still, and asks nobody; only the doctor tells of who is away.
    parent.stop()
    child.stop()
    child.start()
    found = visit(child.url, *shown, environment=known)
    assert has(found.of("warning", "layers"), "Until it is mended, CAs below are not renewed.")
    assert found.problems == []
    assert enrolled(child, "dev2").certificate.issuer == issuer.subject
    told = json.loads(child.command("ca", "show", "--json").stdout)
    assert told["parent"] == parent.url
    assert told["renewedFrom"] < told["notAfter"]


def test_the_key_of_the_ca_is_never_shown_in_tls(family: Family) -> None:
    child = family.child(family.parent())
    wait_for_ca(child)
    assert own_identity(child).public_key() != certificates(child)[0].public_key()
    assert not own_identity(child).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (child.data / "upstream-identity.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("document", "ca", "said"),
    [
        (parent_document(), {"pathLength": 2}, "path length of 2, and the profile layerCa gives 1 at most"),
        (parent_document({}), {}, "layer2 is not a layer"),
        (parent_document(), {"parentLabel": "other"}, "404"),
        (parent_document(labels={"layer-ca": {"profile": "edgeCa"}}), {}, "layer2 is not a gateway"),
    ],
)
def test_what_the_parent_does_not_grant_is_told_here(
    family: Family, document: dict[str, Any], ca: dict[str, Any], said: str
) -> None:
    child = family.child(family.parent(document), ca)
    wait_until_said(child, said)
    assert not has_ca(child)


def test_a_layer_below_a_layer_needs_a_longer_path_above(family: Family) -> None:
    profile = {"profiles": {"layerCa": {"pathLength": 2}}}
    parent = family.parent(parent_document(**profile))
    middle = family.server("middle", {**child_document(parent, {"pathLength": 2}), "labels": LABELS})
    acquaint(parent, middle)
    document = {
        **child_document(middle),
        "upstream": {**child_document(middle)["upstream"], "identity": {"name": "layer1"}},
    }
    middle.config.write_text(
        middle.config.read_text("utf-8").replace('"gateways": "gw-*"', '"gateways": "gw-*", "layers": {"layer1": {}}')
    )
    middle.start()
    wait_for_ca(middle)
    bottom = family.server("bottom", document)
    acquaint(parent, bottom)
    middle.add_user(LAYER, "high-noon", names="layer1", profiles=("estIdentity",))
    bottom.start()
    wait_for_ca(bottom)
    assert len(certificates(bottom)) == 3
    assert enrolled(bottom, "dev1").certificate.issuer == certificates(bottom)[0].subject


def test_a_layer_does_not_get_the_ca_of_another_one(family: Family) -> None:
    parent = family.parent(parent_document({LAYER: {}, "layer1": {}}))
    parent.add_user("layer1", "pw", profiles=("estIdentity",))
    child = family.child(parent, identity={"name": "layer1"})
    wait_until_said(child, "layer2 may not have a certificate for layer1")
    assert not has_ca(child)


@pytest.mark.conformance("CL-12", "CL-13")
def test_own_requests_follow_the_parents_attributes_and_are_bound_to_their_session(family: Family) -> None:
    labels = {name: {**label, "linking": True, "enforceCsrAttributes": True} for name, label in LABELS.items()}
    profiles = {"layerCa": {"subject": {"add": {"O": "Contoso"}}}}
    document = parent_document(labels={**labels, "default": {"linking": True}}, profiles=profiles)
    child = family.child(family.parent(document))
    wait_for_ca(child)
    assert certificates(child)[0].subject.rfc4514_string() == "CN=Nestor CA layer2,O=Contoso"


def test_a_forwarders_certificate_is_marked_by_its_label_and_gets_nothing_but_the_ca_of_its_layer(
    family: Family,
) -> None:
    parent = family.parent()
    child = family.child(parent, identity={"name": LAYER, "label": "forwarder"})
    wait_for_ca(child)
    usages = own_identity(child).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert CMC_RA in usages
    assert "profile=forwarder" in parent.log()


def test_a_fingerprint_does_instead_of_anchors(family: Family) -> None:
    parent = family.parent()
    fingerprint = (parent.data / "ca-made").read_text("ascii").strip()
    child = family.server("child", child_document(parent, anchors=None, fingerprint=fingerprint))
    acquaint(parent, child)
    child.start()
    wait_for_ca(child)
    assert certificates(child)[-1] == certificates(parent)[-1]


def test_a_wrong_password_is_told_and_put_right_without_a_restart(family: Family) -> None:
    parent = family.parent()
    child = family.server("child", child_document(parent))
    acquaint(parent, child, password="another")
    child.start()
    wait_until_said(child, "refuses simpleenroll (401)")
    parent.command("user", "remove", LAYER)
    parent.add_user(LAYER, "high-noon", profiles=("estIdentity",))
    wait_for_ca(child)
    assert enrolled(child, LINE[0] + "-1")
