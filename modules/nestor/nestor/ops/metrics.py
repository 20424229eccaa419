"""The metrics for Prometheus: counted from events, or told at the moment somebody asks. Pure of HTTP.

No label holds what a device or a stranger chose: whoever comes, the number of series stays what it is. Nothing here is
secret: no name of a device, no address, no sentence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from nestor.approval import ApprovalState
from nestor.events import (
    Adopted,
    Answered,
    ApprovalAsked,
    ApprovalDecided,
    Carried,
    Enrolled,
    Event,
    HandshakeFailed,
    LinkChanged,
    Refused,
    Revoked,
    SettingsApplied,
    SettingsRefused,
    Trouble,
    TurnedAway,
    UpstreamChanged,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_UNKNOWN = float("nan")
_NOISE = "_created"  # when each series began, as a series of its own
_OTHER = "other"
_MOST = 50
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 12.0)


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """How a route does: 1 or 0, NaN while it was not used; since which moment; and the seconds of its last answer."""

    works: float
    since: float
    latency: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told at the moment somebody asks; `checks` says of every check of the house whether all is well.

    Moments are seconds since 1970, NaN where there is no such certificate.
    """

    checks: Mapping[str, bool] = field(default_factory=dict)
    connections: int = 0
    in_progress: int = 0
    ca_end: float = _UNKNOWN
    server_certificate_end: float = _UNKNOWN
    recorded: Mapping[str, int] = field(default_factory=dict)
    revoked: int = 0
    ledger_bytes: int = 0
    upstream_since: float = _UNKNOWN
    upstream_latency: float = _UNKNOWN
    routes: Mapping[str, RouteFigures] = field(default_factory=dict)


class Metrics:
    """Counters and gauges of one process; as a Sink it hears every event. `labels` are on every series."""

    def __init__(self, version: str, labels: Mapping[str, str]) -> None:
        inner = CollectorRegistry()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Labeled(inner, labels))
        self._counts = _Counts(inner)
        self._gauges = _Gauges(inner)
        ProcessCollector(registry=inner)
        Gauge("nestor_build_info", "The version that runs.", ["version"], registry=inner).labels(version).set(1)

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        self._counts.hear(event)

    def expose(self, figures: Figures | None) -> bytes:
        """Everything as the text that Prometheus reads; without figures, the gauges say that the house is silent."""
        self._gauges.show(figures)
        return generate_latest(self._registry)


