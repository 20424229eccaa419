"""The rules, each with what passes by a hair and what fails by one."""

import ipaddress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from nestor.access.own import requester_of
from nestor.access.policy import Rules, decide, reserve
from nestor.approval import NO_APPROVAL, ApprovalAnswer, ApprovalRules
from nestor.errors import Forbidden
from nestor.model import (
    CertificationRequest,
    Grant,
    Method,
    NewNames,
    OneTime,
    Operation,
    Order,
    ProfileTraits,
    Requester,
    Standing,
    Terms,
)
from support.asking import (
    DEFAULT,
    FRESH,
    NOW,
    bootstrap_requester,
    csr,
    entry,
    password_requester,
    subject,
    traits,
    traits_or_none,
)
from support.signing import CLIENT, root

CA = root("Nestor CA")
GATEWAYS = Rules(gateways=("gw*",))
EDGE = traits("edgeCa", ca=True)
LAYER_CA = traits("layerCa", ca=True, entrusted=True)
ENROLL, REENROLL = Operation.SIMPLE_ENROLL, Operation.SIMPLE_REENROLL


def dns(*names: str) -> tuple[x509.DNSName, ...]:
    return tuple(map(x509.DNSName, names))


def own(
    name: str | x509.Name = "dev1",
    *,
    profile: str = "estIdentity",
    names: tuple[x509.GeneralName, ...] = (),
    **fields: Any,
) -> Requester:
    """Somebody who presents a certificate of ours."""
    extensions = [CLIENT, x509.SubjectAlternativeName(names)] if names else [CLIENT]
    signed = CA.sign(name, extensions=extensions)
    common_name = str(list(signed.certificate.subject)[-1].value)
    return requester_of(signed.certificate, entry(signed.der, common_name, profile, **fields), traits_or_none, NOW)


def ask(
    requester: Requester,
    request: CertificationRequest,
    profile: str | ProfileTraits = "deviceIdentity",
    operation: Operation = ENROLL,
    *,
    rules: Rules = GATEWAYS,
    standing: Standing = FRESH,
    approval: ApprovalRules = NO_APPROVAL,
) -> Order:
    return decide(
        rules=rules,
        requester=requester,
        csr=request,
        profile=traits(profile) if isinstance(profile, str) else profile,
        operation=operation,
        label=replace(DEFAULT, approval=approval),
        standing=standing,
        now=NOW,
    )


def refused(reason: str, *case: Any, **more: Any) -> str:
    with pytest.raises(Forbidden, match=reason) as caught:
        ask(*case, **more)
    return caught.value.text


# --- what is admitted ---------------------------------------------------------------------------------------------


def test_what_is_admitted_is_ordered_as_it_was_asked() -> None:
    request = csr("Dev1", alternative_names=dns("dev1"))
    order = ask(password_requester("dev1"), request)
    terms = Terms(origin=Method.PASSWORD)
    assert order == Order(request, "deviceIdentity", "dev1", "default", terms, request.subject, dns("dev1"))


def test_a_device_bootstraps_as_certd_does() -> None:
    factory = bootstrap_requester("gw1", profiles=("deviceIdentity", "estIdentity", "edgeCa"))
    assert ask(factory, csr("gw1"), "estIdentity").device == "gw1"
    assert ask(factory, csr("aziot-edge CA gw1"), "estIdentity").device == "gw1"
    est_identity = own("gw1")
    assert ask(est_identity, csr("gw1"), "deviceIdentity").device == "gw1"
    assert ask(est_identity, csr("aziot-edge CA gw1"), "edgeCa").device == "gw1"
    assert ask(est_identity, csr("gw1"), "estIdentity").device == "gw1"


def test_an_est_identity_named_after_the_edge_ca_gets_that_edge_ca() -> None:
    assert ask(own("aziot-edge CA gw1"), csr("aziot-edge CA gw1"), "edgeCa").device == "gw1"


# --- names (design D21) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [password_requester, bootstrap_requester, own])
@pytest.mark.parametrize("name", ["dev1", "DEV1"])
def test_a_credential_is_good_for_the_name_it_carries(make: Any, name: str) -> None:
    assert ask(make("dev1"), csr(name)).device == "dev1"


