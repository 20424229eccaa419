"""When a certificate of this server's own is renewed, and when its operator hears that it was not."""

from datetime import timedelta

import pytest
from cryptography import x509

from nestor.upstream.lifetimes import is_good, renewal_time, urgency
from support.asking import NOW
from support.signing import root

DAY = timedelta(days=1)
LIFE = 90 * DAY


def lasting() -> x509.Certificate:
    return root("Layer", start=NOW, end=NOW + LIFE).certificate


@pytest.mark.parametrize(("days", "times"), [(0, 0), (59, 0), (60, 1), (80, 1), (81, 2), (89, 2), (100, 2)])
def test_its_operator_hears_of_it_at_a_third_and_at_a_tenth(days: int, times: int) -> None:
    assert urgency(lasting(), NOW + days * DAY) == times


def test_it_is_renewed_a_little_before_two_thirds_of_its_life_each_at_another_moment() -> None:
    moments = [renewal_time(lasting()) for _ in range(20)]
    assert all(NOW + 55 * DAY < moment <= NOW + 60 * DAY for moment in moments)
    assert len(set(moments)) > 10


def test_it_is_always_the_same_moment_for_the_same_certificate() -> None:
    certificate = lasting()
    assert renewal_time(certificate) == renewal_time(certificate)


def test_it_is_good_from_its_beginning_to_its_end() -> None:
    found = [is_good(lasting(), NOW + by) for by in (-DAY, 0 * DAY, LIFE - DAY, LIFE)]
    assert found == [False, True, True, False]