class _Counts:
    """What events add up to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, told: str, *labels: str) -> "_Bounded":
            return _Bounded(Counter(f"nestor_{name}", told, labels, registry=registry))

        self.issued = counter("certificates_issued", "Certificates issued.", "profile")
        self.replayed = counter("certificates_replayed", "Answered once more with the same certificate.", "profile")
        self.adopted = counter("certificates_adopted", "Taken in on an operator's word.", "profile")
        self.revoked = counter("certificates_revoked", "Certificates revoked since the start.")
        self.refused = counter("enrollments_refused", "Requests refused at the desk, by reason.", "reason")
        self.asked = counter("approvals_asked", "Requests that an operator has to approve.", "profile")
        self.decided = counter("approvals_decided", "What operators said of them.", "decision")
        self.turned_away = counter("requests_turned_away", "Requests that never came to the desk.", "reason")
        self.handshakes = counter("handshakes_failed", "TLS handshakes that failed.")
        self.responses = counter("http_responses", "Answers on the EST port.", "operation", "status")
        self.seconds = Histogram(
            "nestor_http_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            ["operation"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.applied = counter("settings_applied", "Changes of settings that came into force.")
        self.rejected = counter("settings_refused", "Changes of settings that did not hold.")
        self.troubles = counter("troubles", "Lines of the log at level error, by what they are about.", "about")
        self.carried = counter(
            "routes_requests", "Requests on a route, by the status of the answer; 0 without.", "route", "status"
        )
        self.carried_bytes = counter(
            "routes_bytes", "Bytes of bodies on a route, sent up and received.", "route", "way"
        )
        self.route_seconds = counter("routes_seconds", "Seconds that requests were on their way, in all.", "route")
        self.link = Gauge("nestor_edgehub_connected", "Whether edgeHub is reached: 1 or 0.", registry=registry)
        self.link.set(_UNKNOWN)
        self.above = Gauge("nestor_upstream_reached", "Whether the server above is reached: 1 or 0.", registry=registry)
        self.above.set(_UNKNOWN)

    def hear(self, event: Event) -> None:
        match event:
            case Enrolled(entry, replayed):
                (self.replayed if replayed else self.issued).add(entry.profile)
            case Answered(_, _, operation, status, seconds):
                self.responses.add(operation, str(status))
                self.seconds.labels(operation).observe(seconds)
            case Carried():
                self._hear_of_a_route(event)
            case Refused(refusal):
                self.refused.add(refusal.reason)
            case TurnedAway(reason=reason):
                self.turned_away.add(reason)
            case HandshakeFailed():
                self.handshakes.add()
            case _:
                self._hear_of_the_house(event)

    def _hear_of_a_route(self, event: Carried) -> None:
        self.carried.add(event.route, str(event.status))
        self.carried_bytes.add(event.route, "sent", by=event.sent)
        self.carried_bytes.add(event.route, "received", by=event.received)
        self.route_seconds.add(event.route, by=event.seconds)

    def _hear_of_the_house(self, event: Event) -> None:
        match event:
            case Adopted(entry):
                self.adopted.add(entry.profile)
            case ApprovalAsked(approval):
                self.asked.add(approval.profile)
            case ApprovalDecided(approval):
                self.decided.add("denied" if approval.state is ApprovalState.DENIED else "approved")
            case Revoked():
                self.revoked.add()
            case SettingsApplied():
                self.applied.add()
            case SettingsRefused():
                self.rejected.add()
            case Trouble(about=about, passing=False):
                self.troubles.add(about)
            case LinkChanged(state):
                self.link.set(state.connected)
            case UpstreamChanged(state):
                self.above.set(bool(state.reached))
            case _:
                pass


class _Gauges:
    """What is true at the moment of asking."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, told: str, *labels: str) -> Gauge:
            return Gauge(f"nestor_{name}", told, labels, registry=registry)

        self.ready = gauge("ready", "Whether it issues: 1 or 0.")
        self.health = gauge("health", "Whether a check finds all well: 1 or 0.", "check")
        self.connections = gauge("connections_open", "Open connections on the EST port.")
        self.in_progress = gauge("http_requests_in_progress", "Requests that are arriving or being answered.")
        self.ca_end = gauge("ca_certificate_expiry_timestamp_seconds", "When the first certificate of the CA ends.")
        self.server_end = gauge("server_certificate_expiry_timestamp_seconds", "When the server's certificate ends.")
        self.recorded = gauge("ledger_certificates", "Certificates issued since the ledger was made.", "profile")
        self.revoked = gauge("ledger_revoked_certificates", "Certificates revoked since the ledger was made.")
        self.since = gauge(
            "upstream_since_timestamp_seconds", "Since when the server above is reached, or is not reached."
        )
        self.latency = gauge("upstream_latency_seconds", "How long the last answer of the server above took.")
        self.routes = (
            gauge("routes_working", "Whether what a route leads to answered when asked last: 1 or 0.", "route"),
            gauge("routes_since_timestamp_seconds", "Since when it does, or does not.", "route"),
            gauge("routes_latency_seconds", "After how long its last answer began.", "route"),
        )
        self.bytes = gauge("ledger_size_bytes", "Bytes of the ledger's file.")

    def show(self, figures: Figures | None) -> None:
        checks = {"loop": figures is not None, **(figures.checks if figures else {})}
        for check, well in checks.items():
            self.health.labels(check).set(well)
        self.ready.set(all(checks.values()))
        if figures is None:
            return
        self.connections.set(figures.connections)
        self.in_progress.set(figures.in_progress)
        self.ca_end.set(figures.ca_end)
        self.server_end.set(figures.server_certificate_end)
        self.recorded.clear()
        for profile, number in _fewest(figures.recorded).items():
            self.recorded.labels(profile).set(number)
        self.revoked.set(figures.revoked)
        self.bytes.set(figures.ledger_bytes)
        self.since.set(figures.upstream_since)
        self.latency.set(figures.upstream_latency)
        self._show_routes(figures.routes)

    def _show_routes(self, routes: Mapping[str, RouteFigures]) -> None:
        """Those that there are now, and no more of them than of other labels."""
        for one in self.routes:
            one.clear()
        for name, figures in islice(routes.items(), _MOST):
            for one, value in zip(self.routes, (figures.works, figures.since, figures.latency), strict=True):
                one.labels(name).set(value)


class _Bounded:
    """A counter whose labels take so many values, and no more: the rest are counted together."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._series: dict[tuple[str, ...], Counter] = {(): counter}

    def add(self, *values: str, by: float = 1) -> None:
        series = self._series.get(values) or self._another(values)
        series.inc(by)

    def _another(self, values: tuple[str, ...]) -> Counter:
        if len(self._series) > _MOST:
            return self._counter.labels(*(_OTHER,) * len(values))
        return self._series.setdefault(values, self._counter.labels(*values))


def _fewest(numbers: Mapping[str, int]) -> Mapping[str, int]:
    """The largest of them by name, and the others in one."""
    if len(numbers) <= _MOST:
        return numbers
    largest = dict(sorted(numbers.items(), key=lambda pair: -pair[1])[:_MOST])
    return largest | {_OTHER: sum(numbers.values()) - sum(largest.values()) + largest.get(_OTHER, 0)}


class _Labeled(Collector):
    """Everything of a registry, with further labels on every series: who tells it, where many are collected."""

    def __init__(self, registry: CollectorRegistry, labels: Mapping[str, str]) -> None:
        self._inner = registry
        self._labels = labels

    def collect(self) -> Iterator[Metric]:
        for metric in self._inner.collect():
            told = (one for one in metric.samples if not one.name.endswith(_NOISE))
            metric.samples = [one._replace(labels={**self._labels, **one.labels}) for one in told]
            yield metric
