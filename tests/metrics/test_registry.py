"""Names, labels and buckets: what dashboards and alerts were written for."""

import pytest
from prometheus_client import Metric

from app.metrics.catalogue import PREFIX
from app.metrics.registry import Lost, Metrics

REQUIRED = {
    "requests_total": ("counter", {"model", "provider", "status", "streaming"}),
    "request_duration_seconds": ("histogram", {"model", "provider", "streaming"}),
    "tokens_total": ("counter", {"model", "provider", "type"}),
    "active_requests": ("gauge", {"provider"}),
    "errors_total": ("counter", {"provider", "error_type"}),
    "ttft_seconds": ("histogram", {"model", "provider"}),
    "cache_operations_total": ("counter", {"operation", "result"}),
}


def families(metrics: Metrics) -> dict[str, Metric]:
    found = {family.name: family for family in metrics.registry.collect()}
    return {name.removeprefix(PREFIX): family for name, family in found.items() if name.startswith(PREFIX)}


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics()
    made.expect([("fast", "openai"), ("fast", "anthropic")])
    made.duration("fast", "openai", "false").observe(1)
    made.ttft("fast", "openai").observe(1)
    return made


@pytest.mark.parametrize("name", REQUIRED)
def test_the_required_metrics_have_their_names_types_and_labels(metrics: Metrics, name: str) -> None:
    kind, labels = REQUIRED[name]
    family = families(metrics)[name.removesuffix("_total")]
    assert family.type == kind
    for sample in family.samples:
        assert set(sample.labels) - {"le"} == labels


def test_what_the_configuration_implies_is_there_before_it_happens(metrics: Metrics) -> None:
    """`increase()` over a series that is born with its first error is 0."""
    found = families(metrics)
    requests = {tuple(s.labels.values()): s.value for s in found["requests"].samples if s.name.endswith("_total")}
    for provider in ("openai", "anthropic"):
        for status in ("success", "error"):
            for streaming in ("true", "false"):
                assert requests["fast", provider, status, streaming] == 0
    errors = {(s.labels["provider"], s.labels["error_type"]) for s in found["errors"].samples}
    assert ("openai", "timeout") in errors
    assert ("none", "client_authentication") in errors
    assert not any(kind == "cancelled" for _, kind in errors)


def test_thresholds_of_alerts_are_boundaries_of_buckets(metrics: Metrics) -> None:
    found = families(metrics)
    duration = {s.labels["le"] for s in found["request_duration_seconds"].samples if "le" in s.labels}
    ttft = {s.labels["le"] for s in found["ttft_seconds"].samples if "le" in s.labels}
    assert {"10.0", "30.0"} <= duration
    assert "5.0" in ttft


def test_a_series_that_has_no_room_is_lost_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def full(_: str) -> None:
        raise OSError("no room for metrics")

    metrics = Metrics(full)
    lost = metrics.active("openai")
    assert isinstance(lost, Lost)
    lost.inc()
    lost.dec()
    metrics.expect([("fast", "openai")])
    metrics.in_force("0" * 64)
    assert caplog.text.count("no room for metrics") < 10, "said once in a while, not for every call"


def test_the_first_thousand_tenants_have_a_label_of_their_own(metrics: Metrics) -> None:
    names = [f"tenant-{number}" for number in range(1500)]
    assert [metrics.tenant(name) for name in names[:1000]] == names[:1000]
    assert {metrics.tenant(name) for name in names[1000:]} == {"other"}
    assert metrics.tenant("tenant-7") == "tenant-7"


def test_tenants_are_there_before_they_call() -> None:
    metrics = Metrics()
    metrics.expect([], ["acme"])
    found = families(metrics)
    requests = {
        tuple(s.labels.values()): s.value for s in found["tenant_requests"].samples if s.name.endswith("_total")
    }
    assert requests == {("acme", "success"): 0, ("acme", "error"): 0}
    assert any(s.labels == {"tenant": "acme"} for s in found["tenant_cost_usd"].samples)
