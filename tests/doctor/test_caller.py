"""Who is asked with which credential."""

import socket
import threading
from functools import partial
from pathlib import Path

from cryptography import x509

from nestor.app.clock import SystemClock
from nestor.doctor.address import read_address
from nestor.doctor.caller import Caller
from nestor.doctor.plan import Plan
from nestor.doctor.seen import Credential, Ending, Login, Place
from nestor.doctor.wire import Wire
from nestor.model import Operation
from support import pki
from support.foreign import PASSWORD, USER, Foreign
from support.stub import Answerer, Heard, Reply

_KNOWN = Credential(Login(USER, PASSWORD))


def _caller(server: Foreign, anchor: x509.Certificate) -> Caller:
    plan = Plan(read_address(server.base), (anchor,), _KNOWN, patience=5)
    clock = SystemClock()
    wire = Wire(plan.address, clock, plan.patience)
    return Caller(plan, wire, Place(socket.AF_INET, "127.0.0.1", server.port), clock)


def test_a_device_says_nothing_to_a_server_that_it_does_not_believe(tmp_path: Path) -> None:
    """Be it another one than before, at the same address."""
    with Foreign(tmp_path) as server:
        caller = _caller(server, pki.authority("Other").certificate)
        assert caller.device(Operation.CACERTS, _KNOWN).ending is Ending.DISBELIEVED
        trial = caller.enroll(b"request", _KNOWN)
        assert (trial.enrolled.ending, trial.cacerts.ending) == (Ending.DISBELIEVED, Ending.DISBELIEVED)
        assert server.heard == []


def test_both_calls_of_an_enrollment_are_made_at_once_each_on_its_connection(tmp_path: Path) -> None:
    with Foreign(tmp_path) as server:
        _wait_for_each_other(server)
        trial = _caller(server, server.ca.certificate).enroll(b"cmVxdWVzdA==\n", _KNOWN)
        assert (trial.enrolled.status, trial.cacerts.status) == (400, 200)
        assert {(heard.method, heard.path.rpartition("/")[2]) for heard in server.heard} == {
            ("POST", "simpleenroll"),
            ("GET", "cacerts"),
        }
        assert len({heard.session for heard in server.heard}) == 2
        assert all("authorization" in heard.headers for heard in server.heard)


def _wait_for_each_other(server: Foreign) -> None:
    """No call is answered before the other one has come."""
    both = threading.Barrier(2, timeout=3)
    for operation, answer in list(server.answers.items()):
        server.answers[operation] = partial(_after, both, answer)


def _after(both: threading.Barrier, answer: Answerer, heard: Heard) -> Reply:
    both.wait()
    return answer(heard) if callable(answer) else answer
