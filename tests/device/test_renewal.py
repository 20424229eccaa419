"""Renewal: the words that the runtime takes, what was probably meant by others, and what will not be renewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nestor.device.renewal import check_lifetime, check_renewal
from support.configs import BY_BOOTSTRAP, BY_HAND, config, only, problems, warnings

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
EDGE_CA = "edge_ca.auto_renew"


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("60m", "60min"),
        ("60 minutes", "60min"),
        ("1d", "1day"),
        ("2h", "120min"),
        ("80", "80%"),
        ("80 %", "80%"),
        ("120%", "80%"),
        ("0day", "80%"),
        ("soon", "80%"),
    ],
)
def test_a_threshold_that_is_refused_is_told_with_what_was_meant(word: str, written: str) -> None:
    found = only(check_renewal(config(edge_ca__auto_renew__threshold=word)))
    assert found.about == f"{EDGE_CA}.threshold"
    assert found.remedy == f'Write "{written}".'


def test_out_of_range_is_told_from_a_wrong_unit() -> None:
    (out,) = check_renewal(config(edge_ca__auto_renew__threshold="100%"))
    (unit,) = check_renewal(config(edge_ca__auto_renew__threshold="60m"))
    assert "out of range" in out.sentence
    assert "unit" in unit.sentence


@pytest.mark.parametrize("missing", ["rotate_key", "threshold", "retry"])
def test_a_table_needs_all_three_keys(missing: str) -> None:
    found = list(check_renewal(config(**{f"edge_ca__auto_renew__{missing}": None})))
    assert problems(found) == [EDGE_CA]
    assert missing in found[0].sentence


@pytest.mark.parametrize(("threshold", "retry"), [("80%", "20%"), ("60min", "60min"), ("1day", "2day")])
def test_a_retry_that_comes_too_late_is_a_warning(threshold: str, retry: str) -> None:
    renew = {"rotate_key": True, "threshold": threshold, "retry": retry}
    assert warnings(check_renewal(config(edge_ca__auto_renew=renew))) == [f"{EDGE_CA}.retry"]


def test_the_table_of_the_est_identity_is_looked_at_too() -> None:
    wrong = config(BY_BOOTSTRAP, cert_issuance__est__identity_auto_renew__retry="5m")
    assert problems(check_renewal(wrong)) == ["cert_issuance.est.identity_auto_renew.retry"]


def test_a_device_identity_without_the_table_is_never_renewed() -> None:
    (found,) = check_renewal(config(provisioning__attestation__identity_cert__auto_renew=None))
    assert "never renewed" in found.sentence


def test_a_device_provisioned_by_hand_never_renews_its_identity() -> None:
    assert warnings(check_renewal(config(BY_HAND))) == ["provisioning.authentication.identity_cert"]


def test_an_edge_ca_that_renews_without_a_word_restarts_modules_unexpectedly() -> None:
    (found,) = check_renewal(config(edge_ca__auto_renew=None))
    assert "restarts all modules" in found.sentence
    assert list(check_renewal(config())) == []


def _lifetime(days: float, **changes: Any) -> list[Any]:
    edge_ca = config(**changes).edge_ca
    assert edge_ca is not None
    return list(check_lifetime(edge_ca, BEGIN, BEGIN + days * DAY))


def test_a_threshold_longer_than_the_life_renews_without_end() -> None:
    found = _lifetime(30, edge_ca__auto_renew__threshold="40day")
    assert problems(found) == [EDGE_CA]
    assert "30d" in found[0].sentence


def test_an_edge_ca_of_a_day_restarts_modules_every_day() -> None:
    (found,) = _lifetime(1)
    assert "every 19h" in found.sentence
    assert _lifetime(90) == []
