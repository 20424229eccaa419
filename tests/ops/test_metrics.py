"""The metrics: what events add up to, what is true when somebody asks, and that strangers cannot make them grow."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from nestor.approval import ApprovalState
from nestor.cloud import LinkState
from nestor.events import (
    Adopted,
    Answered,
    ApprovalAsked,
    ApprovalDecided,
    Enrolled,
    HandshakeFailed,
    LinkChanged,
    Refused,
    Revoked,
    SettingsApplied,
    SettingsRefused,
    Trouble,
    TurnedAway,
)
from nestor.model import Refusal
from nestor.ops.metrics import Figures, Metrics, RouteFigures
from support.awaiting import an_approval
from support.entries import an_entry

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LABELS = {"iothub": "plant.azure-devices.net", "edge_device": "gw3", "module_name": "nestor", "instance_number": "1"}


def _refusal(name: str, reason: str = "Forbidden") -> Refused:
    return Refused(Refusal(NOON, name, name, "simpleenroll", None, name, f"CN={name}", reason, f"No, {name}.", name))


def _told(metrics: Metrics, figures: Figures | None = None) -> dict[str, float]:
    """Every series with its value."""
    lines = metrics.expose(figures).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {series: float(value) for series, _, value in pairs}


def test_events_add_up() -> None:
    metrics = Metrics("1.2.3", {})
    link = LinkState(connected=True, since=NOON)
    for event in (
        *[Enrolled(an_entry(), replayed=False)] * 3,
        Enrolled(an_entry(), replayed=True),
        Adopted(an_entry()),
        Revoked(an_entry(), "nestor cert revoke"),
        ApprovalAsked(an_approval()),
        ApprovalDecided(replace(an_approval(), state=ApprovalState.USED)),
        _refusal("gw3"),
        TurnedAway("10.0.0.7", "GET /", "UnknownPath", "There is nothing here.", "1"),
        HandshakeFailed("10.0.0.7", "No."),
        Answered("10.0.0.7", "GET /", "other", 404, 0.02, "1"),
        SettingsApplied("a"),
        SettingsRefused("no"),
        Trouble("ledger", "Full."),
        Trouble("edgeHub", "Away.", passing=True),
        LinkChanged(link),
    ):
        metrics(event)
    told = _told(metrics)
    assert told['nestor_certificates_issued_total{profile="deviceIdentity"}'] == 3
    assert told['nestor_certificates_replayed_total{profile="deviceIdentity"}'] == 1
    assert told['nestor_certificates_adopted_total{profile="deviceIdentity"}'] == 1
    assert told["nestor_certificates_revoked_total"] == 1
    assert told['nestor_approvals_asked_total{profile="estIdentity"}'] == 1
    assert told['nestor_approvals_decided_total{decision="approved"}'] == 1
    assert told['nestor_enrollments_refused_total{reason="Forbidden"}'] == 1
    assert told['nestor_requests_turned_away_total{reason="UnknownPath"}'] == 1
    assert told["nestor_handshakes_failed_total"] == 1
    assert told['nestor_http_responses_total{operation="other",status="404"}'] == 1
    assert told['nestor_http_request_duration_seconds_bucket{le="0.025",operation="other"}'] == 1
    assert told['nestor_http_request_duration_seconds_bucket{le="0.01",operation="other"}'] == 0
    assert (told["nestor_settings_applied_total"], told["nestor_settings_refused_total"]) == (1, 1)
    assert told['nestor_troubles_total{about="ledger"}'] == 1
    assert 'nestor_troubles_total{about="edgeHub"}' not in told
    assert told["nestor_edgehub_connected"] == 1
    assert told['nestor_build_info{version="1.2.3"}'] == 1


def test_what_is_true_at_the_moment_is_told_with_every_check() -> None:
    metrics = Metrics("1", {})
    figures = Figures(
        checks={"ca": True, "ledger": False},
        connections=7,
        in_progress=2,
        ca_end=2_000.0,
        server_certificate_end=1_000.0,
        recorded={"edgeCa": 5},
        revoked=1,
        ledger_bytes=4096,
        upstream_since=3_000.0,
        upstream_latency=0.25,
    )
    told = _told(metrics, figures)
    assert told["nestor_ready"] == 0
    checks = {check: told[f'nestor_health{{check="{check}"}}'] for check in ("loop", "ca", "ledger")}
    assert checks == {"loop": 1, "ca": 1, "ledger": 0}
    assert (told["nestor_upstream_since_timestamp_seconds"], told["nestor_upstream_latency_seconds"]) == (3000, 0.25)
    assert (told["nestor_connections_open"], told["nestor_http_requests_in_progress"]) == (7, 2)
    assert told["nestor_ca_certificate_expiry_timestamp_seconds"] == 2000
    assert told["nestor_server_certificate_expiry_timestamp_seconds"] == 1000
    assert told['nestor_ledger_certificates{profile="edgeCa"}'] == 5
    assert (told["nestor_ledger_revoked_certificates"], told["nestor_ledger_size_bytes"]) == (1, 4096)
    assert _told(metrics, Figures(checks={"ca": True, "ledger": True}))["nestor_ready"] == 1


def test_every_route_of_the_moment_is_told_and_none_that_is_gone() -> None:
    metrics = Metrics("1", {})
    routes = {"blob": RouteFigures(0.0, 1_000.0, 0.5), "hub": RouteFigures(1.0, 2_000.0, 0.25)}
    told = _told(metrics, Figures(routes=routes))
    names = ("working", "since_timestamp_seconds", "latency_seconds")
    assert [told[f'nestor_routes_{name}{{route="blob"}}'] for name in names] == [0, 1000, 0.5]
    told = _told(metrics, Figures(routes={"hub": routes["hub"]}))
    assert [series for series in told if 'route="' in series and "hub" not in series] == []
    many = _told(metrics, Figures(routes={f"r{number}": routes["hub"] for number in range(1_000)}))
    assert len([series for series in many if 'route="' in series]) == 3 * 50


def test_a_house_that_does_not_answer_is_not_ready() -> None:
    metrics = Metrics("1", {})
    metrics.expose(Figures(checks={"ca": True}))
    told = _told(metrics, None)
    assert (told["nestor_ready"], told['nestor_health{check="loop"}']) == (0, 0)


def test_every_series_of_a_module_is_labeled_as_those_of_the_runtime_are() -> None:
    metrics = Metrics("1", LABELS)
    metrics(Enrolled(an_entry(), replayed=False))
    wanted = [f'{name}="{value}"' for name, value in LABELS.items()]
    series = _told(metrics, Figures())
    assert [name for name in series if not all(label in name for label in wanted)] == []
    assert any("process_resident_memory_bytes" in name for name in series)


def _the_usual(metrics: Metrics, name: str) -> None:
    """What a device or a stranger of a name can cause, over and over."""
    metrics(Enrolled(an_entry(name, subject=f"CN={name}", requester=name, address=name, label=name), replayed=False))
    metrics(_refusal(name))
    metrics(TurnedAway(name, f"GET /{name}", "UnknownPath", name, name))
    metrics(HandshakeFailed(name, name))
    metrics(Answered(name, f"POST /.well-known/est/{name}/simpleenroll", "simpleenroll", 403, 0.1, name))


def test_ten_thousand_identities_make_not_one_series_more_and_none_is_named() -> None:
    metrics = Metrics("1", LABELS)
    _the_usual(metrics, "the-first")
    few = _told(metrics, Figures())
    for number in range(10_000):
        _the_usual(metrics, f"device-{number}")
    many = _told(metrics, Figures())
    assert few.keys() == many.keys()
    assert not [series for series in many if "device-" in series or "the-first" in series]


def test_however_many_profiles_and_reasons_there_have_been_the_series_stay_few() -> None:
    metrics = Metrics("1", {})
    for number in range(1_000):
        metrics(Enrolled(an_entry(profile=f"profile-{number}"), replayed=False))
        metrics(_refusal("gw3", reason=f"reason-{number}"))
        metrics(Trouble(f"about-{number}", "It happens."))
    told = _told(metrics, Figures(recorded={f"profile-{number}": 1 for number in range(1_000)}))
    assert len(told) < 300
    assert told['nestor_certificates_issued_total{profile="other"}'] == 950
    assert told['nestor_ledger_certificates{profile="other"}'] == 950


def test_the_page_that_lists_the_metrics_lists_these_and_no_others() -> None:
    page = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(nestor_\w+)", page, re.MULTILINE))
    exposed = re.findall(r"^# TYPE (nestor_\w+) ", Metrics("1", {}).expose(Figures()).decode(), re.MULTILINE)
    assert documented == set(exposed)
