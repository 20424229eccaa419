"""An approval behind a forwarder is for the client that asked there, and not for everybody who knows its password."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from nestor.approval import Approval, ApprovalLimits, ApprovalState, verdict
from nestor.conveyance import Conveyance, Statement
from nestor.errors import CannotDecide, Pending
from nestor.model import Credentials
from support.desks import Desk, ask_for
from support.forwarding import SPEAKS
from support.issuing import NOW
from support.shapes import Request, est_identity
from support.signing import root

DAY = timedelta(days=1)
LIMITS = ApprovalLimits(DAY, DAY, 100, 1000)
LAYER = root("Layer CA", start=NOW - DAY, end=NOW + DAY)
FORWARDER = LAYER.sign("nestor-line1", extensions=[SPEAKS], start=NOW - DAY, end=NOW + DAY).certificate
DEVICE, THIEF = "10.0.7.1", "10.0.7.9"

_ids = iter(range(10**6))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "layer.pem").write_bytes(LAYER.pem)
    line1 = {"subject": "CN=nestor-line1", "anchors": "file:layer.pem", "names": "*", "statements": True}
    access = {"forwarders": {"line1": {**line1, "profiles": "estIdentity"}}}
    return Desk(tmp_path, labels={"default": {"approval": "retry"}}, access=access)


async def ask(
    desk: Desk, address: str, asked: Request | None = None, *, hops: tuple[str, ...] = ("gw1#1",), by: str = "192.0.2.1"
) -> x509.Certificate:
    """One try of somebody who has the password of the line, as the first hop states it."""
    told = Conveyance(statement=Statement("password", "line", "default", address), hops=hops)
    made = ask_for(asked or est_identity("pump-1"), request_id=f"{next(_ids):012x}")
    return await desk.registrar.enroll(replace(made, credentials=Credentials(by, FORWARDER, conveyed=told)))


async def waits(
    desk: Desk, address: str, asked: Request | None = None, *, hops: tuple[str, ...] = ("gw1#1",), by: str = "192.0.2.1"
) -> Approval:
    """Ask, and be told to wait; the row that says so."""
    with pytest.raises(Pending) as told:
        await ask(desk, address, asked, hops=hops, by=by)
    (found,) = [one for one in await desk.ledger.approvals(desk.clock.now()) if one.id in told.value.sentence]
    return found


async def decide(desk: Desk, approval: Approval, state: ApprovalState = ApprovalState.APPROVED) -> None:
    await desk.ledger.decide(approval.id, verdict(state, "Maria", desk.clock.now(), LIMITS))


async def test_an_approval_is_not_had_from_another_address_of_the_same_layer(desk: Desk) -> None:
    shown = await waits(desk, DEVICE)
    assert shown.address == f"{DEVICE} behind gw1"
    await decide(desk, shown)
    assert (await waits(desk, THIEF)).id != shown.id
    assert desk.ledger.entries == []
    asked = est_identity("pump-1")
    assert (await ask(desk, DEVICE, asked)).public_key() == asked.key.public_key()


async def test_two_clients_of_one_layer_that_want_one_device_are_rivals(desk: Desk) -> None:
    device, thief = await waits(desk, DEVICE), await waits(desk, THIEF)
    for one, rival in ((device, thief), (thief, device)):
        with pytest.raises(CannotDecide, match=rival.id):
            await decide(desk, one)
    await decide(desk, thief, ApprovalState.DENIED)
    await decide(desk, device)
    assert await ask(desk, DEVICE)


async def test_tries_with_new_keys_wait_in_one_place_whichever_way_the_forwarder_comes(desk: Desk) -> None:
    tries = [await waits(desk, DEVICE), await waits(desk, DEVICE, hops=("gw1#2",), by="192.0.2.2")]
    assert len({one.id for one in tries}) == 1
    assert tries[0].bound_key == b""


async def test_the_same_address_behind_another_forwarder_is_another_client(desk: Desk) -> None:
    one, other = (
        await waits(desk, DEVICE, hops=("cell1#1", "gw1#1")),
        await waits(desk, DEVICE, hops=("cell2#1", "gw1#1")),
    )
    assert (one.address, one.id != other.id) == (f"{DEVICE} behind cell1 behind gw1", True)


async def test_where_no_address_is_stated_an_approval_is_for_the_key(desk: Desk) -> None:
    asked = est_identity("pump-1")
    shown = await waits(desk, "", asked)
    await decide(desk, shown)
    assert (await waits(desk, "")).id != shown.id
    assert desk.ledger.entries == []
    assert (await ask(desk, "", asked)).public_key() == asked.key.public_key()


async def test_where_no_address_is_stated_two_keys_for_one_device_are_rivals(desk: Desk) -> None:
    mine, theirs = await waits(desk, ""), await waits(desk, "")
    with pytest.raises(CannotDecide, match=theirs.id):
        await decide(desk, mine)