@pytest.mark.parametrize("make", [password_requester, bootstrap_requester, own])
@pytest.mark.parametrize(
    "name", ["dev2", "dev10", "dev", "dev1.plant.example", "dev1.", "d\u0435v1", "aziot-edge CA dev2"]
)
def test_and_for_no_other(make: Any, name: str) -> None:
    refused("may not have a certificate for", make("dev1"), csr(name))


@pytest.mark.parametrize("make", [password_requester, bootstrap_requester])
def test_a_pattern_is_an_explicit_grant(make: Any) -> None:
    requester = make("line1", names=("line1-*", "spare"))
    assert ask(requester, csr("LINE1-press")).device == "line1-press"
    assert ask(requester, csr("spare")).device == "spare"
    refused("may not have a certificate for line2-press", requester, csr("line2-press"))
    refused("may not have a certificate for line1", requester, csr("line1"))


def test_both_credentials_must_cover_a_name_where_both_are_asked_for() -> None:
    wide = Grant(("line1-*",), frozenset({"*"}))
    both = password_requester(names=("*-press",), grant=Grant(("*-press",), frozenset({"*"}), within=wide))
    assert ask(both, csr("line1-press")).device == "line1-press"
    refused("may not have a certificate for line2-press", both, csr("line2-press"))
    refused("may not have a certificate for line1-saw", both, csr("line1-saw"))
    narrow = replace(both, grant=replace(both.grant, within=Grant(("*",), frozenset({"estIdentity"}))))
    refused("profile deviceIdentity", narrow, csr("line1-press"))


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("dev2"),
        x509.DNSName("dev1.plant.example"),
        x509.RFC822Name("dev1@plant.example"),
        x509.UniformResourceIdentifier("urn:dev1"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    ],
)
def test_every_alternative_name_must_be_granted_too(name: x509.GeneralName) -> None:
    for requester in (password_requester("dev1"), bootstrap_requester("dev1"), own("dev1")):
        refused("alternative name", requester, csr("dev1", alternative_names=(*dns("dev1"), name)))
    wide = password_requester("dev1", names=("*",))
    assert ask(wide, csr("dev1", alternative_names=(name,))).alternative_names == (name,)


def test_an_address_is_granted_by_a_pattern_that_covers_its_text() -> None:
    address = (x509.IPAddress(ipaddress.ip_address("192.0.2.7")),)
    assert ask(password_requester(names=("dev1", "192.0.2.*")), csr("dev1", alternative_names=address))
    refused("192.0.2.7", password_requester(names=("dev1", "192.0.3.*")), csr("dev1", alternative_names=address))


def test_names_that_nobody_may_have_are_refused_whatever_is_granted() -> None:
    every = password_requester(names=("*",))
    refused("no common name", every, csr(""))
    refused("more than one", every, csr("a", "b"))
    refused("control", every, csr("a\nb"))


# --- profiles, CA certificates, server names (design D3) ----------------------------------------------------------


def test_only_granted_profiles_are_issued() -> None:
    requester = password_requester("dev1", profiles=("estIdentity",))
    assert ask(requester, csr("dev1"), "estIdentity").profile == "estIdentity"
    refused("profile deviceIdentity", requester, csr("dev1"), "deviceIdentity")
    assert ask(password_requester("dev1", profiles=("*",)), csr("dev1"), "deviceIdentity")
    refused("profile server", password_requester("dev1", profiles=()), csr("dev1"), "server")


def test_a_certificate_of_ours_gets_only_what_its_profile_may_request() -> None:
    refused("profile server", own("dev1"), csr("dev1"), "server")
    refused("profile estIdentity", own("dev1", profile="deviceIdentity"), csr("dev1"), "estIdentity")
    refused("profile edgeCa", own("gw1", profile="deviceIdentity"), csr("aziot-edge CA gw1"), "edgeCa")
    assert ask(own("dev1", profile="bootstrap"), csr("dev1"), "estIdentity")
    refused("profile bootstrap", own("dev1", profile="bootstrap"), csr("dev1"), "bootstrap")
    refused("profile deviceIdentity", own("dev1", profile="bootstrap"), csr("dev1"), "deviceIdentity")


