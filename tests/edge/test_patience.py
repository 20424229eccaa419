"""The pauses between two tries: jittered, growing, bounded."""

from nestor.edge.patience import Patience


def test_pauses_grow_up_to_a_bound() -> None:
    most = [Patience().pause(failures, lambda _low, high: high) for failures in range(9)]
    assert most == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_pauses_are_drawn_from_nothing_to_the_most() -> None:
    assert Patience().pause(3, lambda low, _high: low) == 0


def test_a_year_of_failures_is_no_matter() -> None:
    assert Patience().pause(1_000_000, lambda _low, high: high) == 30


def test_a_client_is_followed_before_the_sdk_renews_its_token() -> None:
    patience = Patience()
    assert patience.renew + 3 * patience.renew_again < patience.token - 120
