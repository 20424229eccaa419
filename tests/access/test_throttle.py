"""Token buckets under a clock that the test holds."""

from hypothesis import given
from hypothesis import strategies as st

from nestor.access.throttle import Buckets, Rate


def test_a_burst_passes_and_the_next_one_waits() -> None:
    buckets = Buckets(Rate(burst=3, pause=10.0))
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 10.0]


def test_a_bucket_refills_one_by_one() -> None:
    buckets = Buckets(Rate(burst=1, pause=10.0))
    assert buckets.take("a", 0.0) == 0
    assert buckets.take("a", 4.0) == 6.0
    assert buckets.take("a", 10.0) == 0
    assert buckets.take("a", 10.0) == 10.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    buckets = Buckets(Rate(burst=2, pause=1.0))
    buckets.take("a", 0.0)
    assert [buckets.take("a", 1e9) for _ in range(3)] == [0, 0, 1.0]


def test_one_key_does_not_empty_another() -> None:
    buckets = Buckets(Rate(burst=1, pause=1.0))
    assert buckets.take("a", 0.0) == buckets.take("b", 0.0) == 0


def test_a_device_that_retries_every_five_seconds_with_two_enrollments_is_never_refused() -> None:
    buckets = Buckets(Rate(burst=60, pause=1.0))
    assert not any(buckets.take("certd", float(second)) for second in range(0, 86_400, 5) for _ in range(2))


def test_memory_is_bounded_and_the_one_left_alone_longest_is_forgotten() -> None:
    buckets = Buckets(Rate(burst=1, pause=1e6), capacity=3)
    for key in ("a", "b", "c"):
        buckets.take(key, 0.0)
    buckets.take("a", 1.0)
    buckets.take("d", 2.0)
    assert len(buckets) == 3
    assert buckets.take("a", 3.0) > 0
    assert buckets.take("b", 3.0) == 0


def test_looking_takes_nothing() -> None:
    buckets = Buckets(Rate(burst=1, pause=10.0))
    assert buckets.has("a", 0.0)
    assert buckets.take("a", 0.0) == 0
    assert [buckets.has("a", moment) for moment in (0.0, 9.0, 10.0)] == [False, False, True]
    assert len(buckets) == 1


def test_who_knows_an_earlier_time_than_the_bucket_gains_and_loses_nothing() -> None:
    buckets = Buckets(Rate(burst=2, pause=10.0))
    buckets.take("a", 100.0)
    assert buckets.take("a", 50.0) == 0
    assert buckets.take("a", 100.0) == 10.0
    assert buckets.has("a", 110.0)


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=60))
def test_no_sequence_of_moments_takes_more_than_burst_and_refill(moments: list[float]) -> None:
    buckets = Buckets(Rate(burst=5, pause=2.0))
    taken = sum(buckets.take("a", moment) == 0 for moment in sorted(moments))
    assert taken <= 5 + 100 / 2.0 + 1