@pytest.mark.parametrize("make", [password_requester, bootstrap_requester, own])
def test_a_ca_certificate_is_for_gateways_only(make: Any) -> None:
    assert ask(make("gw1"), csr("aziot-edge CA GW1"), "edgeCa").profile == "edgeCa"
    text = refused("dev1 is not a gateway", make("dev1"), csr("aziot-edge CA dev1"), "edgeCa")
    assert "access.gateways" in text
    refused("not a gateway", make("gw1"), csr("aziot-edge CA gw1"), "edgeCa", rules=Rules())


def test_a_ca_certificate_of_whatever_profile_is_for_gateways_only() -> None:
    refused("not a gateway", password_requester("dev1"), csr("dev1"), traits("myCa", ca=True))


def test_the_ca_of_a_layer_is_for_layers_that_a_rule_names() -> None:
    rules = Rules(gateways=("*",), layers=frozenset({"layer2"}))
    named = password_requester("layer2", profiles=("layerCa",))
    assert ask(named, csr("Nestor CA Layer2"), LAYER_CA, rules=rules).device == "layer2"
    other = password_requester("layer3", profiles=("layerCa",))
    text = refused("layer3 is not a layer", other, csr("Nestor CA layer3"), LAYER_CA, rules=rules)
    assert "access.layers" in text
    refused("may not have a certificate for layer2", other, csr("Nestor CA layer2"), LAYER_CA, rules=rules)


@pytest.mark.parametrize("name", ["layerCa", "forwarder"])
def test_what_stands_for_a_layer_is_for_those_whose_grant_names_it(name: str) -> None:
    rules = Rules(gateways=("*",), layers=frozenset({"layer2"}))
    profile = traits(name, ca=name == "layerCa", entrusted=True)
    assert ask(password_requester("layer2", profiles=(name,)), csr("layer2"), profile, rules=rules)
    refused(f"the profile {name}", password_requester("layer2", profiles=("*",)), csr("layer2"), profile, rules=rules)


@pytest.mark.parametrize("stated", [True, False])
def test_where_the_scope_of_a_forwarder_is_what_does_not_cover_it_that_is_named(*, stated: bool) -> None:
    """By its word alone, a grant is its scope; else whoever asked has one beside it."""
    scope = Grant(("press-*",), frozenset({"deviceIdentity"}))
    line = password_requester("line", names=("*",), profiles=("deviceIdentity", "edgeCa"))
    grant = scope if stated else replace(line.grant, within=scope)
    conveyed = replace(line, grant=grant, forwarder="layer3")
    assert ask(conveyed, csr("press-1", alternative_names=dns("press-1")))
    refused("The forwarder layer3 does not speak for gw-1 here.", conveyed, csr("gw-1"))
    beside = csr("press-1", alternative_names=dns("gw-1"))
    refused("The forwarder layer3 does not speak for gw-1 here.", conveyed, beside)
    refused("The forwarder layer3 does not ask for certificates of the profile edgeCa", conveyed, csr("press-1"), EDGE)
    if not stated:
        unlisted = traits("server")
        refused("line may not have a certificate of the profile server", conveyed, csr("press-1"), unlisted)
        narrow = replace(conveyed, grant=replace(grant, names=("press-1",)))
        refused("line may not have a certificate for gw-1", narrow, csr("gw-1"))


@pytest.mark.parametrize("name", ["nestor.plant.example", "NESTOR.plant.example", "nestor.plant.example."])
def test_nobody_else_gets_a_server_certificate_for_our_names(name: str) -> None:
    rules = Rules(reserved_names=reserve(["Nestor.plant.example.", "192.0.2.1"]))
    every = password_requester(names=("*",))
    refused("belongs to this server", every, csr(name), "server", rules=rules)
    assert ask(every, csr("other.plant.example"), "server", rules=rules)
    assert ask(every, csr(name), "deviceIdentity", rules=rules)


