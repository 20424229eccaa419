"""What an operator may have: every profile, for the names that they write, and no rule less than anybody else."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from nestor.access.host import HostGate
from nestor.access.policy import Rules, reserve
from nestor.errors import Forbidden
from nestor.model import BasicConstraints, CertificationRequest, Errand, Method, NewNames, Order, Standing, State
from nestor.naming import common_name_of
from support.asking import NOW, csr, entry, subject, traits

GATE = HostGate("alice", Rules(gateways=("gw-*",), reserved_names=reserve(["nestor.plant.example"])))
DNS = x509.DNSName
CA = {"basic_constraints": BasicConstraints(ca=True, path_length=0)}


def complete(
    asked: CertificationRequest, name: str | None = None, names: tuple[x509.GeneralName, ...] = ()
) -> CertificationRequest:
    return GATE.complete(Errand(asked, "bootstrap", name, names))


def admit(asked: CertificationRequest, profile: str = "bootstrap", **given: Any) -> Order:
    standing = Standing(origin=given.pop("origin", None))
    evidence = {"live": given.pop("live", ()), "certified": given.pop("certified", ())}
    return GATE.authorize(
        errand=Errand(asked, profile, **{"name": asked.device, **given}),
        requester=GATE.identify(asked, standing),
        csr=asked,
        profile=traits(profile),
        standing=standing,
        now=NOW,
        **evidence,
    )


def test_a_request_without_a_name_gets_the_one_that_is_written() -> None:
    completed = complete(csr(name=subject(ORGANIZATION_NAME="Contoso")), "pump7")
    assert completed.subject.rfc4514_string() == "CN=pump7,O=Contoso"
    assert (completed.common_name, completed.device) == ("pump7", "pump7")


def test_a_ca_without_a_name_is_named_as_aziot_edged_names_it() -> None:
    completed = complete(csr(**CA), "gw3")
    assert completed.common_name == "aziot-edge CA gw3"
    assert completed.device == "gw3"


@pytest.mark.parametrize("own", ["pump7", "PUMP7", "aziot-edge CA pump7"])
def test_a_request_of_that_name_keeps_its_own_writing(own: str) -> None:
    assert common_name_of(complete(csr(own), "pump7").subject) == own


def test_a_request_for_another_name_is_refused() -> None:
    with pytest.raises(Forbidden, match="The request is for pump8, not for pump7"):
        complete(csr("pump8"), "pump7")


def test_a_name_that_no_certificate_can_have_is_refused() -> None:
    with pytest.raises(Forbidden, match="cannot be the common name"):
        complete(csr(), "x" * 65)


def test_names_that_are_written_are_added_to_those_of_the_request_once() -> None:
    asked = csr("pump7", alternative_names=(DNS("PUMP7"), DNS("a.example")))
    completed = complete(asked, "pump7", (DNS("A.example"), DNS("b.example")))
    assert completed.alternative_names == (DNS("PUMP7"), DNS("a.example"), DNS("b.example"))


def test_an_alternative_name_that_nobody_wrote_is_refused() -> None:
    asked = csr("pump7", alternative_names=(DNS("historian.example"),))
    with pytest.raises(Forbidden, match=r"historian\.example, which is not written beside it"):
        complete(asked, "pump7", (DNS("pump7.example"),))


def test_a_request_that_changes_names_is_for_renewals() -> None:
    with pytest.raises(Forbidden, match="ChangeSubjectName"):
        complete(csr("pump7", new_names=NewNames(subject("pump8"), None)))


def test_the_operator_is_known_by_name_and_granted_what_is_asked_only() -> None:
    requester = GATE.identify(csr("pump*", alternative_names=(DNS("a.example"),)), Standing())
    assert (requester.method, requester.name, requester.origin) == (Method.OPERATOR, "alice", Method.OPERATOR)
    assert requester.grant.names == ("pump\\*", "a.example")


@pytest.mark.parametrize("profile", ["bootstrap", "deviceIdentity", "estIdentity", "server"])
def test_every_profile_is_for_the_operator(profile: str) -> None:
    order = admit(csr("pump7"), profile)
    assert (order.profile, order.device, order.label) == (profile, "pump7", "")


def test_a_ca_is_for_a_device_that_was_named_or_that_the_settings_name() -> None:
    assert admit(csr("other", **CA), "edgeCa").device == "other"
    assert admit(csr("gw-1", **CA), "edgeCa", name=None).device == "gw-1"
    with pytest.raises(Forbidden, match="not a gateway"):
        admit(csr("other", **CA), "edgeCa", name=None)


def test_names_of_this_server_stay_its_own() -> None:
    with pytest.raises(Forbidden, match="belongs to this server"):
        admit(csr("nestor.plant.example"), "server")


@pytest.mark.parametrize("name", ["", "a*", " a", "aziot-edge CA aziot-edge CA a"])
def test_names_that_nobody_can_have_are_refused(name: str) -> None:
    with pytest.raises(Forbidden):
        admit(csr(name))


@pytest.mark.parametrize("origin", [Method.PASSWORD, Method.BOOTSTRAP])
def test_a_device_that_came_by_another_credential_is_not_taken_over_unless_told(origin: Method) -> None:
    with pytest.raises(Forbidden, match=f"first got by {origin}"):
        admit(csr("pump7"), origin=origin)
    assert admit(csr("pump7"), origin=origin, replace=True).device == "pump7"
    assert GATE.identify(csr("pump7"), Standing(origin=origin)).origin is origin


def test_a_second_key_for_a_live_certificate_is_refused_unless_told() -> None:
    other = entry(b"der", "pump7", "bootstrap", spki_sha256=b"another", serial=0xAB)
    live = {"live": (other,), "origin": Method.OPERATOR}
    with pytest.raises(Forbidden, match="for another key already, serial ab, valid until 2026-06-30"):
        admit(csr("pump7"), **live)
    assert admit(csr("pump7"), **live, replace=True)
    assert admit(csr("pump7"), "deviceIdentity", **live)
    assert admit(csr("pump7"), live=(replace(other, spki_sha256=csr().spki_sha256),), origin=Method.OPERATOR)


def test_a_key_that_was_revoked_once_gets_nothing_whatever_is_told() -> None:
    revoked = entry(b"der", "other", state=State.REVOKED, revocation_reason="stolen")
    with pytest.raises(Forbidden, match="was revoked: stolen"):
        admit(csr("pump7"), certified=(revoked,), replace=True)
