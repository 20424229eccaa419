"""The gate as a whole: each step of a request is taken, and none is left out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from nestor.access.conveyed import Forwarders
from nestor.access.gate import Gate
from nestor.access.identify import Identifier
from nestor.access.memory import Verified
from nestor.access.own import OwnCertificates
from nestor.access.policy import Rules
from nestor.access.throttle import Buckets, Rate
from nestor.access.users import User, Users
from nestor.access.verifier import Verifier
from nestor.errors import Forbidden, Malformed, TooOften
from nestor.model import ChallengeUse, Combination, Credentials, Label, Operation, Order, Requester
from nestor.ports import Gate as GatePort
from support.asking import (
    FRESH,
    NOW,
    adopt_none,
    bootstrap_requester,
    cheap_hash,
    csr,
    ignore,
    ledger_of,
    password_requester,
    suspicion,
    traits,
    traits_or_none,
)
from support.signing import request


@dataclass
class Clock:
    moment: float = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.moment


LABEL = Label("code", combination=Combination.PASSWORD, challenge=ChallengeUse.ONE_TIME_CODE)


def make(clock: Clock) -> Gate:
    users = Users({"dev1": User("dev1", cheap_hash("7Q2"))}, dict)
    verifier = Verifier(users, suspicion(), Verified(bytes(32)), verified_for=600.0, tell=ignore)
    own = OwnCertificates(list, ledger_of(), traits_or_none, adopt_none)
    return Gate(
        identifier=Identifier(own, [], verifier, Forwarders([], [own], "here", ledger_of().was_revoked)),
        rules=Rules(),
        enrollments=Buckets(Rate(burst=2, pause=10.0)),
        anchors=[],
        clock=clock,
    )


def authorize(gate: GatePort, requester: Requester, name: str, **fields: Any) -> Order:
    return gate.authorize(
        requester=requester,
        csr=csr(name),
        profile=traits("deviceIdentity"),
        operation=Operation.SIMPLE_ENROLL,
        label=LABEL,
        standing=FRESH,
        now=NOW,
    )


async def test_a_request_passes_the_gate_step_by_step() -> None:
    gate: GatePort = make(Clock())
    asked = request("dev1", "7Q2")
    credentials = gate.complete(Credentials("192.0.2.1"), asked, LABEL)
    requester = await gate.identify(credentials, LABEL)
    gate.check_possession(asked, credentials, LABEL)
    assert authorize(gate, requester, "dev1").device == "dev1"


def test_possession_is_checked() -> None:
    with pytest.raises(Malformed):
        make(Clock()).check_possession(request("dev1", break_signature=True), Credentials("192.0.2.1"), LABEL)


def test_one_caller_is_held_back_for_one_device_and_not_for_another() -> None:
    clock = Clock()
    gate = make(clock)
    line = password_requester("line1", names=("*",))
    for _ in range(2):
        authorize(gate, line, "dev1")
    with pytest.raises(TooOften, match="line1 asks for certificates of dev1 too often") as caught:
        authorize(gate, line, "aziot-edge CA DEV1")
    assert caught.value.retry_after == 10
    authorize(gate, line, "dev2")
    authorize(gate, bootstrap_requester("dev1"), "dev1")
    clock.moment = 10.0
    authorize(gate, line, "dev1")


def test_what_is_refused_does_not_count() -> None:
    gate = make(Clock())
    requester = password_requester("dev1")
    for _ in range(9):
        with pytest.raises(Forbidden):
            authorize(gate, requester, "dev2")
    assert authorize(gate, requester, "dev1")