@pytest.mark.parametrize("name", [*dns("NESTOR.plant.example"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])
def test_nor_by_way_of_alternative_names(name: x509.GeneralName) -> None:
    rules = Rules(reserved_names=reserve(["nestor.plant.example", "192.0.2.1"]))
    every = password_requester(names=("*",))
    refused("belongs to this server", every, csr("a", alternative_names=(*dns("a"), name)), "server", rules=rules)


# --- renewal (RFC 7030, 4.2.2) ------------------------------------------------------------------------------------


def test_a_password_or_a_factory_certificate_alone_renews_nothing() -> None:
    refused("A password alone renews nothing", password_requester("dev1"), csr("dev1"), operation=REENROLL)
    refused("A factory certificate alone", bootstrap_requester("dev1"), csr("dev1"), operation=REENROLL)


def test_a_profile_that_is_not_renewable_is_not_renewed() -> None:
    refused("bootstrap are not renewed", own(profile="bootstrap"), csr("dev1"), "estIdentity", operation=REENROLL)


SAME = dns("dev1.plant.example", "dev1")
SUBJECT = subject("dev1", ORGANIZATION_NAME="Plant")
PRINTABLE = x509.Name(
    [x509.NameAttribute(one.oid, str(one.value), x509.name._ASN1Type.PrintableString) for one in SUBJECT]
)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (SUBJECT, SAME),
        (PRINTABLE, SAME),
        (subject("DEV1", ORGANIZATION_NAME="PLANT"), SAME),
        (subject("dev1", ORGANIZATION_NAME="Plant"), tuple(reversed(SAME))),
        (SUBJECT, dns("DEV1.plant.example", "dev1")),
    ],
)
@pytest.mark.parametrize("operation", [ENROLL, REENROLL])
def test_the_same_names_are_renewed(name: x509.Name, names: tuple[x509.GeneralName, ...], operation: Operation) -> None:
    requester = own(SUBJECT, names=SAME)
    assert ask(requester, csr("dev1", name=name, alternative_names=names), "estIdentity", operation)


@pytest.mark.parametrize(
    "name",
    [
        subject("dev2", ORGANIZATION_NAME="Plant"),
        subject("dev1"),
        subject("dev1", ORGANIZATION_NAME="Plant 2"),
        subject("dev1", ORGANIZATIONAL_UNIT_NAME="Plant"),
        x509.Name(reversed(list(SUBJECT))),
        subject("aziot-edge CA dev1", ORGANIZATION_NAME="Plant"),
        subject("dev1", ORGANIZATION_NAME="Plant", COUNTRY_NAME="DE"),
    ],
)
@pytest.mark.parametrize("operation", [ENROLL, REENROLL])
def test_a_renewal_keeps_its_subject(name: x509.Name, operation: Operation) -> None:
    requester = own(SUBJECT, names=SAME)
    request = csr("dev1", name=name, alternative_names=SAME)
    elsewhere = operation is ENROLL and name == subject("dev2", ORGANIZATION_NAME="Plant")
    reason = "may not have a certificate for dev2" if elsewhere else "keeps its subject: the certificate presented is"
    refused(reason, requester, request, "estIdentity", operation)


@pytest.mark.parametrize("names", [(), SAME[:1], (*SAME, *dns("dev2")), dns("dev1.plant.exampl", "dev1")])
def test_a_reenrollment_keeps_its_alternative_names(names: tuple[x509.GeneralName, ...]) -> None:
    request = csr("dev1", name=SUBJECT, alternative_names=names)
    refused("keeps its alternative names", own(SUBJECT, names=SAME), request, "estIdentity", REENROLL)


def test_a_reenrollment_may_not_add_names_where_there_were_none() -> None:
    request = csr("dev1", alternative_names=dns("dev1"))
    refused("keeps its alternative names", own("dev1"), request, "estIdentity", REENROLL)


def test_a_reenrollment_keeps_names_whatever_profile_is_chosen() -> None:
    requester = own(SUBJECT, names=SAME)
    assert ask(requester, csr("dev1", name=SUBJECT, alternative_names=SAME), "deviceIdentity", REENROLL)
    refused("keeps its subject", requester, csr("dev1", alternative_names=SAME), "deviceIdentity", REENROLL)


