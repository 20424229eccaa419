"""One enrollment from bytes to a certificate: what is answered again, what is recorded, what is told."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.conveyance import Conveyance, Statement
from nestor.errors import (
    CannotIssue,
    Forbidden,
    ForwarderForbidden,
    Malformed,
    NestorError,
    NotAForwarder,
    NotOffered,
    OurFault,
    ParentSilent,
    Unauthenticated,
)
from nestor.events import Enrolled, Refused, Trouble
from nestor.model import Credentials, Entry, Method, Operation, Refusal
from nestor.ops.log import describe
from nestor.registrar.desk import _told
from support.asking import NOW
from support.desks import ADDRESS, LINE, OTHER, Desk, ask_for
from support.forwarding import SPEAKS
from support.memory import MemoryLedger
from support.shapes import Request, device_identity, est_identity, p256, spki_of
from support.signing import root

SECOND = timedelta(seconds=1)
KEYS = {"keys": {"serverKeyGeneration": {"enabled": True}}}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def dev(name: str = "dev-1") -> Request:
    return device_identity(name, p256())


def digest(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


async def again(desk: Desk, later: timedelta, lifetime: str, **second: Any) -> bool:
    """Whether the same request, sent so much later, gets the same certificate."""
    desk.profiles = {"deviceIdentity": {"lifetime": lifetime, "jitter": "0%"}}
    asked = dev()
    first = await desk.registrar.enroll(ask_for(asked))
    desk.clock.pass_by(later)
    return await desk.registrar.enroll(ask_for(asked, **second)) == first


@pytest.mark.parametrize(
    ("lifetime", "seconds", "same"),
    [
        ("30d", 0, True),
        ("30d", 119, True),
        ("30d", 120, False),
        ("3h", 106, True),  # notBefore is back-dated by some minutes, of which 1 % is a few seconds
        ("3h", 115, False),
        ("10min", 5, True),
        ("10min", 12, False),
    ],
)
async def test_the_same_request_gets_the_same_certificate_for_120_s_and_1_percent_of_its_life(
    desk: Desk, lifetime: str, seconds: int, same: bool
) -> None:
    assert await again(desk, seconds * SECOND, lifetime) is same


async def test_another_caller_gets_a_certificate_of_its_own(desk: Desk) -> None:
    assert not await again(desk, SECOND, "30d", user=OTHER)


async def test_another_label_gives_another_certificate(desk: Desk) -> None:
    desk.labels = {"line1": {}}
    assert not await again(desk, SECOND, "30d", label="line1")


async def test_another_profile_gives_another_certificate(desk: Desk) -> None:
    asked = dev()
    issued = []
    for profile in ("deviceIdentity", "estIdentity", "deviceIdentity"):
        desk.labels = {"here": {"profile": profile}}
        issued.append(await desk.registrar.enroll(ask_for(asked, label="here")))
    assert issued[0] == issued[2] != issued[1]


async def test_other_settings_give_another_certificate(desk: Desk) -> None:
    asked = dev()
    first = await desk.registrar.enroll(ask_for(asked))
    desk.revision = "2"
    assert await desk.registrar.enroll(ask_for(asked)) != first
    desk.revision = "1"
    assert await desk.registrar.enroll(ask_for(asked)) == first


async def test_other_bytes_are_another_request(desk: Desk) -> None:
    key = p256()
    first, second = [await desk.registrar.enroll(ask_for(device_identity("dev-1", key))) for _ in range(2)]
    assert first != second, "an ECDSA signature is another each time"


async def test_a_revoked_certificate_is_not_given_again(desk: Desk) -> None:
    asked = dev()
    first = await desk.registrar.enroll(ask_for(asked))
    await desk.ledger.revoke(digest(first), "lost", NOW)
    assert await desk.registrar.enroll(ask_for(asked)) != first


async def test_who_may_no_longer_have_it_does_not_get_it_again(desk: Desk) -> None:
    asked = dev()
    await desk.registrar.enroll(ask_for(asked))
    desk.names = "pump-*"
    with pytest.raises(Forbidden, match="dev-1"):
        await desk.registrar.enroll(ask_for(asked))


async def test_a_key_that_may_be_used_once_does_not_stand_against_a_repetition(desk: Desk) -> None:
    desk.profiles = {"deviceIdentity": {"keyReuse": False}}
    asked = dev()
    first = await desk.registrar.enroll(ask_for(asked))
    assert await desk.registrar.enroll(ask_for(asked)) == first
    desk.clock.pass_by(120 * SECOND)
    with pytest.raises(Forbidden, match="key"):
        await desk.registrar.enroll(ask_for(asked))


async def test_a_generated_key_is_never_given_twice_nor_its_certificate(desk: Desk) -> None:
    desk.labels = KEYS
    asked = dev()
    ask = ask_for(asked, Operation.SERVER_KEYGEN, label="keys")
    first, second = await desk.registrar.generate(ask), await desk.registrar.generate(ask)
    assert first.key != second.key
    assert first.certificate != second.certificate
    enrolled = await desk.registrar.enroll(ask_for(asked, label="keys"))
    assert spki_of(asked.key) == spki_of(enrolled)
    third = await desk.registrar.generate(ask)
    assert spki_of(third.certificate) not in {spki_of(asked.key), spki_of(first.certificate)}


class Hesitant(MemoryLedger):
    """A ledger that lets others go first before it writes, as one on disk does."""

    async def record(self, entry: Entry, **rules: Any) -> Entry:
        await asyncio.sleep(0)
        return await super().record(entry, **rules)


async def test_a_lost_race_answers_what_was_recorded(desk: Desk) -> None:
    desk.ledger = Hesitant()
    asked, registrar = dev(), desk.registrar
    issued = await asyncio.gather(*(registrar.enroll(ask_for(asked)) for _ in range(3)))
    assert [digest(certificate) for certificate in issued] == [desk.ledger.entries[0].sha256] * 3
    assert len(desk.ledger.entries) == 1
    assert sorted(event.replayed for event in desk.told if isinstance(event, Enrolled)) == [False, True, True]


async def test_what_is_issued_is_recorded_whole_and_told(desk: Desk) -> None:
    desk.labels = {"line1": {}}
    asked = est_identity("Dev-1")
    certificate = await desk.registrar.enroll(ask_for(asked, label="line1", request_id="4711"))
    (entry,) = desk.ledger.entries
    assert desk.told == [Enrolled(entry, replayed=False)]
    assert (entry.sha256, entry.serial) == (digest(certificate), certificate.serial_number)
    assert (entry.not_before, entry.not_after) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    assert (entry.device, entry.subject, entry.profile, entry.label) == ("dev-1", "CN=Dev-1", "estIdentity", "line1")
    assert (entry.method, entry.requester, entry.origin, entry.via) == (Method.PASSWORD, "line", Method.PASSWORD, None)
    assert (entry.address, entry.request_id, entry.issued_at) == (ADDRESS, "4711", NOW)
    assert entry.csr_sha256 == hashlib.sha256(asked.der).digest()
    assert entry.spki_sha256 == hashlib.sha256(spki_of(asked.key)).digest()


async def test_a_generated_key_is_recorded_as_the_key_of_its_certificate(desk: Desk) -> None:
    desk.labels = KEYS
    made = await desk.registrar.generate(ask_for(dev(), Operation.SERVER_KEYGEN, label="keys"))
    (entry,) = desk.ledger.entries
    assert entry.spki_sha256 == hashlib.sha256(spki_of(made.certificate)).digest()
    assert desk.told == [Enrolled(entry, replayed=False)]


async def refused(desk: Desk, fault: type[NestorError], ask: Any) -> Refusal:
    """The refusal of a request, which has to be in the ledger and among what was told."""
    serve = desk.registrar.generate if ask.operation is Operation.SERVER_KEYGEN else desk.registrar.enroll
    with pytest.raises(fault) as raised:
        await serve(ask)
    (refusal,) = desk.ledger.refused
    assert isinstance(desk.told[0], Refused)
    assert desk.told[0].refusal == refusal
    assert refusal.reason == fault.__name__
    assert refusal.sentence.startswith(raised.value.text)
    assert (refusal.at, refusal.address, refusal.request_id) == (desk.clock.wall, ADDRESS, "0123456789ab")
    assert desk.ledger.entries == []
    return refusal


async def test_a_stranger_is_refused_and_that_is_recorded(desk: Desk) -> None:
    refusal = await refused(desk, Unauthenticated, ask_for(dev(), user=("line", "guess")))
    assert (refusal.requester, refusal.method, refusal.subject) == ("line", None, "CN=dev-1")
    assert (refusal.operation, refusal.label) == ("simpleenroll", "default")


async def test_who_asks_for_too_much_is_refused_and_that_is_recorded(desk: Desk) -> None:
    desk.names, desk.labels = "pump-*", {"line1": {}}
    refusal = await refused(desk, Forbidden, ask_for(dev(), Operation.SIMPLE_REENROLL, label="line1"))
    assert (refusal.requester, refusal.method, refusal.subject) == ("line", Method.PASSWORD, "CN=dev-1")
    assert (refusal.operation, refusal.label) == ("simplereenroll", "line1")
    assert len(desk.told) == 1, "it is nobody's trouble but the device's"


async def test_a_body_is_judged_when_its_sender_is_known_and_not_before(desk: Desk) -> None:
    refusal = await refused(desk, Malformed, ask_for(b"garbage"))
    assert (refusal.requester, refusal.subject) == (LINE[0], "")
    desk.ledger, desk.told = MemoryLedger(), []
    await refused(desk, Unauthenticated, ask_for(b"garbage", user=None))


async def test_a_refusal_tells_of_the_forwarder_also_where_that_is_none(desk: Desk) -> None:
    sender = root("Layer CA").sign("layer2", extensions=[SPEAKS]).certificate
    told = Conveyance(statement=Statement("password", "line", "default"), hops=("gw1#1", "gw2#7"))
    ask = replace(ask_for(dev()), credentials=Credentials(ADDRESS, sender, conveyed=told))
    refusal = await refused(desk, NotAForwarder, ask)
    assert (refusal.requester, refusal.method) == ("line by CN=layer2", None)
    assert describe(desk.told[0])[2]["forwarder"] == "CN=layer2 (gw1#1, gw2#7)"


async def test_key_generation_that_is_off_is_refused_and_that_is_recorded(desk: Desk) -> None:
    refusal = await refused(desk, NotOffered, ask_for(dev(), Operation.SERVER_KEYGEN))
    assert refusal.operation == "serverkeygen"


async def test_a_clock_that_is_wrong_is_our_trouble(desk: Desk) -> None:
    desk.clock.wall -= timedelta(days=400)
    refusal = await refused(desk, CannotIssue, ask_for(dev()))
    assert desk.told[1:] == [Trouble("issuance", refusal.sentence)]


class Faulty(MemoryLedger):
    """A ledger with a bug."""

    async def record(self, entry: Entry, **rules: Any) -> Entry:
        raise OurFault("The row has no place.")


@pytest.mark.parametrize("operation", [Operation.SIMPLE_ENROLL, Operation.SERVER_KEYGEN])
async def test_a_fault_of_our_own_is_told_as_a_bug(desk: Desk, operation: Operation) -> None:
    desk.ledger, desk.labels = Faulty(), KEYS
    await refused(desk, OurFault, ask_for(dev(), operation, label="keys"))
    assert desk.told[1:] == [Trouble("bug", "The row has no place.")]


class Silent(MemoryLedger):
    """A ledger that stands in for a server above: whoever asks it hears nothing."""

    async def record(self, entry: Entry, **rules: Any) -> Entry:
        raise ParentSilent("layer4 did not answer in time.")


async def test_of_a_silent_server_above_each_refusal_is_told_and_no_trouble_of_ours(desk: Desk) -> None:
    desk.ledger = Silent()
    await refused(desk, ParentSilent, ask_for(dev()))
    assert [type(event) for event in desk.told] == [Refused]


def test_what_lies_behind_a_refusal_is_told_once() -> None:
    for behind, told in (
        (Forbidden("It was revoked."), "It was revoked. Ask."),
        (Forbidden("No."), "It was revoked. Ask. (No.)"),
    ):
        fault = ForwarderForbidden("It was revoked.", "Ask.")
        fault.__cause__ = behind
        assert _told(fault) == told
