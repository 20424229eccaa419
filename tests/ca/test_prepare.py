"""Validity, room and bytes of drafts."""

from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from nestor.ca.hierarchy import make_intermediate, make_root
from nestor.ca.issuer import Issuer
from nestor.ca.prepare import validity
from nestor.errors import CannotIssue
from support.asking import NOW
from support.issuing import DAY, SERIAL, asked_for, catalog, content, draft, ec_key, profile, root, sign

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def short_root(end: timedelta) -> Issuer:
    return make_root(ec_key(), "CN=Short", lifetime=end, now=NOW, serial=SERIAL)


def test_a_certificate_begins_five_minutes_ago_and_lives_as_its_profile_says() -> None:
    begun, end = validity(profile(lifetime="30d", jitter="0%"), root(), NOW, 0.7)
    assert begun == NOW - 5 * MINUTE
    assert end - begun == 30 * DAY


def test_a_short_life_begins_less_early() -> None:
    begun, end = validity(profile(lifetime="20min", jitter="0%"), root(), NOW, 0.0)
    assert (NOW - begun, end - begun) == (MINUTE, 20 * MINUTE)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from(["0%", "5%", "50%"]))
def test_jitter_shortens_a_life_and_never_lengthens_it(jitter: float, share: str) -> None:
    kind = profile(lifetime="10h", jitter=share)
    begun, end = validity(kind, root(), NOW, jitter)
    assert 10 * HOUR * (1 - kind.jitter) <= end - begun <= 10 * HOUR
    assert begun < NOW < end


def test_nothing_outlives_its_ca() -> None:
    _, end = validity(profile(lifetime="30d"), short_root(10 * DAY), NOW, 0.0)
    assert end == NOW + 10 * DAY


def test_nothing_outlives_what_is_above_its_ca() -> None:
    top = short_root(10 * DAY)
    below = Issuer(root().certificate, root().key, top.certificates)
    assert validity(profile(lifetime="30d"), below, NOW, 0.0)[1] == NOW + 10 * DAY


def test_nothing_begins_before_its_ca() -> None:
    late = make_root(ec_key(), "CN=Late", lifetime=DAY, now=NOW + 3 * MINUTE, serial=SERIAL)
    assert validity(profile(lifetime="1d"), late, NOW, 0.0)[0] == NOW - 2 * MINUTE


def test_a_life_cut_too_short_by_the_ca_is_refused() -> None:
    kind = profile(lifetime="30d", minimumLifetime="8d")
    assert validity(kind, short_root(8 * DAY), NOW, 0.0)
    with pytest.raises(CannotIssue, match="too soon"):
        validity(kind, short_root(7 * DAY), NOW, 0.0)


def test_without_a_minimum_a_tenth_of_the_life_is_the_least() -> None:
    with pytest.raises(CannotIssue, match="too soon"):
        validity(profile(lifetime="30d"), short_root(2 * DAY), NOW, 0.0)


@pytest.mark.parametrize(("off", "said"), [(-DAY, "valid from"), (40 * DAY, "ended at")])
def test_a_ca_that_is_not_valid_now_issues_nothing(off: timedelta, said: str) -> None:
    with pytest.raises(CannotIssue, match=said):
        validity(profile(), short_root(30 * DAY), NOW + off, 0.0)


def test_a_ca_without_room_below_issues_no_edge_ca() -> None:
    middle = make_intermediate(root(), ec_key(), "CN=Middle", lifetime=DAY, now=NOW, serial=SERIAL)
    narrow = make_intermediate(middle, ec_key(), "CN=Narrow", lifetime=DAY, now=NOW, serial=SERIAL)
    what = content(catalog()["edgeCa"], asked_for("edgeCa"))
    with pytest.raises(CannotIssue, match="no room"):
        draft(what, narrow)
    assert sign(draft(content(profile("edgeCa", lifetime="1d"), asked_for("edgeCa")), middle), middle)


def test_times_are_whole_seconds() -> None:
    begun, _ = validity(profile(), root(), NOW + timedelta(microseconds=999_999), 0.0)
    assert begun == NOW - 5 * MINUTE


def test_the_same_arguments_make_the_same_bytes() -> None:
    what = content(catalog()["deviceIdentity"], asked_for("deviceIdentity"), (x509.DNSName("dev1"),))
    assert draft(what).tbs == draft(what).tbs
    assert draft(what, now=NOW + SECOND).tbs != draft(what).tbs
