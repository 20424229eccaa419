"""Passwords verified: what is remembered, what reads the same, and what it costs to be wrong."""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from nestor.access.memory import Verified
from nestor.access.passwords import hash_password, verify_password
from nestor.access.slow_lane import SlowLane
from nestor.access.users import User, Users
from nestor.access.verifier import Verifier
from nestor.errors import TooOften, Unauthenticated
from nestor.events import Trouble
from support.asking import NOW, cheap_hash, ignore, suspicion

HASH = cheap_hash("right")
KEY = bytes(range(32))


class Watch:
    """The real check, watched: the hashes that it was asked about, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, stored: str, password: str) -> bool:
        self.seen.append(stored)
        return verify_password(stored, password)


class Slowly(Watch):
    """A check that takes its time; `most` is how many ran at once."""

    def __init__(self, seconds: float = 0.005) -> None:
        super().__init__()
        self.seconds = seconds
        self.running = self.most = 0

    def __call__(self, stored: str, password: str) -> bool:
        self.running += 1
        self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        self.running -= 1
        return super().__call__(stored, password)


def make(
    *users: User,
    tries: int = 20,
    watch: Callable[[str, str], bool] | None = None,
    capacity: int = 100,
    told: list[Trouble] | None = None,
    pause: float = 0.0,
) -> Verifier:
    known = {user.name.casefold(): user for user in users}
    return Verifier(
        Users(known, dict),
        suspicion(tries),
        Verified(KEY, capacity),
        verified_for=600.0,
        tell=(told if told is not None else []).append,
        check=watch or Watch(),
        slow_lane=SlowLane(pause=pause),
    )


async def failure(verifier: Verifier, name: str, password: str, address: str = "a", moment: float = 0.0) -> Exception:
    with pytest.raises((Unauthenticated, TooOften)) as caught:
        await verifier.verify(name, password, address, NOW, moment)
    return caught.value


async def test_the_right_password_is_accepted_whatever_the_case_of_the_name() -> None:
    user = User("Dev1", HASH)
    assert await make(user).verify("dEV1", "right", "a", NOW, 0.0) is user


async def test_a_wrong_password_and_an_unknown_user_read_the_same() -> None:
    verifier = make(User("dev1", HASH))
    wrong, unknown = await failure(verifier, "dev1", "wrong"), await failure(verifier, "dev2", "right")
    assert isinstance(wrong, Unauthenticated)
    assert (wrong.text, wrong.challenge) == (unknown.text, unknown.challenge)
    assert "dev" not in wrong.text


async def test_an_expired_user_reads_like_a_wrong_password_also_when_remembered() -> None:
    user = User("dev1", HASH, expires=NOW + timedelta(minutes=1))
    verifier = make(user)
    assert await verifier.verify("dev1", "right", "a", NOW, 0.0) is user
    with pytest.raises(Unauthenticated, match="not accepted here"):
        await verifier.verify("dev1", "right", "a", NOW + timedelta(minutes=1), 60.0)


async def test_the_password_of_one_user_is_not_that_of_another_nor_of_an_unknown_one() -> None:
    verifier = make(User("dev1", HASH), User("dev2", cheap_hash("other")))
    await verifier.verify("dev1", "right", "a", NOW, 0.0)
    await failure(verifier, "dev2", "right")
    await failure(verifier, "dev3", "right")


async def test_a_verified_password_needs_no_hashing_until_its_time_is_over() -> None:
    watch = Watch()
    verifier = make(User("dev1", HASH), watch=watch)
    for moment in (0.0, 1.0, 599.0):
        await verifier.verify("dev1", "right", "a", NOW, moment)
    assert len(watch.seen) == 1
    await verifier.verify("dev1", "right", "a", NOW, 600.0)
    assert len(watch.seen) == 2


async def test_a_wrong_password_is_never_remembered_as_right() -> None:
    watch = Watch()
    verifier = make(User("dev1", HASH), watch=watch)
    await failure(verifier, "dev1", "wrong")
    await failure(verifier, "dev1", "wrong")
    assert len(watch.seen) == 2


async def test_a_wrong_password_is_wrong_also_after_the_right_one() -> None:
    verifier = make(User("dev1", HASH), User("dev2", HASH))
    await verifier.verify("dev1", "right", "a", NOW, 0.0)
    await failure(verifier, "dev1", "wrong")
    await failure(verifier, "dev3", "right")


async def test_a_changed_password_counts_at_once() -> None:
    users = {"dev1": User("dev1", HASH)}
    verifier = Verifier(Users({}, lambda: users), suspicion(), Verified(KEY), verified_for=600.0, tell=ignore)
    await verifier.verify("dev1", "right", "a", NOW, 0.0)
    users["dev1"] = User("dev1", cheap_hash("new"))
    await failure(verifier, "dev1", "right", moment=1.0)
    users.clear()
    await failure(verifier, "dev1", "new", moment=1.0)


async def test_memory_of_verified_passwords_is_bounded() -> None:
    verifier = make(*(User(f"dev{number}", HASH) for number in range(4)), capacity=2)
    for number in range(4):
        await verifier.verify(f"dev{number}", "right", "a", NOW, 0.0)
    assert len(verifier._verified._until) == 2


async def test_what_is_remembered_shows_neither_name_nor_password() -> None:
    verifier = make(User("dev1", HASH))
    await verifier.verify("dev1", "right", "a", NOW, 0.0)
    (proof,) = verifier._verified._until
    assert len(proof) == 32
    assert b"right" not in proof


async def test_after_twenty_failures_another_one_is_told_to_wait() -> None:
    verifier = make(User("dev1", HASH))
    failures = [await failure(verifier, "dev1", f"wrong{number}") for number in range(21)]
    assert all(isinstance(error, Unauthenticated) for error in failures[:20])
    assert isinstance(failures[20], TooOften)
    assert failures[20].retry_after == 3


async def test_failures_are_counted_by_user_and_by_address() -> None:
    verifier = make(User("dev1", HASH), tries=2)
    for address in ("a", "b"):
        await failure(verifier, "dev1", "wrong", address)
    assert isinstance(await failure(verifier, "dev1", "wrong", "c"), TooOften)
    verifier = make(User("dev1", HASH), tries=2)
    for name in ("x", "y"):
        await failure(verifier, name, "wrong", "a")
    assert isinstance(await failure(verifier, "z", "wrong", "a"), TooOften)
    assert isinstance(await failure(verifier, "z", "wrong", "b"), Unauthenticated)


async def test_a_right_password_passes_however_many_wrong_ones_came_before() -> None:
    user = User("dev1", HASH)
    verifier = make(user, tries=1)
    for _ in range(4):
        await failure(verifier, "dev1", "wrong")
    assert await verifier.verify("dev1", "right", "a", NOW, 0.0) is user


async def test_an_unknown_user_costs_a_hash_like_a_known_one() -> None:
    watch = Watch()
    strong, weak = cheap_hash("a"), HASH
    verifier = make(User("dev1", strong), User("dev2", weak), watch=watch)
    for number in range(40):
        await failure(verifier, f"nobody{number}", "x")
    assert len(watch.seen) == 40
    assert set(watch.seen) == {strong, weak}
    watch.seen.clear()
    await failure(verifier, "nobody1", "y")
    await failure(verifier, "NOBODY1", "z")
    assert len(set(watch.seen)) == 1


async def test_without_any_user_a_guess_costs_a_hash_too() -> None:
    watch = Watch()
    await failure(make(watch=watch), "dev1", "")
    assert len(watch.seen) == 1


async def test_time_does_not_tell_an_unknown_user() -> None:
    verifier = make(User("dev1", hash_password("right")))

    async def cost(name: str) -> float:
        started = time.process_time()  # not the time on the wall, which others take a part of
        await failure(verifier, name, "wrong")
        return time.process_time() - started

    await cost("dev1")
    known = statistics.median([await cost("dev1") for _ in range(7)])
    unknown = statistics.median([await cost("dev2") for _ in range(7)])
    assert 0.4 < known / unknown < 2.5


async def test_hashing_does_not_stop_the_loop() -> None:
    verifier = make(User("dev1", hash_password("right")))
    ticks = 0
    async with asyncio.TaskGroup() as group:
        work = group.create_task(verifier.verify("dev1", "right", "a", NOW, 0.0))
        while not work.done():
            ticks += 1
            await asyncio.sleep(0.001)
    assert ticks > 3


async def test_a_guess_too_many_waits_a_second_and_the_right_password_passes_after_it() -> None:
    user = User("dev1", HASH)
    verifier = make(user, tries=1, pause=0.2)
    await failure(verifier, "dev1", "wrong")
    started = time.monotonic()
    assert isinstance(await failure(verifier, "dev1", "wrong"), TooOften)
    assert await verifier.verify("dev1", "right", "a", NOW, 0.0) is user
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(("names", "hashed"), [(1, 1), (50, 4)])
async def test_guesses_that_come_at_once_wait_for_each_other_whatever_names_they_bear(names: int, hashed: int) -> None:
    watch = Watch()
    verifier = make(User("dev1", HASH), tries=1, watch=watch, pause=0.4)
    await failure(verifier, "dev0", "wrong")
    watch.seen.clear()
    guesses = [asyncio.ensure_future(failure(verifier, f"dev{number % names}", "wrong")) for number in range(50)]
    await asyncio.sleep(0.6)
    assert len(watch.seen) == hashed
    for guess in guesses:
        guess.cancel()
    await asyncio.wait(guesses)


async def test_a_network_without_failures_does_not_wait_for_those_who_guess_about_its_user() -> None:
    user = User("dev1", HASH)
    verifier = make(user, tries=1, pause=60.0)
    for number in range(3):
        await failure(verifier, "dev1", "wrong", f"192.0.2.{number}")
    async with asyncio.timeout(5):
        assert await verifier.verify("dev1", "right", "198.51.100.1", NOW, 0.0) is user


async def test_a_right_password_passes_before_guesses_from_a_thousand_addresses() -> None:
    watch = Slowly()
    verifier = make(User("dev1", HASH), User("good", HASH), watch=watch, pause=0.0)
    first = [asyncio.ensure_future(failure(verifier, "dev1", "x", f"10.0.{n >> 8}.{n & 255}")) for n in range(1000)]
    while (before := len(watch.seen)) < 6:  # noqa: ASYNC110 -- nobody tells of it
        await asyncio.sleep(0.01)
    await verifier.verify("good", "right", "198.51.100.1", NOW, 1.0)
    assert len(watch.seen) - before < 10
    await asyncio.gather(*first)


async def test_those_who_wait_with_a_password_that_was_just_verified_need_no_hash_of_their_own() -> None:
    user, watch = User("line", HASH), Watch()
    verifier = make(user, watch=watch)
    found = await asyncio.gather(*(verifier.verify("line", "right", f"192.0.2.{n}", NOW, 0.0) for n in range(100)))
    assert found == [user] * 100
    assert len(watch.seen) <= 2


async def test_a_machine_with_many_addresses_is_one_who_guesses() -> None:
    verifier = make(User("dev1", HASH), tries=2)
    for number in range(2):
        await failure(verifier, f"user{number}", "wrong", f"2001:db8::{number:x}")
    assert isinstance(await failure(verifier, "user3", "wrong", "2001:db8::aaaa"), TooOften)
    assert isinstance(await failure(verifier, "user4", "wrong", "2001:db8:0:1::1"), Unauthenticated)


async def test_a_place_is_held_until_the_hash_is_done_although_nobody_waits_for_it_any_more() -> None:
    slowly = Slowly(0.3)
    verifier = make(User("dev1", HASH), watch=slowly)
    late = [asyncio.ensure_future(verifier.verify("dev1", f"x{n}", "a", NOW, 0.0)) for n in range(2)]
    await asyncio.sleep(0.1)
    for task in late:
        task.cancel()
    await asyncio.sleep(0)
    await failure(verifier, "dev1", "wrong")
    assert slowly.most == 2
    assert all(task.cancelled() for task in late)


async def test_an_operator_is_told_of_those_who_guess_once_a_minute() -> None:
    told: list[Trouble] = []
    verifier = make(User("dev1", HASH), tries=1, told=told)
    for number in range(5):
        await failure(verifier, "dev1", f"wrong{number}", "192.0.2.1", moment=float(number))
    assert [trouble.about for trouble in told] == ["guessing"]
    assert "for dev1, from 192.0.2.1, 1 more" in told[0].sentence
    await failure(verifier, "dev1", "wrong", "192.0.2.1", moment=61.5)
    await failure(verifier, "dev1", "wrong", "192.0.2.1", moment=61.6)
    assert len(told) == 2
    assert "wrong0" not in str(told)
