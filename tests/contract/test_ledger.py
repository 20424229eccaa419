"""The contract of the Ledger port, held against every implementation."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.errors import CannotIssue, Forbidden
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, Method, OneTime, Replay, Standing, State, Terms
from support.entries import NOON, a_refusal, a_replay, an_entry
from support.ledgers import opened
from support.memory import MemoryLedger

AnyLedger = MemoryLedger | SQLiteLedger
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyLedger]:
    if request.param == "memory":
        yield MemoryLedger()
    else:
        async with opened(tmp_path) as on_disk:
            yield on_disk


async def record(
    ledger: AnyLedger, entry: Entry, replay: Replay | None = None, one_time: OneTime | None = None
) -> Entry:
    return await ledger.record(entry, replay=replay, one_time=one_time)


async def standing(
    ledger: AnyLedger, entry: Entry, key: bytes = b"", one_time: OneTime | None = None, later: timedelta = MINUTE
) -> Standing:
    return await ledger.standing(
        device=entry.device,
        profile=entry.profile,
        spki_sha256=entry.spki_sha256,
        replay_key=key,
        one_time=one_time,
        now=NOON + later,
    )


async def state(ledger: AnyLedger, entry: Entry) -> State:
    found = await ledger.find(entry.sha256)
    assert found is not None
    return found.state


async def test_what_was_recorded_is_found_as_it_was(ledger: AnyLedger) -> None:
    entry = an_entry(via=b"v" * 32, method=Method.CERTIFICATE, serial=0x80)
    recorded = await record(ledger, entry)
    assert replace(recorded, id=0) == entry
    assert await ledger.find(entry.sha256) == recorded


async def test_what_was_not_recorded_is_not_found(ledger: AnyLedger) -> None:
    await record(ledger, an_entry())
    assert await ledger.find(bytes(32)) is None


async def test_times_are_kept_in_whole_seconds(ledger: AnyLedger) -> None:
    recorded = await record(ledger, an_entry(issued_at=NOON.replace(microsecond=999_999)))
    assert recorded.issued_at == NOON
    assert await ledger.find(recorded.sha256) == recorded


async def test_a_certificate_without_end_is_kept(ledger: AnyLedger) -> None:
    entry = an_entry(not_after=NOON.replace(year=9999, month=12, day=31))
    assert (await record(ledger, entry)).not_after == entry.not_after


async def test_a_serial_number_is_never_recorded_twice(ledger: AnyLedger) -> None:
    entry = await record(ledger, an_entry())
    with pytest.raises(CannotIssue, match="same serial number"):
        await record(ledger, an_entry(serial=entry.serial))


async def test_issuers_count_their_certificates_each_for_itself(ledger: AnyLedger) -> None:
    entries = [await record(ledger, an_entry(serial=1, issuer=issuer)) for issuer in (b"one", b"other")]
    adopted_one = await ledger.adopt(an_entry(serial=1, issuer=b"third", adopted_at=NOON))
    for entry in (*entries, adopted_one):
        found = await ledger.find(entry.sha256)
        assert found is not None
        assert found.issuer == entry.issuer
    for again in (record(ledger, an_entry(serial=1, issuer=b"one")), ledger.adopt(an_entry(serial=1, issuer=b"one"))):
        with pytest.raises(CannotIssue, match="same serial number"):
            await again


async def test_a_certificate_that_is_given_once_more_stays_one_entry(ledger: AnyLedger) -> None:
    first = await record(ledger, an_entry())
    other_profile = await record(ledger, an_entry(profile="edgeCa"))
    replay = a_replay()
    later = replace(first, id=0, issued_at=NOON + MINUTE, csr_sha256=b"c" * 32, request_id="later")
    assert await record(ledger, later, replay) == first
    assert await state(ledger, first) is State.ACTIVE
    assert await state(ledger, other_profile) is State.ACTIVE
    assert [one.sha256 for one in await ledger.live_certificates("pump-1", NOON)] == [
        first.sha256,
        other_profile.sha256,
    ]
    replayed = (await standing(ledger, first, replay.key)).replay
    assert replayed is not None
    assert replayed.sha256 == first.sha256


async def test_a_certificate_that_was_revoked_or_is_anothers_is_not_given_once_more(ledger: AnyLedger) -> None:
    entry = await record(ledger, an_entry())
    for other in (replace(entry, device="pump-2"), replace(entry, spki_sha256=b"k" * 32)):
        with pytest.raises(CannotIssue):
            await record(ledger, other)
    await ledger.revoke(entry.sha256, "lost", NOON)
    with pytest.raises(CannotIssue):
        await record(ledger, entry)


async def test_a_collision_does_not_harm_its_neighbors(ledger: AnyLedger) -> None:
    first = await record(ledger, an_entry())
    entries = [an_entry(f"pump-{n}") for n in range(8)]
    entries[3] = replace(entries[3], serial=first.serial)
    outcomes = await asyncio.gather(*(record(ledger, entry) for entry in entries), return_exceptions=True)
    assert [isinstance(outcome, CannotIssue) for outcome in outcomes] == [n == 3 for n in range(8)]
    found = [await ledger.find(entry.sha256) for entry in entries]
    assert [entry is None for entry in found] == [n == 3 for n in range(8)]


async def test_a_newer_certificate_supersedes_older_ones_of_its_device_and_profile(ledger: AnyLedger) -> None:
    older = await record(ledger, an_entry())
    other_profile = await record(ledger, an_entry(profile="edgeCa"))
    other_device = await record(ledger, an_entry("pump-2"))
    newer = await record(ledger, an_entry())
    states = [await state(ledger, entry) for entry in (older, other_profile, other_device, newer)]
    assert states == [State.SUPERSEDED, State.ACTIVE, State.ACTIVE, State.ACTIVE]


async def test_an_expired_certificate_is_not_superseded_any_more(ledger: AnyLedger) -> None:
    expired = await record(ledger, an_entry(not_after=NOON - MINUTE))
    await record(ledger, an_entry())
    assert await state(ledger, expired) is State.ACTIVE


async def test_a_revoked_certificate_stays_revoked_when_a_newer_one_comes(ledger: AnyLedger) -> None:
    older = await record(ledger, an_entry())
    await ledger.revoke(older.sha256, "lost", NOON)
    await record(ledger, an_entry())
    assert await state(ledger, older) is State.REVOKED


async def test_the_same_request_gets_the_same_certificate(ledger: AnyLedger) -> None:
    replay = a_replay()
    first = await record(ledger, an_entry(), replay)
    second = an_entry()
    assert await record(ledger, second, replay) == first
    assert await ledger.find(second.sha256) is None
    assert (await standing(ledger, first, replay.key)).replay == first


async def test_the_same_request_later_is_a_renewal(ledger: AnyLedger) -> None:
    replay = a_replay()
    first = await record(ledger, an_entry(), replay)
    assert (await standing(ledger, first, replay.key, later=2 * MINUTE)).replay is None
    renewed = an_entry(issued_at=replay.until)
    assert (await record(ledger, renewed, replace(replay, until=replay.until + MINUTE))).sha256 == renewed.sha256
    assert (await standing(ledger, first, replay.key, later=2 * MINUTE)).replay is not None


async def test_what_was_issued_by_a_clock_that_was_ahead_is_not_replayed_by_one_that_was_put_right(
    ledger: AnyLedger,
) -> None:
    later = NOON + timedelta(hours=23)
    replay = a_replay(until=later + 2 * MINUTE)
    ahead = await record(ledger, an_entry(issued_at=later), replay)
    assert (await standing(ledger, ahead, replay.key)).replay is None
    right = an_entry()
    assert (await record(ledger, right, replace(replay, until=NOON + 2 * MINUTE))).sha256 == right.sha256


async def test_requests_of_one_moment_may_be_recorded_out_of_order(ledger: AnyLedger) -> None:
    replay = a_replay()
    second = await record(ledger, an_entry(issued_at=NOON + timedelta(seconds=12)), replay)
    assert await record(ledger, an_entry(), replay) == second


async def test_a_revoked_certificate_is_never_replayed(ledger: AnyLedger) -> None:
    replay = a_replay()
    first = await record(ledger, an_entry(), replay)
    await ledger.revoke(first.sha256, "lost", NOON)
    assert (await standing(ledger, first, replay.key)).replay is None
    second = an_entry()
    assert (await record(ledger, second, replay)).sha256 == second.sha256


async def test_a_superseded_certificate_is_replayed(ledger: AnyLedger) -> None:
    replay = a_replay()
    first = await record(ledger, an_entry(), replay)
    await record(ledger, an_entry())
    found = (await standing(ledger, first, replay.key)).replay
    assert found is not None
    assert found.sha256 == first.sha256


async def test_a_race_of_sixteen_ends_in_one_certificate(ledger: AnyLedger) -> None:
    replay = a_replay()
    entries = [an_entry() for _ in range(16)]
    answers = await asyncio.gather(*(record(ledger, entry, replay) for entry in entries))
    assert len({answer.sha256 for answer in answers}) == 1
    assert sum([await ledger.find(entry.sha256) is not None for entry in entries]) == 1


async def test_the_origin_is_that_of_the_oldest_live_certificate(ledger: AnyLedger) -> None:
    entry = an_entry()
    assert (await standing(ledger, entry)).origin is None
    first = await record(ledger, an_entry(origin=Method.BOOTSTRAP))
    await record(ledger, an_entry(origin=Method.PASSWORD, not_after=NOON + MINUTE * 2))
    assert (await standing(ledger, entry)).origin is Method.BOOTSTRAP
    await ledger.revoke(first.sha256, "lost", NOON)
    assert (await standing(ledger, entry)).origin is Method.PASSWORD
    assert (await standing(ledger, entry, later=2 * MINUTE)).origin is None


async def test_a_key_that_was_certified_is_known_for_ever(ledger: AnyLedger) -> None:
    entry = an_entry(not_after=NOON - MINUTE)
    assert not (await standing(ledger, entry)).key_used
    await record(ledger, entry)
    await ledger.revoke(entry.sha256, "lost", NOON)
    assert (await standing(ledger, entry)).key_used


async def test_a_one_time_password_is_spent_at_its_first_use_for_a_device_and_profile(ledger: AnyLedger) -> None:
    word, entry = OneTime("word"), an_entry()
    await record(ledger, entry, one_time=word)
    await record(ledger, an_entry(issued_at=NOON + MINUTE), one_time=word)
    assert (await standing(ledger, entry, one_time=word)).spent_at == NOON
    assert (await standing(ledger, entry, one_time=OneTime("other"))).spent_at is None
    assert (await standing(ledger, an_entry("pump-2"), one_time=word)).spent_at is None
    assert (await standing(ledger, an_entry(profile="edgeCa"), one_time=word)).spent_at is None


async def test_a_replayed_answer_spends_no_one_time_password(ledger: AnyLedger) -> None:
    replay, word = a_replay(), OneTime("word")
    entry = await record(ledger, an_entry(), replay)
    await record(ledger, an_entry(), replay, word)
    assert (await standing(ledger, entry, one_time=word)).spent_at is None


async def test_live_certificates_are_neither_expired_nor_revoked(ledger: AnyLedger) -> None:
    superseded = await record(ledger, an_entry())
    await record(ledger, an_entry(not_after=NOON + MINUTE))
    await record(ledger, an_entry("pump-2"))
    revoked = await record(ledger, an_entry())
    await ledger.revoke(revoked.sha256, "lost", NOON)
    live = await ledger.live_certificates("pump-1", NOON + MINUTE)
    assert [entry.sha256 for entry in live] == [superseded.sha256]


async def test_every_certificate_of_a_key_is_found_in_whatever_state(ledger: AnyLedger) -> None:
    first = await record(ledger, an_entry(spki_sha256=b"k" * 32))
    await record(ledger, an_entry())
    expired = await record(ledger, an_entry("pump-2", spki_sha256=b"k" * 32, not_after=NOON - MINUTE))
    await ledger.revoke(first.sha256, "lost", NOON)
    found = await ledger.certificates_of_key(b"k" * 32)
    assert [(entry.sha256, entry.state) for entry in found] == [
        (first.sha256, State.REVOKED),
        (expired.sha256, State.ACTIVE),
    ]
    assert not await ledger.certificates_of_key(bytes(32))


async def test_the_newest_entry_is_the_one_issued_last(ledger: AnyLedger) -> None:
    assert await ledger.newest() is None
    await record(ledger, an_entry(issued_at=NOON + MINUTE))
    await record(ledger, an_entry())
    assert await ledger.newest() == NOON + MINUTE


def adopted(device: str = "pump-1", begun: timedelta = timedelta(), **changes: Any) -> Entry:
    start = NOON + begun
    times = {"not_before": start, "issued_at": start, "not_after": start + timedelta(days=30), "adopted_at": NOON}
    return an_entry(device, **{**times, "method": Method.OPERATOR, "requester": "adoption 1", **changes})


async def test_what_was_adopted_is_found_as_it_was(ledger: AnyLedger) -> None:
    entry = adopted(origin=Method.CERTIFICATE)
    recorded = await ledger.adopt(entry)
    assert replace(recorded, id=0) == entry
    assert await ledger.find(entry.sha256) == recorded


async def test_adopting_what_is_known_changes_nothing(ledger: AnyLedger) -> None:
    known = await record(ledger, an_entry())
    assert await ledger.adopt(replace(known, adopted_at=NOON, profile="edgeCa")) == known
    revoked = await ledger.revoke(known.sha256, "lost", NOON)
    assert await ledger.adopt(replace(known, adopted_at=NOON)) == revoked
    assert await ledger.find(known.sha256) == revoked


async def test_a_race_to_adopt_ends_in_one_entry(ledger: AnyLedger) -> None:
    entry = adopted()
    answers = await asyncio.gather(*(ledger.adopt(entry) for _ in range(8)))
    assert len({answer.id for answer in answers}) == 1


async def test_an_adopted_serial_number_is_never_recorded_twice(ledger: AnyLedger) -> None:
    known = await record(ledger, an_entry())
    with pytest.raises(CannotIssue):
        await ledger.adopt(adopted(serial=known.serial))


async def test_of_adopted_certificates_the_one_that_began_last_is_active(ledger: AnyLedger) -> None:
    first, second, third = adopted(), adopted(begun=MINUTE), adopted(begun=2 * MINUTE)
    others = [adopted("pump-2"), adopted(profile="edgeCa")]
    for entry in (third, first, second, *others):
        await ledger.adopt(entry)
    states = [await state(ledger, entry) for entry in (first, second, third, *others)]
    assert states == [State.SUPERSEDED, State.SUPERSEDED, State.ACTIVE, State.ACTIVE, State.ACTIVE]


async def test_adopting_an_older_one_leaves_the_newer_active(ledger: AnyLedger) -> None:
    newer = await record(ledger, an_entry())
    older = await ledger.adopt(adopted(begun=-MINUTE))
    assert [await state(ledger, entry) for entry in (older, newer)] == [State.SUPERSEDED, State.ACTIVE]


async def test_an_adopted_certificate_is_a_live_one_with_its_origin(ledger: AnyLedger) -> None:
    entry = await ledger.adopt(adopted(origin=Method.BOOTSTRAP))
    assert [one.sha256 for one in await ledger.live_certificates("pump-1", NOON)] == [entry.sha256]
    assert (await standing(ledger, entry)).origin is Method.BOOTSTRAP


async def test_adopting_never_takes_the_clock_floor_back(ledger: AnyLedger) -> None:
    await record(ledger, an_entry(issued_at=NOON))
    await ledger.adopt(adopted(begun=-MINUTE))
    assert await ledger.newest() == NOON
    await ledger.adopt(adopted(begun=MINUTE))
    assert await ledger.newest() == NOON + MINUTE


async def test_a_ledger_knows_of_no_revocation_and_no_word_at_first(ledger: AnyLedger) -> None:
    entry = await record(ledger, an_entry())
    assert await ledger.adoptions() == []
    assert not await ledger.was_revoked(entry.sha256, entry.serial, entry.issuer)


async def test_a_revocation_is_known_by_digest_and_by_serial_number(ledger: AnyLedger) -> None:
    entry = await record(ledger, an_entry())
    await ledger.revoke(entry.sha256, "lost", NOON)
    assert await ledger.was_revoked(entry.sha256, entry.serial, entry.issuer)
    assert await ledger.was_revoked(bytes(32), entry.serial, entry.issuer)
    assert not await ledger.was_revoked(bytes(32), entry.serial + 1, entry.issuer)


async def test_a_revocation_by_one_issuer_is_none_by_another_unless_nobody_knows(ledger: AnyLedger) -> None:
    known = await record(ledger, an_entry(serial=1, issuer=b"one"))
    unknown = await record(ledger, an_entry(serial=2))
    for entry in (known, unknown):
        await ledger.revoke(entry.sha256, "lost", NOON)
    asked = [(1, b"one"), (1, b"other"), (1, b""), (2, b"other")]
    told = [await ledger.was_revoked(bytes(32), serial, issuer) for serial, issuer in asked]
    assert told == [True, False, True, True]
    assert await ledger.was_revoked(known.sha256, 1, b"other")


async def test_noting_a_refusal_neither_waits_nor_fails(ledger: AnyLedger) -> None:
    ledger.refuse(a_refusal(method=None))


async def test_revoking_twice_keeps_the_first_reason(ledger: AnyLedger) -> None:
    entry = await record(ledger, an_entry())
    first = await ledger.revoke(entry.sha256, "lost", NOON)
    assert (first.state, first.revoked_at, first.revocation_reason) == (State.REVOKED, NOON, "lost")
    assert await ledger.revoke(entry.sha256, "stolen", NOON + MINUTE) == first
    assert await ledger.find(entry.sha256) == first


async def test_of_two_classes_of_credential_at_once_one_onboards_a_device(ledger: AnyLedger) -> None:
    """Both were admitted while the device was unknown."""

    async def onboard(origin: Method) -> Entry:
        entry = an_entry("gw-1", method=origin, origin=origin)
        return await ledger.record(entry, replay=None, one_time=None, terms=Terms(origin=origin))

    first, second = await asyncio.gather(onboard(Method.PASSWORD), onboard(Method.BOOTSTRAP), return_exceptions=True)
    assert isinstance(first, Entry)
    assert isinstance(second, Forbidden)
    assert await onboard(Method.PASSWORD)
    assert {entry.origin for entry in await ledger.live_certificates("gw-1", NOON)} == {Method.PASSWORD}


async def test_of_two_requests_with_one_key_at_once_one_is_recorded_where_keys_are_to_be_fresh(
    ledger: AnyLedger,
) -> None:
    async def certify(device: str) -> Entry:
        entry = an_entry(device, spki_sha256=b"k" * 32)
        return await ledger.record(entry, replay=None, one_time=None, terms=Terms(fresh_key=True))

    outcomes = await asyncio.gather(*(certify(f"dev-{n}") for n in range(4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Entry, Forbidden, Forbidden, Forbidden]
    assert await record(ledger, an_entry("other", spki_sha256=b"k" * 32))