def test_a_renewal_through_simpleenroll_keeps_the_names_that_its_request_leaves_out() -> None:
    order = ask(own(SUBJECT, names=SAME), csr("dev1", name=SUBJECT), "estIdentity")
    assert order.alternative_names == SAME


def test_another_profile_does_not_inherit_names() -> None:
    assert ask(own("dev1", names=SAME), csr("dev1"), "deviceIdentity").alternative_names == ()


def test_names_that_the_presented_certificate_has_may_be_asked_for_again() -> None:
    requester = own("dev1", names=SAME)
    assert ask(requester, csr("dev1", alternative_names=SAME[:1]), "deviceIdentity").alternative_names == SAME[:1]
    refused("alternative name", requester, csr("dev1", alternative_names=dns("dev2")), "deviceIdentity")


def test_names_of_a_factory_certificate_are_no_grant() -> None:
    signed = root("Factory").sign("dev1", extensions=[x509.SubjectAlternativeName(dns("victim"))])
    requester = bootstrap_requester("dev1", certificate=signed.certificate)
    refused("victim", requester, csr("dev1", alternative_names=dns("victim")))
    assert ask(requester, csr("dev1")).alternative_names == ()


# --- new names (RFC 6402, 2.8) ------------------------------------------------------------------------------------


def renamed(name: str = "dev1", *names: str, old: tuple[x509.GeneralName, ...] = ()) -> CertificationRequest:
    return csr("dev1", alternative_names=old, new_names=NewNames(subject(name, ORGANIZATION_NAME="New"), dns(*names)))


@pytest.mark.parametrize("operation", [ENROLL, REENROLL])
def test_new_names_within_the_grant_are_issued(operation: Operation) -> None:
    order = ask(own("dev1"), renamed("dev1", "dev1"), "estIdentity", operation)
    assert order.subject == subject("dev1", ORGANIZATION_NAME="New")
    assert order.alternative_names == dns("dev1")


@pytest.mark.parametrize("operation", [ENROLL, REENROLL])
def test_new_names_beyond_the_grant_are_refused(operation: Operation) -> None:
    refused("certificate for dev2", own("dev1"), renamed("dev2"), "estIdentity", operation)
    refused("alternative name dev2", own("dev1"), renamed("dev1", "dev2"), "estIdentity", operation)


def test_new_names_do_not_stand_in_the_subject_itself() -> None:
    new = subject("dev1", ORGANIZATION_NAME="New")
    request = csr("dev1", name=new, new_names=NewNames(new, ()))
    refused("keeps its subject", own("dev1"), request, "estIdentity", REENROLL)


def test_new_names_need_a_grant_for_the_old_one_as_well() -> None:
    line = password_requester(names=("line1-*",))
    request = csr("line2-a", new_names=NewNames(subject("line1-a"), ()))
    refused("certificate for line2-a", line, request)
    assert ask(line, csr("line1-b", new_names=NewNames(subject("line1-a"), ()))).device == "line1-a"


def test_a_factory_certificate_may_take_a_granted_name_in_the_place_of_its_own() -> None:
    factory = bootstrap_requester("sn-4711", names=("line1-*",))
    assert ask(factory, csr("sn-4711", new_names=NewNames(subject("line1-a"), ()))).device == "line1-a"
    refused("for sn-4712", factory, csr("sn-4712", new_names=NewNames(subject("line1-a"), ())))
    refused("for sn-4711", factory, csr("sn-4711"))
    refused("for line2-a", factory, csr("sn-4711", new_names=NewNames(subject("line2-a"), ())))


def test_silent_new_names_remove_nothing_by_accident() -> None:
    refused("no common name|no subject", own("dev1"), csr("dev1", new_names=NewNames(None, dns("dev1"))), "estIdentity")
    request = csr("dev1", alternative_names=dns("dev1"), new_names=NewNames(subject("dev1"), None))
    refused("would remove the alternative names", password_requester("dev1"), request)
    assert (
        ask(own("dev1"), csr("dev1", new_names=NewNames(subject("dev1"), None)), "estIdentity").alternative_names == ()
    )


def test_new_names_replace_those_of_the_presented_certificate() -> None:
    request = csr("dev1", name=SUBJECT, new_names=NewNames(SUBJECT, None))
    assert ask(own(SUBJECT, names=SAME), request, "estIdentity").alternative_names == ()


