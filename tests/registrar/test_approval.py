"""What needs an operator's word waits for it, converges whatever key is used, and mints exactly one certificate."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509

from nestor.approval import Approval, ApprovalLimits, ApprovalState, verdict
from nestor.errors import CannotDecide, Forbidden, Pending, SettingsError, TooOften
from nestor.events import ApprovalAsked, Enrolled, Refused, Trouble
from nestor.model import Credentials, Method, Operation, Order
from nestor.registrar.desk import Ask
from support.desks import LINE, OTHER, Desk, ask_for
from support.device import wrapped
from support.shapes import Request, client_auth, dns_names, est_identity, request

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LIMITS = ApprovalLimits(HOUR, 24 * HOUR, 100, 1000)
RETRY, ACCEPTED = {"default": {"approval": "retry"}}, {"default": {"approval": "accepted"}}
KEYGEN = {"approval": "retry", "serverKeyGeneration": {"enabled": True}}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, labels=RETRY)


_ids = iter(range(10**6))


async def ask(desk: Desk, asked: Request | None = None, *, address: str = "192.0.2.1", **more: Any) -> x509.Certificate:
    """One try as certd makes it: with a key of its own, unless another request is given."""
    made = ask_for(asked or est_identity("pump-1"), request_id=f"{next(_ids):012x}", **more)
    desk.clock.pass_by(timedelta(seconds=1))
    return await desk.registrar.enroll(replace(made, credentials=replace(made.credentials, address=address)))


async def waits(desk: Desk, *asked: Request, **more: Any) -> Approval:
    """Ask, and be told to wait; the row that says so."""
    with pytest.raises(Pending) as told:
        await ask(desk, *asked, **more)
    (found,) = [one for one in await desk.ledger.approvals(desk.clock.now()) if one.id in told.value.sentence]
    return found


async def say(desk: Desk, state: ApprovalState, id_: str) -> Approval:
    return await desk.ledger.decide(id_, verdict(state, "Maria", desk.clock.now(), LIMITS))


async def approve(desk: Desk, id_: str) -> Approval:
    return await say(desk, ApprovalState.APPROVED, id_)


async def deny(desk: Desk, id_: str) -> Approval:
    return await say(desk, ApprovalState.DENIED, id_)


async def test_tries_with_new_keys_wait_in_one_place_and_the_next_one_after_approval_is_issued(
    desk: Desk,
) -> None:
    tries = [await waits(desk) for _ in range(4)]
    assert {one.id for one in tries} == {tries[0].id}
    assert len({one.spki_sha256 for one in tries}) == 4
    assert [one.requests for one in tries] == [1, 2, 3, 4]
    assert desk.ledger.entries == []
    await approve(desk, tries[0].id)
    asked = est_identity("pump-1")
    certificate = await ask(desk, asked)
    assert certificate.public_key() == asked.key.public_key()
    assert len(desk.ledger.entries) == 1


async def test_an_approval_is_good_for_one_certificate(desk: Desk) -> None:
    first = await waits(desk)
    await approve(desk, first.id)
    await ask(desk)
    second = await waits(desk)
    assert (second.id != first.id, second.requests, second.state) == (True, 1, ApprovalState.PENDING)
    assert len(desk.ledger.entries) == 1


async def test_two_tries_at_once_after_approval_mint_one_certificate(desk: Desk) -> None:
    await approve(desk, (await waits(desk)).id)
    outcomes = await asyncio.gather(*(ask(desk) for _ in range(5)), return_exceptions=True)
    assert [isinstance(one, x509.Certificate) for one in outcomes].count(True) == 1
    assert len(desk.ledger.entries) == 1


async def test_a_lost_answer_is_given_again_although_the_approval_is_used(desk: Desk) -> None:
    asked = est_identity("pump-1")
    await approve(desk, (await waits(desk, asked)).id)
    assert await ask(desk, asked) == await ask(desk, asked)
    assert len(desk.ledger.entries) == 1


async def test_what_is_asked_for_is_told_once_and_each_try_is_a_refusal_and_no_trouble(desk: Desk) -> None:
    for _ in range(3):
        await waits(desk)
    assert [type(event) for event in desk.told] == [ApprovalAsked, Refused, Refused, Refused]
    assert {event.refusal.reason for event in desk.told if isinstance(event, Refused)} == {"Pending"}
    assert not [event for event in desk.told if isinstance(event, Trouble | Enrolled)]


async def test_202_is_answered_only_on_a_path_that_says_so_and_there_the_approval_is_for_the_key(desk: Desk) -> None:
    for labels, accepted in ((RETRY, False), (ACCEPTED, True)):
        desk.labels = labels
        asked = est_identity(f"plc-{accepted}")
        with pytest.raises(Pending) as told:
            await ask(desk, asked)
        assert (told.value.accepted, told.value.retry_after) == (accepted, 60)
    mine = await waits(desk, asked)
    await approve(desk, mine.id)
    theirs = await waits(desk, est_identity("plc-True"))
    assert (mine.bound_key, theirs.id != mine.id) == (mine.spki_sha256, True)
    assert (await ask(desk, asked)).public_key() == asked.key.public_key()


async def test_what_policy_refuses_never_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, labels=RETRY, names="line1-*")
    with pytest.raises(Forbidden):
        await ask(desk)
    assert await desk.ledger.approvals(desk.clock.now()) == []


async def test_an_approval_is_for_the_names_and_the_profile_that_were_shown(desk: Desk) -> None:
    shown = await waits(desk)
    await approve(desk, shown.id)
    named = request("pump-1", None, [client_auth(), dns_names("pump-1")])
    elsewhere = request(x509.Name.from_rfc4514_string("CN=pump-1,O=Contoso"), None, [client_auth()])
    for other in (request("pump-1"), named, elsewhere, est_identity("pump-2")):
        assert (await waits(desk, other)).id != shown.id
    assert desk.ledger.entries == []


async def test_an_approval_is_for_the_credential_the_address_and_the_path_that_asked(desk: Desk) -> None:
    desk.labels = {**RETRY, "line1": {"approval": "retry"}}
    shown = await waits(desk)
    await approve(desk, shown.id)
    others = ({"user": OTHER}, {"address": "192.0.2.9"}, {"label": "line1"})
    assert shown.id not in {(await waits(desk, **other)).id for other in others}
    assert desk.ledger.entries == []


@pytest.mark.parametrize("other", [{"user": OTHER}, {"address": "192.0.2.9"}], ids=["credential", "address"])
async def test_while_two_want_one_device_neither_is_approved_until_the_other_is_denied(
    desk: Desk, other: dict[str, Any]
) -> None:
    device, attacker = await waits(desk), await waits(desk, **other)
    for one, rival in ((device, attacker), (attacker, device)):
        with pytest.raises(CannotDecide, match=rival.id):
            await approve(desk, one.id)
    await deny(desk, attacker.id)
    await approve(desk, device.id)
    with pytest.raises(Forbidden, match="denied"):
        await ask(desk, **other)
    await ask(desk)
    assert [entry.requester for entry in desk.ledger.entries] == ["line"]


async def test_another_name_for_the_same_device_does_not_get_around_a_denial(desk: Desk) -> None:
    await deny(desk, (await waits(desk)).id)
    disguised = x509.Name.from_rfc4514_string("CN=PUMP-1,O=Contoso")
    with pytest.raises(Forbidden, match="denied"):
        await ask(desk, request(disguised, None, [client_auth()]))


async def test_a_denial_holds_for_an_hour_however_often_is_asked_and_then_it_may_be_asked_again(desk: Desk) -> None:
    denied = await deny(desk, (await waits(desk)).id)
    for _ in range(3):
        desk.clock.pass_by(19 * MINUTE)
        with pytest.raises(Forbidden, match=denied.id):
            await ask(desk)
    desk.clock.pass_by(4 * MINUTE)
    assert (await waits(desk)).requests == 1


async def test_what_nobody_asks_for_any_more_is_forgotten_after_an_hour(desk: Desk) -> None:
    first = await waits(desk)
    desk.clock.pass_by(59 * MINUTE)
    assert (await waits(desk)).id == first.id
    desk.clock.pass_by(61 * MINUTE)
    assert await desk.ledger.approvals(desk.clock.now()) == []
    assert (await waits(desk)).id != first.id


async def test_an_approval_is_good_for_a_day(desk: Desk) -> None:
    for hours, good in ((23, True), (24, False)):
        await approve(desk, (await waits(desk)).id)
        desk.clock.pass_by(hours * HOUR)
        if good:
            await ask(desk)
        else:
            await waits(desk)


async def test_an_approval_that_was_not_used_can_be_taken_back(desk: Desk) -> None:
    shown = await waits(desk)
    await approve(desk, shown.id)
    await deny(desk, shown.id)
    with pytest.raises(Forbidden):
        await ask(desk)


async def test_an_approval_given_by_a_clock_that_was_ahead_does_not_outlast_it(desk: Desk) -> None:
    desk.clock.wall += 100 * HOUR
    shown = await waits(desk)
    await approve(desk, shown.id)
    desk.clock.wall -= 100 * HOUR
    assert (await waits(desk)).id != shown.id


async def test_a_device_renews_by_its_own_certificate_without_a_word_and_gets_other_profiles_by_one(
    desk: Desk,
) -> None:
    await approve(desk, (await waits(desk)).id)
    asked = est_identity("pump-1")
    own = await ask(desk, asked)
    assert await as_owner(desk, own, est_identity("pump-1"))
    with pytest.raises(Pending):
        await as_owner(desk, own, request("pump-1"))
    desk.labels = {"default": {"approval": "retry", "approvalFor": "newDevices"}}
    assert await as_owner(desk, own, request("pump-1"))
    desk.labels = RETRY
    assert await as_owner(desk, own, request("pump-1"))
    desk.labels = {"default": {"approval": "retry", "approvalFor": "everything"}}
    with pytest.raises(Pending):
        await as_owner(desk, own, est_identity("pump-1"))


async def as_owner(desk: Desk, certificate: x509.Certificate, asked: Request) -> x509.Certificate:
    credentials = Credentials("192.0.2.1", certificate, secret_bits=256)
    made = Ask(Operation.SIMPLE_ENROLL, None, wrapped(asked.der), credentials, f"{next(_ids):012x}")
    return await desk.registrar.enroll(made)


async def onboard_otherwise(desk: Desk) -> None:
    """Let the device have got what it has by another class of credential."""
    desk.labels = {}
    await ask(desk)
    desk.ledger.entries[0] = replace(desk.ledger.entries[0], origin=Method.BOOTSTRAP)


async def test_a_live_name_is_had_by_another_kind_of_credential_once_that_is_approved_where_the_path_lets_it(
    desk: Desk,
) -> None:
    await onboard_otherwise(desk)
    desk.labels = RETRY
    with pytest.raises(Forbidden, match="does not take it over"):
        await ask(desk)
    desk.labels = {"default": {"approval": "retry", "reonboarding": True}}
    shown = await waits(desk)
    assert shown.takes_over_from == "bootstrap"
    await approve(desk, shown.id)
    await ask(desk)
    assert [entry.origin for entry in desk.ledger.entries] == [Method.BOOTSTRAP, Method.PASSWORD]


async def test_the_approval_of_a_new_device_is_none_of_a_live_one(desk: Desk) -> None:
    desk.labels = {"default": {"approval": "retry", "reonboarding": True}}
    shown = await waits(desk)
    await approve(desk, shown.id)
    await onboard_otherwise(desk)
    desk.labels = {"default": {"approval": "retry", "reonboarding": True}}
    again = await waits(desk)
    assert (again.id != shown.id, again.takes_over_from) == (True, "bootstrap")


def test_reonboarding_without_approval_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"labels\.default\.reonboarding"):
        _ = Desk(tmp_path, labels={"default": {"reonboarding": True}}).registrar


async def test_a_flood_by_one_credential_leaves_room_for_others_and_is_bounded_in_all(tmp_path: Path) -> None:
    desk = Desk(tmp_path, labels=RETRY, approval={"perCredential": 3, "inAll": 5})
    outcomes = [await _outcome(desk, f"pump-{number}", LINE) for number in range(6)]
    outcomes += [await _outcome(desk, f"plc-{number}", OTHER) for number in range(4)]
    assert outcomes == [Pending] * 3 + [TooOften] * 3 + [Pending] * 2 + [TooOften] * 2
    assert await _outcome(desk, "pump-0", LINE) is Pending
    assert len(await desk.ledger.approvals(desk.clock.now())) == 5
    desk.clock.pass_by(2 * HOUR)
    assert await _outcome(desk, "pump-9", LINE) is Pending


async def _outcome(desk: Desk, name: str, user: tuple[str, str]) -> type[Exception]:
    with pytest.raises((Pending, TooOften)) as told:
        await ask(desk, est_identity(name), user=user)
    return told.type


async def test_a_key_is_not_made_before_it_is_approved(desk: Desk) -> None:
    desk.labels = {"keys": KEYGEN}
    with pytest.raises(Pending):
        await desk.registrar.generate(ask_for(request("pump-1"), Operation.SERVER_KEYGEN, label="keys"))
    (shown,) = await desk.ledger.approvals(desk.clock.now())
    await approve(desk, shown.id)
    again = ask_for(request("pump-1"), Operation.SERVER_KEYGEN, label="keys", request_id="0" * 12)
    assert (await desk.registrar.generate(again)).key
    with pytest.raises(Pending):
        await desk.registrar.generate(replace(again, request_id="1" * 12))


class _Above:
    """What stands for an EST server of the layer above whose operator has not decided yet."""

    async def enroll(self, order: Order) -> x509.Certificate:
        raise Pending(f"The parent has to approve {order.device}.", retry_after=300)


@pytest.mark.parametrize("answer", ["none", "retry", "accepted"])
async def test_who_waits_for_a_hop_above_is_told_202_only_where_this_path_says_so(desk: Desk, answer: str) -> None:
    desk.labels = {"default": {"approval": answer}}
    asked = est_identity("pump-1")
    if answer != "none":
        await approve(desk, (await waits(desk, asked)).id)
    registrar = desk.registrar
    registrar._authority = cast("Any", _Above())
    for _ in range(2):
        with pytest.raises(Pending, match="parent") as told:
            await registrar.enroll(ask_for(asked))
        assert (told.value.accepted, told.value.retry_after) == (answer == "accepted", 300)
    waiting = await desk.ledger.approvals(desk.clock.now())
    assert [one.state for one in waiting] == [ApprovalState.APPROVED] * (answer != "none")
