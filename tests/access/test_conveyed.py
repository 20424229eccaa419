"""Who asks, when a forwarder says so: what it takes to be one, what its word is good for, and what is told onward."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from nestor.access.anchors import read_bundle
from nestor.access.bootstrap import Maker
from nestor.access.conveyed import PROFILE, Forwarder, Forwarders
from nestor.access.identify import Identifier
from nestor.access.memory import Memory, Verified
from nestor.access.own import OwnCertificates
from nestor.access.scope import Scope
from nestor.access.settings import IdentitySource
from nestor.access.users import User, Users
from nestor.access.verifier import Verifier
from nestor.conveyance import Conveyance, Statement
from nestor.errors import Forbidden, ForwarderForbidden, Looped, NestorError, NotAForwarder, Unauthenticated
from nestor.model import Combination, Credentials, Grant, Label, Method, ProfileTraits, Requester, State
from support.asking import (
    NOW,
    adopt_none,
    cheap_hash,
    entry,
    ignore,
    ledger_of,
    subject,
    suspicion,
    traits,
    traits_or_none,
)
from support.forwarding import SPEAKS
from support.signing import CLIENT, Signed, root

CA, LAYER, FACTORY = root("Nestor CA"), root("Layer CA"), root("Factory Root")
DEVICE = CA.sign("line1-pump", extensions=[CLIENT])
BOOTSTRAP = FACTORY.sign("line1-new")
OURS = CA.sign("nestor-ours", extensions=[SPEAKS])
REVOKED = CA.sign("nestor-ours", extensions=[SPEAKS])
UNKNOWN = CA.sign("nestor-ours", extensions=[SPEAKS])
OTHER_PROFILE = CA.sign("nestor-ours", extensions=[SPEAKS])
THEIRS = LAYER.sign("nestor-line1", extensions=[SPEAKS])
WITHDRAWN = LAYER.sign("nestor-line1", extensions=[SPEAKS])
EXPIRED = LAYER.sign("nestor-line1", extensions=[SPEAKS], end=NOW - timedelta(hours=1))
ROWS = [
    entry(DEVICE.der, "line1-pump"),
    entry(OURS.der, "nestor-ours", PROFILE),
    entry(REVOKED.der, "nestor-ours", PROFILE, state=State.REVOKED),
    entry(OTHER_PROFILE.der, "nestor-ours", "deviceIdentity"),
]
SCOPE = Scope(("default",), Grant(("line1-*",), frozenset({"deviceIdentity"})), frozenset({"own", "factory"}), True)
KNOWN = [
    Forwarder("line1", subject("nestor-line1"), (LAYER.certificate,), SCOPE),
    Forwarder("ours", subject("nestor-ours"), (), replace(SCOPE, issuers=frozenset({"factory"}), statements=False)),
]
LABEL = Label("default")
TOLD = Conveyance(DEVICE.certificate, (CA.certificate,), hops=("gw1#1",))


def _traits(name: str) -> ProfileTraits | None:
    return traits(PROFILE, may_request=frozenset()) if name == PROFILE else traits_or_none(name)


def _identifier(known: list[Forwarder] = KNOWN) -> Identifier:
    maker = Maker(
        name="factory",
        bundle=read_bundle(FACTORY.pem, "factory.pem"),
        source=IdentitySource.COMMON_NAME,
        names=(),
        profiles=frozenset({"estIdentity"}),
        crls=lambda: (),
        require_crl=False,
        allow_without_eku=True,
    )
    own = OwnCertificates(lambda: [CA.certificate], ledger_of(*ROWS), _traits, adopt_none)
    users = Users({"line1": User("line1", cheap_hash("right"))}, dict)
    verifier = Verifier(users, suspicion(), Verified(bytes(32)), verified_for=600.0, tell=ignore)
    return Identifier(own, [maker], verifier, Forwarders(known, [own], "here#0", _was_revoked))


async def _was_revoked(sha256: bytes, serial: int, issuer: bytes) -> bool:
    return (sha256, serial) == (WITHDRAWN.certificate.fingerprint(hashes.SHA256()), WITHDRAWN.certificate.serial_number)


async def _asked(
    sender: x509.Certificate | None, told: Conveyance | None = TOLD, label: Label = LABEL, **known: object
) -> Requester:
    credentials = replace(Credentials("192.0.2.7", certificate=sender, conveyed=told), **known)
    return await _identifier().identify(credentials, label, NOW, 0.0)


async def test_the_device_is_who_asks_and_the_forwarder_is_noted() -> None:
    requester = await _asked(THEIRS.certificate)
    direct = await _asked(DEVICE.certificate, None)
    assert (requester.name, requester.caller, requester.entry) == (direct.name, direct.caller, direct.entry)
    assert (requester.forwarder, direct.forwarder) == ("line1", None)
    assert requester.grant == replace(direct.grant, within=SCOPE.grant)


async def test_a_later_hop_tells_what_it_was_told_and_that_it_passed_here() -> None:
    told = replace(TOLD, idempotency_key="key")
    requester = await _asked(THEIRS.certificate, told, deadline=7.5)
    assert requester.conveyance == replace(told, hops=("gw1#1", "here#0"), deadline=7.5)


async def test_the_first_hop_tells_the_peer_of_its_own_session() -> None:
    by_certificate = await _asked(DEVICE.certificate, None, chain=(CA.certificate,), deadline=3.0)
    assert by_certificate.conveyance == Conveyance(
        DEVICE.certificate, (CA.certificate,), hops=("here#0",), deadline=3.0
    )
    by_password = await _asked(None, None, user="line1", password="right")
    stated = Statement("password", "line1", "default", "192.0.2.7")
    assert by_password.conveyance == Conveyance(statement=stated, hops=("here#0",))
    wants_both = Label("both", combination=Combination.BOTH)
    both = await _asked(DEVICE.certificate, None, wants_both, user="line1", password="right")
    assert both.conveyance == Conveyance(
        DEVICE.certificate, statement=Statement("password", "line1", "both", "192.0.2.7"), hops=("here#0",)
    )
    local = await _asked(None, None, user="line1", password="right", address="fe80::7%eth0")
    assert local.conveyance is not None
    assert local.conveyance.statement == replace(stated, address="fe80::7")


async def test_a_certificate_that_did_not_count_is_not_told_onward() -> None:
    unknown = root("Nobody").sign("line1-pump").certificate
    requester = await _asked(unknown, None, user="line1", password="right")
    assert requester.conveyance is not None
    assert requester.conveyance.certificate is None


@pytest.mark.parametrize(
    ("sender", "fault"),
    [
        (None, NotAForwarder),
        (DEVICE, NotAForwarder),
        (OTHER_PROFILE, NotAForwarder),
        (LAYER.sign("nestor-line2", extensions=[SPEAKS]), NotAForwarder),
        (LAYER.sign("nestor-ours", extensions=[SPEAKS]), NotAForwarder),
        (CA.sign("nestor-line1", extensions=[SPEAKS]), NotAForwarder),
        (FACTORY.sign("nestor-line1", extensions=[SPEAKS]), NotAForwarder),
        (LAYER.sign("nestor-line1", extensions=[CLIENT]), NotAForwarder),
        (LAYER.sign("nestor-line1", ca=True, extensions=[SPEAKS]), ForwarderForbidden),
        (EXPIRED, ForwarderForbidden),
        (WITHDRAWN, ForwarderForbidden),
        (REVOKED, ForwarderForbidden),
        (UNKNOWN, ForwarderForbidden),
    ],
)
async def test_it_takes_mark_issuer_subject_ledger_and_date_to_be_a_forwarder(
    sender: object, fault: type[NestorError]
) -> None:
    with pytest.raises(fault) as refused:
        await _asked(getattr(sender, "certificate", None))
    assert type(refused.value) is fault
    if isinstance(sender, Signed):
        whose = sender.certificate.subject.rfc4514_string()
        beginning = f"The certificate of the forwarder {whose} " if fault is ForwarderForbidden else "Only a forwarder"
        assert refused.value.sentence.startswith(beginning)
        assert whose in refused.value.sentence
        assert "presented" not in refused.value.sentence


async def test_a_forwarder_of_our_own_is_one_by_its_profile_in_the_ledger() -> None:
    made = replace(TOLD, certificate=BOOTSTRAP.certificate, chain=())
    requester = await _asked(OURS.certificate, made)
    assert (requester.forwarder, requester.method, requester.identity) == ("ours", Method.BOOTSTRAP, "line1-new")
    with pytest.raises(Forbidden, match="certificates of this CA"):
        await _asked(OURS.certificate)


@pytest.mark.parametrize("below", [False, True])
async def test_a_forwarder_of_the_ca_here_is_one_although_the_ca_above_has_its_name_or_signed_it(
    *, below: bool
) -> None:
    higher = root("Nestor CA")
    here = higher.sign("Layer CA", ca=True) if below else root("Nestor CA")
    made = here.sign("nestor-ours", extensions=[SPEAKS])
    row = entry(made.der, "nestor-ours", PROFILE)
    above = OwnCertificates(lambda: [higher.certificate], ledger_of(row), _traits, adopt_none)
    beside = OwnCertificates(lambda: [here.certificate], ledger_of(row), _traits, adopt_none)
    known = Credentials("192.0.2.7", certificate=made.certificate, chain=(here.certificate,))
    assert await Forwarders(KNOWN, [above, beside], "here#0", _was_revoked).find(known, NOW) == KNOWN[1]


async def test_a_forwarder_that_tells_of_nobody_is_asked_about_itself() -> None:
    requester = await _asked(OURS.certificate, Conveyance(deadline=5.0))
    assert (requester.name, requester.forwarder) == ("nestor-ours", None)
    assert requester.grant.profiles == {PROFILE}


async def test_nobody_is_a_forwarder_where_none_is_listed() -> None:
    credentials = Credentials("192.0.2.7", certificate=THEIRS.certificate, conveyed=TOLD)
    with pytest.raises(NotAForwarder, match=r"CN=nestor-line1, and access\.forwarders lists nobody"):
        await _identifier([]).identify(credentials, LABEL, NOW, 0.0)


async def test_the_certificate_of_a_forwarder_is_not_conveyed() -> None:
    with pytest.raises(Forbidden, match="speaks for itself"):
        await _asked(THEIRS.certificate, replace(TOLD, certificate=OURS.certificate))


async def test_a_request_that_was_here_before_or_came_too_far_is_refused() -> None:
    for hops in (("gw1#1", "here#0"), tuple(f"gw{number}#1" for number in range(9))):
        with pytest.raises(Looped):
            await _asked(THEIRS.certificate, replace(TOLD, hops=hops))
    assert await _asked(THEIRS.certificate, replace(TOLD, hops=tuple(f"gw{number}#1" for number in range(8))))


async def test_a_statement_is_the_user_as_the_forwarder_names_it_within_the_scope() -> None:
    told = Conveyance(statement=Statement("password", "Line1", "device"), hops=("gw1#1",))
    requester = await _asked(THEIRS.certificate, told, user="line1", password="wrong")
    assert (requester.name, requester.method, requester.origin) == ("Line1", Method.PASSWORD, Method.PASSWORD)
    assert (requester.caller, requester.grant) == ("forwarder:line1 password:line1", SCOPE.grant)
    with pytest.raises(Forbidden, match="does not state"):
        await _asked(OURS.certificate, told)


async def test_a_conveyed_certificate_that_is_no_good_calls_for_no_password() -> None:
    unknown = replace(TOLD, certificate=root("Nobody").sign("line1-pump", extensions=[CLIENT]).certificate)
    with pytest.raises(Unauthenticated) as refused:
        await _asked(THEIRS.certificate, unknown, user="line1", password="right")
    assert not refused.value.challenge


async def test_both_proofs_are_conveyed_where_a_path_wants_both() -> None:
    label = replace(LABEL, combination=Combination.BOTH)
    both = replace(TOLD, statement=Statement("password", "line1", "default"))
    requester = await _asked(THEIRS.certificate, both, label)
    assert requester.name == "line1-pump with line1"
    assert requester.grant.within == SCOPE.grant
    with pytest.raises(Forbidden):
        await _asked(THEIRS.certificate, TOLD, label)


async def test_another_label_and_another_device_are_out_of_scope() -> None:
    with pytest.raises(Forbidden, match="label"):
        await _asked(THEIRS.certificate, label=Label("device"))
    stranger = FACTORY.sign("line2-new")
    with pytest.raises(Forbidden, match="does not speak for line2-new"):
        await _asked(THEIRS.certificate, replace(TOLD, certificate=stranger.certificate))


def test_every_process_has_its_own_mark_among_the_hops() -> None:
    one, other = Memory(), Memory()
    assert one.hop("gw1").startswith("gw1#")
    assert one.hop("gw1") == one.hop("gw1") != other.hop("gw1")
