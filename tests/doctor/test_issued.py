"""A certificate that was issued."""

from datetime import timedelta
from typing import Any

import pytest

from nestor.doctor.issued import Asked, has_key, judge_issued
from nestor.doctor.requests import Kind, common_name
from nestor.finding import Finding
from support import shapes, signing
from support.asking import NOW
from support.signing import CLIENT, SERVER, Signed
from support.talks import has, problems, warnings

_FAR = NOW + timedelta(days=3650)
_ROOT = signing.root("Root", end=_FAR)
_BELOW = _ROOT.sign("Issuing", ca=True, path_length=1, end=_FAR)
_FULL = _ROOT.sign("Full", ca=True, path_length=0, end=_FAR)
_KEY = shapes.p256()
_IDENTITY = {"key": _KEY, "extensions": (CLIENT, signing.key_usage("digital_signature"))}
_EDGE_CA = {"key": _KEY, "ca": True, "path_length": 0}


def _judged(
    kind: Kind, by: Signed = _BELOW, above: tuple[Signed, ...] = (_BELOW, _ROOT), **wishes: Any
) -> list[Finding]:
    usual = _EDGE_CA if kind is Kind.EDGE_CA else _IDENTITY
    name = wishes.pop("name", common_name(kind, "pump-1"))
    asked = Asked(kind, "pump-1", _KEY, f"a {kind}")
    certificate = by.sign(name, **{**usual, **wishes}).certificate
    return judge_issued(asked, certificate, [one.certificate for one in above], NOW)


@pytest.mark.parametrize("kind", Kind)
def test_what_was_asked_for_is_fine(kind: Kind) -> None:
    found = _judged(kind)
    assert (problems(found), warnings(found), len(found)) == ([], [], 1)
    assert found[0].sentence.startswith(f"The server issued a {kind}: CN={common_name(kind, 'pump-1')}, serial ")
    assert found[0].sentence.endswith("30 days; at 80 % of that, on 2026-06-24 12:00 UTC, a device renews it.")


def test_a_name_in_capitals_is_the_same_registration_id() -> None:
    assert problems(_judged(Kind.DEVICE_IDENTITY, name="PUMP-1")) == []


@pytest.mark.parametrize(
    ("kind", "wishes", "sentence"),
    [
        (Kind.DEVICE_IDENTITY, {"name": "other"}, "DPS takes it for another registration id"),
        (Kind.EST_IDENTITY, {"name": "other"}, 'It names "other" where "pump-1" was asked for'),
        (
            Kind.DEVICE_IDENTITY,
            {"extensions": ()},
            "It lacks clientAuth in its extended key usage: DPS",
        ),
        (Kind.DEVICE_IDENTITY, {"extensions": (SERVER,)}, "It lacks clientAuth"),
        (Kind.EST_IDENTITY, {"extensions": (SERVER,)}, "It lacks clientAuth in its extended key usage: TLS servers"),
        (Kind.EST_IDENTITY, {"ca": True}, "It is a CA certificate"),
        (Kind.EST_IDENTITY, {"extensions": (signing.key_usage("key_agreement"),)}, "It lacks digitalSignature"),
        (Kind.EDGE_CA, {"ca": False}, "It is not a CA certificate that may sign"),
        (
            Kind.EDGE_CA,
            {"extensions": (signing.key_usage("digital_signature"),)},
            "It is not a CA certificate",
        ),
        (Kind.EDGE_CA, {"by": _FULL, "above": (_FULL, _ROOT)}, "leave no room for it below CN=Full"),
        (Kind.EST_IDENTITY, {"above": (_ROOT,)}, "Its issuer, CN=Issuing, is not in /cacerts"),
        (Kind.EST_IDENTITY, {"start": NOW + timedelta(minutes=3)}, "It is not valid before 2026-06-01 12:03 UTC"),
        (Kind.EST_IDENTITY, {"end": NOW - timedelta(minutes=3)}, "It expired on 2026-06-01 11:57 UTC"),
        (Kind.EST_IDENTITY, {"start": NOW - timedelta(days=200)}, "80 % of its lifetime are over"),
    ],
)
def test_what_a_device_cannot_live_with(kind: Kind, wishes: dict[str, Any], sentence: str) -> None:
    assert has(problems(_judged(kind, **wishes)), sentence)


def test_without_basic_constraints_dps_may_not_take_it() -> None:
    assert has(warnings(_judged(Kind.DEVICE_IDENTITY, ca=None)), "DPS wants CA:FALSE")
    assert warnings(_judged(Kind.EST_IDENTITY, ca=None)) == []


def test_an_est_identity_may_leave_the_extended_key_usage_out() -> None:
    assert problems(_judged(Kind.EST_IDENTITY, extensions=())) == []


def test_a_chain_need_not_end_in_a_root() -> None:
    assert problems(_judged(Kind.EST_IDENTITY, above=(_BELOW,))) == []


def test_where_nothing_was_shown_the_chain_is_not_judged() -> None:
    assert problems(_judged(Kind.EST_IDENTITY, above=())) == []


def test_a_ca_below_a_full_one_breaks_the_chain() -> None:
    too_deep = _FULL.sign("Too deep", ca=True, end=_FAR)
    found = _judged(Kind.EST_IDENTITY, too_deep, (too_deep, _FULL, _ROOT))
    assert has(problems(found), "Its chain over /cacerts does not hold: path length constraint exceeded")


def test_the_key_is_that_of_the_request() -> None:
    asked = Asked(Kind.EST_IDENTITY, "pump-1", _KEY, "it")
    assert has_key(_ROOT.sign("pump-1", key=_KEY).certificate, asked)
    assert not has_key(_ROOT.sign("pump-1").certificate, asked)