# --- live names, one-time passwords, keys -------------------------------------------------------------------------


@pytest.mark.parametrize("first", list(Method))
def test_a_live_name_is_onboarded_again_only_by_the_class_of_credential_that_first_got_it(first: Method) -> None:
    standing = Standing(origin=first)
    for requester in (password_requester("dev1"), bootstrap_requester("dev1")):
        if requester.origin is first:
            assert ask(requester, csr("dev1"), standing=standing)
        else:
            refused(f"got by {first}", requester, csr("dev1"), standing=standing)
    assert ask(own("dev1"), csr("dev1"), standing=standing)


@pytest.mark.parametrize("answer", ApprovalAnswer)
@pytest.mark.parametrize("reonboarding", [False, True])
def test_another_class_has_a_live_name_only_where_the_path_lets_it_and_an_operator_is_asked(
    answer: ApprovalAnswer, reonboarding: bool
) -> None:
    rules = ApprovalRules(answer, reonboarding=reonboarding)
    case = {"standing": Standing(origin=Method.BOOTSTRAP), "approval": rules}
    if answer is ApprovalAnswer.NONE or not reonboarding:
        refused("got by bootstrap", password_requester("dev1"), csr("dev1"), **case)
    else:
        order = ask(password_requester("dev1"), csr("dev1"), **case)
        assert (order.needs_approval, order.terms.origin) == (True, Method.BOOTSTRAP)


def test_a_one_time_password_is_good_for_ten_minutes_after_its_first_use() -> None:
    once = password_requester("dev1", one_time=OneTime("digest"))
    grace = timedelta(minutes=10)
    assert ask(once, csr("dev1"))
    assert ask(once, csr("dev1"), standing=Standing(spent_at=NOW - grace))
    late = Standing(spent_at=NOW - grace - timedelta(seconds=1))
    refused("has been used", once, csr("dev1"), standing=late)
    assert ask(password_requester("dev1"), csr("dev1"), standing=late)


def test_a_one_time_password_that_was_spent_by_a_clock_that_was_ahead_is_spent() -> None:
    once = password_requester("dev1", one_time=OneTime("digest"))
    ahead = Standing(spent_at=NOW + timedelta(hours=23))
    refused("has been used", once, csr("dev1"), standing=ahead)
    assert ask(once, csr("dev1"), standing=Standing(spent_at=NOW + timedelta(seconds=5))), "a small step back"


def test_a_key_certified_before_is_refused_where_the_profile_wants_new_ones() -> None:
    strict, used = traits("deviceIdentity", key_reuse=False), Standing(key_used=True)
    refused("key of the request has been certified", password_requester("dev1"), csr("dev1"), strict, standing=used)
    assert ask(password_requester("dev1"), csr("dev1"), "deviceIdentity", standing=used)
    assert ask(password_requester("dev1"), csr("dev1"), strict, standing=FRESH)


def test_a_repeat_of_the_same_request_is_no_reuse_of_its_key() -> None:
    strict = traits("deviceIdentity", key_reuse=False)
    repeat = Standing(key_used=True, replay=entry(b"der", "dev1"))
    assert ask(password_requester("dev1"), csr("dev1"), strict, standing=repeat)


def test_the_key_of_a_request_for_a_generated_key_does_not_matter() -> None:
    strict, used = traits("deviceIdentity", key_reuse=False), Standing(key_used=True)
    assert ask(password_requester("dev1"), csr("dev1"), strict, Operation.SERVER_KEYGEN, standing=used)


# --- whatever comes -----------------------------------------------------------------------------------------------


@given(name=st.text(max_size=70), names=st.lists(st.text("abcdev1.*-\n", max_size=12), max_size=3))
def test_a_device_never_gets_another_name_than_its_own(name: str, names: list[str]) -> None:
    request = csr(name, alternative_names=tuple(x509.DNSName(one) for one in names))
    try:
        order = ask(bootstrap_requester("dev1"), request)
    except Forbidden:
        return
    assert order.device == "dev1"
    assert all(one.value.casefold() == "dev1" for one in order.alternative_names)
